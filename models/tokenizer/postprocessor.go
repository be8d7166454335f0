package tokenizer

import (
	"encoding/json"
	"fmt"
	"unicode"
)

// postProcessor is what happens to the ids of a text: tokens put around them, and offsets that leave white space out.
type postProcessor struct {
	before, after []int // ids of the template, used when special tokens are asked for
	template      bool  // there is one
	trim          bool  // offsets leave out the white space at both ends of a token
	addedPrefix   bool  // with trim: one leading space of the first token was put there by the pre-tokenizer, and has no place
}

// templatePiece is a member of a template: a special token or the text ("A" is the first, "B" the second of a pair).
type templatePiece struct {
	SpecialToken *struct {
		ID string `json:"id"`
	}
	Sequence *struct {
		ID string `json:"id"`
	}
}

type templateSpecial struct {
	IDs []int `json:"ids"`
}

// parsePostProcessor adds the part at path to out.
func parsePostProcessor(raw json.RawMessage, path string, depth int, v *vocabulary, out *postProcessor) error {
	p, err := parsePart(raw, path, depth)
	if err != nil || p == nil {
		return err
	}
	switch p.Type {
	case "Sequence":
		return p.each(p.Processors, "processors", func(raw json.RawMessage, path string) error {
			return parsePostProcessor(raw, path, depth+1, v, out)
		})
	case "ByteLevel":
		if flag(p.TrimOffsets, true) {
			out.trim, out.addedPrefix = true, flag(p.AddPrefixSpace, true)
		}
		return nil
	case "TemplateProcessing":
		return p.readTemplate(v, out)
	}
	return p.unknown("post-processor", "Sequence, ByteLevel, TemplateProcessing")
}

// readTemplate reads the template for a single text.
func (p *part) readTemplate(v *vocabulary, out *postProcessor) error {
	if out.template {
		return fmt.Errorf("%s: a second TemplateProcessing is not implemented", p.path)
	}
	if len(p.Single) > maxParts {
		return fmt.Errorf("%s.single: %d pieces; at most %d are accepted", p.path, len(p.Single), maxParts)
	}
	out.template = true
	texts := 0
	for i, piece := range p.Single {
		switch {
		case piece.Sequence != nil && piece.Sequence.ID == "A":
			texts++
		case piece.SpecialToken != nil:
			special, ok := p.SpecialTokens[piece.SpecialToken.ID]
			if !ok || len(special.IDs) > maxParts {
				return fmt.Errorf("%s.single[%d]: special token %q has no usable entry in special_tokens", p.path, i, piece.SpecialToken.ID)
			}
			for _, id := range special.IDs {
				if _, ok := v.token(id); !ok {
					return fmt.Errorf("%s.special_tokens: %q has id %d, which is not in the vocabulary", p.path, piece.SpecialToken.ID, id)
				}
			}
			if texts == 0 {
				out.before = append(out.before, special.IDs...)
			} else {
				out.after = append(out.after, special.IDs...)
			}
		default:
			return fmt.Errorf("%s.single[%d]: neither a special token nor the text A", p.path, i)
		}
	}
	if texts != 1 {
		return fmt.Errorf("%s.single: the text A stands there %d times; once is implemented", p.path, texts)
	}
	return nil
}

// white counts the white space at the front and at the back of a token as the vocabulary writes it.
type white struct{ front, back int32 }

// marginsOf counts a token's white space. A token of nothing else has all of it on both sides.
func marginsOf(token string) (w white) {
	other := false
	for _, r := range token {
		switch {
		case r != spaceChar && !unicode.IsSpace(r):
			other, w.back = true, 0
		case other:
			w.back++
		default:
			w.front++
		}
	}
	if !other {
		w.back = w.front
	}
	return w
}

// trimmed returns the offsets of a token less the white space at its ends. input is the text that the offsets count in, first says
// whether it is the first token.
func (p *postProcessor) trimmed(w white, input string, lo, hi int, first bool) (int, int) {
	if w.front == 1 && p.addedPrefix && (first || lo == 0) {
		w.front = 0
	}
	for ; w.front > 0 && lo < hi; w.front-- {
		_, n := runeAt(input, lo)
		lo += n
	}
	for ; w.back > 0 && lo < hi; w.back-- {
		hi--
		for hi > lo && input[hi]&0xC0 == 0x80 {
			hi--
		}
	}
	return lo, hi
}
