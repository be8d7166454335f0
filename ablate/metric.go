package ablate

import (
	"fmt"
	"math"
	"strings"

	"orrery/models"
	"orrery/models/nearest"
)

// Readout is what a metric reads of one run: logits at the last position, and
// the tokens that are followed.
type Readout struct {
	Run  []float32 // [V] of the run that is measured
	Base []float32 // [V] of the run without edits; the same as Run when that is measured
	// Answer is the right token, and Other the one that it is compared with;
	// -1 for none.
	Answer, Other int
	// Among are the ids that an answer is chosen from; nil for the whole vocabulary.
	Among []int
}

// Metric turns a run into a number. Those of this package are found by name;
// any other function will do.
type Metric struct {
	Name  string // "logit_diff"
	Label string // "logit(r) − logit(r′)", what an axis says
	Unit  string // "nats"; empty for a pure number
	Of    func(Readout) float64
	// Pair says that the metric reads Other, Tokens that it reads the logits of
	// Answer and Other alone, so that no others need be computed.
	Pair, Tokens bool
}

// Metrics lists the metrics that are known by name.
//
// Two quantities are called logit difference: logit_diff is that of Zhang and
// Nanda ("Towards Best Practices of Activation Patching", ICLR 2024, arXiv
// 2309.16042), two logits of one run; logit_change that of Kantamneni and
// Tegmark ("Language Models Use Trigonometry to Do Addition", 2025, arXiv
// 2502.00873), one logit of two runs. A rank is 1 + the number of strictly
// larger logits, so that ties do not count. A normalised effect is no metric
// of one run: see RatioOfMeans.
func Metrics() []Metric {
	return []Metric{
		{Name: "logit", Label: "logit(r)", Tokens: true, Of: func(r Readout) float64 { return float64(r.Run[r.Answer]) }},
		{Name: "logit_diff", Label: "logit(r) − logit(r′)", Pair: true, Tokens: true, Of: func(r Readout) float64 {
			return float64(r.Run[r.Answer]) - float64(r.Run[r.Other])
		}},
		{Name: "logit_change", Label: "logit(r) against the base run", Tokens: true, Of: func(r Readout) float64 {
			return float64(r.Run[r.Answer]) - float64(r.Base[r.Answer])
		}},
		{Name: "prob", Label: "P(r)", Of: func(r Readout) float64 { return math.Exp(models.LogProbs(r.Run)[r.Answer]) }},
		{Name: "logprob", Label: "ln P(r)", Unit: "nats", Of: func(r Readout) float64 { return models.LogProbs(r.Run)[r.Answer] }},
		{Name: "loss", Label: "−ln P(r)", Unit: "nats", Of: func(r Readout) float64 { return -models.LogProbs(r.Run)[r.Answer] }},
		{Name: "kl", Label: "KL(base ‖ run)", Unit: "nats", Of: func(r Readout) float64 { return KL(r.Base, r.Run) }},
		{Name: "rank", Label: "rank of r", Of: func(r Readout) float64 { return float64(Rank(r.Run, r.Answer)) }},
		{Name: "accuracy", Label: "accuracy", Of: func(r Readout) float64 {
			if r.Top() == r.Answer {
				return 1
			}
			return 0
		}},
		{Name: "margin", Label: "logit(r) − best other logit", Of: Readout.Margin},
	}
}

// MetricByName finds a metric.
func MetricByName(name string) (Metric, error) {
	var names []string
	for _, m := range Metrics() {
		if m.Name == name {
			return m, nil
		}
		names = append(names, m.Name)
	}
	return Metric{}, fmt.Errorf("unknown metric %q; one of %s", name, strings.Join(nearest.Names(name, names, len(names)), ", "))
}

// check refuses a metric that a pair or a prompt cannot be measured with.
func (m Metric) check(answer, other int) error {
	switch {
	case m.Of == nil:
		return fmt.Errorf("metric %q has no function", m.Name)
	case m.Pair && other < 0:
		return fmt.Errorf("metric %q compares two answers, and there is no other: give one, or take %q", m.Name, "margin")
	case m.Pair && answer == other:
		return fmt.Errorf("metric %q compares two answers, and both are token %d: it is 0 whatever happens; take %q or %q", m.Name, answer, "prob", "kl")
	}
	return nil
}

// need asks for as few logits as the metric reads.
func (m Metric) need(ids ...int) models.Need {
	need := models.Need{Last: true}
	if m.Tokens {
		seen := map[int]bool{}
		for _, id := range ids {
			if id >= 0 && !seen[id] {
				seen[id] = true
				need.Tokens = append(need.Tokens, id)
			}
		}
	}
	return need
}

// Top is the id with the largest logit among those that are chosen from; the
// lowest of several.
func (r Readout) Top() int { return top(r.Run, r.Among) }

func top(z []float32, among []int) int {
	if among == nil {
		return argmax(z)
	}
	best := among[0]
	for _, id := range among[1:] {
		if z[id] > z[best] || z[id] == z[best] && id < best {
			best = id
		}
	}
	return best
}

// Margin is the logit of the answer minus the largest of the others that are
// chosen from.
func (r Readout) Margin() float64 {
	best := math.Inf(-1)
	other := func(id int) {
		if id != r.Answer {
			best = max(best, float64(r.Run[id]))
		}
	}
	if r.Among == nil {
		for id := range r.Run {
			other(id)
		}
	}
	for _, id := range r.Among {
		other(id)
	}
	return float64(r.Run[r.Answer]) - best
}

// KL is Σ p ln(p/q), the divergence of softmax(z) from softmax(y), in nats. It
// is computed in float64 and never below 0 by more than its rounding.
func KL(z, y []float32) float64 {
	p, q := models.LogProbs(z), models.LogProbs(y)
	sum := 0.0
	for i, l := range p {
		sum += math.Exp(l) * (l - q[i])
	}
	return sum
}

// Rank is 1 + the number of logits that are strictly larger than id's.
func Rank(z []float32, id int) int {
	rank := 1
	for _, v := range z {
		if v > z[id] {
			rank++
		}
	}
	return rank
}

// MinDenominator is the least |mean(source) − mean(base)| that an effect is
// divided by.
const MinDenominator = 1e-3

// RatioOfMeans is the normalised effect of edits on pairs,
//
//	(mean(edited) − mean(base)) / (mean(source) − mean(base)),
//
// which is 0 where the edit does nothing and 1 where the edited run does what
// the source run does. Means are divided, not pairs: a pair whose two runs
// hardly differ would drown the others. A denominator below MinDenominator is
// an error.
func RatioOfMeans(edited, base, source []float64) (float64, error) {
	b, s := Summarise(base).Mean, Summarise(source).Mean
	if !(math.Abs(s-b) >= MinDenominator) {
		return 0, fmt.Errorf("normalised effect: the metric is %.4g on average in the base runs and %.4g in the source runs: a difference below %g is nothing to divide by", b, s, MinDenominator)
	}
	return (Summarise(edited).Mean - b) / (s - b), nil
}
