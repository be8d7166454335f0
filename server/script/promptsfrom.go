package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/analysis"
)

// promptsFrom is the builtin prompts_from: prompts, or pairs, that are given.
func promptsFrom(c call) (starlark.Value, error) {
	var rows, model starlark.Value
	keep, seed := string(ablate.KeepAll), 1
	if err := c.unpack("rows", &rows, "m??", &model, "keep?", &keep, "seed?", &seed); err != nil {
		return nil, err
	}
	k, err := keepOf(keep)
	if err != nil {
		return nil, err
	}
	if seed < 0 {
		return nil, &hinted{fmt.Sprintf("prompts_from: seed is %d", seed), "use 0 or more"}
	}
	var m *models.Model
	if model != nil {
		if m, err = asModel(c.name, model); err != nil {
			return nil, err
		}
	}
	f, err := readRows(c.name, rows, m)
	if err != nil {
		return nil, err
	}
	p := analysis.PromptsFrom(f, k, uint64(seed))
	if len(p.List) == 0 {
		return nil, &hinted{"prompts_from: there are no rows", `give the text of a CSV or JSON lines file, or a list such as ["34+57=", "12+9="]`}
	}
	return c.boundTo(model, p)
}

// readRows reads prompts or pairs: the text of a file, or a list of texts,
// dictionaries, prompts and pairs. m, if known, is the model that ids are of.
func readRows(where string, v starlark.Value, m *models.Model) (f ablate.PromptFile, err error) {
	if s, ok := v.(starlark.String); ok {
		return ablate.ReadPrompts(string(s))
	}
	list, ok := v.(starlark.Iterable)
	if !ok {
		return f, &hinted{fmt.Sprintf("%s: want a list or the text of a file, got %s", where, v.Type()), `write ["34+57=", "12+9="], or [("34+57=", "12+57=")] for pairs`}
	}
	it := list.Iterate()
	defer it.Done()
	var x starlark.Value
	for i := 0; it.Next(&x); i++ {
		c, pair, err := readRow(x, m)
		if err != nil {
			return f, fmt.Errorf("%s: row %d: %w", where, i, err)
		}
		if pair {
			f.Contrasts = append(f.Contrasts, c)
		} else {
			f.Prompts = append(f.Prompts, c.Clean)
		}
		if f.Prompts != nil && f.Contrasts != nil {
			return f, &hinted{fmt.Sprintf("%s: row %d: prompts and pairs stand in one list", where, i), "give prompts, or (clean, corrupted) throughout"}
		}
	}
	return f, nil
}

// readRow reads one prompt, or one pair.
func readRow(v starlark.Value, m *models.Model) (c ablate.Contrast, pair bool, err error) {
	switch v := v.(type) {
	case *Pair:
		return v.contrast, true, nil
	case starlark.Tuple, *starlark.List:
		list := v.(starlark.Indexable)
		if list.Len() != 2 {
			return c, false, &hinted{fmt.Sprintf("a pair has two prompts, this has %d", list.Len()), `write ("34+57=", "12+57=")`}
		}
		if c.Clean, err = readPrompt(list.Index(0), m); err != nil {
			return c, true, err
		}
		c.Corrupted, err = readPrompt(list.Index(1), m)
		return c, true, err
	}
	c.Clean, err = readPrompt(v, m)
	return c, false, err
}

// readPrompt reads one prompt.
func readPrompt(v starlark.Value, m *models.Model) (ablate.Prompt, error) {
	p := ablate.Prompt{Answer: -1, Other: -1}
	switch v := v.(type) {
	case starlark.String:
		p.Text = string(v)
		return p, nil
	case *Prompt:
		if m == nil || v.model == m || v.model.Tokenizer == m.Tokenizer {
			return v.prompt, nil
		}
		p.Text, p.Group, p.Operands = v.prompt.Text, v.prompt.Group, v.prompt.Operands
		if s, ok := v.answer().(starlark.String); ok {
			p.AnswerText = string(s)
		}
		return p, nil
	case *Tokens:
		p.IDs = v.ids
		return p, nil
	case *starlark.Dict:
		return readPromptDict(v)
	}
	return p, &hinted{fmt.Sprintf("%s is no prompt", v.Type()), `write a text, or {"text": "34+57=", "answer": "91"}`}
}

// readPromptDict reads a prompt's fields.
func readPromptDict(d *starlark.Dict) (ablate.Prompt, error) {
	p := ablate.Prompt{Answer: -1, Other: -1}
	for k, v := range d.Entries() {
		name, _ := starlark.AsString(k)
		text, isText := starlark.AsString(v)
		texts := map[string]*string{"text": &p.Text, "answer": &p.AnswerText, "other": &p.OtherText, "op": &p.Group}
		numbers := map[string]*int{"answer_id": &p.Answer, "other_id": &p.Other}
		lists := map[string]*[]int{"ids": &p.IDs, "operands": &p.Operands}
		switch {
		case texts[name] != nil:
			if !isText {
				return p, &hinted{fmt.Sprintf("%s is %v: want text", name, v), fmt.Sprintf("write %q: \"91\", or a token's id as \"answer_id\"", name)}
			}
			*texts[name] = text
		case numbers[name] != nil:
			id, err := starlark.AsInt32(v)
			if err != nil {
				return p, fmt.Errorf("%s: %v", name, err)
			}
			*numbers[name] = id
		case lists[name] != nil:
			list, err := idList(v)
			if err != nil {
				return p, fmt.Errorf("%s: %w", name, err)
			}
			*lists[name] = list
		default:
			return p, &hinted{fmt.Sprintf("%v is no field of a prompt", k), "fields are text, ids, answer, answer_id, other, other_id, op and operands"}
		}
	}
	if p.Text == "" && p.IDs == nil {
		return p, &hinted{"a prompt needs a text or ids", `write {"text": "34+57=", "answer": "91"}`}
	}
	return p, nil
}
