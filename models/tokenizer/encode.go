package tokenizer

import (
	"errors"
	"fmt"
	"unicode/utf8"
)

// Encoding is a text as tokens; its slices have one element a token.
type Encoding struct {
	IDs    []int
	Tokens []string // the vocabulary's strings; of added tokens, and unknown ones of Unigram, what stands in the (normalized) text
	// Offsets holds the half-open byte range of the input that each token stands for. It spans whole characters, so tokens that
	// share one have the same range. Tokens that the template adds have {0, 0}.
	Offsets [][2]int
}

// encoder is one run of Encode. Encoders are used again: their buffers, which have grown to what texts need, are most of the cost of
// a short text.
type encoder struct {
	t       *Tokenizer
	input   string
	found   []found  // tokens, template aside
	named   []named  // those of found that are not called as the vocabulary calls them
	symbols []symbol // of the piece at hand
	room    room
	pieces  func(text) error // the pre-tokenizer's steps with the model at their end
}

// found is a token and the bytes of the input that it stands for.
type found struct{ id, lo, hi int32 }

// named is what to call token number at.
type named struct {
	at   int
	name string
}

// newEncoder returns an encoder for texts of t.
func newEncoder(t *Tokenizer) *encoder {
	e := &encoder{t: t}
	e.pieces = e.word
	for i := len(t.steps) - 1; i >= 0; i-- {
		step, rest := t.steps[i], e.pieces
		e.pieces = func(u text) error { return step.split(u, rest) }
	}
	return e
}

// Encode turns text into tokens; special adds what the file's template puts around a text, as the beginning-of-sequence token.
// Added tokens that stand in the text, special ones included, are always found. Text that is not valid UTF-8 is an error, and so is
// a piece that no token expresses when the file names no unknown token: an UnknownPieceError.
func (t *Tokenizer) Encode(text string, special bool) (Encoding, error) {
	if len(text) > maxText {
		return Encoding{}, fmt.Errorf("text of %d bytes; at most %d are accepted", len(text), maxText)
	}
	if !utf8.ValidString(text) {
		at := 0
		for r, n := rune(0), 0; ; at += n {
			if r, n = utf8.DecodeRuneInString(text[at:]); r == utf8.RuneError && n == 1 {
				break
			}
		}
		return Encoding{}, fmt.Errorf("text is not valid UTF-8: byte %d is 0x%02X", at, text[at])
	}
	e := t.encoders.Get().(*encoder)
	defer e.release()
	e.input = text
	if err := e.encode(text); err != nil {
		return Encoding{}, err
	}
	return e.finish(special), nil
}

// release empties an encoder, which keeps no text alive, for the next text.
func (e *encoder) release() {
	clear(e.named)
	e.input, e.found, e.named = "", e.found[:0], e.named[:0]
	e.t.encoders.Put(e)
}

// encode runs the pipeline: added tokens that are looked for in the input, then in each stretch between them the normalizer, added
// tokens that are looked for in normalized text, the pre-tokenizer and the model.
func (e *encoder) encode(input string) error {
	t := e.t
	if input == "" {
		return nil
	}
	return t.raw.split(text{s: input, room: &e.room}, e.added, func(u text) error {
		defer e.room.release(e.room.mark())
		if t.normalizer != nil {
			u = t.normalizer.normalize(u)
		}
		if u.s == "" {
			return nil
		}
		return t.cooked.split(u, e.added, e.pieces)
	})
}

// added appends an added token that was found as piece.
func (e *encoder) added(id int, piece text) error {
	lo, hi := piece.span(0, len(piece.s))
	e.named = append(e.named, named{len(e.found), piece.s})
	e.found = append(e.found, found{int32(id), int32(lo), int32(hi)})
	return nil
}

// word appends the tokens of one piece.
func (e *encoder) word(piece text) error {
	var err error
	e.symbols, err = e.t.model.tokenize(piece.s, e.symbols[:0])
	if err != nil {
		if m := (*missing)(nil); errors.As(err, &m) {
			at, _ := piece.span(m.lo, m.hi)
			return e.t.unknownPiece(piece.s[m.lo:m.hi], at)
		}
		return err
	}
	at := 0
	for _, y := range e.symbols {
		end := at + int(y.width)
		lo, hi := piece.span(at, end)
		if int(y.id) == e.t.asText {
			e.named = append(e.named, named{len(e.found), piece.s[at:end]})
		}
		e.found = append(e.found, found{y.id, int32(lo), int32(hi)})
		at = end
	}
	return nil
}

// finish makes the encoding of what was found, with the template around it.
func (e *encoder) finish(special bool) Encoding {
	var before, after []int
	if special {
		before, after = e.t.post.before, e.t.post.after
	}
	n := len(before) + len(e.found) + len(after)
	out := Encoding{make([]int, n), make([]string, n), make([][2]int, n)}
	put := func(at int, ids []int) {
		for i, id := range ids {
			out.IDs[at+i], out.Tokens[at+i] = id, e.t.vocab.entries[id].token
		}
	}
	put(0, before)
	put(n-len(after), after)
	ids, tokens, offsets := out.IDs[len(before):], out.Tokens[len(before):], out.Offsets[len(before):]
	names := e.named
	for i, f := range e.found {
		entry := &e.t.vocab.entries[f.id]
		token, margins := entry.token, entry.margins
		if len(names) > 0 && names[0].at == i {
			token = names[0].name
			margins = marginsOf(token)
			names = names[1:]
		}
		lo, hi := int(f.lo), int(f.hi)
		if e.t.post.trim && margins != (white{}) {
			lo, hi = e.t.post.trimmed(margins, e.input, lo, hi, i == 0)
		}
		ids[i], tokens[i], offsets[i] = int(f.id), token, [2]int{lo, hi}
	}
	return out
}
