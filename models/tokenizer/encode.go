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

// encoder is one run of Encode.
type encoder struct {
	t       *Tokenizer
	input   string
	out     Encoding
	from    int              // tokens that the template has put in front
	symbols []symbol         // of the piece at hand
	pieces  func(text) error // the pre-tokenizer's steps with the model at their end
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
	e := &encoder{t: t, input: text}
	guess := len(text)/4 + len(t.post.before) + len(t.post.after) + 8
	e.out = Encoding{make([]int, 0, guess), make([]string, 0, guess), make([][2]int, 0, guess)}
	if special {
		e.template(t.post.before)
		e.from = len(t.post.before)
	}
	if err := e.encode(text); err != nil {
		return Encoding{}, err
	}
	if special {
		e.template(t.post.after)
	}
	return e.out, nil
}

// encode runs the pipeline: added tokens that are looked for in the input, then in each stretch between them the normalizer, added
// tokens that are looked for in normalized text, the pre-tokenizer and the model.
func (e *encoder) encode(input string) error {
	t := e.t
	e.pieces = e.word
	for i := len(t.steps) - 1; i >= 0; i-- {
		step, rest := t.steps[i], e.pieces
		e.pieces = func(u text) error { return step.split(u, rest) }
	}
	if input == "" {
		return nil
	}
	return t.raw.split(text{s: input}, e.added, func(u text) error {
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
	e.append(id, piece.s, lo, hi)
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
		lo, hi := piece.span(at, at+int(y.width))
		token := e.t.vocab.entries[y.id].token
		if int(y.id) == e.t.asText {
			token = piece.s[at : at+int(y.width)]
		}
		e.append(int(y.id), token, lo, hi)
		at += int(y.width)
	}
	return nil
}

func (e *encoder) append(id int, token string, lo, hi int) {
	if e.t.post.trim {
		lo, hi = e.t.post.trimmed(token, e.input, lo, hi, len(e.out.IDs) == e.from)
	}
	e.out.IDs = append(e.out.IDs, id)
	e.out.Tokens = append(e.out.Tokens, token)
	e.out.Offsets = append(e.out.Offsets, [2]int{lo, hi})
}

func (e *encoder) template(ids []int) {
	for _, id := range ids {
		e.out.IDs = append(e.out.IDs, id)
		e.out.Tokens = append(e.out.Tokens, e.t.vocab.entries[id].token)
		e.out.Offsets = append(e.out.Offsets, [2]int{})
	}
}
