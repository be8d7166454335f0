package viz

import (
	"fmt"
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// TokenText is what a chip or a cell shows for a token: a space as a middle
// dot, a newline as an arrow, other control characters and bytes that are no
// UTF-8 escaped, the empty string as a sign of its own. It is never empty.
func TokenText(label string) string {
	p := house().Tokens
	if label == "" {
		return p.Empty
	}
	var b strings.Builder
	for i, r := range label {
		switch {
		case r == ' ':
			b.WriteString(p.Space)
		case r == '\n':
			b.WriteString(p.Newline)
		case r == '\t':
			b.WriteString(p.Tab)
		case r == utf8.RuneError && !strings.HasPrefix(label[i:], "\ufffd"):
			fmt.Fprintf(&b, `\x%02x`, label[i])
		case hidden(r):
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// hidden reports runes that would draw nothing or reorder what stands beside them.
func hidden(r rune) bool {
	return unicode.Is(unicode.Cc, r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) ||
		r == 0xFFFE || r == 0xFFFF
}

func codePoint(r rune) string { return fmt.Sprintf("⟨%04X⟩", r) }

// plain makes any text fit to be drawn and to stand in XML: white space is a
// space, hidden runes and broken bytes are U+FFFD.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case hidden(r):
			return utf8.RuneError
		}
		return r
	}, s)
}

// maxRunes is more than any line of a picture holds.
const maxRunes = 500

// truncate shortens text to a width with an ellipsis at its end; empty when
// not even one rune and the ellipsis fit.
func truncate(text string, fits func(string) bool) string {
	if fits(text) {
		return text
	}
	r := []rune(text)
	n := longest(len(r)-1, func(n int) bool { return fits(string(r[:n]) + "…") })
	if n == 0 {
		return ""
	}
	return string(r[:n]) + "…"
}

// longest is the greatest n up to most for which ok holds; ok(n) must hold
// for every n below one for which it holds.
func longest(most int, ok func(n int) bool) int {
	return sort.Search(min(most, maxRunes), func(n int) bool { return !ok(n + 1) })
}

// wrap breaks text at spaces, but for U+00A0, into lines that fit; a word that
// is wider than a line is broken inside.
func wrap(text string, fits func(string) bool) []string {
	var lines []string
	line := ""
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r != '\u00a0' && unicode.IsSpace(r) }) {
		next := strings.TrimPrefix(line+" "+word, " ")
		if fits(next) {
			line = next
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		for !fits(word) && utf8.RuneCountInString(word) > 1 {
			r := []rune(word)
			n := max(1, longest(len(r)-1, func(n int) bool { return fits(string(r[:n])) }))
			lines = append(lines, string(r[:n]))
			word = string(r[n:])
		}
		line = word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}

// join puts items in lines that fit, with a separator between two on a line;
// an item that is wider than a line is wrapped.
func join(items []string, sep string, fits func(string) bool) []string {
	var lines []string
	for _, i := range items {
		if n := len(lines); n > 0 && fits(lines[n-1]+sep+i) {
			lines[n-1] += sep + i
			continue
		}
		lines = append(lines, wrap(i, fits)...)
	}
	return lines
}
