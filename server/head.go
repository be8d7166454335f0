package server

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"orrery/models"
	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/server/script"
	"orrery/viz"
)

// head is GET /api/notebooks/:id/cells/:cell/outputs/:output/head (see
// api.HeadCard).
func (s *Server) head(c echo.Context) error {
	return readHead(s, c, analysis.ReadHeadCard, "panel", "row", "column", "prompt")
}

// headDirect is GET /api/notebooks/:id/cells/:cell/outputs/:output/head/direct (see
// api.HeadDirect).
func (s *Server) headDirect(c echo.Context) error {
	return readHead(s, c, analysis.ReadHeadDirect, "panel", "row", "column")
}

// readHead answers what the head behind a cell does. It works beside a running
// cell, one answer at a time in a notebook, and stops when the page asks no more.
func readHead[T any](s *Server, c echo.Context, read func(context.Context, *models.Model, *viz.Figure, analysis.HeadCell) (*T, error), query ...string) error {
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	cell, err := param(c, "cell")
	if err != nil {
		return err
	}
	output, err := param(c, "output")
	if err != nil {
		return err
	}
	var at analysis.HeadCell
	into := map[string]*int{"panel": &at.Panel, "row": &at.Row, "column": &at.Column, "prompt": &at.Prompt}
	for _, name := range query {
		if *into[name], err = strconv.Atoi(c.QueryParam(name)); err != nil {
			return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%s=%q is not a whole number", name, c.QueryParam(name))}
		}
	}
	f, err := h.description(cell, output)
	if err != nil {
		return err
	}
	m, err := h.modelOf(f.Provenance)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	select {
	case h.reading <- struct{}{}:
		defer func() { <-h.reading }()
	case <-ctx.Done():
		return ctx.Err()
	}
	answer, err := read(ctx, m, f, at)
	if err != nil {
		return invalid(err)
	}
	return c.JSON(http.StatusOK, answer)
}

// description returns an output's figure without its numbers, which a running
// cell may change.
func (h *hub) description(cell, output string) (*viz.Figure, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.output(cell, output)
	if o == nil {
		return nil, noOutput()
	}
	if o.Figure == nil {
		return nil, &api.Error{Code: api.Unsupported, Message: "only figures have heads"}
	}
	f := *o.Figure
	f.Arrays, f.Texts, f.Scales = nil, nil, nil
	return &f, nil
}

// noOutput is the error of an output that is not, or no longer, there.
func noOutput() error {
	return &api.Error{Code: api.NotFound, Message: "there is no such output", Hint: "the cell has run again since; take the output that it shows now"}
}

// modelOf finds the model that made a figure, by its hash: among the notebook's
// variables, then by its name.
func (h *hub) modelOf(p viz.Provenance) (*models.Model, error) {
	h.mu.Lock()
	var exports []*script.Exports
	for _, st := range h.cells {
		if st.exports != nil {
			exports = append(exports, st.exports)
		}
	}
	h.mu.Unlock()
	for _, e := range exports {
		all := e.Models()
		if i := slices.IndexFunc(all, func(m *models.Model) bool { return p.Hash != "" && m.Hash() == p.Hash }); i >= 0 {
			return all[i], nil
		}
	}
	m, err := h.models.Open(p.Model)
	switch {
	case err != nil:
		return nil, &api.Error{Code: api.Unsupported, Message: fmt.Sprintf("the model %q that made this figure is not here: %v", p.Model, asError(err).Message),
			Hint: "run the cell that loads it; a model from a hub is fetched by orrery pull OWNER/NAME on the command line"}
	case p.Hash == "" || m.Hash() != p.Hash:
		return nil, &api.Error{Code: api.Unsupported, Message: fmt.Sprintf("the model %q that can be loaded has other weights than the one that made this figure", p.Model),
			Hint: "run this cell again, and those that it needs"}
	}
	return m, nil
}
