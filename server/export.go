package server

import (
	"bytes"
	"fmt"
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
	"orrery/viz"
)

// export is GET /api/notebooks/:id/cells/:cell/outputs/OUTPUT.FORMAT with the
// query show=METRIC and theme=light or dark. The answer is a download; it is
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
	var b bytes.Buffer
	err = viz.Export(&b, figure, format.Name, viz.Options{Show: c.QueryParam("show"), Theme: c.QueryParam("theme")})
	if err != nil {
		return &api.Error{Code: api.Invalid, Message: err.Error()}
	}
	headers := c.Response().Header()
	headers.Set("Content-Disposition", mime.FormatMediaType("attachment",
		map[string]string{"filename": fileName(h.id, figure.Title) + "." + format.Name}))
	headers.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	return c.Blob(http.StatusOK, format.MIME, b.Bytes())
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
