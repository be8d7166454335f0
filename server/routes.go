package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// The most that the body of a request may have.
const (
	smallBody = 64 << 10
	editBody  = 20 << 20 // a whole notebook pasted at once
)

// routes is every address of the server. All but /healthz pass the guard.
func (s *Server) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Logger.SetOutput(io.Discard)
	e.HTTPErrorHandler = writeError(s.log)
	e.Use(access(s.log), headers, s.guard.host, s.guard.enter)

	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })

	e.GET("/api/workspace", s.workspace)
	e.POST("/api/tokenize", s.tokenize)
	e.POST("/api/form", s.form)
	e.POST("/api/notebooks", s.create)
	e.GET("/api/notebooks/:id", s.snapshot)
	e.POST("/api/notebooks/:id/edit", s.edit)
	e.POST("/api/notebooks/:id/run", s.run)
	e.POST("/api/notebooks/:id/interrupt", s.interrupt)
	e.POST("/api/notebooks/:id/resolve", s.resolve)
	e.GET("/api/notebooks/:id/events", s.events)
	e.GET("/api/notebooks/:id/cells/:cell/outputs/:file", s.export)
	e.GET("/api/notebooks/:id/cells/:cell/outputs/:output/head", s.head)
	e.GET("/api/notebooks/:id/cells/:cell/outputs/:output/head/direct", s.headDirect)

	page := &assets{fsys: s.options.Assets}
	e.GET("/", page.page)
	e.GET("/n/*", page.page)
	e.GET("/*", page.file)
	return e
}

// param returns a part of the path with its escapes undone: echo matches the
// escaped path where there is one, so that "/" may stand in a part as %2F.
func param(c echo.Context, name string) (string, error) {
	v := c.Param(name)
	if c.Request().URL.RawPath == "" {
		return v, nil
	}
	v, err := url.PathUnescape(v)
	if err != nil {
		return "", &api.Error{Code: api.Invalid, Message: fmt.Sprintf("address: %v", err)}
	}
	return v, nil
}

// notebook returns the hub that a path names.
func (s *Server) notebook(c echo.Context) (*hub, error) {
	id, err := param(c, "id")
	if err != nil {
		return nil, err
	}
	return s.hub(id)
}

// sequence reads the number of an event; empty is 0.
func sequence(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("since=%q is not the number of an event", text)}
	}
	return n, nil
}

// bind reads the body of a request: one JSON value of type T, nothing unknown
// in it, nothing behind it.
func bind[T any](c echo.Context, limit int64) (T, error) {
	var v T
	kind, _, err := mime.ParseMediaType(c.Request().Header.Get("Content-Type"))
	if err != nil || kind != "application/json" {
		return v, &api.Error{Code: api.Invalid, Message: "the body is not marked as JSON", Hint: "send Content-Type: application/json"}
	}
	d := json.NewDecoder(http.MaxBytesReader(c.Response(), c.Request().Body, limit))
	d.DisallowUnknownFields()
	err = d.Decode(&v)
	if err == nil {
		if _, more := d.Token(); more == nil {
			err = errors.New("something follows the JSON value")
		} else if !errors.Is(more, io.EOF) {
			err = more
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return v, &api.Error{Code: api.TooLarge, Message: fmt.Sprintf("the request has more than %d bytes", limit), Hint: "send less at a time"}
	}
	if err != nil {
		return v, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("the body cannot be read: %v", err)}
	}
	return v, nil
}
