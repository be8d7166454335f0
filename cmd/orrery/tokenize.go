package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"orrery/models/exactjson"
	"orrery/models/tokenizer"
	"orrery/models/zoo"
)

// tokenizeCommand turns strings into ids.
type tokenizeCommand struct {
	Model   string `arg:"" help:"A shipped model's name, or a directory; one with only a tokenizer.json or tokenizer.model will do."`
	Special bool   `help:"Add what the tokenizer's template adds, BOS for example."`
}

func (c *tokenizeCommand) Run(con *console) error {
	t, err := openTokenizer(c.Model)
	if err != nil {
		return err
	}
	var texts []string
	in, err := io.ReadAll(con.in)
	if err != nil {
		return fmt.Errorf("standard input: %w", err)
	}
	if err := exactjson.Decode(in, &texts); err != nil {
		return fmt.Errorf("standard input: a JSON list of strings was expected: %w", err)
	}
	ids := make([][]int, len(texts))
	for i, text := range texts {
		enc, err := t.Encode(text, c.Special)
		if err != nil {
			return fmt.Errorf("string %d %q: %w", i, text, err)
		}
		ids[i] = append([]int{}, enc.IDs...)
	}
	return json.NewEncoder(con.out).Encode(ids)
}

func openTokenizer(nameOrDir string) (*tokenizer.Tokenizer, error) {
	if tokenizer.In(os.DirFS(nameOrDir)) {
		return tokenizer.Load(nameOrDir)
	}
	m, err := zoo.Open(nameOrDir)
	if err != nil {
		return nil, err
	}
	if m.Tokenizer == nil {
		return nil, fmt.Errorf("%s has neither tokenizer.json nor tokenizer.model", nameOrDir)
	}
	return m.Tokenizer, nil
}
