package hub

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"orrery/models/internal/clip"
)

const (
	maxRedirects = 10
	fewAttempts  = 3                // of a listing: who is offline should soon know
	maxAttempts  = 6                // of a file, in a row that brought next to nothing
	enough       = 1 << 20          // bytes: an attempt that brought so many was worth it
	maxPause     = 30 * time.Second // between two attempts
	hintEndpoint = "is --endpoint the address of a hub? A proxy or a login page may answer in its place"
)

// client speaks HTTP with one endpoint.
type client struct {
	endpoint *url.URL
	token    string
	http     http.RoundTripper // not a Client: redirects are followed here
	idle     time.Duration
	pause    time.Duration
	notice   func(string)
}

// parseEndpoint accepts https, and http to this machine.
func parseEndpoint(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, &Error{Problem: fmt.Sprintf("endpoint %q is not an address like %s", clip.Text(s), DefaultEndpoint)}
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && loopback(u)) {
		return nil, &Error{Problem: fmt.Sprintf("endpoint %q is not https", clip.Text(s)), hint: "http is accepted only to this machine, as http://127.0.0.1:PORT"}
	}
	return u, nil
}

// loopback reports whether a URL's host is this machine by name or address.
func loopback(u *url.URL) bool {
	if u.Hostname() == "localhost" {
		return true
	}
	ip := net.ParseIP(u.Hostname())
	return ip != nil && ip.IsLoopback()
}

// transientError is a failure that may pass: it is tried again.
type transientError struct {
	err   error
	after time.Duration // what the hub asked to wait
}

func (e *transientError) Error() string { return e.err.Error() }
func (e *transientError) Unwrap() error { return e.err }

func transient(err error) error { return &transientError{err: err} }

// stalled is the cause of a request that was given up.
type stalled struct{ idle time.Duration }

func (s stalled) Error() string { return fmt.Sprintf("no byte came for %s", s.idle) }

// retry runs try until it succeeds or fails for good. try returns how many
// bytes it brought; attempts in a row that bring little are at most that many.
func (c *client) retry(ctx context.Context, most int, try func() (int64, error)) error {
	wait, attempts := c.pause, 0
	for {
		brought, err := try()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var again *transientError
		if !errors.As(err, &again) {
			return err
		}
		if brought >= enough {
			wait, attempts = c.pause, 0
		}
		if attempts++; attempts >= most {
			return &Error{Problem: fmt.Sprintf("%s failed %d times in a row", c.endpoint.Host, attempts), Err: again.err,
				hint: "check the network (HTTPS_PROXY names a proxy) and run the same command again: it goes on where this one stopped; without a network, copy a model directory to this machine and load its path"}
		}
		pause := min(max(wait, again.after), maxPause)
		c.notice(fmt.Sprintf("%v; trying again in %s", again.err, pause.Round(time.Millisecond)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		wait *= 2
	}
}

// get asks for a URL and follows redirects: to https, or back to an http
// endpoint of this machine. The token goes to the endpoint's own host alone.
// The body fails when nothing comes for the idle time.
func (c *client) get(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	asked := map[string]bool{}
	for range maxRedirects {
		if asked[u.String()] {
			return nil, &Error{Problem: fmt.Sprintf("%s redirects in a circle", u.Host), hint: hintEndpoint}
		}
		asked[u.String()] = true
		res, err := c.once(ctx, u, header)
		if err != nil {
			return nil, err
		}
		switch res.StatusCode {
		case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		default:
			return res, nil
		}
		res.Body.Close()
		next, err := u.Parse(res.Header.Get("Location"))
		if err != nil || res.Header.Get("Location") == "" {
			return nil, &Error{Problem: fmt.Sprintf("%s redirects to %q, which is no address", u.Host, clip.Text(res.Header.Get("Location")))}
		}
		home := c.endpoint.Scheme == "http" && next.Scheme == "http" && loopback(next)
		if next.Scheme != "https" && !home || next.Hostname() == "" || next.User != nil {
			return nil, &Error{Problem: fmt.Sprintf("%s redirects to %s://%s, and only https is followed", u.Host, next.Scheme, clip.Text(next.Host)), hint: hintEndpoint}
		}
		u = next
	}
	return nil, &Error{Problem: fmt.Sprintf("%s redirects more than %d times", c.endpoint.Host, maxRedirects), hint: hintEndpoint}
}

// once sends one request.
func (c *client) once(ctx context.Context, u *url.URL, header http.Header) (*http.Response, error) {
	within, cancel := context.WithCancelCause(ctx)
	req, err := http.NewRequestWithContext(within, http.MethodGet, u.String(), nil)
	if err != nil {
		cancel(nil)
		return nil, err
	}
	for key, values := range header {
		req.Header[key] = values
	}
	req.Header.Set("User-Agent", "orrery")
	req.Header.Set("Accept-Encoding", "identity") // what is summed is the file, not its compressed form
	if c.token != "" && u.Scheme == c.endpoint.Scheme && u.Host == c.endpoint.Host {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	timer := time.AfterFunc(c.idle, func() { cancel(stalled{c.idle}) })
	res, err := c.http.RoundTrip(req)
	if err != nil {
		timer.Stop()
		err = why(within, err)
		cancel(nil)
		return nil, transient(fmt.Errorf("%s cannot be reached: %w", u.Host, err))
	}
	res.Body = &watched{res.Body, within, cancel, timer, c.idle}
	if enc := res.Header.Get("Content-Encoding"); enc != "" && enc != "identity" {
		res.Body.Close()
		return nil, &Error{Problem: fmt.Sprintf("%s compresses with %q, which was not asked for", u.Host, clip.Text(enc)), hint: hintEndpoint}
	}
	return res, nil
}

// watched is a body that ends the request when it stalls.
type watched struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	idle   time.Duration
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.ReadCloser.Read(b)
	if err != nil && err != io.EOF {
		return n, why(w.ctx, err)
	}
	if n > 0 {
		w.timer.Reset(w.idle)
	}
	return n, err
}

func (w *watched) Close() error {
	w.timer.Stop()
	err := w.ReadCloser.Close()
	w.cancel(nil)
	return err
}

// why replaces the error of a request that was given up by its cause.
func why(ctx context.Context, err error) error {
	var s stalled
	if errors.As(context.Cause(ctx), &s) {
		return s
	}
	return err
}

// status turns an answer that is no content into an error. file is empty for a listing.
func (c *client) status(res *http.Response, repo Repo, file string) error {
	what := repo.String()
	if file != "" {
		what = file + " of " + what
	}
	fail := func(hint, format string, args ...any) error {
		problem := fmt.Sprintf(format, args...)
		if said := res.Header.Get("X-Error-Message"); said != "" {
			problem += fmt.Sprintf(": the hub says %q", clip.Text(said))
		}
		return &Error{Problem: problem, hint: hint}
	}
	code := res.Header.Get("X-Error-Code")
	switch s := res.StatusCode; {
	case s == http.StatusOK || s == http.StatusPartialContent || s == http.StatusRequestedRangeNotSatisfiable:
		if kind := res.Header.Get("Content-Type"); strings.HasPrefix(kind, "text/html") {
			return fail(hintEndpoint, "%s answered with a web page where %s was expected", res.Request.URL.Host, what)
		}
		return nil
	case s == http.StatusTooManyRequests || s == http.StatusRequestTimeout || s >= 500:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return &transientError{fmt.Errorf("%s answered %s about %s", res.Request.URL.Host, res.Status, what), time.Duration(max(0, min(seconds, 3600))) * time.Second}
	case s == http.StatusForbidden || code == "GatedRepo":
		return fail("ask for access on "+c.page(repo)+", and set HF_TOKEN to a token of the account that has it", "%s is gated, or this token may not read it (%s)", what, res.Status)
	case s == http.StatusUnauthorized && c.token == "":
		return fail("check the spelling on "+c.page(repo)+"; for a private or gated repository set HF_TOKEN to a token that may read it", "%s does not exist, or is private or gated (%s)", what, res.Status)
	case s == http.StatusUnauthorized:
		return fail("check the spelling on "+c.page(repo)+", and that HF_TOKEN has not expired and may read the repository", "%s does not exist, or the token in HF_TOKEN was refused (%s)", what, res.Status)
	case s == http.StatusNotFound && code == "RevisionNotFound":
		return fail("its branches are listed on "+c.page(repo)+"/tree/main", "%s/%s has no revision %q (%s)", repo.Owner, repo.Name, repo.rev(), res.Status)
	case s == http.StatusNotFound:
		return fail("check owner, name and revision on "+c.page(repo)+"; a private repository needs HF_TOKEN", "%s does not exist (%s)", what, res.Status)
	}
	return fail(hintEndpoint, "%s answered %s about %s", res.Request.URL.Host, res.Status, what)
}
