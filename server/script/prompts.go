package script

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/analysis"
)

// Prompts is a recipe of prompts, or of pairs, that no model has read yet: every
// analysis that it is given to makes them for its own model. It is immutable.
type Prompts struct {
	recipe analysis.Prompts
}

// makePrompts is the builtin prompts. Arguments that it does not know are the
// values of the template's operands.
func makePrompts(c call) (starlark.Value, error) {
	var template, keep = "", "correct"
	var model, op, answers starlark.Value
	var answer string
	n, seed := starlark.Value(starlark.MakeInt(0)), 1
	known := map[string]bool{"template": true, "m": true, "op": true, "answer": true, "answers": true, "n": true, "seed": true, "keep": true}
	var own, operands []starlark.Tuple
	for _, kv := range c.kwargs {
		if name := string(kv[0].(starlark.String)); known[name] {
			own = append(own, kv)
		} else {
			operands = append(operands, kv)
		}
	}
	if err := starlark.UnpackArgs(c.name, c.args, own, "template", &template, "m??", &model, "op??", &op, "answer??", &answer,
		"answers??", &answers, "n??", &n, "seed?", &seed, "keep?", &keep); err != nil {
		return nil, err
	}
	count, err := starlark.AsInt32(n)
	if err != nil || count < 0 {
		return nil, &hinted{fmt.Sprintf("prompts: n is %v", n), "write how many prompts to take, or 0 for all there are"}
	}
	if seed < 0 {
		return nil, &hinted{fmt.Sprintf("prompts: seed is %d", seed), "use 0 or more"}
	}
	k, err := keepOf(keep)
	if err != nil {
		return nil, err
	}
	p := analysis.Prompts{
		Template: ablate.Template{Text: template, Expression: answer, Hi: analysis.MaxAnswer},
		Options:  ablate.SetOptions{N: count, Seed: uint64(seed), Keep: k},
	}
	if answers != nil {
		r, err := operandRange("answers", answers)
		if err != nil {
			return nil, err
		}
		if r.Values != nil {
			return nil, &hinted{"prompts: answers: want a range without gaps", "write answers=range(0, 200)"}
		}
		p.Template.Lo, p.Template.Hi = r.Lo, r.Hi
	}
	if p.Template.Operators, err = operatorsOf(template, op); err != nil {
		return nil, err
	}
	if p.Template.Operands, err = operandsOf(template, operands); err != nil {
		return nil, err
	}
	if err := p.Template.Check(); err != nil {
		return nil, fmt.Errorf("prompts: %w", err)
	}
	return c.boundTo(model, p)
}

// boundTo is a recipe under a model, or as it is without one.
func (c call) boundTo(model starlark.Value, p analysis.Prompts) (starlark.Value, error) {
	if model == nil {
		return &Prompts{p}, nil
	}
	m, err := asModel(c.name, model)
	if err != nil {
		return nil, err
	}
	report := func(done, total int, unit string) { c.outlet.progress("prompts", done, total, unit) }
	b, err := p.Bind(ablate.WithProgress(c.ctx, report), m)
	if err != nil {
		return nil, err
	}
	return &PromptSet{b}, nil
}

// keepOf reads what is kept.
func keepOf(s string) (ablate.Keep, error) {
	switch k := ablate.Keep(s); k {
	case ablate.KeepAll, ablate.KeepCorrect:
		return k, nil
	}
	return "", &hinted{fmt.Sprintf("keep is %q", s), `write keep="correct" for the prompts that the model gets right, or keep="all"`}
}

// operatorsOf reads the operators of a template that has places for them.
func operatorsOf(template string, op starlark.Value) ([]string, error) {
	switch op := op.(type) {
	case nil:
		if strings.Contains(template, "{op") {
			return []string{"+", "-"}, nil
		}
		return nil, nil
	case starlark.String:
		return []string{string(op)}, nil
	}
	list, err := stringList(op)
	if err != nil || len(list) == 0 {
		return nil, &hinted{fmt.Sprintf("prompts: op: want operators, got %s", op.Type()), `write op=["+", "-"]`}
	}
	return list, nil
}

// operandsOf reads the values of the operands, in the order of the template.
func operandsOf(template string, kwargs []starlark.Tuple) (ranges []ablate.Range, err error) {
	for _, kv := range kwargs {
		name := string(kv[0].(starlark.String))
		if !strings.Contains(template, "{"+name+"}") {
			return nil, &hinted{fmt.Sprintf("prompts: %s is no argument, and template %q has no {%s}", name, template, name),
				"arguments are template, m, op, answer, answers, n, seed and keep, and a range for each operand"}
		}
		r, err := operandRange(name, kv[1])
		if err != nil {
			return nil, err
		}
		ranges = append(ranges, r)
	}
	sort.SliceStable(ranges, func(i, j int) bool {
		return strings.Index(template, "{"+ranges[i].Name+"}") < strings.Index(template, "{"+ranges[j].Name+"}")
	})
	return ranges, nil
}

// operandRange reads the values of an operand: a range or a list.
func operandRange(name string, v starlark.Value) (ablate.Range, error) {
	if large, ok := v.(*largeRange); ok {
		return ablate.Range{}, fmt.Errorf("prompts: %s: %d values are too many", name, large.count)
	}
	values, err := idList(v)
	if big, large := largest(v); large {
		return ablate.Range{}, &hinted{fmt.Sprintf("prompts: %s: %s is too large: numbers below 2^31 are taken", name, big), fmt.Sprintf("write %s=range(0, 100), or a list of whole numbers", name)}
	}
	if err != nil {
		return ablate.Range{}, &hinted{fmt.Sprintf("prompts: %s: want numbers, got %s", name, v.Type()), fmt.Sprintf("write %s=range(0, 100), or a list of whole numbers", name)}
	}
	r := ablate.Range{Name: name, Values: values}
	for i, x := range values {
		if x < 0 {
			return r, &hinted{fmt.Sprintf("prompts: %s: %d is negative", name, x), "numbers are written without a sign: use 0 or more"}
		}
		if x != values[0]+i {
			return r, nil
		}
	}
	if len(values) == 0 {
		return r, &hinted{fmt.Sprintf("prompts: %s: there are no values", name), fmt.Sprintf("write %s=range(0, 100)", name)}
	}
	return ablate.Range{Name: name, Lo: values[0], Hi: values[0] + len(values)}, nil
}

// largest is the first number of a list that has more than 31 bits.
func largest(v starlark.Value) (string, bool) {
	list, ok := v.(starlark.Iterable)
	if !ok {
		return "", false
	}
	it := list.Iterate()
	defer it.Done()
	for x := starlark.Value(nil); it.Next(&x); {
		if i, ok := x.(starlark.Int); ok && i.Sign() > 0 && i.BigInt().BitLen() > 31 {
			text := i.String()
			if len(text) > 24 {
				text = text[:24] + "..."
			}
			return text, true
		}
	}
	return "", false
}

// String says what the recipe is.
func (p *Prompts) String() string {
	r, text := p.recipe, ""
	if r.List != nil {
		text = fmt.Sprintf("a list of %d", len(r.List))
	} else {
		parts := make([]string, len(r.Template.Operands))
		for i, o := range r.Template.Operands {
			parts[i] = o.String()
		}
		text = fmt.Sprintf("%q, %s", r.Template.Text, strings.Join(parts, ", "))
		if r.Options.N > 0 {
			text += fmt.Sprintf(", n=%d", r.Options.N)
		}
	}
	text += fmt.Sprintf(", seed=%d, keep=%q", r.Options.Seed, r.Options.Keep)
	if r.Pairs != nil {
		text += ", in pairs"
	}
	return "prompts " + text + "; they are made for the model of the analysis that they are given to, or by p.on(m)"
}

// Type is "prompts", or "pairs".
func (p *Prompts) Type() string { return promptType(p.recipe) }

func promptType(p analysis.Prompts) string {
	if p.Pairs != nil {
		return "pairs"
	}
	return "prompts"
}

// Freeze does nothing: prompts never change.
func (p *Prompts) Freeze() {}

// Truth is true.
func (p *Prompts) Truth() starlark.Bool { return true }

// Hash refuses: prompts are no key.
func (p *Prompts) Hash() (uint32, error) { return 0, errors.New("unhashable: prompts") }

// unread is the error of what only a model can say.
func (p *Prompts) unread(what string) error {
	return &hinted{fmt.Sprintf("%s is not known: no model has read these %s yet", what, p.Type()), "write prompts(..., m=m), or p.on(m)"}
}

// Get refuses an index.
func (p *Prompts) Get(k starlark.Value) (starlark.Value, bool, error) {
	return nil, false, p.unread(fmt.Sprintf("prompt %v", k))
}

// Attr gives what is known without a model, and says what is missing of the rest.
func (p *Prompts) Attr(name string) (starlark.Value, error) {
	if v := recipeAttr(p.recipe, name); v != nil {
		return v, nil
	}
	switch name {
	case "on":
		return newMethod("prompts.on", func(c call) (starlark.Value, error) { return c.on(p.recipe) }), nil
	case "pairs":
		if p.recipe.Pairs == nil {
			return newMethod("prompts.pairs", p.pairs), nil
		}
	}
	if slices.Contains((&PromptSet{&analysis.BoundPrompts{Prompts: p.recipe}}).AttrNames(), name) {
		return nil, p.unread("." + name)
	}
	return nil, nil
}

// AttrNames lists what is known without a model.
func (p *Prompts) AttrNames() []string {
	names := []string{"keep", "n", "on", "seed", "template"}
	if p.recipe.Pairs == nil {
		names = append(names, "pairs")
	}
	slices.Sort(names)
	return names
}

// recipeAttr is a part of a recipe, nil for another name.
func recipeAttr(p analysis.Prompts, name string) starlark.Value {
	switch name {
	case "template":
		return starlark.String(p.Template.Text)
	case "n":
		return starlark.MakeInt(p.Options.N)
	case "seed":
		if p.Pairs != nil {
			return starlark.MakeUint64(p.Pairs.Seed)
		}
		return starlark.MakeUint64(p.Options.Seed)
	case "keep":
		return starlark.String(p.Options.Keep)
	}
	return nil
}

// on is the method p.on(m).
func (c call) on(p analysis.Prompts) (starlark.Value, error) {
	var model starlark.Value
	if err := c.unpack("m", &model); err != nil {
		return nil, err
	}
	return c.boundTo(model, p)
}

// pairs is the method p.pairs of a recipe.
func (p *Prompts) pairs(c call) (starlark.Value, error) {
	pairing, err := c.pairing(p.recipe, nil)
	if err != nil {
		return nil, err
	}
	next := p.recipe
	next.Pairs = pairing
	return &Prompts{next}, nil
}

// pairing reads the arguments of p.pairs. m reads prompts that are given as
// partners of another model; nil for none.
func (c call) pairing(p analysis.Prompts, m *models.Model) (*analysis.Pairing, error) {
	change := string(ablate.ChangeOperand)
	var partner, control, seed starlark.Value
	if err := c.unpack("change?", &change, "partner??", &partner, "control??", &control, "seed??", &seed); err != nil {
		return nil, err
	}
	out := &analysis.Pairing{Operand: -1, Seed: p.Options.Seed}
	if seed != nil {
		s, err := starlark.AsInt32(seed)
		if err != nil || s < 0 {
			return nil, &hinted{fmt.Sprintf("pairs: seed is %v", seed), "use 0 or more"}
		}
		out.Seed = uint64(s)
	}
	switch control := control.(type) {
	case nil:
	case starlark.String:
		if control != "result-fixed" {
			return nil, &hinted{fmt.Sprintf("pairs: control is %q", string(control)), `write control="result-fixed" for partners of other operands with the same result`}
		}
		out.Control = true
	default:
		return nil, typeError("pairs: control", `"result-fixed"`, control)
	}
	if s, isText := partner.(starlark.String); partner != nil && (!isText || s != "random") {
		if isText {
			return nil, &hinted{fmt.Sprintf("pairs: partner is %q", string(s)), `write partner="random", or a list with a partner for each prompt`}
		}
		rows, err := readRows("pairs: partner", partner, m)
		if err != nil {
			return nil, err
		}
		if out.Partners = rows.Prompts; rows.Contrasts != nil {
			return nil, &hinted{"pairs: partner: want one prompt for each, got pairs", "write prompts_from(pairs) for a list of pairs"}
		}
		return out, nil
	}
	var err error
	out.Change, out.Operand, err = changeOf(p, change)
	return out, err
}

// changeOf reads a change: one of ablate's, "op", or the name of an operand.
func changeOf(p analysis.Prompts, name string) (ablate.Change, int, error) {
	var names []string
	for _, c := range ablate.Changes {
		if string(c) == name {
			return c, -1, nil
		}
		names = append(names, string(c))
	}
	if name == "op" {
		return ablate.ChangeOperator, -1, nil
	}
	operands := []string{"a", "b", "c"} // of a list
	if p.List == nil {
		operands = nil
		for _, r := range p.Template.Operands {
			operands = append(operands, r.Name)
		}
	}
	if i := slices.Index(operands, name); i >= 0 {
		return ablate.ChangeOperand, i, nil
	}
	return "", 0, &hinted{fmt.Sprintf("pairs: change is %q", name), fmt.Sprintf("one of the operands %s, or %s", strings.Join(operands, ", "), strings.Join(names, ", "))}
}
