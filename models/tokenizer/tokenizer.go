package tokenizer

import (
	"fmt"
	"strings"
	"sync"
)

// Tokenizer turns text into ids and back. It is immutable and safe for concurrent use.
type Tokenizer struct {
	vocab         *vocabulary
	raw, cooked   addedTokens // looked for in the input, and in normalized text
	normalizer    normalizer  // nil: none
	steps         []preTokenizer
	model         model
	post          postProcessor
	decoder       decoder
	bos, eos, pad int // -1: none
	asText        int // unknown token that Encoding.Tokens has as the text it stands for, as Unigram does; -1: none
	encoders      sync.Pool
	hash          string
}

// Hash is the sha256 (hex) of the files that the tokenizer was read from. Two with the same hash give the same ids and texts; the
// same tokenizer in files of another layout has another.
func (t *Tokenizer) Hash() string { return t.hash }

// Decode turns ids into text; skipSpecial leaves special tokens out. An id outside the vocabulary is an error.
func (t *Tokenizer) Decode(ids []int, skipSpecial bool) (string, error) {
	tokens := make([]string, 0, len(ids))
	for i, id := range ids {
		if _, ok := t.vocab.token(id); !ok {
			return "", fmt.Errorf("id %d at position %d is not in the vocabulary (0 to %d)", id, i, t.Size()-1)
		}
		if e := &t.vocab.entries[id]; !skipSpecial || !e.special {
			tokens = append(tokens, e.decoded)
		}
	}
	return strings.Join(t.decoder.decode(tokens), ""), nil
}

// Token returns the vocabulary's own string of an id, such as "Ġthe"; false if there is none.
func (t *Tokenizer) Token(id int) (string, bool) { return t.vocab.token(id) }

// Label returns what to show for an id: the text of that one token, such as " the", or where that is empty the vocabulary's
// string. It is never empty: an id without a token gives its number in angle brackets.
func (t *Tokenizer) Label(id int) string {
	token, ok := t.vocab.token(id)
	if !ok {
		return fmt.Sprintf("<%d>", id)
	}
	if s := strings.Join(t.decoder.decode([]string{t.vocab.entries[id].decoded}), ""); s != "" {
		return s
	}
	if token == "" {
		return fmt.Sprintf("<%d>", id)
	}
	return token
}

// ID returns the id of a vocabulary string; it encodes nothing.
func (t *Tokenizer) ID(token string) (int, bool) {
	id, ok := t.vocab.ids[token]
	return id, ok
}

// Size returns one more than the highest id, which a model's embedding must at least have rows for.
func (t *Tokenizer) Size() int { return len(t.vocab.entries) }

// BOS returns the id of the token that begins a sequence; false if there is none.
func (t *Tokenizer) BOS() (int, bool) { return t.bos, t.bos >= 0 }

// EOS returns the id of the token that ends a sequence; false if there is none.
func (t *Tokenizer) EOS() (int, bool) { return t.eos, t.eos >= 0 }

// Pad returns the id of the token that fills up rows of a batch; false if there is none.
func (t *Tokenizer) Pad() (int, bool) { return t.pad, t.pad >= 0 }

// IsSpecial reports whether Decode with skipSpecial leaves the id out.
func (t *Tokenizer) IsSpecial(id int) bool {
	return id >= 0 && id < len(t.vocab.entries) && t.vocab.entries[id].special
}
