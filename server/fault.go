package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// statuses maps the class of an error to the status of its answer.
var statuses = map[api.Code]int{
	api.Invalid:      http.StatusBadRequest,
	api.Unauthorized: http.StatusUnauthorized,
	api.Forbidden:    http.StatusForbidden,
	api.NotFound:     http.StatusNotFound,
	api.Conflicted:   http.StatusConflict,
	api.Canceled:     http.StatusConflict,
	api.Unsupported:  http.StatusUnprocessableEntity,
	api.TooLarge:     http.StatusRequestEntityTooLarge,
	api.Busy:         http.StatusServiceUnavailable,
	api.Storage:      http.StatusInsufficientStorage,
	api.Internal:     http.StatusInternalServerError,
}

// writeError answers a request that failed. It is the only place where an
// error becomes a status; details of a fault of ours stay in the log.
func writeError(log *slog.Logger) echo.HTTPErrorHandler {
	return func(err error, c echo.Context) {
		if c.Response().Committed {
			return
		}
		e, status := asError(err), 0
		if status = statuses[e.Code]; status == 0 {
			status = http.StatusInternalServerError
		}
		if e.Code == api.Internal {
			log.Error("a request failed", "method", c.Request().Method, "path", c.Request().URL.Path, "error", err)
		}
		var sent error
		switch {
		case isAPI(c.Request().URL.Path):
			sent = c.JSON(status, e)
		case readsHTML(c.Request()):
			sent = writeFault(c, status, e)
		default:
			sent = c.String(status, "orrery: "+e.Error()+"\n")
		}
		if sent != nil {
			log.Debug("an error could not be sent", "error", sent)
		}
	}
}

// asError turns any error into one for the page. What the program did not
// foresee becomes internal, without its text.
func asError(err error) *api.Error {
	var known *api.Error
	if errors.As(err, &known) {
		return known
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return &api.Error{Code: api.TooLarge, Message: "the request is larger than the server takes", Hint: "send less at a time"}
	}
	var route *echo.HTTPError
	if errors.As(err, &route) {
		switch route.Code {
		case http.StatusNotFound:
			return &api.Error{Code: api.NotFound, Message: "there is nothing at this address", Hint: startHint}
		case http.StatusMethodNotAllowed:
			return &api.Error{Code: api.Invalid, Message: "this address does not take that method"}
		}
	}
	if errors.Is(err, context.Canceled) {
		return &api.Error{Code: api.Canceled, Message: "the request was canceled"}
	}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		return &api.Error{Code: api.Invalid, Message: err.Error(), Hint: hint.Hint()}
	}
	return &api.Error{Code: api.Internal, Message: "the server failed; this is its fault", Hint: "its log has the details"}
}
