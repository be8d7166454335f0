package tokenizer

import (
	"encoding/json"
	"fmt"
)

// vocabulary holds every token, the model's and the added ones, under its own string and id.
type vocabulary struct {
	ids     map[string]int
	entries []entry // by id; ids may be missing
}

type entry struct {
	token   string
	decoded string // what the decoder gets: token, or an added token's normalized form
	margins white
	there   bool
	special bool
}

func newEntry(token string) entry {
	return entry{token: token, decoded: token, margins: marginsOf(token), there: true}
}

// parseVocabulary reads the vocab object of a BPE or WordLevel model.
func parseVocabulary(raw json.RawMessage) (*vocabulary, error) {
	v := &vocabulary{}
	if err := json.Unmarshal(raw, &v.ids); err != nil {
		return nil, fmt.Errorf("model.vocab: %w", err)
	}
	if len(v.ids) == 0 || len(v.ids) > maxVocab {
		return nil, fmt.Errorf("model.vocab: %d tokens; between 1 and %d are accepted", len(v.ids), maxVocab)
	}
	v.entries = make([]entry, 0, len(v.ids))
	for token, id := range v.ids {
		if err := v.grow(token, id, "model.vocab"); err != nil {
			return nil, err
		}
		if e := &v.entries[id]; e.there {
			return nil, fmt.Errorf("model.vocab: %q and %q have the same id %d", min(e.token, token), max(e.token, token), id)
		}
		v.entries[id] = newEntry(token)
	}
	return v, nil
}

// grow makes room for id.
func (v *vocabulary) grow(token string, id int, path string) error {
	if limit := min(2*len(v.ids)+maxSparse, maxVocab); id < 0 || id >= limit {
		return fmt.Errorf("%s: %q has id %d; in a vocabulary of %d tokens ids from 0 to %d are accepted", path, token, id, len(v.ids), limit-1)
	}
	for len(v.entries) <= id {
		v.entries = append(v.entries, entry{})
	}
	return nil
}

// enter adds a token, or confirms one that is there.
func (v *vocabulary) enter(token string, id int, path string) error {
	if old, ok := v.ids[token]; ok {
		if old != id {
			return fmt.Errorf("%s: %q has id %d, but id %d above", path, token, id, old)
		}
		return nil
	}
	if err := v.grow(token, id, path); err != nil {
		return err
	}
	if e := v.entries[id]; e.there {
		return fmt.Errorf("%s: %q has id %d, which is %q", path, token, id, e.token)
	}
	v.ids[token] = id
	v.entries[id] = newEntry(token)
	return nil
}

// token returns the string of an id.
func (v *vocabulary) token(id int) (string, bool) {
	if id < 0 || id >= len(v.entries) || !v.entries[id].there {
		return "", false
	}
	return v.entries[id].token, true
}
