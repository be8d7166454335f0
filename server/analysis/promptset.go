package analysis

import (
	"context"
	"fmt"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// setParams declare a set of prompts made from a template.
func setParams(text string, n int) []Param {
	return []Param{
		{Name: "template", Type: TypeString, Default: text, Help: "text with {a}, {b} and {c} for operands and {op}, {op1}, {op2} for operators"},
		{Name: "operators", Type: TypeStrings, Default: []string{"+", "-"}, Help: "what stands for {op}"},
		{Name: "lo", Type: TypeInt, Default: 0, Help: "the smallest operand"},
		{Name: "hi", Type: TypeInt, Default: 100, Help: "operands are below this"},
		{Name: "n", Type: TypeInt, Default: n, Help: "how many prompts"},
		{Name: "seed", Type: TypeInt, Default: 1, Help: "of the prompts' order, partners and draws"},
		{Name: "keep", Type: TypeChoice, Default: "correct", Choices: []string{"correct", "all"}, Help: "correct keeps the prompts that the model gets right"},
	}
}

// maxAnswer bounds the answers of a template: results are whole numbers from 0
// up, as in the papers, whatever the model's tokens.
const maxAnswer = 1 << 30

// templateOf reads a template's parameters.
func templateOf(a Args) ablate.Template {
	t := ablate.Template{Text: a["template"].(string), Operators: a["operators"].([]string), Lo: 0, Hi: maxAnswer}
	for _, name := range []string{"a", "b", "c"} {
		if strings.Contains(t.Text, "{"+name+"}") {
			t.Operands = append(t.Operands, ablate.Range{Name: name, Lo: a["lo"].(int), Hi: a["hi"].(int)})
		}
	}
	return t
}

// promptSet makes the set that the parameters ask for.
func promptSet(ctx context.Context, m *models.Model, a Args) (*ablate.PromptSet, error) {
	n, err := positive("n", a["n"].(int))
	if err != nil {
		return nil, err
	}
	seed, err := seedOf(a)
	if err != nil {
		return nil, err
	}
	return ablate.Prompts(ctx, m, templateOf(a), ablate.SetOptions{N: n, Seed: seed, Keep: ablate.Keep(a["keep"].(string))})
}

func seedOf(a Args) (uint64, error) {
	seed := a["seed"].(int)
	if seed < 0 {
		return 0, &hintError{fmt.Sprintf("seed: %d is negative", seed), "use 0 or more"}
	}
	return uint64(seed), nil
}

// vizRoles are the tints of a prompt's tokens.
func vizRoles(p ablate.Prompt) []viz.TokenRole {
	out := make([]viz.TokenRole, len(p.IDs))
	for i, r := range p.Roles {
		switch r.Kind {
		case ablate.BOS:
			out[i] = viz.RoleBOS
		case ablate.Operator:
			out[i] = viz.RoleOperator
		case ablate.Equals:
			out[i] = viz.RoleEquals
		case ablate.Operand:
			out[i] = viz.RoleOperandA
			if r.Index > 0 {
				out[i] = viz.RoleOperandB
			}
		}
	}
	return out
}
