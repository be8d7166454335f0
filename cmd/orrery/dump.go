package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"orrery/models"
	"orrery/models/exactjson"
	"orrery/models/weights"
	"orrery/models/zoo"
)

// dumpCommand writes one run as a safetensors file, so that any language can
// check the engine.
type dumpCommand struct {
	Model   string `arg:"" help:"A shipped model's name, a model directory, or the OWNER/NAME of a pulled model."`
	IDs     string `name:"ids" xor:"input" required:"" help:"Token ids: commas within a prompt, semicolons between prompts."`
	Prompt  string `xor:"input" required:"" help:"One prompt as text; the tokenizer's template (BOS) is applied."`
	Prompts string `xor:"input" required:"" help:"A file with one prompt a line, or a JSON list of strings." type:"existingfile"`
	Pad     string `enum:",left,right" default:"" help:"Pad prompts of unequal length on the left or right."`
	Edits   string `help:"A JSON file with a list of edits." type:"existingfile"`
	Sites   string `default:"*" help:"Which sites to write: a glob over their names, * for all, none for the logits alone."`
	Grad    string `help:"Also write gradients (NAME_grad) of a sum of terms such as logit[0,-1,17]-logit[0,-1,4], logprob[0,-1,17] or resid_post0[0,-1,3]."`
	Memory  int64  `default:"4" help:"The most GiB that the values may take; more is refused before anything is computed."`
	Out     string `required:"" help:"The safetensors file to write."`
}

func (c *dumpCommand) Run(ctx context.Context, con *console) error {
	m, err := zoo.Open(c.Model)
	if err != nil {
		return err
	}
	rows, err := c.rows(m)
	if err != nil {
		return err
	}
	batch, err := c.batch(m, rows)
	if err != nil {
		return err
	}
	var hooks []models.Hook
	if c.Edits != "" {
		if hooks, err = readHooks(m, c.Edits); err != nil {
			return err
		}
	}
	sel := models.Selector(func(models.Site) bool { return false })
	if c.Sites != "none" {
		if sel, err = m.Match(c.Sites); err != nil {
			return err
		}
	}
	if c.Sites != "none" {
		if err := m.CheckBudget(batch, models.CacheOptions{Sites: sel, Budget: max(c.Memory, 1) << 30}); err != nil {
			return fmt.Errorf("%w; --memory allows more", err)
		}
	}
	cache := models.NewCache()
	hooks = append(hooks, models.Record(cache, sel))
	tensors, err := c.compute(ctx, m, batch, sel, cache, hooks)
	if err != nil {
		return err
	}
	for _, w := range m.Warnings(batch) {
		fmt.Fprintln(con.err, "warning:", w)
	}
	if err := weights.WriteFile(c.Out, tensors, map[string]string{"model": m.Name, "hash": m.Hash(), "basis": m.Basis(), "kernel": models.BitsPath()}); err != nil {
		return err
	}
	fmt.Fprintf(con.err, "%s: %d tensors\n", c.Out, len(tensors))
	return nil
}

// compute runs the model, with a backward pass when asked, and lists what
// goes into the file: the logits, the sites in forward order, the gradients.
func (c *dumpCommand) compute(ctx context.Context, m *models.Model, batch models.Batch, sel models.Selector, cache *models.Cache, hooks []models.Hook) ([]weights.Tensor, error) {
	var out *models.Output
	var grads *models.Cache
	if c.Grad == "" {
		o, err := m.Run(ctx, batch, hooks...)
		if err != nil {
			return nil, err
		}
		out = o
	} else {
		obj, err := models.ParseScalar(m, c.Grad)
		if err != nil {
			return nil, err
		}
		g, err := m.GradientOf(ctx, batch, obj, models.Want{Sites: sel}, hooks...)
		if err != nil {
			return nil, err
		}
		if out, grads = g.Output, g.Sites; out == nil { // no logit has a part in it
			if out, err = m.Run(ctx, batch, hooks...); err != nil {
				return nil, err
			}
		}
	}
	tensors := []weights.Tensor{{Name: "logits", Dense: out.Logits}}
	for _, s := range cache.Sites() {
		if x, ok := cache.Get(s); ok && s.String() != "logits" {
			tensors = append(tensors, weights.Tensor{Name: s.String(), Dense: x})
		}
	}
	if grads != nil {
		for _, s := range grads.Sites() {
			if x, ok := grads.Get(s); ok {
				tensors = append(tensors, weights.Tensor{Name: s.String() + "_grad", Dense: x})
			}
		}
	}
	return tensors, nil
}

// rows reads the prompts as ids.
func (c *dumpCommand) rows(m *models.Model) ([][]int, error) {
	if c.IDs != "" {
		return parseIDs(c.IDs)
	}
	prompts := []string{c.Prompt}
	if c.Prompts != "" {
		var err error
		if prompts, err = readPrompts(c.Prompts); err != nil {
			return nil, err
		}
	}
	var rows [][]int
	for i, p := range prompts {
		ids, err := m.Encode(p)
		if err != nil {
			return nil, fmt.Errorf("prompt %d %q: %w", i, p, err)
		}
		rows = append(rows, ids)
	}
	return rows, nil
}

// batch pads the rows when asked and refuses unequal ones otherwise.
func (c *dumpCommand) batch(m *models.Model, rows [][]int) (models.Batch, error) {
	if c.Pad == "" {
		for i, r := range rows {
			if len(r) != len(rows[0]) {
				return models.Batch{}, fmt.Errorf("prompt 0 has %d tokens, prompt %d has %d: say --pad left or --pad right", len(rows[0]), i, len(r))
			}
		}
		return models.Rows(rows)
	}
	pad := 0
	if m.Tokenizer != nil {
		if id, ok := m.Tokenizer.Pad(); ok {
			pad = id
		}
	}
	return models.Pad(rows, models.Side(c.Pad), pad)
}

func parseIDs(text string) ([][]int, error) {
	var rows [][]int
	for i, prompt := range strings.Split(text, ";") {
		var row []int
		for _, field := range strings.Split(prompt, ",") {
			id, err := strconv.Atoi(strings.TrimSpace(field))
			if err != nil {
				return nil, fmt.Errorf("--ids: %q in prompt %d is no token id; write numbers like \"1,2;3,4\"", field, i)
			}
			row = append(row, id)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// readPrompts reads one prompt a line, or a JSON list when the file starts
// with a bracket. A byte order mark, as editors write it, is no part of it.
func readPrompts(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := strings.TrimRight(string(data), "\r\n")
	if strings.HasPrefix(strings.TrimSpace(text), "[") {
		var prompts []string
		if err := exactjson.Decode(data, &prompts); err != nil {
			return nil, fmt.Errorf("%s: a JSON list of strings was expected: %w", path, err)
		}
		if len(prompts) == 0 {
			return nil, fmt.Errorf("%s: the list is empty", path)
		}
		return prompts, nil
	}
	if text == "" {
		return nil, fmt.Errorf("%s: no prompts in the file", path)
	}
	return strings.Split(strings.ReplaceAll(text, "\r\n", "\n"), "\n"), nil
}

// readEdits reads a JSON list of edits from a file.
func readEdits(path string) ([]models.Edit, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	edits, err := models.ParseEdits(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return edits, nil
}

// readHooks reads edits as hooks of a model.
func readHooks(m *models.Model, path string) ([]models.Hook, error) {
	edits, err := readEdits(path)
	if err != nil {
		return nil, err
	}
	hooks, err := m.Edits(edits...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return hooks, nil
}
