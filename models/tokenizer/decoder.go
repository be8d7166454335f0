package tokenizer

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decoder rewrites the vocabulary strings of a list of ids, which joined together are the text.
type decoder interface {
	decode(tokens []string) []string
}

type (
	decoders     []decoder // one after the other
	joinSpaces   struct{}  // no decoder: tokens with a space between
	fuseTokens   struct{}  // joins all into one, for the steps that follow
	byteDecoder  struct{ table *byteTable }
	byteFallback struct{}             // <0x41> tokens to bytes
	stripTokens  struct{ cut stripN } // cuts a character off the ends of each token
	metaDecoder  struct {
		replacement string
		drop        bool
	}
	replaceTokens replaceText // replaces in each token
)

// stripN says which character to cut off, and how many times at most from the front and the back.
type stripN struct {
	char        rune
	start, stop int
}

// parseDecoder reads the part at path; null joins tokens with spaces.
func parseDecoder(raw json.RawMessage, path string, depth int) (decoder, error) {
	p, err := parsePart(raw, path, depth)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return joinSpaces{}, nil
	}
	switch p.Type {
	case "Sequence":
		var q decoders
		err := p.each(p.Decoders, "decoders", func(raw json.RawMessage, path string) error {
			d, err := parseDecoder(raw, path, depth+1)
			q = append(q, d)
			return err
		})
		if err == nil && q.growth() > maxGrowth {
			err = fmt.Errorf("%s: the replacements may make a text more than %d times as long", path, maxGrowth)
		}
		return q, err
	case "ByteLevel":
		return byteDecoder{newByteTable()}, nil
	case "ByteFallback":
		return byteFallback{}, nil
	case "Fuse":
		return fuseTokens{}, nil
	case "Strip":
		char, n := utf8.DecodeRuneInString(p.Content)
		if n == 0 || n < len(p.Content) || p.Start < 0 || p.Stop < 0 {
			return nil, fmt.Errorf("%s: Strip needs one character and counts that are not negative, not %q, %d, %d", path, p.Content, p.Start, p.Stop)
		}
		return stripTokens{stripN{char, p.Start, p.Stop}}, nil
	case "Replace":
		r, err := p.replacement()
		return replaceTokens(r), err
	case "Metaspace":
		m, err := p.metaspace()
		return metaDecoder{m.replacement, m.scheme != "never"}, err
	}
	return nil, p.unknown("decoder", "Sequence, ByteLevel, ByteFallback, Fuse, Strip, Replace, Metaspace")
}

func (q decoders) decode(tokens []string) []string {
	for _, d := range q {
		tokens = d.decode(tokens)
	}
	return tokens
}

// growth is that of normalizers.
func (q decoders) growth() int {
	times := 1
	for _, d := range q {
		switch d := d.(type) {
		case decoders:
			times *= d.growth()
		case replaceTokens:
			times *= replaceText(d).growth()
		}
		if times > maxGrowth {
			break
		}
	}
	return times
}

func (joinSpaces) decode(tokens []string) []string { return []string{strings.Join(tokens, " ")} }

func (fuseTokens) decode(tokens []string) []string { return []string{strings.Join(tokens, "")} }

// decode joins the bytes of all tokens, and those of tokens that are not of the byte alphabet as they are written.
func (d byteDecoder) decode(tokens []string) []string {
	var all []byte
	for _, token := range tokens {
		if b, ok := d.table.bytes(token); ok {
			all = append(all, b...)
		} else {
			all = append(all, token...)
		}
	}
	return []string{lossy(all)}
}

// lossy returns b with one U+FFFD for each maximal part of a broken character (Unicode 16.0, section 3.9, U+FFFD Substitution of
// Maximal Subparts), where Go's own conversions put one for each byte.
func lossy(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			for n < len(b) && b[n]&0xC0 == 0x80 && beginsRune(b[:n+1]) {
				n++
			}
		}
		out.WriteRune(r)
		b = b[n:]
	}
	return out.String()
}

// beginsRune reports whether b, a lead byte and at least one continuation byte, begins the encoding of some character.
func beginsRune(b []byte) bool {
	var whole [utf8.UTFMax]byte
	n := copy(whole[:], b)
	for _, fill := range [2]byte{0x80, 0xBF} { // the second byte decides, and its range has one of these ends
		for i := n; i < len(whole); i++ {
			whole[i] = fill
		}
		if _, size := utf8.DecodeRune(whole[:]); size > len(b) {
			return true
		}
	}
	return false
}

// decode turns each run of byte tokens into the text of its bytes, or into one U+FFFD a token if that is not valid UTF-8.
func (byteFallback) decode(tokens []string) []string {
	out := make([]string, 0, len(tokens))
	var run []byte
	flush := func() {
		if utf8.Valid(run) {
			out = append(out, string(run))
		} else {
			out = append(out, strings.Repeat("\uFFFD", len(run)))
		}
		run = run[:0]
	}
	for _, token := range tokens {
		if len(token) == 6 && strings.HasPrefix(token, "<0x") && token[5] == '>' {
			if b, err := strconv.ParseUint(token[3:5], 16, 8); err == nil {
				run = append(run, byte(b))
				continue
			}
		}
		flush()
		out = append(out, token)
	}
	flush()
	return out
}

func (d stripTokens) decode(tokens []string) []string {
	out := make([]string, len(tokens))
	char := string(d.cut.char)
	for i, token := range tokens {
		for n := d.cut.start; n > 0 && strings.HasPrefix(token, char); n-- {
			token = token[len(char):]
		}
		for n := d.cut.stop; n > 0 && strings.HasSuffix(token, char); n-- {
			token = token[:len(token)-len(char)]
		}
		out[i] = token
	}
	return out
}

func (d replaceTokens) decode(tokens []string) []string {
	out := make([]string, len(tokens))
	for i, token := range tokens {
		out[i] = strings.ReplaceAll(token, d.old, d.new)
	}
	return out
}

// decode writes replacements as spaces again, except in the first token, whose own were put there.
func (d metaDecoder) decode(tokens []string) []string {
	out := make([]string, len(tokens))
	for i, token := range tokens {
		as := " "
		if i == 0 && d.drop {
			as = ""
		}
		out[i] = strings.ReplaceAll(token, d.replacement, as)
	}
	return out
}
