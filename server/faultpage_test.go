package server_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// TestUnknownAddress asks for what is not there as a browser, a program and a
// stranger do.
func TestUnknownAddress(t *testing.T) {
	s := start(t, server.Options{})
	ask := func(client *http.Client, path, accept string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequest(http.MethodGet, s.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", accept)
		r, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return r, string(body)
	}
	const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
	for _, path := range []string{"/nope", "/nope/%3Cscript%3Ealert(1)%3C/script%3E%22'", "/index.html", "/" + strings.Repeat("%C3%A9", 2000)} {
		r, page := ask(s.client, path, browser)
		if r.StatusCode != http.StatusNotFound || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/html") {
			t.Errorf("%.40s: status %d, type %q", path, r.StatusCode, r.Header.Get("Content-Type"))
		}
		for _, want := range []string{"<h1>There is nothing at this address.</h1>", `<a class="primary" href="/">All notebooks</a>`, `href="/app.css"`, `content="light dark"`} {
			if !strings.Contains(page, want) {
				t.Errorf("%.40s: the page lacks %s", path, want)
			}
		}
		if len(page) > 4096 || strings.Contains(page, "<script") || strings.Contains(page, "ZgotmplZ") {
			t.Errorf("%.40s: %d bytes, %s", path, len(page), page)
		}
		// The policy lets in the page's own styles and nothing that it lacks.
		policy := r.Header.Get("Content-Security-Policy")
		named := regexp.MustCompile(`'nonce-([^']+)'`).FindStringSubmatch(policy)
		if named == nil || !strings.Contains(page, `<style nonce="`+strings.ReplaceAll(named[1], "+", "&#43;")+`">`) || strings.Contains(page, " style=") ||
			!strings.HasPrefix(policy, "default-src 'none'; style-src 'self' 'nonce-") || strings.Contains(policy, "script") || strings.Contains(policy, "unsafe") {
			t.Errorf("%.40s: policy %q", path, policy)
		}
		again, _ := ask(s.client, path, browser)
		if again.Header.Get("Content-Security-Policy") == policy {
			t.Errorf("%.40s: the nonce is used twice", path)
		}
	}
	if _, page := ask(s.client, "/nope/%3Cb%3E", browser); !strings.Contains(page, "<code>/nope/&lt;b&gt;</code>") {
		t.Errorf("the page does not name its address:\n%s", page)
	}

	for _, path := range []string{"/api", "/api/", "/api/nope", "/api/notebooks"} {
		r, body := ask(s.client, path, browser)
		var e api.Error
		if err := json.Unmarshal([]byte(body), &e); err != nil || r.StatusCode < 400 || e.Message == "" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: status %d, type %q, %v: %s", path, r.StatusCode, r.Header.Get("Content-Type"), err, body)
		}
	}
	for _, accept := range []string{"", "*/*", "application/json"} {
		if r, body := ask(s.client, "/nope", accept); r.StatusCode != http.StatusNotFound || body != "orrery: there is nothing at this address; the start page is at /\n" {
			t.Errorf("Accept %q: status %d, %q", accept, r.StatusCode, body)
		}
	}

	r, page := ask(http.DefaultClient, "/nope", browser)
	if r.StatusCode != http.StatusUnauthorized || !strings.Contains(page, "<h1>This page is not signed in.</h1>") || !strings.Contains(page, "Open the address with the token that orrery printed") {
		t.Errorf("a stranger gets status %d:\n%s", r.StatusCode, page)
	}
	for _, closed := range []string{"app.css", "href=\"/\""} {
		if strings.Contains(page, closed) {
			t.Errorf("the page of a stranger leads to %s, which is closed to it", closed)
		}
	}
}
