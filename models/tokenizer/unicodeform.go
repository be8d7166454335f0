package tokenizer

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm is the normalizer NFC, NFD, NFKC or NFKD (Unicode Standard Annex 15). The data are those of x/text; characters of
// inertInForms are left alone, as the library's older tables do.
type unicodeForm norm.Form

func (f unicodeForm) normalize(t text) text {
	form := norm.Form(f)
	if isASCII(t.s) || form.IsNormalString(t.s) && strings.IndexFunc(t.s, isInert) < 0 {
		return t
	}
	s := make([]byte, 0, len(t.s)+8)
	origin := make([]extent, 0, len(t.s)+8)
	var out []changed
	for i := 0; i < len(t.s); {
		lo := i
		for i < len(t.s) && alone(t.s, i) {
			i++
		}
		s = append(s, t.s[lo:i]...)
		origin = t.appendOrigin(origin, lo, i)
		out, lo = out[:0], i
		for i < len(t.s) && !alone(t.s, i) {
			n := segment(form, t.s[i:])
			out = f.append(out, t.s[i:i+n])
			i += n
		}
		if i > lo {
			u := t.slice(lo, i).rewrite(out)
			s = append(s, u.s...)
			origin = append(origin, u.origin...)
		}
	}
	return text{s: string(s), origin: origin, room: t.room}
}

// alone reports that byte i of s is ASCII with ASCII or nothing behind it, and so stays as it is.
func alone(s string, i int) bool {
	return s[i] < utf8.RuneSelf && (i+1 == len(s) || s[i+1] < utf8.RuneSelf)
}

func isInert(r rune) bool { return r >= utf8.RuneSelf && unicode.Is(inertInForms, r) }

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// segment returns the length of the first stretch of s that normalizes by itself; s is not empty.
func segment(form norm.Form, s string) int {
	r, n := runeAt(s, 0)
	if isInert(r) {
		return n
	}
	end := form.NextBoundaryInString(s, true)
	if i := strings.IndexFunc(s[:end], isInert); i >= 0 {
		return i
	}
	return end
}

// mark is a character on its way through decomposition, reordering and composition.
type mark struct {
	changed
	class uint8 // canonical combining class
}

// append appends the normal form of one segment. The library's composition counts as additional or swallowed exactly the
// characters that decomposition and composition add and take away, whatever reordering did; so does this.
func (f unicodeForm) append(to []changed, s string) []changed {
	form := norm.Form(f)
	if r, n := runeAt(s, 0); n == len(s) && (r < utf8.RuneSelf || isInert(r) || form.IsNormalString(s)) {
		return append(to, changed{r, 0})
	}
	compatible := form == norm.NFKC || form == norm.NFKD
	var all []mark
	for _, r := range s {
		all = appendDecomposed(all, r, compatible)
	}
	for lo := 0; lo < len(all); { // reorder each run of marks
		hi := lo
		for hi < len(all) && all[hi].class != 0 {
			hi++
		}
		slices.SortStableFunc(all[lo:hi], func(a, b mark) int { return cmp.Compare(a.class, b.class) })
		lo = hi + 1
	}
	if form == norm.NFC || form == norm.NFKC {
		all = compose(all)
	}
	for _, m := range all {
		to = append(to, m.changed)
	}
	return to
}

// appendDecomposed appends the full decomposition of r.
func appendDecomposed(to []mark, r rune, compatible bool) []mark {
	form := norm.NFD
	if compatible {
		form = norm.NFKD
	}
	var buf [utf8.UTFMax]byte
	n := utf8.EncodeRune(buf[:], r)
	for i, d := range string(form.Bytes(buf[:n])) {
		m := mark{changed: changed{r: d}, class: norm.NFD.PropertiesString(string(d)).CCC()}
		if i > 0 {
			m.change = 1
		}
		to = append(to, m)
	}
	return to
}

// compose joins each starter with the marks and letters that it composes with, in place.
func compose(all []mark) []mark {
	out := all[:0]
	starter := -1 // index in out
	last := -1    // class of the last character after the starter that stayed; -1: none
	for _, m := range all {
		if starter >= 0 && last < int(m.class) {
			if r, ok := composed(out[starter].r, m.r); ok {
				out[starter].r = r
				out[starter].change += m.change - 1
				continue
			}
		}
		out = append(out, m)
		if m.class == 0 {
			starter, last = len(out)-1, -1
		} else {
			last = int(m.class)
		}
	}
	return out
}

// composed returns the one character that a and b are canonically equivalent to.
func composed(a, b rune) (rune, bool) {
	s := norm.NFC.String(string(a) + string(b))
	r, n := utf8.DecodeRuneInString(s)
	return r, n == len(s)
}
