package tokenizer

import (
	"encoding/json"
	"fmt"
)

// model turns one piece of text into symbols.
type model interface {
	// tokenize appends the symbols of word, which is not empty, to out; their widths add up to len(word). A part that the
	// vocabulary cannot express is a *missing. It is safe for concurrent use.
	tokenize(word string, out []symbol) ([]symbol, error)
}

// symbol is a token id and the number of bytes of the piece that it stands for.
type symbol struct{ id, width int32 }

// missing is bytes lo..hi of a piece that no token expresses.
type missing struct{ lo, hi int }

func (m *missing) Error() string {
	return fmt.Sprintf("bytes %d to %d are not in the vocabulary", m.lo, m.hi)
}

// modelJSON is the file's "model": the fields of all types in one.
type modelJSON struct {
	Type     string          `json:"type"`
	Vocab    json.RawMessage `json:"vocab"`
	Merges   []mergeJSON     `json:"merges"`
	UnkToken *string         `json:"unk_token"`
	UnkID    *int            `json:"unk_id"` // Unigram

	Dropout                 *float64 `json:"dropout"`
	ContinuingSubwordPrefix string   `json:"continuing_subword_prefix"`
	EndOfWordSuffix         string   `json:"end_of_word_suffix"`
	FuseUnk                 bool     `json:"fuse_unk"`
	ByteFallback            bool     `json:"byte_fallback"`
	IgnoreMerges            bool     `json:"ignore_merges"`
}

// parseModel builds the model and its vocabulary; byteLevel says that pieces reach it as bytes.
func parseModel(raw json.RawMessage, byteLevel bool) (model, *vocabulary, error) {
	var m modelJSON
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, nil, fmt.Errorf("model: %w", err)
	}
	if m.Type == "" && m.Merges != nil {
		m.Type = "BPE" // files older than the field
	}
	if m.Type == "Unigram" {
		return parseUnigram(&m, byteLevel)
	}
	if m.Type != "BPE" && m.Type != "WordLevel" {
		return nil, nil, fmt.Errorf("model: type %q is not implemented; implemented are BPE, Unigram, WordLevel", m.Type)
	}
	v, err := parseVocabulary(m.Vocab)
	if err != nil {
		return nil, nil, err
	}
	if m.Type == "BPE" {
		b, err := newBPE(&m, v, byteLevel)
		return b, v, err
	}
	return newWordLevel(&m, v, byteLevel), v, nil
}

// unknown returns the id of the unknown token, or -1 if the model has none.
func (m *modelJSON) unknown(v *vocabulary) (int32, error) {
	if m.UnkToken == nil {
		return -1, nil
	}
	id, ok := v.ids[*m.UnkToken]
	if !ok {
		return -1, fmt.Errorf("model.unk_token: %q is not in model.vocab", *m.UnkToken)
	}
	return int32(id), nil
}

// pieces returns the model's tokens by the bytes that they stand for in a piece. In a byte-level vocabulary a token with a
// character that is no byte's can not be met, and is left out.
func (v *vocabulary) pieces(byteLevel bool) map[string]int32 {
	out := make(map[string]int32, len(v.ids))
	table := newByteTable()
	for token, id := range v.ids {
		if !byteLevel {
			out[token] = int32(id)
		} else if b, ok := table.bytes(token); ok {
			out[string(b)] = int32(id)
		}
	}
	return out
}
