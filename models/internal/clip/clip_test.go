package clip

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"short", "blocks.0", "blocks.0"},
		{"just fits", strings.Repeat("a", Most), strings.Repeat("a", Most)},
		{"one too many", strings.Repeat("a", Most+1), strings.Repeat("a", Most) + "..."},
		{"whole characters", strings.Repeat("é", Most), strings.Repeat("é", Most/2) + "..."},
		{"as quoted", strings.Repeat("\x00", Most), strings.Repeat("\x00", Most/4) + "..."},
		{"not UTF-8", strings.Repeat("\xff", Most), strings.Repeat("\xff", Most/4) + "..."},
		{"empty", "", ""},
	} {
		if got := Text(c.in); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzText holds the bound for every text, and keeps what fits.
func FuzzText(f *testing.F) {
	f.Add("blocks.0")
	f.Add(strings.Repeat("\U0010ffff\x00\xff", 50))
	f.Fuzz(func(t *testing.T, s string) {
		got := Text(s)
		if n := len(strconv.Quote(got)); n > Most+len(`"..."`) {
			t.Errorf("%d bytes", n)
		}
		if got != s && !strings.HasPrefix(s, strings.TrimSuffix(got, "...")) {
			t.Errorf("%q does not begin %q", got, s)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q is cut within a character", got)
		}
	})
}
