package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/server/api"
)

// PromptSet is prompts, or pairs, as one model's tokens. It is immutable.
type PromptSet struct {
	bound *analysis.BoundPrompts
}

// String says how the set came about.
func (s *PromptSet) String() string {
	return s.Type() + " of " + s.bound.Model.Name + ": " + s.bound.Report()
}

// Type is "prompts", or "pairs".
func (s *PromptSet) Type() string { return promptType(s.bound.Prompts) }

// Freeze does nothing: a set never changes.
func (s *PromptSet) Freeze() {}

// Truth is true: an empty set is none.
func (s *PromptSet) Truth() starlark.Bool { return true }

// Hash refuses: a set is no key.
func (s *PromptSet) Hash() (uint32, error) { return 0, errors.New("unhashable: prompts") }

func (s *PromptSet) paired() bool { return s.bound.Contrasts != nil }

// Len is how many prompts or pairs there are.
func (s *PromptSet) Len() int {
	if s.paired() {
		return len(s.bound.Contrasts.Contrasts)
	}
	return len(s.bound.Set.Prompts)
}

// Index is one prompt, or one pair.
func (s *PromptSet) Index(i int) starlark.Value {
	if s.paired() {
		c := s.bound.Contrasts.Contrasts[i]
		return &Pair{model: s.bound.Model, contrast: c, answer: c.Clean.Answer, other: c.Corrupted.Answer}
	}
	return &Prompt{s.bound.Model, s.bound.Set.Prompts[i]}
}

// Slice is s[a:b]: a part of the set, with the account of the whole.
func (s *PromptSet) Slice(start, end, step int) starlark.Value {
	var at []int
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		at = append(at, i)
	}
	if len(at) == 0 {
		return starlark.NewList(nil)
	}
	b := *s.bound
	b.Template, b.Control = ablate.Template{}, nil
	if !s.paired() {
		prompts := chosen(s.bound.Set.Prompts, at)
		b.Set, b.List = s.bound.Set.Part(prompts), prompts
		return &PromptSet{&b}
	}
	pairs := *s.bound.Contrasts
	pairs.Contrasts = chosen(s.bound.Contrasts.Contrasts, at)
	pairing := *s.bound.Prompts.Pairs
	pairing.Partners, pairing.Control = analysis.Side(pairs.Contrasts, false), false
	b.Contrasts, b.List, b.Prompts.Pairs = &pairs, analysis.Side(pairs.Contrasts, true), &pairing
	return &PromptSet{&b}
}

func chosen[T any](list []T, at []int) (out []T) {
	for _, i := range at {
		out = append(out, list[i])
	}
	return out
}

// Iterate walks the prompts or pairs.
func (s *PromptSet) Iterate() starlark.Iterator { return &promptIterator{s: s} }

type promptIterator struct {
	s *PromptSet
	i int
}

// Next gives the next prompt or pair.
func (it *promptIterator) Next(p *starlark.Value) bool {
	if it.i >= it.s.Len() {
		return false
	}
	*p = it.s.Index(it.i)
	it.i++
	return true
}

// Done does nothing.
func (it *promptIterator) Done() {}

// Attr gives the account of the set, its prompts as lists, and its methods.
func (s *PromptSet) Attr(name string) (starlark.Value, error) {
	if v := recipeAttr(s.bound.Prompts, name); v != nil {
		return v, nil
	}
	set := s.bound.Set
	switch name {
	case "model":
		return starlark.String(s.bound.Model.Name), nil
	case "report":
		return starlark.String(s.bound.Report()), nil
	case "accuracy":
		return s.accuracy(), nil
	case "dropped":
		return s.dropped(), nil
	case "roles":
		return s.Index(0).(starlark.HasAttrs).Attr("roles")
	case "on":
		return newMethod("prompts.on", func(c call) (starlark.Value, error) { return c.on(s.bound.Prompts) }), nil
	case "csv":
		return newMethod("prompts.csv", func(c call) (starlark.Value, error) { return s.file(c, true) }), nil
	case "jsonl":
		return newMethod("prompts.jsonl", func(c call) (starlark.Value, error) { return s.file(c, false) }), nil
	}
	if s.paired() {
		return s.pairAttr(name)
	}
	switch name {
	case "texts":
		return texts(set.Prompts), nil
	case "answers":
		list := make([]starlark.Value, len(set.Prompts))
		for i := range list {
			list[i] = (&Prompt{s.bound.Model, set.Prompts[i]}).answer()
		}
		return starlark.NewList(list), nil
	case "pairs":
		return newMethod("prompts.pairs", s.pairs), nil
	}
	return nil, nil
}

// pairAttr is an attribute that pairs have.
func (s *PromptSet) pairAttr(name string) (starlark.Value, error) {
	switch name {
	case "change":
		return starlark.String(s.bound.Contrasts.Change), nil
	case "clean", "corrupted":
		prompts := analysis.Side(s.bound.Contrasts.Contrasts, name == "clean")
		b := *s.bound
		b.Set, b.Contrasts, b.Control, b.Prompts.Pairs = s.bound.Set.Part(prompts), nil, nil, nil
		b.Template, b.List = ablate.Template{}, prompts
		return &PromptSet{&b}, nil
	case "control":
		if s.bound.Control == nil {
			return starlark.None, nil
		}
		b := *s.bound
		pairing := *b.Prompts.Pairs
		pairing.Change, pairing.Operand, pairing.Control = ablate.KeepResult, -1, false
		b.Contrasts, b.Control, b.Prompts.Pairs = s.bound.Control, nil, &pairing
		return &PromptSet{&b}, nil
	}
	return nil, nil
}

// AttrNames lists the attributes.
func (s *PromptSet) AttrNames() []string {
	names := []string{"accuracy", "csv", "dropped", "jsonl", "keep", "model", "n", "on", "report", "roles", "seed", "template"}
	if s.bound.Prompts.Pairs != nil {
		names = append(names, "change", "clean", "control", "corrupted")
	} else {
		names = append(names, "answers", "pairs", "texts")
	}
	slices.Sort(names)
	return names
}

func texts(prompts []ablate.Prompt) *starlark.List {
	list := make([]starlark.Value, len(prompts))
	for i, p := range prompts {
		list[i] = starlark.String(p.Text)
	}
	return starlark.NewList(list)
}

// accuracy is how often the model is right before and after the filter.
func (s *PromptSet) accuracy() *starlark.Dict {
	set := s.bound.Set
	fields := map[string]any{"asked": float64(set.Asked), "correct": float64(set.Correct)}
	d := starlarkDict(fields)
	for _, kv := range []struct {
		key   string
		value float64
	}{{"before", set.Accuracy()}, {"after", set.AccuracyAfter()}} {
		if err := d.SetKey(starlark.String(kv.key), starlark.Float(kv.value)); err != nil {
			panic(fmt.Sprintf("script: a string is no key: %v", err))
		}
	}
	d.Freeze()
	return d
}

// dropped lists what was left out and why.
func (s *PromptSet) dropped() *starlark.List {
	drops := s.bound.Set.Dropped
	if s.paired() {
		drops = append(slices.Clone(drops), s.bound.Contrasts.Dropped...)
	}
	var list []starlark.Value
	for _, d := range drops {
		list = append(list, starlarkDict(map[string]any{"reason": d.Reason, "count": float64(d.Count), "example": d.Example}))
	}
	return starlark.NewList(list)
}

// pairs is the method p.pairs of a set.
func (s *PromptSet) pairs(c call) (starlark.Value, error) {
	pairing, err := c.pairing(s.bound.Prompts, s.bound.Model)
	if err != nil {
		return nil, err
	}
	b, err := s.bound.WithPairs(c.ctx, *pairing)
	if err != nil {
		return nil, err
	}
	return &PromptSet{b}, nil
}

// file is the set as the text of a CSV file or of JSON lines. Without ids it
// suits any model.
func (s *PromptSet) file(c call, table bool) (starlark.Value, error) {
	ids := true
	if err := c.unpack("ids?", &ids); err != nil {
		return nil, err
	}
	if err := c.memory.reserve("the text", 400*float64(s.Len())); err != nil {
		return nil, err
	}
	text, err := s.text(table, ids)
	return starlark.String(text), err
}

func (s *PromptSet) text(table, ids bool) (string, error) {
	var b strings.Builder
	err := analysis.WritePrompts(&b, s.bound.File(ids), table)
	return b.String(), err
}

// Bounds of what the page gets of a set: rows, and bytes of each file.
const (
	tableRows = 200
	tableFile = 256 << 10
)

// wire is the set as the page draws it.
func (s *PromptSet) wire() (*api.PromptTable, error) {
	t := &api.PromptTable{Total: s.Len(), Report: s.bound.Report(), Pairs: s.paired()}
	for i := range min(t.Total, tableRows) {
		switch x := s.Index(i).(type) {
		case *Prompt:
			t.Rows = append(t.Rows, x.row())
		case *Pair:
			row := (&Prompt{x.model, x.contrast.Clean}).row()
			other := (&Prompt{x.model, x.contrast.Corrupted}).row()
			row.Partner, row.PartnerAnswer = other.Tokens, other.Answer
			t.Rows = append(t.Rows, row)
		}
	}
	for _, f := range []struct {
		table bool
		into  *string
	}{{true, &t.CSV}, {false, &t.JSONL}} {
		text, err := s.text(f.table, true)
		if err != nil {
			return nil, err
		}
		if len(text) <= tableFile {
			*f.into = text
		}
	}
	return t, nil
}
