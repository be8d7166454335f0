package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"orrery/ablate"
	"orrery/viz"
)

// showCircuits draws how much of the metric is left with the first edges of a
// ranking alone, at the fractions of MIB, beside random edges. Edges are ranked on
// every other pair and circuits are measured on those between.
func (r *attributionRun) showCircuits(ctx context.Context) error {
	if r.opt.Direction != ablate.Noise {
		return &hintError{`direction "denoise" is for single edges: a circuit keeps the clean run's values and loses the others`, `use direction="noise"`}
	}
	draws := r.a["draws"].(int)
	if draws < ablate.MinDraws {
		return &hintError{fmt.Sprintf("draws: %d random draws are no band", draws), fmt.Sprintf("take %d or more", ablate.MinDraws)}
	}
	ranking, measured := halves(r.contrasts())
	if len(measured) == 0 {
		return &hintError{"one pair cannot both rank edges and measure circuits", "take n=2 or more pairs"}
	}
	if err := r.attribute(ctx, ranking); err != nil {
		return err
	}
	ranked, err := r.scores.Rank(ablate.Ranking(r.a["rank"].(string)))
	if err != nil {
		return err
	}
	// The graph's own order first, as what is measured at the ends of all curves.
	ends, err := ablate.EdgeCircuits(ctx, r.m, measured, [][]ablate.Edge{r.graph.Edges}, r.opt)
	if err != nil {
		return err
	}
	share := change{metric: r.opt.Metric, normalise: true, base: ends.Empty, source: ends.Full, one: "as the whole model"}
	if err := share.check(); err != nil {
		return &hintError{err.Error(), "take another metric or other prompts"}
	}
	fractions := ablate.CircuitFractions[:]
	n := len(fractions)
	x, labels := make([]float32, n), make([]string, n)
	for i, f := range fractions {
		x[i], labels[i] = float32(i), fmt.Sprintf("%g", 100*f)
	}
	fig := &viz.Figure{
		Kind: viz.KindLines, Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"fraction"}, n)},
		Scales: map[string]viz.Scale{
			"x": {Kind: viz.ScaleLinear, Hi: float64(n - 1), Label: "edges kept, % of all", Format: "%.0f"},
			"y": {Kind: viz.ScaleLinear, Hi: 1, Label: "faithfulness", Format: "%.2f"},
		},
		Lines: &viz.Lines{X: "x", XScale: "x", YScale: "y", XLabels: labels, Series: []viz.Series{
			{Name: "ranked by score", Y: "ranked", Errors: "ranked_sem"}, {Name: "random edges, mean", Y: "random", Control: true},
			{Name: "random edges, least", Y: "least", Control: true}, {Name: "random edges, most", Y: "most", Control: true},
		}},
	}
	for _, name := range []string{"ranked", "ranked_sem", "random", "least", "most"} {
		fig.Arrays[name] = viz.NewArray([]string{"fraction"}, n)
	}
	if errorsOver(fig, len(measured), viz.Student) {
		keepEach(fig, always(len(measured)))
	}
	r.show(fig, "Edge circuits", fmt.Sprintf("share of %s (0: without any edge, 1: the whole model) · ranked on %d pairs, %s, and measured on %d others · all other edges: the corrupted run's value", r.opt.Metric.Label, len(ranking), r.how(), len(measured)), n, "circuits")
	orders := [][]ablate.Edge{ranked}
	rng := rand.New(rand.NewPCG(r.from.seed(), 5))
	for range draws {
		order := slices.Clone(r.graph.Edges)
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		orders = append(orders, order)
	}
	var faithful []float64
	for i, f := range fractions {
		k := int(math.Round(f * float64(len(ranked))))
		var circuits [][]ablate.Edge
		for _, order := range orders {
			circuits = append(circuits, order[:k])
		}
		c, err := ablate.EdgeCircuits(ctx, r.m, measured, circuits, r.opt)
		if err != nil {
			return err
		}
		v, sem := share.of(c.Values[0])
		faithful = append(faithful, v)
		var random []float64
		for _, values := range c.Values[1:] {
			w, _ := share.of(values)
			random = append(random, w)
		}
		least, most := slices.Min(random), slices.Max(random)
		part := viz.Part{Arrays: runOf(fig, "ranked", i, v, sem, c.Values[0])}
		for name, w := range map[string]float64{"random": ablate.Summarise(random).Mean, "least": least, "most": most} {
			part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: i, F32: viz.EncodeFloats([]float32{float32(w)})})
		}
		if s := widen(fig.Scales["y"], append(reach(fig, v, sem), least, most)); s != fig.Scales["y"] {
			part.Scales = map[string]viz.Scale{"y": s}
		}
		if err := fig.Apply(part); err != nil {
			return err
		}
		r.done++
		r.emit.Part(part)
		r.emit.Progress(r.done, r.total, "circuits")
	}
	return r.describeCircuits(fractions, faithful, share, ends)
}

// describeCircuits says where 90 % is reached, MIB's areas and the identity at the
// end.
func (r *attributionRun) describeCircuits(fractions, faithful []float64, share change, ends *ablate.CircuitEffects) error {
	cpr, cmd, err := ablate.CircuitAreas(fractions, faithful)
	if err != nil {
		return err
	}
	reached := "No circuit smaller than the whole model reaches 90 %"
	for i, f := range faithful[:len(faithful)-1] {
		if f >= 0.9 {
			reached = fmt.Sprintf("%g %% of the %d edges reach %.0f %%", 100*fractions[i], len(r.graph.Edges), 100*f)
			break
		}
	}
	r.fig.Caption = fmt.Sprintf("%s is %.3g in the whole model and %.3g without any edge. %s. Area under the curve (CPR) %.3f, area to 1 (CMD) %.3f.",
		r.opt.Metric.Label, ablate.Summarise(share.source).Mean, ablate.Summarise(share.base).Mean, reached, cpr, cmd)
	worst := 0.0
	for i, v := range ends.Values[0] {
		worst = max(worst, math.Abs(v-ends.Full[i]))
	}
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "all edges = the model", Value: worst, Bound: 1e-3, OK: worst <= 1e-3,
		Help: "largest difference of the metric over pairs between the circuit of all edges and the run without edits"})
	if r.opt.Kind != ablate.Resample {
		return nil
	}
	worst = 0
	for i, v := range ends.Empty {
		worst = max(worst, math.Abs(v-ends.Other[i]))
	}
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "no edges = the corrupted run", Value: worst, Bound: 1e-3, OK: worst <= 1e-3,
		Help: "largest difference of the metric over pairs between the circuit without any edge and the corrupted run"})
	return nil
}

// halves are every other pair, and those between.
func halves(all []ablate.Contrast) (first, second []ablate.Contrast) {
	for i, c := range all {
		if i%2 == 0 {
			first = append(first, c)
		} else {
			second = append(second, c)
		}
	}
	return first, second
}
