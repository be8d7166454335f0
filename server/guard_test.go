package server_test

import (
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// TestRoutesNeedToken walks every route of the server and asks each without
// the token; only /healthz answers.
func TestRoutesNeedToken(t *testing.T) {
	s := start(t, server.Options{})
	s.write("a", "# A\n")
	public := map[string]bool{"GET /healthz": true}
	routes := s.server.Routes()
	if len(routes) < 12 {
		t.Fatalf("only %d routes: %v", len(routes), routes)
	}
	place := regexp.MustCompile(`:\w+|\*`)
	for _, route := range append(routes, "GET /nothing/here", "DELETE /api/workspace", "GET /api/unknown") {
		method, path, _ := strings.Cut(route, " ")
		for _, c := range []struct {
			name   string
			header http.Header
		}{
			{"plain", http.Header{}},
			{"upgrade", http.Header{"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"},
				"Sec-Websocket-Key": {"dGhlIHNhbXBsZSBub25jZQ=="}, "Origin": {s.base}}},
			{"wrong cookie", http.Header{"Cookie": {"orrery_" + port(s) + "=" + strings.Repeat("0", 64)}}},
			{"token as cookie", http.Header{"Cookie": {"orrery_" + port(s) + "=" + testToken}}},
			{"wrong bearer", http.Header{"Authorization": {"Bearer " + testToken + "x"}}},
			{"empty bearer", http.Header{"Authorization": {"Bearer "}}},
		} {
			t.Run(route+" "+c.name, func(t *testing.T) {
				req, err := http.NewRequest(method, s.base+place.ReplaceAllString(path, "a"), strings.NewReader("{}"))
				if err != nil {
					t.Fatal(err)
				}
				req.Header = c.header.Clone()
				req.Header.Set("X-Orrery", "1")
				req.Header.Set("Content-Type", "application/json")
				if method != http.MethodGet {
					req.Header.Set("Origin", s.base)
				}
				r, err := http.DefaultTransport.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				defer r.Body.Close()
				if public[route] {
					if r.StatusCode != http.StatusOK {
						t.Errorf("status %d of a public route", r.StatusCode)
					}
				} else if r.StatusCode != http.StatusUnauthorized {
					t.Errorf("status %d, want 401", r.StatusCode)
				}
			})
		}
	}
}

func port(s *site) string {
	u, err := url.Parse(s.base)
	if err != nil {
		s.t.Fatal(err)
	}
	return u.Port()
}

// TestHostIsOurs holds against DNS rebinding: with the cookie, too, another
// Host is refused.
func TestHostIsOurs(t *testing.T) {
	s := start(t, server.Options{})
	p := port(s)
	for host, want := range map[string]int{
		"127.0.0.1:" + p:               200,
		"localhost:" + p:               401, // the cookie is another host's
		"LOCALHOST:" + p:               401,
		"[::1]:" + p:                   401,
		"evil.com":                     403,
		"evil.com:" + p:                403,
		"127.0.0.1":                    403,
		"127.0.0.1:1":                  403,
		"localhost":                    403,
		"127.0.0.1:" + p + ".evil.com": 403,
		"localhost.evil.com:" + p:      403,
		"127.0.0.1.:" + p:              403,
		"0.0.0.0:" + p:                 403,
		"2130706433:" + p:              403,
	} {
		req := s.request("GET", "/", nil)
		req.Host = host
		client := *s.client
		if want == 401 { // a jar looks at the address, not at Host
			client.Jar = nil
		}
		r, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		r.Body.Close()
		if r.StatusCode != want && !(strings.Contains(host, ".evil.com") && r.StatusCode == 400) {
			t.Errorf("host %q: status %d, want %d", host, r.StatusCode, want)
		}
	}
	req := s.request("GET", "/healthz", nil)
	req.Host = "evil.com"
	if status, _, _ := s.send(req); status != 403 {
		t.Errorf("/healthz answers %d to another host", status)
	}
}

// evilOrigins are pages that must not reach a server at 127.0.0.1:PORT.
func evilOrigins(p string) []string {
	return []string{"http://127.0.0.1:" + p + ".evil.com", "http://evil.com", "http://127.0.0.1:1", "http://127.0.0.1",
		"null", "https://127.0.0.1:" + p, "http://localhost:" + p, "http://127.0.0.1:" + p + "/", "http://127.0.0.1:" + p + "@evil.com",
		"http://evil.com:" + p, "file://", "http://[::1]:" + p, "HTTP://127.0.0.1:" + p, "http://127.0.0.1:" + p + " http://evil.com", ""}
}

func TestOriginIsOurs(t *testing.T) {
	s := start(t, server.Options{})
	s.write("a", "# A\n")
	run := notebookPath("a") + "/run"
	for _, origin := range evilOrigins(port(s)) {
		req := s.request("POST", run, api.RunRequest{All: true})
		req.Header.Set("Origin", origin)
		if status, _, _ := s.send(req); status != 403 {
			t.Errorf("POST from origin %q: status %d, want 403", origin, status)
		}
		conn, r, err := s.dial("a", "", http.Header{"Origin": {origin}})
		if err == nil {
			conn.Close()
			t.Errorf("a websocket from origin %q was opened", origin)
		} else if r == nil || r.StatusCode != 403 {
			t.Errorf("a websocket from origin %q: %v", origin, err)
		}
	}
	req := s.request("POST", run, api.RunRequest{All: true})
	req.Header["Origin"] = []string{s.base, "http://evil.com"}
	if status, _, _ := s.send(req); status != 403 {
		t.Errorf("two origins: status %d, want 403", status)
	}
	for _, c := range []struct {
		name, drop, bearer string
		want               int
	}{
		{"all there", "", "", 200},
		{"cookie without origin", "Origin", "", 403},
		{"no X-Orrery", "X-Orrery", "", 403},
		{"bearer without origin", "Origin", testToken, 200},
		{"bearer without X-Orrery", "X-Orrery", testToken, 403},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := s.request("POST", run, api.RunRequest{All: true})
			req.Header.Del(c.drop)
			if c.bearer != "" {
				req.Header.Set("Authorization", "Bearer "+c.bearer)
			}
			if status, _, body := s.send(req); status != c.want {
				t.Errorf("status %d, want %d: %s", status, c.want, body)
			}
		})
	}
	if conn, r, err := s.dial("a", "", nil); err == nil {
		conn.Close()
		t.Error("a websocket without origin was opened")
	} else if r == nil || r.StatusCode != 403 {
		t.Errorf("a websocket without origin: %v", err)
	}
	conn, _, err := s.dial("a", "", http.Header{"Authorization": {"Bearer " + testToken}})
	if err != nil {
		t.Errorf("a program with the token: %v", err)
	} else {
		conn.Close()
	}
}

// TestSigningIn holds the way from the printed address to the cookie.
func TestSigningIn(t *testing.T) {
	s := start(t, server.Options{})
	plain := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	get := func(path string) *http.Response {
		t.Helper()
		r, err := plain.Get(s.base + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		return r
	}
	r := get("/n/notes%2Ffirst?token=" + testToken)
	if r.StatusCode != http.StatusSeeOther || r.Header.Get("Location") != "/n/notes%2Ffirst" {
		t.Errorf("%d to %q", r.StatusCode, r.Header.Get("Location"))
	}
	c := r.Cookies()
	if len(c) != 1 || c[0].Name != "orrery_"+port(s) || !c[0].HttpOnly || c[0].SameSite != http.SameSiteStrictMode ||
		c[0].Path != "/" || c[0].Domain != "" || strings.Contains(c[0].Value, testToken) {
		t.Errorf("cookie %+v", c)
	}
	if got := r.Header.Get("Referrer-Policy"); got != "same-origin" {
		t.Errorf("Referrer-Policy %q on the redirect", got)
	}
	for path, want := range map[string]int{
		"/?token=wrong":                       401,
		"/?token=":                            401,
		"/?token=" + testToken + "x":          401,
		"/api/workspace?token=" + testToken:   401, // only a page takes it
		"/app.js?token=" + testToken:          401,
		"//evil.com/?token=" + testToken:      401,
		"/n/../../evil?token=" + testToken:    303,
		"/healthz?token=" + testToken:         200,
		"/n//evil.com?token=" + testToken:     303,
		"/n/%2F%2Fevil.com?x=" + testToken:    401,
		"/n/a?token=" + testToken + "&x=http": 303,
	} {
		r := get(path)
		if r.StatusCode != want {
			t.Errorf("%s: status %d, want %d", path, r.StatusCode, want)
		}
		if to := r.Header.Get("Location"); to != "" && (strings.HasPrefix(to, "//") || !strings.HasPrefix(to, "/") || strings.Contains(to, "token")) {
			t.Errorf("%s leads to %q", path, to)
		}
	}
	if log := s.log.String(); strings.Contains(log, testToken) || !strings.Contains(log, "path=/n/") {
		t.Errorf("the log has the token, or lacks the request:\n%s", log)
	}
}

func TestHeaders(t *testing.T) {
	s := start(t, server.Options{})
	nonces := map[string]bool{}
	for range 2 {
		status, h, body := s.send(s.request("GET", "/n/x", nil))
		if status != 200 {
			t.Fatalf("status %d", status)
		}
		csp := h.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`style-src 'self' 'nonce-([A-Za-z0-9+/]{24})'`).FindStringSubmatch(csp)
		if nonce == nil {
			t.Fatalf("no nonce in %q", csp)
		}
		if nonces[nonce[1]] {
			t.Error("a nonce was used twice")
		}
		nonces[nonce[1]] = true
		if !strings.Contains(string(body), `content="`+nonce[1]+`"`) {
			t.Errorf("the page does not have the nonce: %s", body)
		}
		for _, want := range []string{"default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'", "connect-src 'self'"} {
			if !strings.Contains(csp, want) {
				t.Errorf("the policy lacks %s: %s", want, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("the policy is loose: %s", csp)
		}
	}
	for _, path := range []string{"/", "/app.js", "/api/workspace", "/missing", "/api/notebooks/none", "/healthz"} {
		_, h, _ := s.send(s.request("GET", path, nil))
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Cross-Origin-Opener-Policy": "same-origin",
			"Referrer-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if !strings.Contains(h.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
			t.Errorf("%s may be framed", path)
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s opens itself to other origins", path)
		}
	}
}

func TestAssetsAreCachedByContent(t *testing.T) {
	s := start(t, server.Options{})
	_, h, body := s.send(s.request("GET", "/app.js", nil))
	if string(body) != "export {}\n" || h.Get("Content-Type") != "text/javascript; charset=utf-8" || h.Get("Cache-Control") != "no-cache" {
		t.Errorf("%q %v", body, h)
	}
	req := s.request("GET", "/app.js", nil)
	req.Header.Set("If-None-Match", h.Get("ETag"))
	if status, _, _ := s.send(req); status != http.StatusNotModified {
		t.Errorf("status %d for a known file", status)
	}
	for _, path := range []string{"/index.html", "/.git/config", "/app.js/", "/..%2fapp.js", "/a/../../etc/passwd"} {
		if status, _, _ := s.send(s.request("GET", path, nil)); status != 404 {
			t.Errorf("%s: status %d, want 404", path, status)
		}
	}
}

// TestLoopbackOnly holds that no other machine can be listened to.
func TestLoopbackOnly(t *testing.T) {
	for addr, ok := range map[string]bool{"": true, "127.0.0.1": true, "localhost": true, "127.0.0.2": false,
		"0.0.0.0": false, "::": false, "192.168.1.1": false, "evil.com": false, "::ffff:10.0.0.1": false} {
		s, err := server.New(server.Options{Dir: t.TempDir(), Addr: addr, Assets: assets})
		if (err == nil) != ok {
			t.Errorf("address %q: %v", addr, err)
		}
		if err == nil {
			s.Close()
		} else if !strings.Contains(err.Error(), "not an address of this machine alone") {
			t.Errorf("address %q: %v", addr, err)
		}
	}
	if l, err := net.Listen("tcp", "[::1]:0"); err == nil {
		l.Close()
		s, err := server.New(server.Options{Dir: t.TempDir(), Addr: "::1", Assets: assets})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if !strings.HasPrefix(s.URL(), "http://[::1]:") {
			t.Errorf("URL %s", s.URL())
		}
	}
}

// TestTokens holds that a process has a token of its own, of 32 random bytes.
func TestTokens(t *testing.T) {
	seen := map[string]bool{}
	for range 3 {
		s, err := server.New(server.Options{Dir: t.TempDir(), Assets: assets})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		u, err := url.Parse(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		token := u.Query().Get("token")
		if len(token) != 43 || seen[token] {
			t.Errorf("token %q", token)
		}
		seen[token] = true
	}
}

// TestBodies holds what is refused before a command is looked at.
func TestBodies(t *testing.T) {
	s := start(t, server.Options{})
	s.write("a", "# A\n")
	for _, c := range []struct {
		name, body, kind string
		want             int
		text             string
	}{
		{"form", "all=1", "application/x-www-form-urlencoded", 400, "not marked as JSON"},
		{"text", `{"all":true}`, "text/plain", 400, "not marked as JSON"},
		{"no type", `{"all":true}`, "", 400, "not marked as JSON"},
		{"unknown field", `{"everything":true}`, "application/json", 400, "everything"},
		{"two values", `{"all":true}{}`, "application/json", 400, "follows"},
		{"cut short", `{"all":tr`, "application/json", 400, "cannot be read"},
		{"empty", ``, "application/json", 400, "cannot be read"},
		{"wrong type", `{"all":"yes"}`, "application/json", 400, "cannot be read"},
		{"too large", `{"cells":["` + strings.Repeat("x", 70<<10) + `"]}`, "application/json", 413, "more than"},
		{"deep", strings.Repeat("[", 20000), "application/json", 400, "cannot be read"},
		{"nothing asked", `{}`, "application/json", 400, "names no cells"},
	} {
		t.Run(c.name, func(t *testing.T) {
			req := s.request("POST", notebookPath("a")+"/run", nil)
			req.Body = io.NopCloser(strings.NewReader(c.body))
			req.Header.Set("Content-Type", c.kind)
			status, _, body := s.send(req)
			if status != c.want || !strings.Contains(string(body), c.text) {
				t.Errorf("status %d, body %s; want %d and %q", status, body, c.want, c.text)
			}
		})
	}
}
