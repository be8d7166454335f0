package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// assets serves the built page. File names are fixed, so that a browser asks
// each time and gets "not modified" by the hash of the content.
type assets struct{ fsys fs.FS }

// page serves index.html with a fresh nonce for the styles that the editor
// makes, and with the policy that names it.
func (a *assets) page(c echo.Context) error {
	html, err := fs.ReadFile(a.fsys, "index.html")
	if err != nil {
		return fmt.Errorf("the page is not built in: %w", err)
	}
	nonce := nonce()
	c.Response().Header().Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'", "script-src 'self'", "style-src 'self' 'nonce-" + nonce + "'",
		"img-src 'self' data: blob:", "font-src 'self'", "connect-src 'self'", "worker-src 'self' blob:",
		"base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}, "; "))
	return c.HTMLBlob(http.StatusOK, bytes.ReplaceAll(html, []byte("{{nonce}}"), []byte(nonce)))
}

// file serves any other file of the page.
func (a *assets) file(c echo.Context) error {
	name := strings.TrimPrefix(c.Request().URL.Path, "/")
	missing := &api.Error{Code: api.NotFound, Message: "there is nothing at this address", Hint: startHint}
	if !fs.ValidPath(name) || name == "index.html" {
		return missing
	}
	data, err := fs.ReadFile(a.fsys, name)
	if err != nil {
		var reason *fs.PathError
		if errors.Is(err, fs.ErrNotExist) || errors.As(err, &reason) {
			return missing
		}
		return err
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", `"`+hashOf(data)[:32]+`"`)
	if kind := mediaType(name); kind != "" {
		h.Set("Content-Type", kind)
	}
	http.ServeContent(c.Response(), c.Request(), name, time.Time{}, bytes.NewReader(data))
	return nil
}

// mediaType returns the type of the files that a page has, without asking the
// machine's own tables.
func mediaType(name string) string {
	switch path.Ext(name) {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	}
	return mime.TypeByExtension(path.Ext(name))
}
