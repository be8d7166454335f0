package hub

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// answers is a network on which every request is sent elsewhere, and the second
// answered with a text.
type answers struct {
	location, retry string
	asked           []*http.Request
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	a.asked = append(a.asked, r)
	res := &http.Response{StatusCode: http.StatusFound, Header: http.Header{}, Request: r, Body: io.NopCloser(strings.NewReader("x"))}
	res.Header["Location"] = []string{a.location}
	if len(a.asked) > 1 {
		res.StatusCode = http.StatusTooManyRequests
		res.Header["Retry-After"] = []string{a.retry}
	}
	return res, nil
}

// FuzzRedirect takes any address as endpoint, and lets it redirect to any other:
// what is asked is https, or http of this machine where the endpoint is, and the
// token goes to the endpoint alone.
func FuzzRedirect(f *testing.F) {
	f.Add("https://huggingface.co", "https://cdn.example.com/x?y=1", "3")
	f.Add("http://127.0.0.1:8080", "//evil.example.com/x", "-1")
	f.Add("http://[::1]", "http://localhost:1/../..", "99999999999999999999")
	f.Add("http://localhost", "http://127.0.0.1.example.com", "Wed, 21 Oct 2026 07:28:00 GMT")
	f.Add("https://a@b", "file:///etc/passwd", "")
	f.Add("https://a/b?c#d", "https://huggingface.co:443@evil.example.com/", "1e9")
	f.Add("http://0x7f.1", "http://2130706433", "\xff")
	f.Add("https://x", "\x00", "")
	f.Add("http://127.0.0.1:", "http://127.0.0.1/", "") // a port that is empty is none
	f.Add("https://:", "\x10", "g")                     // a name that is empty, too
	f.Fuzz(func(t *testing.T, endpoint, location, retry string) {
		net := &answers{location: location, retry: retry}
		h := &Hub{Endpoint: endpoint, Token: "secret", Transport: net, Idle: time.Minute}
		c, err := h.client(func(string) {})
		if endpoint == "" {
			endpoint = DefaultEndpoint
		}
		if err != nil {
			if !strings.Contains(err.Error(), "endpoint") {
				t.Errorf("%q: %v", endpoint, err)
			}
			return
		}
		base, err := url.Parse(endpoint)
		if err != nil || base.Scheme != "https" && (base.Scheme != "http" || !here(base)) {
			t.Fatalf("the endpoint %q is taken", endpoint)
		}
		res, err := c.get(context.Background(), c.content(Repo{Owner: "a", Name: "b"}, "0", "x"), nil)
		if err == nil {
			err = c.status(res, Repo{Owner: "a", Name: "b"}, "x")
			res.Body.Close()
		}
		if err == nil {
			t.Fatalf("%q leads to an answer", location)
		}
		if again := (*transientError)(nil); errors.As(err, &again) && (again.after < 0 || again.after > time.Hour) {
			t.Errorf("Retry-After %q is a pause of %v", retry, again.after)
		}
		for i, r := range net.asked {
			if r.URL.Scheme != "https" && !(base.Scheme == "http" && r.URL.Scheme == "http" && here(r.URL)) || r.URL.Host == "" || r.URL.User != nil {
				t.Errorf("request %d from %q by %q asks %q", i, endpoint, location, r.URL)
			}
			own := r.URL.Scheme == base.Scheme && r.URL.Host == strings.TrimSuffix(base.Host, ":")
			if sent := r.Header.Get("Authorization") != ""; sent && !own || i == 0 && !sent {
				t.Errorf("request %d from %q to %q: Authorization %q", i, endpoint, r.URL, r.Header.Get("Authorization"))
			}
		}
	})
}

// here reports whether an address is of this machine.
func here(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
