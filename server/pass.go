package server

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
)

// pass is the secret of this process: a token that the user's address carries
// once, and the value of the cookie that replaces it.
type pass struct {
	token string
	name  string // the cookie's; with the port, since cookies ignore ports
	value string // derived from the token, which it does not reveal
}

// newPass makes the pass of a port; an empty token means a new random one.
func newPass(token string, port int) *pass {
	if token == "" {
		raw := make([]byte, 32)
		rand.Read(raw) // never fails
		token = base64.RawURLEncoding.EncodeToString(raw)
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write([]byte("orrery cookie"))
	return &pass{token: token, name: "orrery_" + strconv.Itoa(port), value: hex.EncodeToString(mac.Sum(nil))}
}

// matches compares a token in constant time.
func (p *pass) matches(token string) bool { return equal(token, p.token) }

// bearer reports whether a request carries the token itself.
func (p *pass) bearer(r *http.Request) bool {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return ok && p.matches(token)
}

// hasCookie reports whether a request carries the cookie. A browser may send
// several of one name; one of them must be right.
func (p *pass) hasCookie(r *http.Request) bool {
	found := false
	for _, c := range r.CookiesNamed(p.name) {
		found = equal(c.Value, p.value) || found
	}
	return found
}

// cookie is what a browser keeps until it is closed.
func (p *pass) cookie() *http.Cookie {
	return &http.Cookie{Name: p.name, Value: p.value, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode}
}

// equal compares in a time that depends on neither content nor length.
func equal(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
