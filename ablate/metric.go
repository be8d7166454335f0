package ablate

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"orrery/models"
	"orrery/models/nearest"
)

// Readout is what a metric reads of one run: logits at the last position, and
// the tokens that are followed.
type Readout struct {
	Row  int       // the number of the pair or the prompt
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
	// Linear says that it is a linear function of the run's logits, and a constant.
	Linear bool
	// Cost says that more is worse, as of a loss.
	Cost bool
	// slope adds the derivative by the run's logits to d, [V]; nil where it is not
	// known.
	slope func(r Readout, d []float32)
}

// Metrics lists the metrics that are known by name.
//
// Two quantities are called logit difference: logit_diff is that of Zhang and
// Nanda ("Towards Best Practices of Activation Patching", ICLR 2024, arXiv
// 2309.16042), two logits of one run; logit_change that of Kantamneni and
// Tegmark ("Language Models Use Trigonometry to Do Addition", 2025, arXiv
// 2502.00873), one logit of two runs. A rank is 1 + the number of strictly
// larger logits, so that ties do not count. A normalised effect is no metric
// of one run: see RatioOfMeans. kl, js, tv and top5_overlap compare with the run
// without edits, so that they are 0 there, the overlap 1.
func Metrics() []Metric {
	return []Metric{
		{Name: "logit", Linear: true, Label: "logit(r)", Tokens: true, Of: func(r Readout) float64 { return float64(r.Run[r.Answer]) }, slope: slopeOfLogit},
		{Name: "logit_diff", Linear: true, Label: "logit(r) − logit(r′)", Pair: true, Tokens: true, Of: func(r Readout) float64 {
			return float64(r.Run[r.Answer]) - float64(r.Run[r.Other])
		}, slope: func(r Readout, d []float32) {
			d[r.Answer]++
			d[r.Other]--
		}},
		{Name: "logit_change", Linear: true, Label: "logit(r) against the base run", Tokens: true, Of: func(r Readout) float64 {
			return float64(r.Run[r.Answer]) - float64(r.Base[r.Answer])
		}, slope: slopeOfLogit},
		{Name: "prob", Label: "P(r)", Of: func(r Readout) float64 { return math.Exp(models.LogProbs(r.Run)[r.Answer]) }, slope: func(r Readout, d []float32) {
			r.slopeOfLogProb(d, math.Exp(models.LogProbs(r.Run)[r.Answer]))
		}},
		{Name: "logprob", Label: "ln P(r)", Unit: "nats", Of: func(r Readout) float64 { return models.LogProbs(r.Run)[r.Answer] }, slope: func(r Readout, d []float32) { r.slopeOfLogProb(d, 1) }},
		{Name: "loss", Label: "−ln P(r)", Unit: "nats", Cost: true, Of: func(r Readout) float64 { return -models.LogProbs(r.Run)[r.Answer] }, slope: func(r Readout, d []float32) { r.slopeOfLogProb(d, -1) }},
		{Name: "kl", Label: "KL(base ‖ run)", Unit: "nats", Cost: true, Of: func(r Readout) float64 { return KL(r.Base, r.Run) }, slope: func(r Readout, d []float32) {
			p, q := models.LogProbs(r.Base), models.LogProbs(r.Run)
			for i := range d {
				d[i] += float32(math.Exp(q[i]) - math.Exp(p[i]))
			}
		}},
		{Name: "rank", Label: "rank of r", Cost: true, Of: func(r Readout) float64 { return float64(Rank(r.Run, r.Answer)) }},
		{Name: "accuracy", Label: "accuracy", Of: func(r Readout) float64 {
			if r.Top() == r.Answer {
				return 1
			}
			return 0
		}},
		{Name: "js", Label: "JS(base, run)", Unit: "nats", Cost: true, Of: func(r Readout) float64 { return JS(r.Base, r.Run) }},
		{Name: "tv", Label: "TV(base, run)", Cost: true, Of: func(r Readout) float64 { return TotalVariation(r.Base, r.Run) }},
		{Name: "entropy", Label: "entropy", Unit: "nats", Cost: true, Of: func(r Readout) float64 { return Entropy(r.Run) }},
		{Name: "margin", Label: "logit(r) − best other logit", Of: Readout.Margin},
		{Name: "centred_logit", Linear: true, Label: "logit(r) − mean logit", Of: func(r Readout) float64 { return Centred(r.Run, r.Answer) }, slope: func(r Readout, d []float32) {
			for i := range d {
				d[i] -= 1 / float32(len(d))
			}
			d[r.Answer]++
		}},
		{Name: "top5_overlap", Label: "of the base run's 5 best tokens", Of: func(r Readout) float64 { return TopOverlap(r.Base, r.Run, 5) }},
		{Name: "below_top", Label: "logit(r) − largest logit", Of: func(r Readout) float64 { return min(r.Margin(), 0) }},
	}
}

// slopeOfLogit is that of logit(r).
func slopeOfLogit(r Readout, d []float32) { d[r.Answer]++ }

// slopeOfLogProb adds factor times that of ln P(r).
func (r Readout) slopeOfLogProb(d []float32, factor float64) {
	for i, l := range models.LogProbs(r.Run) {
		d[i] -= float32(factor * math.Exp(l))
	}
	d[r.Answer] += float32(factor)
}

// checkSlope refuses a metric whose derivative is not known.
func (m Metric) checkSlope() error {
	if m.slope != nil {
		return nil
	}
	var known []string
	for _, m := range Metrics() {
		if m.slope != nil {
			known = append(known, m.Name)
		}
	}
	return fmt.Errorf("metric is %q, want one whose derivative by the logits is known: %s", m.Name, strings.Join(known, ", "))
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
		return models.Argmax(z)
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

// JS is the Jensen-Shannon divergence of softmax(z) and softmax(y), the mean of
// both KL divergences from their mixture, in nats: 0 where they are equal, ln 2
// where nothing is common. Its root is a distance.
func JS(z, y []float32) float64 {
	p, q := models.LogProbs(z), models.LogProbs(y)
	sum := 0.0
	for i := range p {
		a, b := math.Exp(p[i]), math.Exp(q[i])
		mix := math.Log((a + b) / 2)
		if a > 0 {
			sum += a * (p[i] - mix)
		}
		if b > 0 {
			sum += b * (q[i] - mix)
		}
	}
	return sum / 2
}

// TotalVariation is ½ Σ |p − q| of softmax(z) and softmax(y), in 0..1.
func TotalVariation(z, y []float32) float64 {
	p, q := models.LogProbs(z), models.LogProbs(y)
	sum := 0.0
	for i := range p {
		sum += math.Abs(math.Exp(p[i]) - math.Exp(q[i]))
	}
	return sum / 2
}

// Entropy is −Σ p ln p of softmax(z), in nats.
func Entropy(z []float32) float64 {
	sum := 0.0
	for _, l := range models.LogProbs(z) {
		if p := math.Exp(l); p > 0 {
			sum -= p * l
		}
	}
	return sum
}

// Centred is a logit minus the mean of all, which a constant added to every
// logit, such as an unembedding that is not centred makes, does not change.
func Centred(z []float32, id int) float64 {
	sum := 0.0
	for _, v := range z {
		sum += float64(v)
	}
	return float64(z[id]) - sum/float64(len(z))
}

// TopOverlap is |A ∩ B| / k for the k largest of z and of y, of equal ones the
// first: how much of a ranking two runs share (Stolfo, Belinkov, Sachan, "A
// Mechanistic Interpretation of Arithmetic Reasoning in Language Models using
// Causal Mediation Analysis", EMNLP 2023, arXiv 2305.15054, there of
// neurons). Of fewer than k numbers all are taken.
func TopOverlap(z, y []float32, k int) float64 {
	k = min(k, len(z), len(y))
	best, both := largest(z, k), 0
	for _, i := range largest(y, k) {
		if slices.Contains(best, i) {
			both++
		}
	}
	return float64(both) / float64(k)
}

// largest are the places of the k largest numbers, of equal ones the first.
func largest(z []float32, k int) []int {
	order := make([]int, len(z))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(z[b], z[a]) })
	return order[:k]
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

// RatioError is the standard error of RatioOfMeans, by the first-order formula for a
// ratio of two means of the same pairs (Cochran, "Sampling Techniques", 3rd edition,
// 1977, section 2.11): that of the mean of
//
//	(edited − base) − ratio·(source − base)
//
// over |mean(source) − mean(base)|; NaN for one pair. It is 0 where every edited run
// does what its source run does, whose ratio of 1 is no estimate.
func RatioError(edited, base, source []float64) (float64, error) {
	ratio, err := RatioOfMeans(edited, base, source)
	if err != nil {
		return 0, err
	}
	rest := make([]float64, len(base))
	for i, b := range base {
		rest[i] = (edited[i] - b) - ratio*(source[i]-b)
	}
	return Summarise(rest).SEM / math.Abs(Summarise(source).Mean-Summarise(base).Mean), nil
}
