package server

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// guard decides which requests are ours before anything else looks at them.
//
// In this order: the Host must be a name of this listener, against DNS
// rebinding. The request must carry the token as cookie or bearer, against
// other users of the machine. What changes something, and the websocket, must
// come from a page of this very origin, against other pages in the same
// browser: cookies ignore ports, so that SameSite does not stop a page of
// another local server. A request without Origin is only a program's that
// sends the token itself.
type guard struct {
	pass  *pass
	hosts []string // the Host values that are ours
}

// newGuard returns the guard of a listener's port.
func newGuard(p *pass, port int) *guard {
	g := &guard{pass: p}
	for _, h := range []string{"127.0.0.1", "localhost", "::1"} {
		g.hosts = append(g.hosts, net.JoinHostPort(h, strconv.Itoa(port)))
	}
	return g
}

// forbidden is the answer to a request that is not from our page.
func forbidden(format string, a ...any) error {
	return &api.Error{Code: api.Forbidden, Message: fmt.Sprintf(format, a...),
		Hint: "open the address that orrery printed when it started"}
}

// host refuses requests for other names than ours.
func (g *guard) host(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !slices.Contains(g.hosts, strings.ToLower(c.Request().Host)) {
			return forbidden("host %q is not this server's", c.Request().Host)
		}
		return next(c)
	}
}

// enter lets in who has the token, and turns a token in a page's address into
// the cookie.
func (g *guard) enter(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.URL.Path == "/healthz" && r.Method == http.MethodGet {
			return next(c)
		}
		if token := r.URL.Query().Get("token"); token != "" && r.Method == http.MethodGet && isPage(r.URL.Path) {
			if !g.pass.matches(token) {
				return unauthorized("the token in the address is not this server's")
			}
			c.SetCookie(g.pass.cookie())
			return c.Redirect(http.StatusSeeOther, r.URL.EscapedPath())
		}
		bearer, cookie := g.pass.bearer(r), g.pass.hasCookie(r)
		if !bearer && !cookie {
			return unauthorized("this page is not signed in")
		}
		if err := g.origin(r, bearer); err != nil {
			return err
		}
		return next(c)
	}
}

// origin refuses changes, and websockets, that do not come from a page of ours.
func (g *guard) origin(r *http.Request, bearer bool) error {
	upgrade := r.Header.Get("Upgrade") != ""
	safe := r.Method == http.MethodGet || r.Method == http.MethodHead
	if safe && !upgrade {
		return nil
	}
	switch origins := r.Header.Values("Origin"); {
	case len(origins) == 0 && !bearer:
		return forbidden("the request names no origin")
	case len(origins) > 1 || len(origins) == 1 && origins[0] != "http://"+strings.ToLower(r.Host):
		return forbidden("origin %q is not this server's page", strings.Join(origins, ", "))
	}
	if !safe && r.Header.Get("X-Orrery") != "1" {
		return forbidden("the request lacks the header X-Orrery: 1")
	}
	return nil
}

func unauthorized(message string) error {
	return &api.Error{Code: api.Unauthorized, Message: message,
		Hint: "open the address with the token that orrery printed when it started"}
}

// isPage reports whether a path shows the page: "/" and "/n/NOTEBOOK".
func isPage(path string) bool { return path == "/" || strings.HasPrefix(path, "/n/") }

// headers are those of every answer. The page's own policy is set where the
// page is served, since it names a nonce.
func headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		return next(c)
	}
}

// access logs requests: the path, but neither query nor headers, where tokens are.
func access(log *slog.Logger) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			start := time.Now()
			err := next(c)
			if err != nil {
				c.Error(err) // writes the answer, so that its status is known
			}
			log.Debug("request", "method", c.Request().Method, "path", c.Request().URL.Path,
				"status", c.Response().Status, "millis", time.Since(start).Milliseconds())
			return nil
		}
	}
}
