package tokenizer

import (
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// preTokenizer cuts text into the pieces that the model sees one by one, and hands them to emit from left to right.
type preTokenizer interface {
	split(t text, emit func(text) error) error
}

type (
	splitter struct { // cuts at the matches of a pattern
		pattern  pattern
		behavior behavior
		invert   bool
	}
	byteSplitter struct{ splitter } // a splitter of bytes
	prefixSpace  struct{}           // puts a space in front of a piece that has none
	metaspace    struct {           // writes spaces as replacement, one in front, and cuts before each
		replacement string
		scheme      string // "always", "first" (only where the input begins) or "never"
		cut         bool
		words       splitter // that cuts
	}
)

// preTokens is a parsed pre-tokenizer: its steps in order.
type preTokens struct {
	steps     []preTokenizer
	metaspace bool // one of them is Metaspace: more could multiply a text
	bytes     bool // one of them is ByteLevel: the model sees the bytes of a piece, each written as one character
}

// parsePreTokenizer appends the steps of the part at path to q.
func parsePreTokenizer(raw json.RawMessage, path string, depth int, q *preTokens) error {
	p, err := parsePart(raw, path, depth)
	if err != nil || p == nil {
		return err
	}
	if q.bytes {
		s, err := p.afterBytes()
		q.steps = append(q.steps, s)
		return err
	}
	if len(q.steps) >= maxParts {
		return fmt.Errorf("%s: more than %d pre-tokenizers", path, maxParts)
	}
	add := func(s preTokenizer) { q.steps = append(q.steps, s) }
	switch p.Type {
	case "Sequence":
		return p.each(p.Pretokenizers, "pretokenizers", func(raw json.RawMessage, path string) error {
			return parsePreTokenizer(raw, path, depth+1, q)
		})
	case "ByteLevel":
		if flag(p.AddPrefixSpace, true) {
			add(prefixSpace{})
		}
		if flag(p.UseRegex, true) {
			add(splitter{pattern: scan(gpt2), behavior: isolated})
		}
		q.bytes = true
	case "Whitespace":
		add(splitter{pattern: scan(wordOrSymbols), behavior: removed, invert: true})
	case "WhitespaceSplit":
		add(splitter{pattern: each(&blanks), behavior: removed})
	case "Digits":
		s := splitter{pattern: each(&numerics), behavior: contiguous}
		if p.IndividualDigits {
			s.behavior = isolated
		}
		add(s)
	case "Punctuation":
		b, err := p.behavior(isolated)
		if err != nil {
			return err
		}
		add(splitter{pattern: each(&punctuation), behavior: b})
	case "CharDelimiterSplit":
		d, n := utf8.DecodeRuneInString(p.Delimiter)
		if n == 0 || n < len(p.Delimiter) {
			return fmt.Errorf("%s: delimiter %q is not one character", path, p.Delimiter)
		}
		k := newClass(func(r rune) bool { return r == d })
		add(splitter{pattern: each(&k), behavior: removed})
	case "Split":
		s, err := p.splitter()
		if err != nil {
			return err
		}
		add(s)
	case "Metaspace":
		m, err := p.metaspace()
		if err != nil {
			return err
		}
		if q.metaspace {
			return fmt.Errorf("%s: a second Metaspace is not implemented", path)
		}
		q.metaspace = true
		add(m)
	default:
		return p.unknown("pre-tokenizer", "Sequence, ByteLevel, Metaspace, Split, Whitespace, WhitespaceSplit, Digits, Punctuation, CharDelimiterSplit")
	}
	return nil
}

// splitter reads a Split.
func (p *part) splitter() (splitter, error) {
	b, err := p.behavior("")
	if err != nil {
		return splitter{}, err
	}
	s := splitter{behavior: b, invert: p.Invert}
	switch {
	case p.Pattern.String != nil && *p.Pattern.String == "" && b == isolated: // every character
		s.pattern = each(&anything)
	case p.Pattern.String != nil:
		s.pattern = literal(*p.Pattern.String)
	case p.Pattern.Regex != nil:
		if s.pattern = scanner(*p.Pattern.Regex); s.pattern == nil {
			return s, fmt.Errorf("%s: the pattern %q is not implemented; implemented are those of %s", p.path, *p.Pattern.Regex, scannerNames)
		}
	default:
		return s, fmt.Errorf("%s: Split without a pattern {\"String\": ...} or {\"Regex\": ...}", p.path)
	}
	return s, nil
}

// afterBytes reads a part behind ByteLevel, which sees each byte as a character: Falcon has two such.
func (p *part) afterBytes() (byteSplitter, error) {
	digits := p.Type == "Split" && p.Pattern.Regex != nil && *p.Pattern.Regex == falconDigits
	if p.Type != "Digits" && !digits {
		return byteSplitter{}, fmt.Errorf("%s: %s after ByteLevel is not implemented; there can be Digits, and Split by %s", p.path, p.Type, falconDigits)
	}
	if digits {
		s, err := p.splitter()
		return byteSplitter{s}, err
	}
	chars := byteChars()
	s := splitter{behavior: contiguous, pattern: func(s string, from int) (int, int) {
		for i := from; i < len(s); i++ {
			if isNumeric(chars[s[i]]) { // those of ², ³, ¹, ¼, ½ and ¾ in Latin-1 too, wherever they stand in a character
				return i, i + 1
			}
		}
		return -1, 0
	}}
	if p.IndividualDigits {
		s.behavior = isolated
	}
	return byteSplitter{s}, nil
}

// metaspace reads a Metaspace, of which older files write add_prefix_space where newer ones write prepend_scheme.
func (p *part) metaspace() (metaspace, error) {
	m := metaspace{replacement: p.Replacement, scheme: "always", cut: flag(p.Split, true), words: splitter{pattern: literal(p.Replacement), behavior: mergedWithNext}}
	if utf8.RuneCountInString(m.replacement) != 1 {
		return m, fmt.Errorf("%s: replacement %q is not one character", p.path, m.replacement)
	}
	switch {
	case p.PrependScheme != nil:
		m.scheme = *p.PrependScheme
	case !flag(p.AddPrefixSpace, true):
		m.scheme = "never"
	}
	switch m.scheme {
	case "always", "first", "never":
		return m, nil
	}
	return m, fmt.Errorf("%s: prepend_scheme %q is none of always, first, never", p.path, m.scheme)
}

// split may cut within a character; all its bytes go on standing for the whole of it.
func (s byteSplitter) split(t text, emit func(text) error) error {
	if t.origin == nil && !isASCII(t.s) {
		t = text{s: t.s, at: t.at, origin: t.appendOrigin(make([]extent, 0, len(t.s)), 0, len(t.s))}
	}
	return s.splitter.split(t, emit)
}

func (prefixSpace) split(t text, emit func(text) error) error {
	defer t.room.release(t.room.mark())
	if !strings.HasPrefix(t.s, " ") {
		t = t.prepend(" ")
	}
	return emit(t)
}

func (m metaspace) split(t text, emit func(text) error) error {
	defer t.room.release(t.room.mark())
	prepend := m.scheme == "always" || m.scheme == "first" && t.extentAt(0).lo == 0
	if m.whole(t.s) {
		if prepend {
			t = t.prepend(m.replacement)
		}
		return emit(t)
	}
	t = replaceText{" ", m.replacement}.normalize(t)
	if prepend && !strings.HasPrefix(t.s, m.replacement) {
		t = t.prepend(m.replacement)
	}
	if !m.cut {
		return emit(t)
	}
	return m.words.split(t, emit)
}

// whole reports, most often where it is so, that s has neither a space nor the replacement: it is one word.
func (m metaspace) whole(s string) bool {
	mark := m.replacement[0]
	for i := range len(s) {
		if s[i] == ' ' || s[i] == mark {
			return false
		}
	}
	return true
}
