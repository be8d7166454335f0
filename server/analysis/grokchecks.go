package analysis

import (
	"gonum.org/v1/gonum/mat"

	"orrery/probe"
	"orrery/viz"
)

// check adds the badges, which are about the last checkpoint.
func (r *grokRun) check(g *probe.GrokFrame) error {
	w, err := r.adder.Embedding(r.m)
	if err != nil {
		return err
	}
	parseval := parsevalError(g.Embedding, w)
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "Parseval", Value: parseval, Bound: 1e-10, OK: parseval <= 1e-10, Help: "relative difference of the length of F·W_E from that of W_E"})
	twice, rest, err := r.projections(g)
	if err != nil {
		return err
	}
	r.fig.Badges = append(r.fig.Badges,
		viz.Badge{Text: "P² = P on logits", Value: twice, Bound: 1e-9, OK: twice <= 1e-9, Help: "what a second projection on the waves of the keys changes, as a share of the largest logit"},
		viz.Badge{Text: "restricted + excluded = all", Value: rest, Bound: 1e-9, OK: rest <= 1e-9, Help: "share of the logits' variance that is missing when those of the restricted and the excluded logits are added"})
	return nil
}

// projections checks the split of logits by the keys.
func (r *grokRun) projections(g *probe.GrokFrame) (twice, rest float64, err error) {
	inside, err := g.Logits.Restricted(r.keys.chosen)
	if err != nil {
		return 0, 0, err
	}
	var outside mat.Dense
	outside.Sub(g.Run.Logits, inside)
	l, err := probe.NewModularLogits(inside, r.adder.P)
	if err != nil {
		return 0, 0, err
	}
	again, err := l.Restricted(r.keys.chosen)
	if err != nil {
		return 0, 0, err
	}
	again.Sub(again, inside)
	twice = mat.Max(absolute(again)) / mat.Max(absolute(g.Run.Logits))
	total := centredSquares(g.Run.Logits)
	parts := centredSquares(inside) + centredSquares(&outside)
	if rest = parts/total - 1; rest < 0 {
		rest = -rest
	}
	return twice, rest, nil
}

// centredSquares is Σ (x - column mean)².
func centredSquares(x *mat.Dense) float64 {
	n, d := x.Dims()
	mean := make([]float64, d)
	for i := range n {
		for j, v := range x.RawRowView(i) {
			mean[j] += v / float64(n)
		}
	}
	sum := 0.0
	for i := range n {
		for j, v := range x.RawRowView(i) {
			sum += (v - mean[j]) * (v - mean[j])
		}
	}
	return sum
}
