package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"orrery/ablate"
	"orrery/models/zoo"
	"orrery/server/analysis"
)

// promptsCommand reads a file of prompts or pairs as prompts_from of a cell does.
type promptsCommand struct {
	File  string `arg:"" help:"A CSV or JSON lines file of prompts, or of pairs; - for standard input." type:"existingfile"`
	Model string `help:"Read them with this model: a shipped name, a directory or a pulled model. What it cannot take is dropped and reported, and its accuracy is said." placeholder:"MODEL"`
	Keep  string `enum:"all,correct" default:"all" help:"correct keeps the prompts that the model gets right."`
	To    string `enum:",csv,jsonl" default:"" help:"Write what is kept as csv or jsonl; --out says which by its ending."`
	Out   string `help:"The file to write; standard output without it." placeholder:"FILE"`
	IDs   bool   `name:"ids" default:"true" negatable:"" help:"Write the model's token ids; --no-ids leaves texts and answers, which suit any model."`
}

func (c *promptsCommand) Run(ctx context.Context, con *console) error {
	to, err := c.form()
	if err != nil {
		return err
	}
	file, err := c.read(con)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	report := con.out
	if to != "" && c.Out == "" {
		report = con.err // standard output holds the rows
	}
	what := "prompts"
	if file.Contrasts != nil {
		what = "pairs"
	}
	fmt.Fprintf(report, "%s: %d %s\n", filepath.Base(c.File), len(file.Prompts)+len(file.Contrasts), what)
	if c.Model != "" {
		m, err := zoo.Open(c.Model)
		if err != nil {
			return err
		}
		bound, err := analysis.PromptsFrom(file, ablate.Keep(c.Keep), 1).Bind(ctx, m)
		if err != nil {
			return err
		}
		fmt.Fprintf(report, "read by %s: %s\n", m.Name, bound.Report())
		file = bound.File(c.IDs)
	}
	if to == "" {
		return nil
	}
	if c.Out == "" {
		return analysis.WritePrompts(con.out, file, to == "csv")
	}
	return writePromptFile(c.Out, file, to == "csv")
}

// form is what is written: "csv", "jsonl", or "" for nothing.
func (c *promptsCommand) form() (string, error) {
	ending := strings.ToLower(strings.TrimPrefix(filepath.Ext(c.Out), "."))
	switch {
	case c.Keep == "correct" && c.Model == "":
		return "", errors.New("--keep correct asks a model: give --model")
	case c.To != "" || c.Out == "":
		return c.To, nil
	case ending == "csv" || ending == "jsonl":
		return ending, nil
	}
	return "", fmt.Errorf("--out %s ends in neither .csv nor .jsonl: say --to csv or --to jsonl", c.Out)
}

// read reads the file whole; an empty one is refused.
func (c *promptsCommand) read(con *console) (f ablate.PromptFile, err error) {
	var text []byte
	if c.File == "-" {
		text, err = io.ReadAll(con.in)
	} else {
		text, err = os.ReadFile(c.File)
	}
	if err != nil {
		return f, err
	}
	if f, err = ablate.ReadPrompts(string(text)); err != nil {
		return f, err
	}
	if f.Prompts == nil && f.Contrasts == nil {
		return f, errors.New("there are no rows")
	}
	return f, nil
}

func writePromptFile(path string, file ablate.PromptFile, table bool) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = analysis.WritePrompts(w, file, table)
	return errors.Join(err, w.Flush(), f.Close())
}
