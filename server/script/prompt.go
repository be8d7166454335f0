package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/tensor"
	"orrery/server/analysis"
	"orrery/server/api"
)

// Prompt is one prompt of a set. Whatever takes a prompt takes it.
type Prompt struct {
	model  *models.Model
	prompt ablate.Prompt
}

// tokens is the prompt as tokens.
func (p *Prompt) tokens() *Tokens { return &Tokens{p.model, p.prompt.IDs} }

// answer is the text of the right answer, None without one.
func (p *Prompt) answer() starlark.Value {
	if p.prompt.Answer < 0 {
		return starlark.None
	}
	return starlark.String(p.tokens().label(p.prompt.Answer))
}

// String is the text with its answer.
func (p *Prompt) String() string {
	text := p.prompt.Text
	if text == "" {
		text = p.tokens().String()
	}
	if s, ok := p.answer().(starlark.String); ok {
		text += " → " + string(s)
	}
	return text
}

// Type is "prompt".
func (p *Prompt) Type() string { return "prompt" }

// Freeze does nothing: a prompt never changes.
func (p *Prompt) Freeze() {}

// Truth is true.
func (p *Prompt) Truth() starlark.Bool { return true }

// Hash refuses: a prompt is no key.
func (p *Prompt) Hash() (uint32, error) { return 0, errors.New("unhashable: prompt") }

// Attr gives the prompt's parts.
func (p *Prompt) Attr(name string) (starlark.Value, error) {
	q := p.prompt
	switch name {
	case "text":
		return starlark.String(q.Text), nil
	case "ids":
		return p.tokens().list(), nil
	case "tokens":
		return p.tokens(), nil
	case "answer":
		return p.answer(), nil
	case "answer_id":
		return idOf(q.Answer), nil
	case "other_id":
		return idOf(q.Other), nil
	case "operands":
		list := make([]starlark.Value, len(q.Operands))
		for i, v := range q.Operands {
			list[i] = starlark.MakeInt(v)
		}
		return starlark.NewList(list), nil
	case "op":
		return starlark.String(p.operators()), nil
	case "roles":
		return p.roles(), nil
	}
	return nil, nil
}

// AttrNames lists the attributes.
func (p *Prompt) AttrNames() []string {
	return []string{"answer", "answer_id", "ids", "op", "operands", "other_id", "roles", "text", "tokens"}
}

// operators are those of the prompt, in its order.
func (p *Prompt) operators() string {
	if p.prompt.Group != "" {
		return p.prompt.Group
	}
	var b strings.Builder
	for i, r := range p.prompt.Roles {
		if r.Kind == ablate.Operator {
			b.WriteString(strings.TrimSpace(p.tokens().label(p.prompt.IDs[i])))
		}
	}
	return b.String()
}

// idOf is a token's id, None for none.
func idOf(id int) starlark.Value {
	if id < 0 {
		return starlark.None
	}
	return starlark.MakeInt(id)
}

// roles are what the tokens do, in words: "operand a", "operator", "equals".
func (p *Prompt) roles() *starlark.List {
	list := make([]starlark.Value, len(p.prompt.IDs))
	for i := range list {
		word := "-"
		if i < len(p.prompt.Roles) {
			word = roleWord(p.prompt.Roles[i])
		}
		list[i] = starlark.String(word)
	}
	return starlark.NewList(list)
}

func roleWord(r ablate.Role) string {
	switch r.Kind {
	case ablate.Operand:
		if r.Index < 26 {
			return "operand " + string(rune('a'+r.Index))
		}
		return fmt.Sprintf("operand %d", r.Index)
	case ablate.Operator:
		if r.Index > 0 {
			return fmt.Sprintf("operator %d", r.Index+1)
		}
		return "operator"
	}
	return r.String()
}

// row is the prompt as a row of the page's table.
func (p *Prompt) row() api.PromptRow {
	tokens := p.tokens().wire()
	for i, role := range analysis.Tints(p.model.Tokenizer, p.prompt) {
		tokens[i].Role = role
	}
	row := api.PromptRow{Tokens: tokens}
	if s, ok := p.answer().(starlark.String); ok {
		row.Answer = string(s)
	}
	return row
}

// Pair is a clean prompt and its partner. As the second argument of a metric of
// one's own it is the pair, or the prompt, that was measured.
type Pair struct {
	model    *models.Model
	contrast ablate.Contrast // the corrupted prompt is empty where a single prompt is measured
	// answer is the token that a metric is about (r), other the one that it is
	// compared with (r′); -1 for none.
	answer, other int
	base          []float32 // [V] of the run without edits; nil outside of a metric
}

// String is both prompts.
func (p *Pair) String() string {
	text := (&Prompt{p.model, p.contrast.Clean}).String()
	if p.contrast.Corrupted.IDs == nil {
		return text
	}
	return text + " | " + (&Prompt{p.model, p.contrast.Corrupted}).String()
}

// Type is "pair".
func (p *Pair) Type() string { return "pair" }

// Freeze does nothing: a pair never changes.
func (p *Pair) Freeze() {}

// Truth is true.
func (p *Pair) Truth() starlark.Bool { return true }

// Hash refuses: a pair is no key.
func (p *Pair) Hash() (uint32, error) { return 0, errors.New("unhashable: pair") }

// Attr gives the prompts, the tokens to follow, and in a metric the logits of the
// run without edits.
func (p *Pair) Attr(name string) (starlark.Value, error) {
	switch name {
	case "clean":
		return &Prompt{p.model, p.contrast.Clean}, nil
	case "corrupted":
		if p.contrast.Corrupted.IDs == nil {
			return starlark.None, nil
		}
		return &Prompt{p.model, p.contrast.Corrupted}, nil
	case "answer":
		return idOf(p.answer), nil
	case "other":
		return idOf(p.other), nil
	case "base":
		if p.base == nil {
			return starlark.None, nil
		}
		return newTensor(tensor.From(slices.Clone(p.base), len(p.base)), []string{"d_vocab"}, "float32"), nil
	}
	return nil, nil
}

// AttrNames lists the attributes.
func (p *Pair) AttrNames() []string { return []string{"answer", "base", "clean", "corrupted", "other"} }
