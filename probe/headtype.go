package probe

import (
	"fmt"
	"math"
	"sort"
)

// HeadKind is what a head is taken to do for addition.
type HeadKind string

// The kinds that TypeHeads tells apart.
const (
	// OperandHead carries the helices of a and b to the last token.
	OperandHead HeadKind = "a,b"
	// SumHead writes the helix of a+b to the logits.
	SumHead HeadKind = "a+b"
	// MixedHead is one that the rule is least sure of.
	MixedHead HeadKind = "mixed"
	// UndecidedHead is one that the rule cannot read: its joint fit or its total
	// effect is too small to divide by.
	UndecidedHead HeadKind = "undecided"
)

// HeadEffect is what was measured on one head: mean changes of the logit of the
// counterfactual answer.
type HeadEffect struct {
	Layer, Head int
	// Operands, Sum and Joint are the effects of replacing the head's output by
	// its fit on helices of a and b, of a+b, of all three.
	Operands, Sum, Joint float64
	// Direct and Total are its direct effect on the logits and its total one.
	Direct, Total float64
}

// HeadType is a head with what TypeHeads makes of it.
type HeadType struct {
	HeadEffect
	Kind HeadKind
	// OperandConfidence and SumConfidence are the two sides of the rule.
	OperandConfidence, SumConfidence float64
}

// TypeHeads sorts heads by the rule of arXiv:2502.00873, section 5.2:
//
//	conf(a,b) = min(1, Operands/Joint)·(1 - Direct/Total)
//	conf(a+b) = min(1, Sum/Joint)·Direct/Total
//
// The larger decides; the mixed heads of which the larger is lowest are called
// mixed (4 of 20 in the paper). Ratios are used as they are measured: a
// negative effect makes a confidence negative. A head whose |Joint| or |Total|
// is below least is undecided and no number is given. Heads come back in the
// order given. Errors: a NaN, mixed below 0, least not above 0.
func TypeHeads(heads []HeadEffect, mixed int, least float64) ([]HeadType, error) {
	if mixed < 0 {
		return nil, fmt.Errorf("head types: %d mixed heads", mixed)
	}
	if !(least > 0) {
		return nil, fmt.Errorf("head types: the least effect to divide by is %v: it must be above 0", least)
	}
	out := make([]HeadType, len(heads))
	var decided []int
	for i, h := range heads {
		for _, v := range [5]float64{h.Operands, h.Sum, h.Joint, h.Direct, h.Total} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("head types: head %d.%d has an effect of %v", h.Layer, h.Head, v)
			}
		}
		out[i] = HeadType{HeadEffect: h, Kind: UndecidedHead}
		if math.Abs(h.Joint) < least || math.Abs(h.Total) < least {
			continue
		}
		direct := h.Direct / h.Total
		out[i].OperandConfidence = math.Min(1, h.Operands/h.Joint) * (1 - direct)
		out[i].SumConfidence = math.Min(1, h.Sum/h.Joint) * direct
		out[i].Kind = OperandHead
		if out[i].SumConfidence > out[i].OperandConfidence {
			out[i].Kind = SumHead
		}
		decided = append(decided, i)
	}
	larger := func(i int) float64 { return math.Max(out[i].OperandConfidence, out[i].SumConfidence) }
	sort.SliceStable(decided, func(x, y int) bool { return larger(decided[x]) < larger(decided[y]) })
	for _, i := range decided[:min(mixed, len(decided))] {
		out[i].Kind = MixedHead
	}
	return out, nil
}
