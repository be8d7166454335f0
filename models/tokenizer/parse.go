package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// document is a tokenizer.json.
type document struct {
	Version       string          `json:"version"`
	AddedTokens   []addedToken    `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         json.RawMessage `json:"model"`
}

// The files that hold a tokenizer, before those of GPT-2's own format; of several the first is read.
const (
	jsonName  = "tokenizer.json"
	pieceName = "tokenizer.model"
)

// In reports whether a checkpoint directory holds a tokenizer that Load reads.
func In(dir fs.FS) bool {
	for _, name := range []string{jsonName, pieceName} {
		if _, err := fs.Stat(dir, name); err == nil {
			return true
		}
	}
	return hasGPT2Files(dir)
}

// Load reads the tokenizer of a checkpoint directory: tokenizer.json, or where there is none tokenizer.model (see
// ParseSentencePiece) or GPT-2's vocab.json and merges.txt with added_tokens.json, and from tokenizer_config.json and special_tokens_map.json, where they are, which tokens begin, end and pad
// a text.
func Load(dir string) (*Tokenizer, error) {
	t, err := LoadFS(os.DirFS(dir))
	if err != nil {
		return nil, fmt.Errorf("tokenizer of %s: %w", dir, err)
	}
	return t, nil
}

// LoadFS is Load from a file system.
func LoadFS(dir fs.FS) (*Tokenizer, error) {
	f := newFiles(dir)
	t, err := f.load()
	if err == nil {
		t.hash = f.hash()
	}
	return t, err
}

func (f *files) load() (*Tokenizer, error) {
	dir := f.dir
	data, err := f.read(jsonName)
	pieces, gpt2 := false, false
	if errors.Is(err, fs.ErrNotExist) {
		if more, e := f.read(pieceName); !errors.Is(e, fs.ErrNotExist) {
			data, err, pieces = more, e, true
		}
	}
	if errors.Is(err, fs.ErrNotExist) && hasGPT2Files(dir) {
		err, gpt2 = nil, true
	}
	if errors.Is(err, fs.ErrNotExist) {
		for _, other := range []string{"vocab.json", "spiece.model"} {
			if _, e := fs.Stat(dir, other); e == nil {
				return nil, fmt.Errorf("neither %s nor %s, and %s alone is not read: convert it (transformers: AutoTokenizer.from_pretrained(dir).save_pretrained(dir)): %w", jsonName, pieceName, other, err)
			}
		}
	}
	if err != nil {
		return nil, err
	}
	var c config
	for _, name := range []string{"tokenizer_config.json", "special_tokens_map.json"} {
		more, err := f.read(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = c.readConfig(name, more)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case gpt2:
		return f.loadGPT2(c)
	case pieces:
		return parseSentencePiece(data, c)
	}
	return parse(data, c)
}

// Parse reads a tokenizer.json, and a tokenizer_config.json that may be nil, from memory. A file with a part, setting or pattern
// that is not implemented, or that contradicts itself, is an error that names the place.
func Parse(tokenizerJSON, configJSON []byte) (*Tokenizer, error) {
	var c config
	if err := c.readConfig("tokenizer_config.json", configJSON); err != nil {
		return nil, err
	}
	t, err := parse(tokenizerJSON, c)
	if err == nil {
		t.hash = hashOf(tokenizerJSON, configJSON)
	}
	return t, err
}

func parse(data []byte, c config) (*Tokenizer, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", jsonName, maxFile)
	}
	var d document
	if err := decodeJSON(jsonName, data, &d); err != nil {
		return nil, err
	}
	t, err := d.build()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", jsonName, err)
	}
	t.roles(c)
	return t, nil
}

// build makes the pipeline.
func (d *document) build() (*Tokenizer, error) {
	if d.Version != "" && d.Version != "1.0" {
		return nil, fmt.Errorf("version %q is not known; 1.0 is", d.Version)
	}
	if len(d.Model) == 0 {
		return nil, errors.New("no \"model\"")
	}
	t := &Tokenizer{}
	var err error
	if t.normalizer, err = parseNormalizer(d.Normalizer, "normalizer", 0); err != nil {
		return nil, err
	}
	var pre preTokens
	if err = parsePreTokenizer(d.PreTokenizer, "pre_tokenizer", 0, &pre); err != nil {
		return nil, err
	}
	t.steps = pre.steps
	if t.model, t.vocab, err = parseModel(d.Model, pre.bytes); err != nil {
		return nil, err
	}
	t.asText = -1
	if u, ok := t.model.(*unigram); ok {
		t.asText = int(u.unk)
	}
	if err = t.addTokens(d.AddedTokens); err != nil {
		return nil, err
	}
	if err = parsePostProcessor(d.PostProcessor, "post_processor", 0, t.vocab, &t.post); err != nil {
		return nil, err
	}
	t.encoders.New = func() any { return newEncoder(t) }
	t.decoder, err = parseDecoder(d.Decoder, "decoder", 0)
	return t, err
}
