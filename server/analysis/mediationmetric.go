package analysis

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"orrery/ablate"
	"orrery/viz"
)

// shiftMetric is a measure of both answers' probabilities before and after an
// edit.
type shiftMetric struct {
	name, subtitle string
	measure        func(ablate.Shift) float64
	scale          viz.Scale
}

// shiftMetrics are the measures of causal mediation's own.
var shiftMetrics = []shiftMetric{
	{"log_ie", "sign(IE) ln(1 + |IE|), IE = the indirect effect", func(s ablate.Shift) float64 {
		ie := s.Indirect()
		return math.Copysign(math.Log1p(math.Abs(ie)), ie)
	}, viz.Scale{Kind: viz.ScaleDiverging, Label: "sign(IE) ln(1 + |IE|)", Format: "%.2f"}},
	{"ie", "indirect effect IE = ½[(P*(r) − P(r))/P(r) + (P(r′) − P*(r′))/P*(r′)]", ablate.Shift.Indirect,
		viz.Scale{Kind: viz.ScaleDiverging, Label: "indirect effect", Format: "%.3g"}},
	{"ie_r", "(P*(r) − P(r))/P(r), the indirect effect's term of the source's answer", func(s ablate.Shift) float64 {
		r, _ := s.Terms()
		return r
	}, viz.Scale{Kind: viz.ScaleDiverging, Label: "relative rise of P(r)", Format: "%.3g"}},
	{"ie_r_prime", "(P(r′) − P*(r′))/P*(r′), the indirect effect's term of the base's answer", func(s ablate.Shift) float64 {
		_, prime := s.Terms()
		return prime
	}, viz.Scale{Kind: viz.ScaleDiverging, Label: "relative fall of P(r′)", Format: "%.3g"}},
	{"moved", "probability moved, (P*(r) − P(r)) + (P(r′) − P*(r′))", ablate.Shift.Moved,
		viz.Scale{Kind: viz.ScaleDiverging, Label: "probability moved", Format: "%.3f"}},
	{"changed", "|P(r′) − P*(r′)|, change of the base answer's probability", ablate.Shift.Changed,
		viz.Scale{Kind: viz.ScaleSequential, Label: "change of P(base answer)", Format: "%.3f"}},
}

// The measure that is usual, and that of pairs whose answer is one (r = r′).
const usualShift, changedShift = "log_ie", "changed"

// keepsAnswer takes, where both prompts have one answer, the change of its
// probability in place of the indirect effect, whose two terms are then of the same
// token: the paper's code does (Stolfo et al. 2023). The figure says so.
func (r *mediationRun) keepsAnswer() {
	a := Args{}
	maps.Copy(a, r.a)
	a["metric"] = changedShift
	r.a, r.kept = a, true
	for i, m := range shiftMetrics {
		if m.name == changedShift {
			r.shift = &shiftMetrics[i]
		}
	}
}

// shiftNames are the names of the method's own measures.
func shiftNames() (names []string) {
	for _, m := range shiftMetrics {
		names = append(names, m.name)
	}
	return names
}

// readMetric settles what the colour means: a measure of the method's own, or any
// metric's change.
func (r *mediationRun) readMetric() error {
	name, _ := r.a["metric"].(string)
	for i, m := range shiftMetrics {
		if m.name == name {
			r.shift = &shiftMetrics[i]
		}
	}
	control := r.a["control"].(bool)
	if name == usualShift && (control || r.a["change"] == string(ablate.KeepResult)) {
		r.keepsAnswer()
		name = changedShift
	}
	known, _ := ablate.MetricByName(name)
	switch {
	case r.shift != nil && r.a["normalise"].(bool):
		return &hintError{fmt.Sprintf("the metric %q is a measure of its own and is not normalised", name), `take normalise=True with metric="logit_diff", "prob" or another by name`}
	case control && (known.Pair || r.shift != nil && name != changedShift):
		return &hintError{fmt.Sprintf("the control keeps the result, so that r = r′ and the metric %q compares an answer with itself", name), `use metric="changed", or one of a single answer such as "prob"`}
	case control && r.a["normalise"].(bool):
		return &hintError{"the control keeps the result, so that its two runs hardly differ: a normalised effect would divide by nothing", "use normalise=False"}
	}
	return nil
}

// measures settles a set's change of a metric.
func (r *mediationRun) measures(set *mediationPairs) error {
	if r.shift != nil {
		return nil
	}
	metric, err := metricOf(r.a, set.contrasts)
	set.change = change{metric: metric, normalise: r.a["normalise"].(bool), one: "as in the source run"}
	return err
}

// compares refuses pairs of one answer where the measure compares two.
func (r *mediationRun) compares(e *ablate.Effects) error {
	if r.shift == nil || r.shift.name == changedShift {
		return nil
	}
	if r.shift.name == usualShift && !slices.ContainsFunc(e.Pairs, func(p ablate.Pair) bool { return p.BaseAnswer != p.SourceAnswer }) {
		r.keepsAnswer()
		return nil
	}
	for i, p := range e.Pairs {
		if p.BaseAnswer == p.SourceAnswer {
			answer := tokenLabels(r.m.Tokenizer, []int{p.BaseAnswer})[0]
			return &hintError{fmt.Sprintf("both prompts of pair %d have the answer %s, so that r = r′ and the metric %q compares an answer with itself", i, answer, r.shift.name), `use metric="changed", or one of a single answer such as "prob"`}
		}
	}
	return nil
}

// of is what a cell shows: a mean, its standard error, and one number a pair.
func (r *mediationRun) of(set mediationPairs, c ablate.Cell) (mean, sem float64, values []float64) {
	if r.shift == nil {
		mean, sem = set.change.of(c.Values)
		return mean, sem, differences(c.Values, set.change.base)
	}
	values = make([]float64, len(c.Shifts))
	for i, shift := range c.Shifts {
		values[i] = r.shift.measure(shift)
	}
	s := ablate.Summarise(values)
	return s.Mean, s.SEM, values
}

// finite refuses a quotient by a probability that has no digits left.
func (r *mediationRun) finite(c ablate.Cell, values []float64) error {
	if r.shift == nil {
		return nil
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return &hintError{fmt.Sprintf("pair %d, %s: %s is %v: P(r) is %g in the base run and P(r′) %g in the edited one", i, r.label(c), r.shift.scale.Label, v, c.Shifts[i].BaseR, c.Shifts[i].EditedRPrime),
				`take metric="logprob" or "logit_diff", which divide by no probability`}
		}
	}
	return nil
}

// subtitle, scale and the size by which cells are compared.
func (r *mediationRun) subtitle() string {
	if r.kept && len(r.sets) == 1 {
		return r.shift.subtitle + " · r = r′: the indirect effect compares two answers, and there is one"
	}
	if r.kept {
		return r.shift.subtitle + " · beside a control with r = r′, where the indirect effect compares an answer with itself"
	}
	if r.shift != nil {
		return r.shift.subtitle
	}
	return r.sets[0].change.quantity() + " · r: the source's answer, r′: the base's"
}

func (r *mediationRun) scale() viz.Scale {
	if r.shift != nil {
		return grow(r.shift.scale, []float64{1e-3})
	}
	return r.sets[0].change.scale(viz.ScaleDiverging, "%.3g")
}

// size is what the largest cell is largest by.
func (r *mediationRun) size(set mediationPairs) func(ablate.Cell) float64 {
	return func(c ablate.Cell) float64 {
		v, _, _ := r.of(set, c)
		if r.shift == nil {
			v = math.Abs(v)
		}
		return v
	}
}
