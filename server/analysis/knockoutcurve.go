package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// curve draws the metric over how many heads are knocked out together: those
// first that cost most alone, and random ones.
func (r *knockoutRun) curve(ctx context.Context) (*viz.Figure, error) {
	heads, err := ablate.Nodes(r.m, ablate.HeadPart)
	if err != nil {
		return nil, err
	}
	n := len(heads) + 1
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	what, y := r.metric.Label, viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: r.metric.Label, Unit: r.metric.Unit, Format: "%.3g"}
	if r.change.normalise {
		what, y = r.change.quantity(), r.change.scale(viz.ScaleLinear, "%.3g")
	}
	fig := &viz.Figure{
		Kind: viz.KindLines, Subtitle: what + " · random: mean of the draws, band from the least to the most of them",
		Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"k"}, n)},
		Scales: map[string]viz.Scale{
			"x": {Kind: viz.ScaleLinear, Hi: float64(n - 1), Label: "heads knocked out together", Format: "%.0f"},
			"y": y,
		},
		Lines: &viz.Lines{X: "x", XScale: "x", YScale: "y", Series: []viz.Series{
			{Name: "costliest alone first", Y: "ranked", Errors: "ranked_sem"}, {Name: "random heads, mean", Y: "random", Control: true},
			{Name: "random heads, least", Y: "least", Control: true}, {Name: "random heads, most", Y: "most", Control: true},
		}},
	}
	for _, name := range []string{"ranked", "ranked_sem", "random", "least", "most"} {
		fig.Arrays[name] = viz.NewArray([]string{"k"}, n)
	}
	r.begin(fig, 1, "curves")
	order, report, err := r.ranked(ctx)
	if err != nil {
		return fig, err
	}
	c, err := ablate.KnockoutCurve(ctx, r.m, r.set.Prompts, ablate.KnockoutCurveOptions{
		Order: order, Kind: r.kind, Metric: r.metric, Draws: r.a["draws"].(int), Seed: r.seed, Reference: r.reference,
	})
	if err != nil {
		return fig, err
	}
	value := ablate.Summarise
	if r.change.normalise {
		r.change.base, r.change.source = c.Ranked.Values[0], c.Ranked.Values[len(heads)]
		if err := r.change.check(); err != nil {
			return fig, err
		}
		value = func(values []float64) ablate.Summary {
			v, sem := r.change.of(values)
			return ablate.Summary{Mean: v, SEM: sem, N: len(values)}
		}
	}
	runs := map[string][]float64{}
	for k, values := range c.Ranked.Values {
		s := value(values)
		runs["ranked"], runs["ranked_sem"] = append(runs["ranked"], s.Mean), append(runs["ranked_sem"], s.SEM)
		runs[each("ranked")] = append(runs[each("ranked")], values...)
		var draws []float64
		for _, d := range c.Random {
			draws = append(draws, value(d.Values[k]).Mean)
		}
		runs["random"] = append(runs["random"], ablate.Summarise(draws).Mean)
		runs["least"], runs["most"] = append(runs["least"], slices.Min(draws)), append(runs["most"], slices.Max(draws))
	}
	var part viz.Part
	scale := fig.Scales["y"]
	for _, name := range []string{"ranked", "ranked_sem", each("ranked"), "random", "least", "most"} {
		if fig.Arrays[name] == nil {
			continue
		}
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, F32: viz.EncodeFloats(narrow(runs[name]))})
		if !strings.HasSuffix(name, "_sem") && name != each("ranked") {
			scale = widen(scale, runs[name])
		}
		if name == "ranked_sem" {
			for k, sem := range runs[name] {
				scale = widen(scale, reach(fig, runs["ranked"][k], sem))
			}
		}
	}
	part.Scales = map[string]viz.Scale{"y": scale}
	if err := fig.Apply(part); err != nil {
		return fig, err
	}
	r.emit.Part(part)
	r.emit.Progress(1, 1, "curves")
	half := min(len(heads), max(1, len(heads)/4))
	var first []string
	for _, h := range order[:half] {
		first = append(first, h.String())
	}
	label := r.metric.Label
	if r.change.normalise {
		label = "The " + r.change.label()
	}
	fig.Caption = fmt.Sprintf("%s is %.3g without edits; without the %d costliest heads (%s) it is %.3g, without as many random ones %.3g on average of %d draws.",
		label, runs["ranked"][0], half, strings.Join(first, ", "), runs["ranked"][half], runs["random"][half], len(c.Random))
	return fig, r.finish(ctx, report.Plus(c.Report))
}

// ranked orders the heads by what their own knock-out costs: the largest drop of
// the metric first, or rise where more is worse.
func (r *knockoutRun) ranked(ctx context.Context) ([]ablate.Node, models.Report, error) {
	worse := 1.0
	if r.metric.Cost {
		worse = -1
	}
	heads, err := ablate.Nodes(r.m, ablate.HeadPart)
	if err != nil {
		return nil, models.Report{}, err
	}
	opt := ablate.KnockoutOptions{Sweeps: []ablate.PatchSweep{knockoutSweeps["heads"]}, Kind: r.kind, Metrics: []ablate.Metric{r.metric}, Reference: r.reference, Seed: r.seed}
	k, err := ablate.Knockout(ctx, r.m, r.set.Prompts, opt, func(ablate.KnockoutCell) error { return nil })
	if err != nil {
		return nil, models.Report{}, err
	}
	cost := map[ablate.Node]float64{}
	for i, h := range heads {
		cost[h] = worse * ablate.Summarise(k.Grids[0][0].Cell(i)).Mean
	}
	slices.SortStableFunc(heads, func(a, b ablate.Node) int {
		switch {
		case cost[a] < cost[b]:
			return -1
		case cost[a] > cost[b]:
			return 1
		}
		return 0
	})
	return heads, k.Report, nil
}
