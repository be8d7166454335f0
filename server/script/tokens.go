package script

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"orrery/models"
	"orrery/server/analysis"
	"orrery/server/api"
)

// Tokens is a prompt as a model sees it. It is immutable.
type Tokens struct {
	model *models.Model
	ids   []int
}

// makeTokens is the builtin tokens.
func makeTokens(c call) (starlark.Value, error) {
	var model, prompt starlark.Value
	if err := c.unpack("m", &model, "prompt", &prompt); err != nil {
		return nil, err
	}
	m, err := asModel("tokens", model)
	if err != nil {
		return nil, err
	}
	return newTokens(m, prompt)
}

// newTokens reads a prompt: text, tokens or a list of ids.
func newTokens(m *models.Model, prompt starlark.Value) (*Tokens, error) {
	switch p := prompt.(type) {
	case *Tokens:
		switch {
		case p.model == m:
			return p, nil
		case p.model.Tokenizer == m.Tokenizer && m.Tokenizer != nil, // the same model with its weights processed
			p.model.Hash() == m.Hash():
			return &Tokens{m, p.ids}, nil
		}
		return nil, &hinted{fmt.Sprintf("these tokens are of model %s, not of %s", p.model.Name, m.Name), "make them again with tokens(m, text)"}
	case *Prompt:
		return newTokens(m, p.tokens())
	case starlark.String:
		ids, err := m.Encode(string(p))
		if err != nil {
			return nil, err
		}
		return &Tokens{m, ids}, nil
	}
	ids, err := idList(prompt)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 {
		return nil, &hinted{"the prompt is empty", `write a prompt of at least one token, such as "34+57="`}
	}
	for i, id := range ids {
		if id < 0 || id >= m.Config.Vocab {
			return nil, &hinted{fmt.Sprintf("token id %d at position %d is outside of the vocabulary", id, i), fmt.Sprintf("ids are 0 to %d", m.Config.Vocab-1)}
		}
	}
	return &Tokens{m, ids}, nil
}

// idList reads a list of token ids.
func idList(v starlark.Value) ([]int, error) {
	list, ok := v.(starlark.Iterable)
	if !ok {
		return nil, &hinted{fmt.Sprintf("%s is no prompt", v.Type()), `give text such as "34+57=", tokens(m, text) or a list of ids`}
	}
	ids := []int{}
	it := list.Iterate()
	defer it.Done()
	var x starlark.Value
	for it.Next(&x) {
		i, err := starlark.AsInt32(x)
		if err != nil {
			return nil, fmt.Errorf("element %d of the ids is %v: want an int", len(ids), x)
		}
		if len(ids) >= 1<<20 {
			return nil, fmt.Errorf("a prompt of more than %d tokens", len(ids))
		}
		ids = append(ids, i)
	}
	return ids, nil
}

// label is what a chip shows for an id.
func (t *Tokens) label(id int) string {
	if t.model.Tokenizer == nil {
		return fmt.Sprint(id)
	}
	return t.model.Tokenizer.Label(id)
}

func (t *Tokens) strings() *starlark.List {
	list := make([]starlark.Value, len(t.ids))
	for i, id := range t.ids {
		list[i] = starlark.String(t.label(id))
	}
	return starlark.NewList(list)
}

// wire is the tokens as the page draws them.
func (t *Tokens) wire() []api.Token {
	roles := analysis.TokenRoles(t.model.Tokenizer, t.ids)
	list := make([]api.Token, len(t.ids))
	for i, id := range t.ids {
		list[i] = api.Token{ID: id, Text: t.label(id), Role: roles[i],
			Special: t.model.Tokenizer != nil && t.model.Tokenizer.IsSpecial(id)}
	}
	return list
}

// String lists the tokens, at most 50.
func (t *Tokens) String() string {
	var parts []string
	for i, id := range t.ids {
		if i == 50 {
			parts = append(parts, fmt.Sprintf("… %d more", len(t.ids)-i))
			break
		}
		parts = append(parts, fmt.Sprintf("%q", t.label(id)))
	}
	return fmt.Sprintf("tokens [%s]", strings.Join(parts, " "))
}

// Type is "tokens".
func (t *Tokens) Type() string { return "tokens" }

// Freeze does nothing: tokens never change.
func (t *Tokens) Freeze() {}

// Truth is true when there are any.
func (t *Tokens) Truth() starlark.Bool { return len(t.ids) > 0 }

// Hash refuses: tokens are no key.
func (t *Tokens) Hash() (uint32, error) { return 0, errors.New("unhashable: tokens") }

// Len is the number of tokens.
func (t *Tokens) Len() int { return len(t.ids) }

// Index is the id of a token.
func (t *Tokens) Index(i int) starlark.Value { return starlark.MakeInt(t.ids[i]) }

// Slice is t[a:b]: tokens again.
func (t *Tokens) Slice(start, end, step int) starlark.Value {
	ids := []int{}
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		ids = append(ids, t.ids[i])
	}
	return &Tokens{t.model, ids}
}

// Iterate walks the ids.
func (t *Tokens) Iterate() starlark.Iterator { return t.list().Iterate() }

func (t *Tokens) list() *starlark.List {
	list := make([]starlark.Value, len(t.ids))
	for i := range t.ids {
		list[i] = t.Index(i)
	}
	return starlark.NewList(list)
}

// Attr gives ids, strings and the model's name.
func (t *Tokens) Attr(name string) (starlark.Value, error) {
	switch name {
	case "ids":
		return t.list(), nil
	case "strings":
		return t.strings(), nil
	case "model":
		return starlark.String(t.model.Name), nil
	}
	return nil, nil
}

// AttrNames lists the attributes.
func (t *Tokens) AttrNames() []string { return []string{"ids", "model", "strings"} }
