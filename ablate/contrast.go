package ablate

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Change says how a prompt's partner is made.
type Change string

// The changes. KeepResult is the control: other operands, the same answer, so
// that whatever still moves is no information about the result.
const (
	ChangeOperand  Change = "operand"  // one operand is another number
	ChangeOperator Change = "operator" // the operator is another one, the operands stay
	ChangeBoth     Change = "both"     // one operand and the operator
	ChangeAny      Change = "any"      // a random partner
	KeepResult     Change = "result"   // other operands, the same answer
)

// Changes lists the changes.
var Changes = [...]Change{ChangeOperand, ChangeOperator, ChangeBoth, ChangeAny, KeepResult}

// ContrastSet is a set of contrasts with the account of what was left out.
type ContrastSet struct {
	Contrasts []Contrast
	Change    Change
	Seed      uint64
	// Alone is how many prompts found no partner in the set.
	Alone int
}

// Contrasts gives every prompt of a set, as the clean one, a partner of the same
// set that differs from it as asked, drawn with the seed. operand is the one
// that changes, for ChangeOperand and ChangeBoth; -1 for any one. But for
// KeepResult, partners have another answer. A prompt without a partner is left
// out and counted; no contrast at all is an error.
//
// Partners come from the set, so that both prompts have passed its filters. It
// takes time in proportion to the square of the set.
func Contrasts(set *PromptSet, change Change, operand int, seed uint64) (*ContrastSet, error) {
	if !slices.Contains(Changes[:], change) {
		return nil, fmt.Errorf("change is %q, want one of %v", change, Changes)
	}
	operands := len(set.Prompts[0].Operands)
	if operand < -1 || operand >= operands {
		return nil, fmt.Errorf("operand %d is outside 0..%d (or -1 for any)", operand, operands-1)
	}
	out := &ContrastSet{Change: change, Seed: seed}
	rng := rand.New(rand.NewPCG(seed, 1))
	for _, p := range set.Prompts {
		var partners []int
		for i, q := range set.Prompts {
			if change.fits(p, q, operand) {
				partners = append(partners, i)
			}
		}
		if len(partners) == 0 {
			out.Alone++
			continue
		}
		out.Contrasts = append(out.Contrasts, Contrast{Clean: p, Corrupted: set.Prompts[partners[rng.IntN(len(partners))]]})
	}
	if len(out.Contrasts) == 0 {
		return nil, fmt.Errorf("no prompt of the %d has a partner with the change %q in the set: take more prompts or another change", len(set.Prompts), change)
	}
	return out, nil
}

// fits reports whether q differs from p by the change.
func (c Change) fits(p, q Prompt, operand int) bool {
	differ := 0
	for i, v := range p.Operands {
		if q.Operands[i] != v {
			differ++
			if operand >= 0 && i != operand {
				differ = len(p.Operands) + 1
			}
		}
	}
	switch c {
	case ChangeOperand:
		return differ == 1 && p.Group == q.Group && p.Answer != q.Answer
	case ChangeOperator:
		return differ == 0 && p.Group != q.Group && p.Answer != q.Answer
	case ChangeBoth:
		return differ == 1 && p.Group != q.Group && p.Answer != q.Answer
	case ChangeAny:
		return p.Answer != q.Answer
	}
	return !slices.Equal(p.Operands, q.Operands) && p.Group == q.Group && p.Answer == q.Answer
}
