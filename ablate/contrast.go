package ablate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"orrery/models"
)

// Change says how a prompt's partner is made.
type Change string

// The changes. KeepResult is the control: other operands, the same answer, so
// that whatever still moves is no information about the result.
const (
	ChangeOperand  Change = "operand"  // one operand is another number
	ChangeOperands Change = "operands" // every operand is another number, the operator stays
	ChangeOperator Change = "operator" // the operator is another one, the operands stay
	ChangeBoth     Change = "both"     // one operand and the operator
	ChangeAny      Change = "any"      // a random partner
	KeepResult     Change = "result"   // other operands, the same answer
)

// Changes lists the changes.
var Changes = [...]Change{ChangeOperand, ChangeOperands, ChangeOperator, ChangeBoth, ChangeAny, KeepResult}

// ContrastSet is a set of contrasts with the account of what was left out.
type ContrastSet struct {
	Contrasts []Contrast
	// Change says how partners differ, "" where they were given; Operand is the
	// one that changes, -1 for any.
	Change  Change
	Operand int
	Seed    uint64
	// Alone is how many prompts found no partner.
	Alone   int
	Dropped []Drop

	asked, right int // prompts of a list of pairs that keeps the right ones
}

// Report says in words how the partners came about and what was left out.
func (s *ContrastSet) Report(t Template) string {
	text := fmt.Sprintf("%d pairs, the partners given", len(s.Contrasts))
	if s.Change != "" {
		text = fmt.Sprintf("%d pairs, %s, drawn with seed %d", len(s.Contrasts), s.Change.words(t, s.Operand), s.Seed)
	}
	if s.Alone > 0 {
		text += fmt.Sprintf("; %d prompts found no partner", s.Alone)
	}
	return text + dropReport(s.Dropped)
}

// words say what a change does.
func (c Change) words(t Template, operand int) string {
	which := "one operand"
	switch {
	case operand >= 0 && operand < len(t.Operands):
		which = "operand " + t.Operands[operand].Name
	case operand >= 0:
		which = fmt.Sprintf("operand %d", operand)
	}
	return map[Change]string{
		ChangeOperand: which + " changed", ChangeOperands: "every operand changed", ChangeOperator: "the operator changed",
		ChangeBoth: which + " and the operator changed", ChangeAny: "partners at random", KeepResult: "other operands with the same result",
	}[c]
}

// How often partners are looked for: proposals a prompt and round, and rounds
// in which those that the model gets wrong are replaced.
const (
	proposals = 200
	rounds    = 8
)

// Contrasts gives every prompt of a set, as the clean one, a partner of the same
// template that differs from it as asked, drawn with the seed. operand is the
// one that changes, for ChangeOperand and ChangeBoth; -1 for any one. But for
// KeepResult, partners have another answer. Partners pass the filters of the
// set: the number of tokens, one token as an answer, its range, and with
// KeepCorrect the model's being right. A prompt without a partner is left out
// and counted; no contrast at all is an error. A set that was given as a list
// finds partners among its own prompts.
func Contrasts(ctx context.Context, m *models.Model, set *PromptSet, change Change, operand int, seed uint64) (*ContrastSet, error) {
	if err := change.check(); err != nil {
		return nil, err
	}
	if set.Listed() {
		return contrastsAmong(set, change, operand, seed)
	}
	d, err := newDraw(m, set, change, operand, seed)
	if err != nil {
		return nil, err
	}
	partner := make([]*Prompt, len(set.Prompts))
	for range rounds {
		fresh, err := d.round(set.Prompts, partner)
		if err != nil {
			return nil, err
		}
		if len(fresh) == 0 {
			break
		}
		if err := set.keepPassing(ctx, m, partner, fresh); err != nil {
			return nil, err
		}
	}
	out := &ContrastSet{Change: change, Operand: operand, Seed: seed}
	for i, p := range set.Prompts {
		if partner[i] == nil {
			out.Alone++
			continue
		}
		out.Contrasts = append(out.Contrasts, Contrast{Clean: p, Corrupted: *partner[i]})
	}
	if len(out.Contrasts) == 0 {
		return nil, fmt.Errorf("no prompt of the %d has a partner with the change %q: take another change or other ranges", len(set.Prompts), change)
	}
	return out, nil
}

// round draws a partner for each prompt that has none, and says which got one.
func (d *draw) round(prompts []Prompt, partner []*Prompt) (fresh []int, err error) {
	for i, p := range prompts {
		if partner[i] != nil {
			continue
		}
		q, ok, err := d.partner(p)
		if err != nil {
			return nil, err
		}
		if ok {
			partner[i] = &q
			fresh = append(fresh, i)
		}
	}
	return fresh, nil
}

// keepPassing takes those of the partners at some places away that the set's filter
// does not keep.
func (s *PromptSet) keepPassing(ctx context.Context, m *models.Model, partner []*Prompt, at []int) error {
	asked := make([]Prompt, len(at))
	for k, i := range at {
		asked[k] = *partner[i]
	}
	right, err := s.passes(ctx, m, asked)
	if err != nil {
		return err
	}
	for k, i := range at {
		if !right[k] {
			partner[i] = nil
		}
	}
	return nil
}

// passes reports which prompts the set's filter keeps.
func (s *PromptSet) passes(ctx context.Context, m *models.Model, prompts []Prompt) ([]bool, error) {
	if s.Options.Keep == KeepCorrect {
		return rightAnswers(ctx, m, prompts)
	}
	out := make([]bool, len(prompts))
	for i := range out {
		out[i] = true
	}
	return out, nil
}

// rightAnswers reports which prompts the model gets right.
func rightAnswers(ctx context.Context, m *models.Model, prompts []Prompt) ([]bool, error) {
	out := make([]bool, len(prompts))
	for lo := 0; lo < len(prompts); lo += batchRows {
		in, err := batch(prompts[lo:min(lo+batchRows, len(prompts))])
		if err != nil {
			return nil, err
		}
		y, err := m.RunFor(ctx, in, models.Need{Last: true})
		if err != nil {
			return nil, err
		}
		for i := range in.B {
			out[lo+i] = models.Argmax(y.Logits.Sub(i, 0).Data) == prompts[lo+i].Answer
		}
	}
	return out, nil
}

// check refuses a change that is none.
func (c Change) check() error {
	if !slices.Contains(Changes[:], c) {
		return fmt.Errorf("change is %q, want one of %v", c, Changes)
	}
	return nil
}

// newDraw begins to draw partners for a set that was made from a template.
func newDraw(m *models.Model, set *PromptSet, change Change, operand int, seed uint64) (*draw, error) {
	if n := len(set.Template.Operands); operand < -1 || operand >= n {
		return nil, fmt.Errorf("operand %d is outside 0..%d (or -1 for any)", operand, n-1)
	}
	pieces, operators, err := set.Template.parse()
	if err != nil {
		return nil, err
	}
	if operators == 0 && (change == ChangeOperator || change == ChangeBoth) {
		return nil, fmt.Errorf("change %q: template %q has no {op} to change", change, set.Template.Text)
	}
	return &draw{m: m, t: set.Template, pieces: pieces, operators: operators, change: change, operand: operand, rng: rand.New(rand.NewPCG(seed, 1))}, nil
}

// draw proposes partners.
type draw struct {
	m         *models.Model
	t         Template
	pieces    []piece
	operators int
	change    Change
	operand   int
	rng       *rand.Rand
}

// partner looks for a prompt that differs from p by the change.
func (d *draw) partner(p Prompt) (Prompt, bool, error) {
	for range proposals {
		for _, c := range d.propose(p) {
			if slices.Equal(c.operands, p.Operands) && slices.Equal(c.ops, p.operators) {
				continue
			}
			if v, err := d.t.answer(d.t.fill(d.pieces, c.operands, c.ops)); err == nil && (d.change == KeepResult) != (v == p.result) {
				continue // another answer, or none, than is asked for
			}
			q, reason, err := d.t.prompt(d.m, d.pieces, c, len(p.IDs))
			if err != nil {
				return Prompt{}, false, err
			}
			if reason == "" {
				return q, true, nil
			}
		}
	}
	return Prompt{}, false, nil
}

// propose makes values that may do: one choice, or, to keep a result, all values
// of one operand with the others drawn.
func (d *draw) propose(p Prompt) []choice {
	c := choice{slices.Clone(p.Operands), slices.Clone(p.operators)}
	switch d.change {
	case ChangeOperand, ChangeBoth:
		at := d.operand
		if at < 0 {
			at = d.rng.IntN(len(c.operands))
		}
		if !d.otherValue(c, at) {
			return nil
		}
		if d.change == ChangeBoth {
			d.otherOperator(c)
		}
	case ChangeOperands:
		for at := range c.operands {
			if !d.otherValue(c, at) {
				return nil
			}
		}
	case ChangeOperator:
		d.otherOperator(c)
	case ChangeAny:
		c = d.t.choose(d.rng.IntN(d.t.candidates(d.operators)), d.operators)
	case KeepResult:
		last := d.rng.IntN(len(c.operands))
		for i := range c.operands {
			c.operands[i] = d.value(i)
		}
		var all []choice
		for i := range d.t.Operands[last].size() {
			next := choice{slices.Clone(c.operands), c.ops}
			next.operands[last] = d.t.Operands[last].at(i)
			all = append(all, next)
		}
		return all
	}
	return []choice{c}
}

func (d *draw) value(operand int) int {
	r := d.t.Operands[operand]
	return r.at(d.rng.IntN(r.size()))
}

// otherValue changes an operand of a choice, and reports whether there is another
// value.
func (d *draw) otherValue(c choice, operand int) bool {
	r := d.t.Operands[operand]
	n := r.size()
	if n < 2 {
		return false
	}
	c.operands[operand] = r.at((r.number(c.operands[operand]) + 1 + d.rng.IntN(n-1)) % n)
	return true
}

// otherOperator changes one operator of a choice, where there is another.
func (d *draw) otherOperator(c choice) {
	at := d.rng.IntN(len(c.ops))
	if n := len(d.t.Operators); n > 1 {
		c.ops[at] = (c.ops[at] + 1 + d.rng.IntN(n-1)) % n
	}
}
