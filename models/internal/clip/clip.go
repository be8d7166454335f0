// Package clip shortens text from outside, a file's or a server's, for an
// error message.
package clip

import (
	"strconv"
	"unicode/utf8"
)

// Most is the length in bytes to which Text shortens.
const Most = 120

// Text returns the first whole characters of s that take at most Most bytes,
// counted as %q would write them: a control character that takes one byte takes
// four in a message. "..." follows where something was left out.
func Text(s string) string {
	for at, n := 0, 0; at < len(s); {
		_, size := utf8.DecodeRuneInString(s[at:])
		n += len(strconv.Quote(s[at:at+size])) - len(`""`)
		if n > Most {
			return s[:at] + "..."
		}
		at += size
	}
	return s
}
