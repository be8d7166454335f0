package ablate

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"orrery/models"
)

// contrastsAmong gives every prompt of a list, as the clean one, a partner of
// the list that differs from it as asked, drawn with the seed.
func contrastsAmong(set *PromptSet, change Change, operand int, seed uint64) (*ContrastSet, error) {
	if change != ChangeAny && change != KeepResult {
		for _, p := range set.Prompts {
			if len(p.Operands) == 0 {
				return nil, fmt.Errorf("change %q: the operands of %q are not known: take %q, or give the partners", change, p.name(), ChangeAny)
			}
			if operand < -1 || operand >= len(p.Operands) {
				return nil, fmt.Errorf("operand %d is outside 0..%d (or -1 for any)", operand, len(p.Operands)-1)
			}
		}
	}
	out := &ContrastSet{Change: change, Operand: operand, Seed: seed}
	rng := rand.New(rand.NewPCG(seed, 1))
	for i, p := range set.Prompts {
		var fit []Prompt
		for k, q := range set.Prompts {
			if k != i && !slices.Equal(p.IDs, q.IDs) && change.relates(p, q, operand) {
				fit = append(fit, q)
			}
		}
		if len(fit) == 0 {
			out.Alone++
			continue
		}
		out.Contrasts = append(out.Contrasts, Contrast{Clean: p, Corrupted: fit[rng.IntN(len(fit))]})
	}
	if len(out.Contrasts) == 0 {
		return nil, fmt.Errorf("no prompt of the %d has a partner in the list with the change %q: take another change, or give the partners", len(set.Prompts), change)
	}
	return out, nil
}

// relates reports whether q differs from p by the change.
func (c Change) relates(p, q Prompt, operand int) bool {
	same := p.Answer >= 0 && p.Answer == q.Answer
	if c == KeepResult {
		return same && p.Group == q.Group
	}
	if same {
		return false
	}
	if c == ChangeAny {
		return true
	}
	if len(p.Operands) != len(q.Operands) {
		return false
	}
	differ, last := 0, -1
	for i := range p.Operands {
		if p.Operands[i] != q.Operands[i] {
			differ, last = differ+1, i
		}
	}
	one := differ == 1 && (operand < 0 || last == operand)
	switch group := p.Group == q.Group; c {
	case ChangeOperand:
		return one && group
	case ChangeOperands:
		return differ == len(p.Operands) && group
	case ChangeOperator:
		return differ == 0 && !group
	}
	return one && p.Group != q.Group
}

// ContrastsWith gives the prompts of a set the partners that are given, one
// each. One without an answer that the set's template makes has the template's
// answer. Left out, and reported with the reason, are pairs whose partner cannot be
// used (see PromptList), has another number of tokens, is the same prompt, or is
// one that the model gets wrong where the set keeps those that it gets right. No
// pair at all is an error.
func ContrastsWith(ctx context.Context, m *models.Model, set *PromptSet, partners []Prompt) (*ContrastSet, error) {
	if len(partners) != len(set.Prompts) {
		return nil, fmt.Errorf("%d partners are given for %d prompts: every prompt that is left needs one", len(partners), len(set.Prompts))
	}
	contrasts := make([]Contrast, len(partners))
	for i, p := range set.Prompts {
		contrasts[i] = Contrast{p, partners[i]}
		if q, ok := set.Template.recognise(m, partners[i]); ok {
			contrasts[i].Corrupted = q
		}
	}
	return contrastList(ctx, m, contrasts, set.Options.Keep)
}

// recognise makes a prompt of a template of a given text without an answer; ok is
// false where the template does not make it.
func (t Template) recognise(m *models.Model, p Prompt) (q Prompt, ok bool) {
	if t.Text == "" || p.Text == "" || p.Answer >= 0 || p.AnswerText != "" || m.Tokenizer == nil {
		return p, false
	}
	p, reason := readIDs(m, p)
	pieces, operators, err := t.parse()
	if reason != "" || err != nil || len(p.Operands) != len(t.Operands) {
		return p, false
	}
	for i := range pow(len(t.Operators), operators) {
		c := choice{operands: p.Operands}
		for range operators {
			c.ops = append(c.ops, i%len(t.Operators))
			i /= len(t.Operators)
		}
		if t.fill(pieces, c.operands, c.ops).text != p.Text {
			continue
		}
		q, reason, err := t.prompt(m, pieces, c, len(p.IDs))
		return q, err == nil && reason == ""
	}
	return p, false
}

// pow is xⁿ.
func pow(x, n int) int {
	y := 1
	for range n {
		y *= x
	}
	return y
}

// ContrastList makes a set of pairs that are given, with its clean prompts as a
// set of their own. See PromptList and ContrastsWith for what is left out.
func ContrastList(ctx context.Context, m *models.Model, rows []Contrast, keep Keep) (*PromptSet, *ContrastSet, error) {
	if len(rows) == 0 {
		return nil, nil, errors.New("the list of pairs is empty")
	}
	pairs, err := contrastList(ctx, m, rows, keep)
	if err != nil {
		return nil, nil, err
	}
	s := &PromptSet{Options: SetOptions{Keep: keep}, Candidates: len(rows), Tried: len(rows)}
	for _, c := range pairs.Contrasts {
		s.Prompts = append(s.Prompts, c.Clean)
	}
	if keep == KeepCorrect {
		s.Asked, s.Correct = pairs.asked, pairs.right
	}
	return s, pairs, nil
}

// contrastList completes pairs and leaves out those that cannot be used.
func contrastList(ctx context.Context, m *models.Model, rows []Contrast, keep Keep) (*ContrastSet, error) {
	out := &ContrastSet{Operand: -1}
	leave := func(c Contrast, reason string) {
		out.Dropped = drop(out.Dropped, reason, c.Clean.name()+" | "+c.Corrupted.name())
	}
	var made []Contrast
	var clean []Prompt
	for _, c := range rows {
		var reason string
		for _, side := range []struct {
			name string
			p    *Prompt
		}{{"clean", &c.Clean}, {"corrupted", &c.Corrupted}} {
			p, why := readIDs(m, *side.p)
			if *side.p = p; why != "" && reason == "" {
				reason = fmt.Sprintf("the %s prompt: %s", side.name, why)
			}
		}
		x, y := len(c.Clean.IDs), len(c.Corrupted.IDs)
		switch {
		case reason != "":
		case x != y:
			reason = "its prompts are of unequal length: values are moved position by position"
		case slices.Equal(c.Clean.IDs, c.Corrupted.IDs):
			reason = "both of its prompts are the same"
		}
		if reason != "" {
			leave(c, reason)
			continue
		}
		made, clean = append(made, c), append(clean, c.Clean)
	}
	length := commonLength(clean)
	same := made[:0]
	for _, c := range made {
		if len(c.Clean.IDs) != length {
			leave(c, fmt.Sprintf("its prompts do not have %d tokens as most have", length))
			continue
		}
		var why, other string
		c.Clean, why = readAnswers(m, c.Clean, keep)
		c.Corrupted, other = readAnswers(m, c.Corrupted, keep)
		switch {
		case why != "":
			leave(c, "the clean prompt: "+why)
		case other != "":
			leave(c, "the corrupted prompt: "+other)
		default:
			same = append(same, c)
		}
	}
	made = same
	if keep == KeepCorrect && len(made) > 0 {
		both := make([]Prompt, 0, 2*len(made))
		for _, c := range made {
			both = append(both, c.Clean, c.Corrupted)
		}
		right, err := rightAnswers(ctx, m, both)
		if err != nil {
			return nil, err
		}
		out.asked = len(both)
		for i, c := range made {
			for _, ok := range right[2*i : 2*i+2] {
				if ok {
					out.right++
				}
			}
			if right[2*i] && right[2*i+1] {
				out.Contrasts = append(out.Contrasts, c)
				continue
			}
			leave(c, "the model gets one of its prompts wrong")
		}
	} else {
		out.Contrasts = made
	}
	if len(out.Contrasts) == 0 {
		return nil, fmt.Errorf("none of %d pairs can be used%s", len(rows), dropReport(out.Dropped))
	}
	return out, nil
}
