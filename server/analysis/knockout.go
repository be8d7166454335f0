package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// knockoutSweeps are what is knocked out, by the name of the view.
var knockoutSweeps = map[string]ablate.PatchSweep{
	"heads":  {Name: "heads", Site: "attn.hook_z", Axes: []string{"layer", "head"}},
	"mlps":   {Name: "mlps", Site: "hook_mlp_out", Axes: []string{"layer", "pos"}},
	"attn":   {Name: "attn", Site: "hook_attn_out", Axes: []string{"layer", "pos"}},
	"stream": {Name: "stream", Site: "hook_resid_post", Axes: []string{"layer", "pos"}},
}

func knockout() Analysis {
	var metrics, kinds []string
	for _, m := range ablate.Metrics() {
		if !m.Pair {
			metrics = append(metrics, m.Name)
		}
	}
	for _, k := range ablate.Ablations {
		kinds = append(kinds, string(k))
	}
	return Analysis{
		Name: "knockout", Title: "Knock-outs", Version: 1,
		Summary: "what is lost when a component's output is replaced by zeros, a mean or another prompt's value",
		Paper:   "Zhang, Wan, Zhang, Cheung, Tian, Shen, Ye, Interpreting and Improving Large Language Models in Arithmetic Calculation, ICML 2024, arXiv 2409.01659; the four kinds are common",
		Example: `knockout(load("mental-2op"), n=40)`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "show", Type: TypeChoice, Default: "heads", Choices: []string{"heads", "mlps", "attn", "stream", "curve"},
				Help: "heads: every head at all positions; mlps, attn, stream: outputs and the residual stream by position; curve: the first k heads together, with a band of random ones"},
			{Name: "kind", Type: TypeChoice, Default: "mean_by_pos", Choices: kinds, Help: "what is put in; zero also takes away what is always said, and is best avoided"},
			{Name: "metric", Type: TypeChoice, Default: "margin", Choices: metrics, Help: "what is measured of the right answer r"},
			{Name: "reference", Type: TypeInt, Default: 200, Help: "how many prompts of the template a mean is over"},
			{Name: "draws", Type: TypeInt, Default: ablate.MinDraws, Help: "random orders of the curve's band, 5 or more"},
		}, setParams("{a}{op}{b}=", 40)...),
		Run: runKnockout,
	}
}

// knockoutRun is one call on its way.
type knockoutRun struct {
	m         *models.Model
	a         Args
	emit      Emit
	metric    ablate.Metric
	kind      ablate.Ablation
	seed      uint64
	set       *ablate.PromptSet
	reference [][]int
	fig       *viz.Figure
}

func runKnockout(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &knockoutRun{m: a["m"].(*models.Model), a: a, emit: emit, kind: ablate.Ablation(a["kind"].(string))}
	var err error
	if r.metric, err = ablate.MetricByName(a["metric"].(string)); err != nil {
		return nil, err
	}
	if r.seed, err = seedOf(a); err != nil {
		return nil, err
	}
	if r.set, err = promptSet(ctx, r.m, a); err != nil {
		return nil, err
	}
	n, err := positive("reference", a["reference"].(int))
	if err != nil {
		return nil, err
	}
	reference, err := ablate.Prompts(ctx, r.m, templateOf(a), ablate.SetOptions{N: n, Seed: r.seed + 1})
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	for _, p := range reference.Prompts {
		r.reference = append(r.reference, p.IDs)
	}
	if a["show"].(string) == "curve" {
		return r.curve(ctx)
	}
	return r.cells(ctx)
}

// what says what is put in.
func (r *knockoutRun) what() string {
	return map[ablate.Ablation]string{
		ablate.Zero:      "zeros put in",
		ablate.MeanAll:   fmt.Sprintf("the mean over %d prompts of the template and all positions put in", len(r.reference)),
		ablate.MeanByPos: fmt.Sprintf("the mean over %d prompts of the template at the same position put in", len(r.reference)),
		ablate.Resample:  "another prompt's value at the same position put in",
	}[r.kind]
}

// begin completes the empty figure and shows it.
func (r *knockoutRun) begin(fig *viz.Figure, total int, unit string) {
	r.fig = fig
	fig.Title = "Knock-outs"
	fig.Subtitle = fmt.Sprintf("%s · %s · n = %d prompts", fig.Subtitle, r.what(), len(r.set.Prompts))
	var ids [][]int
	for _, p := range r.set.Prompts {
		ids = append(ids, p.IDs)
	}
	fig.Provenance = provenance(r.m, "knockout", 1, r.a, ids...)
	fig.Provenance.Seed = &r.seed
	if len(r.set.Prompts) == 1 {
		dropErrors(fig)
	}
	r.emit.Figure(fig)
	r.emit.Progress(0, total, unit)
}

// finish adds what the prompts and the sweep were.
func (r *knockoutRun) finish(report models.Report) {
	r.fig.Badges = append(r.fig.Badges, sweepBadge(report))
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.set.Report(), sweepSentence(report))
	r.emit.Figure(r.fig)
}

// tokens is the axis of positions.
func (r *knockoutRun) tokens() viz.Axis {
	var labels [][]string
	for _, p := range r.set.Prompts {
		labels = append(labels, tokenLabels(r.m.Tokenizer, p.IDs))
	}
	roles := vizRoles(r.set.Prompts[0])
	return viz.Axis{Name: "position", Roles: roles, Labels: sharedLabels(labels, roles)}
}

// cells draws one heatmap: layers over heads or positions.
func (r *knockoutRun) cells(ctx context.Context) (*viz.Figure, error) {
	sweep := knockoutSweeps[r.a["show"].(string)]
	tokens := r.tokens()
	layout, err := newPatchLayout(r.m, sweep, len(tokens.Labels))
	if err != nil {
		return nil, err
	}
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Subtitle: changeOf(r.metric), Arrays: map[string]*viz.Array{}, Heatmap: &viz.Heatmap{Scale: "effect", Panels: layout.panels(tokens, false)},
		Scales: map[string]viz.Scale{"effect": grow(viz.Scale{Kind: viz.ScaleDiverging, Label: changeOf(r.metric), Unit: r.metric.Unit, Format: "%.2f"}, []float64{1e-3})},
	}
	for _, name := range []string{sweep.Name, sweep.Name + "_sem"} {
		fig.Arrays[name] = viz.NewArray(sweep.Axes, layout.shape...)
	}
	r.begin(fig, layout.cells(), "cells")
	done, worst := 0, 0.0
	opt := ablate.KnockoutOptions{Sweeps: []ablate.PatchSweep{sweep}, Kind: r.kind, Metrics: []ablate.Metric{r.metric}, Reference: r.reference, Seed: r.seed}
	var base []float64
	opt.Started = func(k *ablate.Knockouts) {
		base = k.Base[0]
		fig.Caption = fmt.Sprintf("Without edits %s is %.3g.", r.metric.Label, ablate.Summarise(base).Mean)
	}
	largest := ""
	k, err := ablate.Knockout(ctx, r.m, r.set.Prompts, opt, func(c ablate.KnockoutCell) error {
		s := change(c.Values[0], base)
		name, offset := layout.place(c.Index)
		part := viz.Part{Arrays: []viz.ArrayRun{{Name: name, Offset: offset, F32: viz.EncodeFloats([]float32{float32(s.Mean)})}}}
		if fig.Arrays[name+"_sem"] != nil {
			part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name + "_sem", Offset: offset, F32: viz.EncodeFloats([]float32{float32(s.SEM)})})
		}
		if next := grow(fig.Scales["effect"], []float64{s.Mean}); next != fig.Scales["effect"] {
			part.Scales = map[string]viz.Scale{"effect": next}
		}
		if err := fig.Apply(part); err != nil {
			return err
		}
		if math.Abs(s.Mean) > worst {
			worst, largest = math.Abs(s.Mean), fmt.Sprintf(" The largest change is that of %s: %.3g%s.", layout.describe(c.Index, fig), s.Mean, plusMinus(s.SEM))
		}
		done++
		r.emit.Part(part)
		r.emit.Progress(done, layout.cells(), "cells")
		return nil
	})
	if err != nil {
		return fig, err
	}
	fig.Caption += largest
	r.finish(k.Report)
	return fig, nil
}

// change is the mean of paired differences.
func change(values, base []float64) ablate.Summary {
	diff := make([]float64, len(values))
	for i := range diff {
		diff[i] = values[i] - base[i]
	}
	return ablate.Summarise(diff)
}

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
	fig := &viz.Figure{
		Kind: viz.KindLines, Subtitle: r.metric.Label + " · random: mean of the draws, band from the least to the most of them",
		Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"k"}, n)},
		Scales: map[string]viz.Scale{
			"x": {Kind: viz.ScaleLinear, Hi: float64(n - 1), Label: "heads knocked out together", Format: "%.0f"},
			"y": {Kind: viz.ScaleLinear, Hi: 1e-3, Label: r.metric.Label, Unit: r.metric.Unit, Format: "%.3g"},
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
	runs := map[string][]float64{}
	for k, s := range c.Ranked.Means() {
		runs["ranked"], runs["ranked_sem"] = append(runs["ranked"], s.Mean), append(runs["ranked_sem"], s.SEM)
		var draws []float64
		for _, d := range c.Random {
			draws = append(draws, d.Means()[k].Mean)
		}
		runs["random"] = append(runs["random"], ablate.Summarise(draws).Mean)
		runs["least"], runs["most"] = append(runs["least"], slices.Min(draws)), append(runs["most"], slices.Max(draws))
	}
	var part viz.Part
	scale := fig.Scales["y"]
	for _, name := range []string{"ranked", "ranked_sem", "random", "least", "most"} {
		if fig.Arrays[name] == nil {
			continue
		}
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, F32: viz.EncodeFloats(narrow(runs[name]))})
		if !strings.HasSuffix(name, "_sem") {
			scale = widen(scale, runs[name])
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
	fig.Caption = fmt.Sprintf("%s is %.3g without edits; without the %d costliest heads (%s) it is %.3g, without as many random ones %.3g on average of %d draws.",
		r.metric.Label, runs["ranked"][0], half, strings.Join(first, ", "), runs["ranked"][half], runs["random"][half], len(c.Random))
	r.finish(report.Plus(c.Report))
	return fig, nil
}

// ranked orders the heads by what their own knock-out costs: the largest drop of
// the metric first, or rise where more is worse.
func (r *knockoutRun) ranked(ctx context.Context) ([]ablate.Node, models.Report, error) {
	worse := 1.0
	if slices.Contains([]string{"loss", "kl", "rank"}, r.metric.Name) {
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
