package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// normalizer rewrites text before it is cut into pieces, keeping track of where its bytes come from.
type normalizer interface {
	normalize(t text) text
}

type (
	normalizers []normalizer              // one after the other
	prependText string                    // puts a text in front of what is not empty
	replaceText struct{ old, new string } // replaces every occurrence
	lowercase   struct{}
	stripSpace  struct{ left, right bool } // cuts white space off the ends
)

// parseNormalizer reads the part at path; null is no normalizer.
func parseNormalizer(raw json.RawMessage, path string, depth int) (normalizer, error) {
	p, err := parsePart(raw, path, depth)
	if err != nil || p == nil {
		return nil, err
	}
	switch p.Type {
	case "Sequence":
		var q normalizers
		err := p.each(p.Normalizers, "normalizers", func(raw json.RawMessage, path string) error {
			n, err := parseNormalizer(raw, path, depth+1)
			if n != nil {
				q = append(q, n)
			}
			return err
		})
		if err == nil && q.growth() > maxGrowth {
			err = fmt.Errorf("%s: the replacements may make a text more than %d times as long", path, maxGrowth)
		}
		return q, err
	case "NFC":
		return unicodeForm(norm.NFC), nil
	case "NFD":
		return unicodeForm(norm.NFD), nil
	case "NFKC":
		return unicodeForm(norm.NFKC), nil
	case "NFKD":
		return unicodeForm(norm.NFKD), nil
	case "Lowercase":
		return lowercase{}, nil
	case "Prepend":
		if len(p.Prepend) > maxPrefix {
			return nil, fmt.Errorf("%s: Prepend of %d bytes; at most %d are accepted", path, len(p.Prepend), maxPrefix)
		}
		return prependText(p.Prepend), nil
	case "Strip":
		return stripSpace{p.StripLeft, p.StripRight}, nil
	case "Replace":
		return p.replacement()
	}
	return nil, p.unknown("normalizer", "Sequence, NFC, NFD, NFKC, NFKD, Lowercase, Prepend, Replace, Strip")
}

func (q normalizers) normalize(t text) text {
	for _, n := range q {
		t = n.normalize(t)
	}
	return t
}

// growth bounds how many times as long the replacements of q make a text; beyond maxGrowth it stops counting.
func (q normalizers) growth() int {
	times := 1
	for _, n := range q {
		switch n := n.(type) {
		case normalizers:
			times *= n.growth()
		case replaceText:
			times *= n.growth()
		}
		if times > maxGrowth {
			break
		}
	}
	return times
}

func (p replaceText) growth() int { return max(1, (len(p.new)+len(p.old)-1)/len(p.old)) }

func (p prependText) normalize(t text) text { return t.prepend(string(p)) }

// normalize gives the new text the place of the last character of the old.
func (p replaceText) normalize(t text) text {
	n := strings.Count(t.s, p.old)
	if n == 0 {
		return t
	}
	w := t.room.write(len(t.s) + n*(len(p.new)-len(p.old)))
	at := 0
	for range n {
		i := at + strings.Index(t.s[at:], p.old)
		w.copy(t, at, i)
		at = i + len(p.old)
		w.put(p.new, t.extentAt(at-1))
	}
	w.copy(t, at, len(t.s))
	return w.text(t.room)
}

func (lowercase) normalize(t text) text {
	if strings.IndexFunc(t.s, func(r rune) bool { return r >= 0x80 || 'A' <= r && r <= 'Z' }) < 0 {
		return t
	}
	if isASCII(t.s) { // character by character: what bytes stand for stays
		t.s = strings.ToLower(t.s)
		return t
	}
	s := make([]byte, 0, len(t.s)+8)
	origin := make([]extent, 0, len(t.s)+8)
	var lower [2]changed
	for i := 0; i < len(t.s); {
		r, n := runeAt(t.s, i)
		x := t.extentAt(i)
		for _, c := range appendLower(lower[:0], r) { // each of them stands for r
			s = utf8.AppendRune(s, c.r)
		}
		for len(origin) < len(s) {
			origin = append(origin, x)
		}
		i += n
	}
	return text{s: string(s), origin: origin, room: t.room}
}

func (p stripSpace) normalize(t text) text {
	lo, hi := 0, len(t.s)
	if p.left {
		lo = hi - len(strings.TrimLeftFunc(t.s, unicode.IsSpace))
	}
	if p.right {
		hi = lo + len(strings.TrimRightFunc(t.s[lo:], unicode.IsSpace))
	}
	return t.slice(lo, hi)
}

// replacement reads a Replace, normalizer or decoder.
func (p *part) replacement() (replaceText, error) {
	old, err := p.literal()
	r := replaceText{old, p.Content}
	if err == nil && r.growth() > maxGrowth {
		err = fmt.Errorf("%s: Replace of %d bytes by %d; at most %d times as long is accepted", p.path, len(old), len(p.Content), maxGrowth)
	}
	return r, err
}

// literal returns the string of a pattern that must be one and not be empty.
func (p *part) literal() (string, error) {
	switch {
	case p.Pattern.Regex != nil:
		return "", fmt.Errorf("%s: %s by the regular expression %q is not implemented; only a string is", p.path, p.Type, *p.Pattern.Regex)
	case p.Pattern.String == nil || *p.Pattern.String == "":
		return "", fmt.Errorf("%s: %s needs a pattern {\"String\": ...} that is not empty", p.path, p.Type)
	}
	return *p.Pattern.String, nil
}
