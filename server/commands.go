package server

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"orrery/models"
	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/server/script"
	"orrery/viz"
)

// snapshot is GET /api/notebooks/:id. It runs nothing and writes nothing.
func (s *Server) snapshot(c echo.Context) error {
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	data, err := h.snapshot()
	if err != nil {
		return err
	}
	return c.JSONBlob(http.StatusOK, data)
}

// edit is POST /api/notebooks/:id/edit.
func (s *Server) edit(c echo.Context) error {
	req, err := bind[api.EditRequest](c, editBody)
	if err != nil {
		return err
	}
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	done, err := h.edit(req)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, done)
}

// run is POST /api/notebooks/:id/run.
func (s *Server) run(c echo.Context) error {
	req, err := bind[api.RunRequest](c, smallBody)
	if err != nil {
		return err
	}
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	jobs, err := h.run(req)
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, api.RunResponse{Jobs: jobs})
}

// interrupt is POST /api/notebooks/:id/interrupt.
func (s *Server) interrupt(c echo.Context) error {
	req, err := bind[api.InterruptRequest](c, smallBody)
	if err != nil {
		return err
	}
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	if err := h.interrupt(req.Cell); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// resolve is POST /api/notebooks/:id/resolve.
func (s *Server) resolve(c echo.Context) error {
	req, err := bind[api.ResolveRequest](c, smallBody)
	if err != nil {
		return err
	}
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	if err := h.resolve(req.Keep); err != nil {
		return err
	}
	return c.NoContent(http.StatusNoContent)
}

// tokenize is POST /api/tokenize.
func (s *Server) tokenize(c echo.Context) error {
	req, err := bind[api.TokenizeRequest](c, editBody)
	if err != nil {
		return err
	}
	m, err := s.models.Open(req.Model)
	if err != nil {
		return invalid(err)
	}
	tokens, err := tokensOf(m, req.Prompt)
	if err != nil {
		return invalid(err)
	}
	return c.JSON(http.StatusOK, api.TokenizeResponse{Tokens: tokens})
}

// form is POST /api/form: it reads and edits text, and no document; the page
// sends what comes back as an edit of its own.
func (s *Server) form(c echo.Context) error {
	req, err := bind[api.FormRequest](c, editBody)
	if err != nil {
		return err
	}
	f, err := script.Form(req.Source, req.Types, req.Edit)
	if err != nil {
		return invalid(err)
	}
	return c.JSON(http.StatusOK, f)
}

// invalid puts what a model or its tokenizer says about a request in words
// for the page.
func invalid(err error) error {
	e := *asError(err)
	if e.Code == api.Internal {
		e = api.Error{Code: api.Invalid, Message: err.Error()}
	}
	return &e
}

// tokensOf returns a prompt as the model sees it.
func tokensOf(m *models.Model, prompt string) ([]api.Token, error) {
	ids, err := m.Encode(prompt)
	if err != nil {
		return nil, err
	}
	return analysis.PromptTokens(m, ids), nil
}

// figure returns a copy of an output's figure.
func (h *hub) figure(cell, output string) (*viz.Figure, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o := h.output(cell, output)
	if o == nil {
		return nil, noOutput()
	}
	if o.Figure == nil {
		return nil, &api.Error{Code: api.Unsupported, Message: "only figures can be exported"}
	}
	return copyFigure(o.Figure), nil
}
