package server

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"orrery/server/api"
)

// startHint is the next step of who has come to an address that is none.
const startHint = "the start page is at /"

// isAPI reports whether a path is one of programs, which read errors as JSON.
func isAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }

// readsHTML reports whether a request is a browser's for something to look at.
func readsHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && !isAPI(r.URL.Path)
}

// nonce is what a page's policy and its styles have in common.
func nonce() string {
	raw := make([]byte, 18)
	rand.Read(raw) // never fails
	return base64.RawStdEncoding.EncodeToString(raw)
}

// fault is what a page that says why there is none shows.
type fault struct {
	Nonce, Message, Path, Hint string
	// Inside says that the reader is signed in: styles and the list of notebooks
	// can be had.
	Inside bool
}

// writeFault answers a browser with a page in place of the one that failed.
func writeFault(c echo.Context, status int, e *api.Error) error {
	f := fault{Nonce: nonce(), Message: sentence(e.Message), Path: c.Request().URL.Path, Hint: sentence(e.Hint),
		Inside: e.Code != api.Unauthorized && e.Code != api.Forbidden}
	if f.Inside && e.Hint == startHint {
		f.Hint = "" // the link says so
	}
	if letters := []rune(f.Path); len(letters) > 120 {
		f.Path = string(letters[:120]) + "…"
	}
	var b bytes.Buffer
	if err := faultPage.Execute(&b, f); err != nil {
		return fmt.Errorf("the page of an error: %w", err)
	}
	h := c.Response().Header()
	h.Add("Vary", "Accept")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'nonce-"+f.Nonce+"'; font-src 'self'; img-src data:; "+
		"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return c.HTMLBlob(status, b.Bytes())
}

// sentence writes an error's text with a capital and a full stop.
func sentence(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	if size == 0 {
		return ""
	}
	s = string(unicode.ToUpper(first)) + s[size:]
	if strings.ContainsAny(s[len(s)-1:], ".?!") {
		return s
	}
	return s + "."
}

// faultPage has the look of the page's own list of notebooks. Colours and type are
// app.css'; who is not signed in has the browser's.
var faultPage = template.Must(template.New("fault").Parse(`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <meta name="color-scheme" content="light dark" />
    <link rel="icon" href="data:," />
    {{if .Inside}}<link rel="stylesheet" href="/app.css" />{{end}}
    <title>{{.Message}} · Orrery</title>
    <style nonce="{{.Nonce}}">
      :root { color-scheme: light dark; }
      body { margin: 0; padding: 18px clamp(20px, 5vw, 56px); background: var(--paper, Canvas); color: var(--ink, CanvasText); font: 16px/1.5 var(--ui, system-ui, sans-serif); }
      header { display: flex; gap: 10px; align-items: center; font-weight: 600; }
      main { max-width: 68ch; padding-top: clamp(32px, 8vh, 88px); }
      h1 { margin: 0 0 10px; font: 600 32px/1.2 var(--prose, Georgia, serif); }
      code { font: 14px/1.5 var(--mono, ui-monospace, monospace); color: var(--mute, GrayText); overflow-wrap: anywhere; }
      .hint { color: var(--soft, CanvasText); }
      .primary { display: inline-block; margin-top: 14px; padding: 8px 14px; border-radius: 7px; text-decoration: none; }
    </style>
  </head>
  <body>
    <header>
      <svg width="26" height="26" viewBox="0 0 26 26" fill="none" stroke="currentColor" stroke-width="1.5" aria-hidden="true">
        <circle cx="13" cy="13" r="2.6" fill="currentColor" />
        <ellipse cx="13" cy="13" rx="11" ry="4.6" transform="rotate(-28 13 13)" />
        <ellipse cx="13" cy="13" rx="11" ry="4.6" transform="rotate(32 13 13)" />
        <circle cx="22.2" cy="8.2" r="1.7" fill="currentColor" />
        <circle cx="4.1" cy="7" r="1.3" fill="currentColor" />
      </svg>
      Orrery
    </header>
    <main>
      <h1>{{.Message}}</h1>
      <p><code>{{.Path}}</code></p>
      {{if .Hint}}<p class="hint">{{.Hint}}</p>{{end}}
      {{if .Inside}}<a class="primary" href="/">All notebooks</a>{{end}}
    </main>
  </body>
</html>
`))
