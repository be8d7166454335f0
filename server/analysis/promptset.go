package analysis

import (
	"context"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// promptsParam declares prompts=, which stands behind the model.
func promptsParam(what string) Param {
	return Param{Name: "prompts", Type: TypePrompts, Help: what + ", from prompts(...); left out, they are made as template, operators, lo, hi, n, seed and keep say"}
}

// setParams declare a set of prompts made from a template.
func setParams(text string, n int) []Param {
	return []Param{
		{Name: "template", Type: TypeString, Default: text, Chooses: ChoosesPrompts, Help: "text with {a}, {b} and {c} for operands and {op}, {op1}, {op2} for operators"},
		{Name: "operators", Type: TypeStrings, Default: []string{"+", "-"}, Chooses: ChoosesPrompts, Help: "what stands for {op}"},
		{Name: "lo", Type: TypeInt, Default: 0, Chooses: ChoosesPrompts, Bounds: atLeast(0), Help: "the smallest operand"},
		{Name: "hi", Type: TypeInt, Default: 100, Chooses: ChoosesPrompts, Bounds: atLeast(1), Help: "operands are below this"},
		{Name: "n", Type: TypeInt, Default: n, Chooses: ChoosesPrompts, Bounds: atLeast(1), Unit: "prompts", Help: "how many prompts"},
		{Name: "seed", Type: TypeInt, Default: 1, Chooses: ChoosesPrompts, Bounds: atLeast(0), Help: "of the prompts' order, partners and draws; with prompts=, the set's own is taken"},
		{Name: "keep", Type: TypeChoice, Default: "correct", Choices: []string{"correct", "all"}, Chooses: ChoosesPrompts, Help: "correct keeps the prompts that the model gets right"},
	}
}

// changeParam declares how partners differ.
func changeParam(help string) Param {
	var changes []string
	for _, c := range ablate.Changes {
		changes = append(changes, string(c))
	}
	return Param{Name: "change", Type: TypeChoice, Default: "operand", Choices: changes, Chooses: ChoosesPairs, Help: help}
}

// MaxAnswer bounds the answers of a template: results are whole numbers from 0
// up, as in the papers, whatever the model's tokens.
const MaxAnswer = 1 << 30

// templateOf reads a template's parameters.
func templateOf(a Args) ablate.Template {
	t := ablate.Template{Text: a["template"].(string), Operators: a["operators"].([]string), Lo: 0, Hi: MaxAnswer}
	for _, name := range []string{"a", "b", "c"} {
		if strings.Contains(t.Text, "{"+name+"}") {
			t.Operands = append(t.Operands, ablate.Range{Name: name, Lo: a["lo"].(int), Hi: a["hi"].(int)})
		}
	}
	return t
}

// promptsOf are the prompts of a call: those that are given, or those that its
// parameters make.
func promptsOf(ctx context.Context, m *models.Model, a Args) (*BoundPrompts, error) {
	switch p := a["prompts"].(type) {
	case *BoundPrompts:
		return p, p.Fits(m)
	case Prompts:
		return bind(ctx, p, m)
	}
	seed := seedOf(a)
	p := Prompts{Template: templateOf(a), Options: ablate.SetOptions{N: a["n"].(int), Seed: seed, Keep: ablate.Keep(a["keep"].(string))}}
	return bind(ctx, p, m)
}

// seedOf is the seed of a call: that of the prompts that are given, or its
// parameter.
func seedOf(a Args) uint64 {
	switch p := a["prompts"].(type) {
	case Prompts:
		return p.seed()
	case *BoundPrompts:
		return p.seed()
	}
	return uint64(a["seed"].(int))
}

// singlesOf are the prompts of a call that takes no pairs.
func singlesOf(ctx context.Context, m *models.Model, a Args) (*BoundPrompts, error) {
	b, err := promptsOf(ctx, m, a)
	if err == nil && b.Contrasts != nil {
		return nil, &hintError{"prompts are pairs, and single prompts are wanted", "give p.clean or p.corrupted"}
	}
	return b, err
}

// pairsOf are the pairs of a call; prompts without partners get them by change.
func pairsOf(ctx context.Context, m *models.Model, a Args, control bool) (*BoundPrompts, error) {
	b, err := promptsOf(ctx, m, a)
	if err != nil {
		return nil, err
	}
	if b.Contrasts != nil {
		if control && b.Control == nil {
			return nil, &hintError{"these pairs have no control", `make them with p.pairs(..., control="result-fixed")`}
		}
		return b, nil
	}
	return b.WithPairs(ctx, Pairing{Change: ablate.Change(a["change"].(string)), Operand: -1, Seed: b.Options.Seed, Control: control})
}

// seed is that of what an analysis draws on its own.
func (p Prompts) seed() uint64 {
	if p.Pairs != nil {
		return p.Pairs.Seed
	}
	return p.Options.Seed
}

// pairs are the contrasts as base and source runs.
func pairs(set *ablate.ContrastSet, d ablate.Direction) (out []ablate.Pair, err error) {
	for _, c := range set.Contrasts {
		p, err := c.Pair(d)
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// describe writes into a figure's provenance how its prompts came about.
func (b *BoundPrompts) describe(f *viz.Figure) {
	seed := b.seed()
	f.Provenance.Seed, f.Provenance.Prompts = &seed, b.Report()
}

// columns is the axis of positions of prompts that have only their form in
// common.
func columns(m *models.Model, prompts []ablate.Prompt) viz.Axis {
	axis := viz.Axis{Name: "position", Roles: vizRoles(prompts[0])}
	if !slices.ContainsFunc(axis.Roles, func(r viz.TokenRole) bool { return r != viz.RoleNone && r != viz.RoleBOS }) {
		axis.Roles = TokenRoles(m.Tokenizer, prompts[0].IDs)
	}
	var labels [][]string
	for _, p := range prompts {
		labels = append(labels, tokenLabels(m.Tokenizer, p.IDs))
	}
	axis.Labels = sharedLabels(labels, axis.Roles)
	return axis
}

// bothSides are the prompts of pairs.
func bothSides(contrasts []ablate.Contrast) (prompts []ablate.Prompt) {
	for _, c := range contrasts {
		prompts = append(prompts, c.Clean, c.Corrupted)
	}
	return prompts
}

// idsOf are the tokens of prompts.
func idsOf(prompts []ablate.Prompt) (ids [][]int) {
	for _, p := range prompts {
		ids = append(ids, p.IDs)
	}
	return ids
}
