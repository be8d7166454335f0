package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"orrery/models"
	"orrery/models/tokenizer"
	"orrery/models/zoo"
)

// tokenizeCommand turns strings into ids.
type tokenizeCommand struct {
	Model   string `arg:"" help:"A shipped model's name, or a directory; one with only a tokenizer.json will do."`
	Special bool   `help:"Add what the tokenizer's template adds, BOS for example."`
}

func (c *tokenizeCommand) Run(con *console) error {
	t, err := openTokenizer(c.Model)
	if err != nil {
		return err
	}
	var texts []string
	if err := json.NewDecoder(con.in).Decode(&texts); err != nil {
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
	if _, err := os.Stat(filepath.Join(nameOrDir, "tokenizer.json")); err == nil {
		return tokenizer.Load(nameOrDir)
	}
	m, err := zoo.Open(nameOrDir)
	if err != nil {
		return nil, err
	}
	if m.Tokenizer == nil {
		return nil, fmt.Errorf("%s has no tokenizer.json", nameOrDir)
	}
	return m.Tokenizer, nil
}

// generateCommand continues a prompt greedily.
type generateCommand struct {
	Model  string `arg:"" help:"A shipped model's name or a model directory."`
	Prompt string `xor:"input" required:"" help:"The text to continue; empty starts from BOS."`
	IDs    string `name:"ids" xor:"input" required:"" help:"The prompt as token ids, separated by commas; works without a tokenizer."`
	N      int    `name:"n" default:"20" help:"How many tokens to add."`
	JSON   bool   `name:"json" help:"Write {\"ids\": [...], \"text\": \"...\"} with the prompt's ids first."`
}

func (c *generateCommand) Run(ctx context.Context, con *console) error {
	if c.N < 1 {
		return fmt.Errorf("--n %d: at least 1 token", c.N)
	}
	m, err := zoo.Open(c.Model)
	if err != nil {
		return err
	}
	prompt, err := c.prompt(m)
	if err != nil {
		return err
	}
	added, err := m.Generate(ctx, prompt, c.N, func(int) error { return nil })
	if err != nil {
		return err
	}
	return writeGenerated(con, m, append(append([]int{}, prompt...), added...), c.JSON)
}

// prompt reads the prompt as ids.
func (c *generateCommand) prompt(m *models.Model) ([]int, error) {
	if c.IDs == "" {
		return m.Encode(c.Prompt)
	}
	rows, err := parseIDs(c.IDs)
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("--ids: %d prompts given, generate continues one", len(rows))
	}
	return rows[0], nil
}

// writeGenerated writes the text exactly as decoded, with a newline behind it
// on a terminal only; without a tokenizer, or with --json, the ids.
func writeGenerated(con *console, m *models.Model, ids []int, asJSON bool) error {
	if m.Tokenizer == nil {
		return json.NewEncoder(con.out).Encode(map[string][]int{"ids": ids})
	}
	text, err := m.Tokenizer.Decode(ids, true)
	if err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(con.out).Encode(struct {
			IDs  []int  `json:"ids"`
			Text string `json:"text"`
		}{ids, text})
	}
	if f, ok := con.out.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			text += "\n"
		}
	}
	_, err = fmt.Fprint(con.out, text)
	return err
}
