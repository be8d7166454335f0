package analysis

import (
	"context"
	"fmt"
	"math"

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
	var kinds []string
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
			promptsParam("single prompts"),
			{Name: "show", Type: TypeChoice, Default: "heads", Choices: []string{"heads", "mlps", "attn", "stream", "curve"},
				Help: "heads: every head at all positions; mlps, attn, stream: outputs and the residual stream by position; curve: the first k heads together, with a band of random ones"},
			{Name: "kind", Type: TypeChoice, Default: "mean_by_pos", Choices: kinds, Help: "what is put in; zero also takes away what is always said, and is best avoided"},
			metricParam("margin", "what is measured of the right answer r; logit_diff needs prompts that come with another answer r′"),
			normaliseParam(false, "where all that the view shows is knocked out together"),
			{Name: "reference", Type: TypeInt, Default: 200, Bounds: atLeast(1), Unit: "prompts", Help: "how many prompts of the template a mean is over; the prompts themselves where they are a list"},
			{Name: "draws", Type: TypeInt, Default: ablate.MinDraws, Bounds: atLeast(ablate.MinDraws), Unit: "orders", Help: "random orders of the curve's band"},
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
	change    change
	kind      ablate.Ablation
	seed      uint64
	from      *BoundPrompts
	set       *ablate.PromptSet
	reference [][]int
	fig       *viz.Figure
}

func runKnockout(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &knockoutRun{m: a["m"].(*models.Model), a: a, emit: emit, kind: ablate.Ablation(a["kind"].(string))}
	var err error
	if r.from, err = singlesOf(ctx, r.m, a); err != nil {
		return nil, err
	}
	r.set, r.seed = r.from.Set, r.from.seed()
	if r.metric, err = metricOf(a, singly(r.set.Prompts)); err != nil {
		return nil, err
	}
	r.change = change{metric: r.metric, normalise: a["normalise"].(bool), one: "as with all of them knocked out"}
	n := a["reference"].(int)
	reference := r.set
	if !r.set.Listed() {
		if reference, err = referenceSet(ctx, r.m, r.set.Template, r.seed, n); err != nil {
			return nil, err
		}
	}
	r.reference = idsOf(reference.Prompts)
	if a["show"].(string) == "curve" {
		return r.curve(ctx)
	}
	return r.cells(ctx)
}

// what says what is put in.
func (r *knockoutRun) what() string {
	of := "prompts of the template"
	if r.set.Listed() {
		of = "prompts of the list"
	}
	return map[ablate.Ablation]string{
		ablate.Zero:      "zeros put in",
		ablate.MeanAll:   fmt.Sprintf("the mean over %d %s and all positions put in", len(r.reference), of),
		ablate.MeanByPos: fmt.Sprintf("the mean over %d %s at the same position put in", len(r.reference), of),
		ablate.Resample:  "another prompt's value at the same position put in",
	}[r.kind]
}

// begin completes the empty figure and shows it.
func (r *knockoutRun) begin(fig *viz.Figure, total int, unit string) {
	r.fig = fig
	fig.Title = "Knock-outs"
	n := len(r.set.Prompts)
	fig.Subtitle = fmt.Sprintf("%s · %s · n = %d prompts, seed %d", fig.Subtitle, r.what(), n, r.seed)
	fig.Provenance = provenance(r.m, "knockout", 1, r.a, idsOf(r.set.Prompts)...)
	r.from.describe(fig)
	interval := viz.Student
	if r.a["show"] == "curve" && r.metric.Name == "accuracy" && !r.change.normalise {
		interval = viz.Wilson
	}
	if errorsOver(fig, n, interval) {
		keepEach(fig, always(n))
	}
	r.emit.Figure(fig)
	r.emit.Progress(0, total, unit)
}

// finish adds what the prompts and the sweep were.
func (r *knockoutRun) finish(ctx context.Context, report models.Report) error {
	own, err := ablate.OwnValue(ctx, r.m, r.set.Prompts)
	if err != nil {
		return err
	}
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "own value = no change", Value: own, Bound: 1e-6, OK: own <= 1e-6,
		Help: "largest change of a logit when every head's and MLP's output is replaced by its own, over 16 prompts at most"}, sweepBadge(report))
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.from.Report(), sweepSentence(report))
	r.emit.Figure(r.fig)
	return nil
}

// cells draws one heatmap: layers over heads or positions.
func (r *knockoutRun) cells(ctx context.Context) (*viz.Figure, error) {
	sweep := knockoutSweeps[r.a["show"].(string)]
	tokens := columns(r.m, r.set.Prompts)
	layout, err := newPatchLayout(r.m, sweep, len(tokens.Labels))
	if err != nil {
		return nil, err
	}
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Subtitle: r.change.quantity(), Arrays: map[string]*viz.Array{}, Heatmap: &viz.Heatmap{Scale: "effect", Panels: layout.panels(r.m, tokens, false, "run")},
		Scales: map[string]viz.Scale{"effect": r.change.scale(viz.ScaleDiverging, "%.2f")},
	}
	for _, name := range []string{sweep.Name, sweep.Name + "_sem"} {
		fig.Arrays[name] = viz.NewArray(sweep.Axes, layout.shape...)
	}
	if !r.change.normalise { // else when it is known that there is something to divide by
		r.begin(fig, layout.cells(), "cells")
	}
	done, worst := 0, 0.0
	opt := ablate.KnockoutOptions{Sweeps: []ablate.PatchSweep{sweep}, Kind: r.kind, Metrics: []ablate.Metric{r.metric}, Reference: r.reference, Seed: r.seed, Whole: r.change.normalise}
	opt.Started = func(k *ablate.Knockouts) error {
		r.change.base = k.Base[0]
		fig.Caption = fmt.Sprintf("Without edits %s is %.3g.", r.metric.Label, ablate.Summarise(k.Base[0]).Mean)
		if r.change.normalise {
			r.change.source = k.Whole[0][0]
			if err := r.change.check(); err != nil {
				return err
			}
			fig.Caption += fmt.Sprintf(" With all %d cells knocked out together it is %.3g.", layout.cells(), ablate.Summarise(r.change.source).Mean)
		}
		fig.Heatmap.Panels[0].Open = r.opening(layout, k)
		if r.change.normalise {
			r.begin(fig, layout.cells(), "cells")
		}
		return nil
	}
	largest := ""
	k, err := ablate.Knockout(ctx, r.m, r.set.Prompts, opt, func(c ablate.KnockoutCell) error {
		v, sem := r.change.of(c.Values[0])
		name, offset := layout.place(c.Index)
		part := viz.Part{Arrays: runOf(fig, name, offset, v, sem, differences(c.Values[0], r.change.base))}
		if next := grow(fig.Scales["effect"], []float64{v}); next != fig.Scales["effect"] {
			part.Scales = map[string]viz.Scale{"effect": next}
		}
		if err := fig.Apply(part); err != nil {
			return err
		}
		if math.Abs(v) > worst {
			worst, largest = math.Abs(v), fmt.Sprintf(" The largest change is that of %s: %.3g%s.", layout.describe(c.Index, fig), v, plusMinus(sem))
		}
		done++
		r.emit.Part(part)
		r.emit.Progress(done, layout.cells(), "cells")
		return nil
	})
	if err != nil {
		return r.fig, err
	}
	fig.Caption += largest
	return fig, r.finish(ctx, k.Report)
}

// opening says how the runs of the cells are opened: with another prompt's
// values, or a run whose own are replaced. A mean is over prompts that were
// given, or of the template that the call says.
func (r *knockoutRun) opening(l patchLayout, k *ablate.Knockouts) *viz.Opening {
	giver, rest := ablate.Giver(r.kind), measureArg(r.a["metric"])
	switch r.kind {
	case ablate.Resample:
		giver = ablate.FromClean
	case ablate.MeanAll, ablate.MeanByPos:
		if r.a["prompts"] != nil {
			rest += ", prompts={prompts}"
		} else {
			rest += templateArgs(r.a)
		}
		if n := r.a["reference"].(int); n != 200 {
			rest += fmt.Sprintf(", reference=%d", n)
		}
	}
	o := l.opening(0, 1, r.m.Config.Layers, giver, rest)
	for i, p := range k.Prompts {
		if r.kind == ablate.Resample {
			o.Pairs = append(o.Pairs, pairSource(k.Prompts[k.Partner[i]], p))
			continue
		}
		o.Pairs = append(o.Pairs, "clean="+promptText(p))
	}
	return o
}
