package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
)

// config is what tokenizer_config.json and special_tokens_map.json say beyond tokenizer.json: which tokens have a role.
type config struct {
	BOS namedToken `json:"bos_token"`
	EOS namedToken `json:"eos_token"`
	Pad namedToken `json:"pad_token"`

	// What follows is said of other files only; a tokenizer.json says it itself.
	AddBOS *bool                 `json:"add_bos_token"`
	AddEOS *bool                 `json:"add_eos_token"`
	Legacy *bool                 `json:"legacy"`               // the space in front is put after each added token too
	Added  map[string]addedToken `json:"added_tokens_decoder"` // by id

	// And this of GPT-2's format.
	Class       string       `json:"tokenizer_class"`
	PrefixSpace *bool        `json:"add_prefix_space"`
	Unk         namedToken   `json:"unk_token"`
	More        []namedToken `json:"additional_special_tokens"`
}

// namedToken is a token's string; files write it plainly, as an object with its content, or null.
type namedToken string

// UnmarshalJSON reads the three forms.
func (n *namedToken) UnmarshalJSON(raw []byte) error {
	if raw[0] == '{' {
		var o struct {
			Content string `json:"content"`
		}
		err := json.Unmarshal(raw, &o)
		*n = namedToken(o.Content)
		return err
	}
	return json.Unmarshal(raw, (*string)(n))
}

// readConfig fills what c does not have yet from one file; an empty one says nothing.
func (c *config) readConfig(name string, data []byte) error {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil
	}
	var more config
	if err := decodeJSON(name, data, &more); err != nil {
		return err
	}
	if c.AddBOS == nil && c.AddEOS == nil && c.Legacy == nil && c.Added == nil {
		c.AddBOS, c.AddEOS, c.Legacy, c.Added = more.AddBOS, more.AddEOS, more.Legacy, more.Added
	}
	c.Class, c.PrefixSpace = cmp.Or(c.Class, more.Class), cmp.Or(c.PrefixSpace, more.PrefixSpace)
	if c.More == nil {
		c.More = more.More
	}
	for _, p := range []struct{ to, from *namedToken }{{&c.BOS, &more.BOS}, {&c.EOS, &more.EOS}, {&c.Pad, &more.Pad}, {&c.Unk, &more.Unk}} {
		if *p.to == "" {
			*p.to = *p.from
		}
	}
	return nil
}

// added returns the tokens of added_tokens_decoder by id.
func (c *config) added() ([]addedToken, error) {
	var list []addedToken
	for key, tok := range c.Added {
		id, err := strconv.Atoi(key)
		if err != nil {
			return nil, fmt.Errorf("tokenizer_config.json: added_tokens_decoder: %q is not an id", key)
		}
		tok.ID = id
		list = append(list, tok)
	}
	slices.SortFunc(list, func(a, b addedToken) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Content, b.Content)) })
	return list, nil
}

// roles looks the named tokens up. A role that no file names goes to the first special token that goes by a usual name.
func (t *Tokenizer) roles(c config) {
	find := func(named namedToken, usual ...string) int {
		if id, ok := t.vocab.ids[string(named)]; ok && named != "" {
			return id
		}
		for _, token := range usual {
			if id, ok := t.vocab.ids[token]; ok && named == "" && t.vocab.entries[id].special {
				return id
			}
		}
		return -1
	}
	t.bos = find(c.BOS, "<bos>", "[BOS]", "<s>", "<|begin_of_text|>", "<|endoftext|>")
	t.eos = find(c.EOS, "<eos>", "[EOS]", "</s>", "<|end_of_text|>", "<|endoftext|>")
	t.pad = find(c.Pad, "<pad>", "[PAD]", "<|padding|>", "<|pad|>")
}

// decodeJSON reads a whole file, and says where it is broken.
func decodeJSON(name string, data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if err == nil {
		return nil
	}
	at := int64(-1)
	switch e := err.(type) {
	case *json.SyntaxError:
		at = e.Offset
	case *json.UnmarshalTypeError:
		at = e.Offset
	}
	if at < 0 {
		return fmt.Errorf("%s: %w", name, err)
	}
	before := data[:min(int(at), len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := len(before) - bytes.LastIndexByte(before, '\n') - 1
	return fmt.Errorf("%s: line %d, column %d: %w", name, line, column, err)
}
