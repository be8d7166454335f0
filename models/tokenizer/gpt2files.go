package tokenizer

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// The files of GPT-2's own format: tokens with their ids, merges in order, and tokens that came later.
const (
	vocabName  = "vocab.json"
	mergesName = "merges.txt"
	addedName  = "added_tokens.json"
)

// gpt2Classes are the tokenizers of that format that are GPT-2's: OPT's, GPT-Neo's and GPT-J's are, and Phi's by another name. Others
// write their vocabulary in the same files and cut text differently.
var gpt2Classes = []string{"", "GPT2Tokenizer", "GPT2TokenizerFast", "CodeGenTokenizer", "CodeGenTokenizerFast"}

// hasGPT2Files reports whether a directory has a tokenizer in GPT-2's format.
func hasGPT2Files(dir fs.FS) bool {
	for _, name := range []string{vocabName, mergesName} {
		if _, err := fs.Stat(dir, name); err != nil {
			return false
		}
	}
	return true
}

// loadGPT2 reads a tokenizer in GPT-2's format, as transformers converts it to a tokenizer.json: byte-level BPE over GPT-2's
// pattern, the special tokens that the configuration names, <|endoftext|> where it names none, and with add_bos_token the first of
// them in front of a text.
func (f *files) loadGPT2(c config) (*Tokenizer, error) {
	if !slices.Contains(gpt2Classes, c.Class) {
		return nil, fmt.Errorf("tokenizer_config.json: tokenizer_class %q is not read from %s and %s; read are %s",
			c.Class, vocabName, mergesName, strings.Join(gpt2Classes[1:], ", "))
	}
	vocab, err := f.read(vocabName)
	if err != nil {
		return nil, err
	}
	ids := map[string]int{}
	if err := decodeJSON(vocabName, vocab, &ids); err != nil {
		return nil, err
	}
	merges, err := f.read(mergesName)
	if err != nil {
		return nil, err
	}
	added := map[string]int{}
	switch more, err := f.read(addedName); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		if err := decodeJSON(addedName, more, &added); err != nil {
			return nil, err
		}
	}
	for _, role := range []*namedToken{&c.BOS, &c.EOS, &c.Unk} {
		if *role == "" {
			*role = "<|endoftext|>"
		}
	}
	configured, err := c.added()
	if err != nil {
		return nil, err
	}
	d := document{AddedTokens: c.gpt2Added(ids, configured, added)}
	t, err := d.gpt2(vocab, merges, c)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", vocabName, mergesName, err)
	}
	t.roles(c)
	return t, nil
}

// gpt2Added lists the added tokens by id: those of the configuration, of a token with several ids the lowest, and of
// added_tokens.json, then special ones that have no id yet, behind all others.
func (c *config) gpt2Added(ids map[string]int, configured []addedToken, added map[string]int) []addedToken {
	var out []addedToken
	known, next := map[string]bool{}, 0
	add := func(tok addedToken) {
		if tok.Content != "" && !known[tok.Content] {
			known[tok.Content] = true
			out = append(out, tok)
		}
		next = max(next, tok.ID+1)
	}
	for _, id := range ids {
		next = max(next, id+1)
	}
	for _, tok := range configured {
		add(tok)
	}
	special := append([]namedToken{c.BOS, c.EOS, c.Unk, c.Pad}, c.More...)
	for content, id := range added {
		add(addedToken{ID: id, Content: content, Normalized: true, Special: slices.Contains(special, namedToken(content))})
	}
	for _, name := range special {
		id, ok := ids[string(name)]
		if !ok {
			id = next
		}
		if name != "" && !known[string(name)] {
			add(addedToken{ID: id, Content: string(name), Normalized: true, Special: true})
		}
	}
	slices.SortFunc(out, func(a, b addedToken) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Content, b.Content)) })
	return out
}

// gpt2 fills in the pipeline and makes it.
func (d *document) gpt2(vocab, merges []byte, c config) (*Tokenizer, error) {
	lines := strings.Split(strings.TrimSuffix(string(merges), "\n"), "\n")
	if strings.HasPrefix(lines[0], "#version") {
		lines = lines[1:]
	}
	lines = slices.DeleteFunc(lines, func(s string) bool { return s == "" })
	var err error
	marshal := func(x any) json.RawMessage {
		raw, e := json.Marshal(x)
		err = cmp.Or(err, e)
		return raw
	}
	type fields map[string]any
	d.Model = marshal(fields{"type": "BPE", "vocab": json.RawMessage(vocab), "merges": lines})
	d.PreTokenizer = marshal(fields{"type": "ByteLevel", "add_prefix_space": flag(c.PrefixSpace, false)})
	d.Decoder = marshal(fields{"type": "ByteLevel"})
	d.PostProcessor = marshal(fields{"type": "ByteLevel", "trim_offsets": false})
	if bos := string(c.BOS); flag(c.AddBOS, false) {
		at := slices.IndexFunc(d.AddedTokens, func(tok addedToken) bool { return tok.Content == bos })
		if at < 0 {
			return nil, fmt.Errorf("bos_token %q is no token", bos)
		}
		d.PostProcessor = marshal(fields{
			"type":           "TemplateProcessing",
			"single":         []fields{{"SpecialToken": fields{"id": bos, "type_id": 0}}, {"Sequence": fields{"id": "A", "type_id": 0}}},
			"special_tokens": fields{bos: fields{"id": bos, "ids": []int{d.AddedTokens[at].ID}, "tokens": []string{bos}}},
		})
	}
	if err != nil {
		return nil, err
	}
	return d.build()
}
