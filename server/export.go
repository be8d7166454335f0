package server

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strconv"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
	"orrery/viz"
)

// export is GET /api/notebooks/:id/cells/:cell/outputs/OUTPUT.FORMAT with the
// query of api.ExportFormats. The answer is a download; it is
// never shown inside the page's origin.
func (s *Server) export(c echo.Context) error {
	h, err := s.notebook(c)
	if err != nil {
		return err
	}
	cell, err := param(c, "cell")
	if err != nil {
		return err
	}
	file, err := param(c, "file")
	if err != nil {
		return err
	}
	dot := strings.LastIndexByte(file, '.')
	if dot < 0 {
		return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%q names no format", file),
			Hint: fmt.Sprintf("write OUTPUT.FORMAT; formats are %v", api.ExportFormats)}
	}
	format, err := viz.FindFormat(file[dot+1:])
	if err != nil {
		return &api.Error{Code: api.Invalid, Message: err.Error()}
	}
	figure, err := h.figure(cell, file[:dot])
	if err != nil {
		return err
	}
	options, err := exportOptions(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := viz.Export(&b, figure, format.Name, options); err != nil {
		return &api.Error{Code: api.Invalid, Message: err.Error()}
	}
	headers := c.Response().Header()
	headers.Set("Content-Disposition", mime.FormatMediaType("attachment",
		map[string]string{"filename": fileName(h.id, figure.Title) + "." + format.Name}))
	headers.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	return c.Blob(http.StatusOK, format.MIME, b.Bytes())
}

// exportOptions reads what the reader sees from the query (see api.ExportFormats).
func exportOptions(c echo.Context) (viz.Options, error) {
	o := viz.Options{Show: c.QueryParam("show"), Colour: c.QueryParam("colour"), Theme: c.QueryParam("theme")}
	for key, values := range c.QueryParams() {
		what, place, ok := strings.Cut(key, ".")
		if !ok || what != "show" && what != "colour" {
			continue
		}
		i, err := strconv.Atoi(place)
		if err != nil || len(values) != 1 {
			return o, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%q is not %s.PANEL, once, with the panel's place from 0", key, what)}
		}
		if o.Items == nil {
			o.Items = map[int]viz.ItemOptions{}
		}
		item := o.Items[i]
		if what == "show" {
			item.Show = values[0]
		} else {
			item.Colour = values[0]
		}
		o.Items[i] = item
	}
	if text := c.QueryParam("frame"); text != "" {
		frame, err := strconv.Atoi(text)
		if err != nil {
			return o, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("frame %q is not a whole number", text)}
		}
		o.Frame = &frame
	}
	if text := c.QueryParam("turn"); text != "" {
		var turn [2]float64
		azimuth, elevation, _ := strings.Cut(text, ",")
		var errs [2]error
		turn[0], errs[0] = strconv.ParseFloat(azimuth, 64)
		turn[1], errs[1] = strconv.ParseFloat(elevation, 64)
		if errs[0] != nil || errs[1] != nil {
			return o, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("turn %q is not AZIMUTH,ELEVATION in degrees", text)}
		}
		o.Turn = &turn
	}
	return o, nil
}

// fileName makes a name for a download from a notebook's id and a figure's
// title: letters, digits and single hyphens.
func fileName(id, title string) string {
	var b strings.Builder
	for _, r := range path.Base(id) + " " + title {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)):
			b.WriteRune(unicode.ToLower(r))
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-")
	return name[:min(len(name), 100)]
}
