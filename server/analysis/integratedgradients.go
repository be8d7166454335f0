package analysis

import (
	"context"
	"fmt"
	"math"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// maxSteps bounds the steps of an integral.
const maxSteps = 1000

func integratedGradients() Analysis {
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("pairs, or prompts that get partners by change"),
		{Name: "sweep", Type: TypeChoice, Default: "resid_pre", Choices: ablate.PatchSweepNames(), Help: "what is divided among cells, under TransformerLens' names"},
		{Name: "direction", Type: TypeChoice, Default: "denoise", Choices: []string{"denoise", "noise"}, Help: "denoise goes from the corrupted run to clean values, noise from the clean run to corrupted ones"},
		{Name: "steps", Type: TypeInt, Default: 100, Bounds: between(0, 1000), Unit: "steps", Help: "of the integral, 20 to 300 in papers; 0 for attribution patching, the slope at the run that is edited alone"},
		slopeParam(),
		normaliseParam(true, "where it does what the other run does"),
		{Name: "exact", Type: TypeBool, Default: true, Help: "beside it, what patching each cell does, and how the two correlate"},
		changeParam("how prompts and their partners differ"),
	}
	return Analysis{
		Name: "integrated_gradients", Title: "Integrated gradients", Version: 1,
		Summary: "divides what patching a whole layer does among its cells, by gradients along the way between two runs",
		Paper:   "Sundararajan, Taly, Yan, Axiomatic Attribution for Deep Networks, ICML 2017, arXiv 1703.01365; with no steps Nanda, Attribution Patching, 2023",
		Example: `integrated_gradients(load("mental-2op"), n=10)`,
		Params:  append(params, setParams("{a}{op}{b}=", 10)...),
		Run:     runIntegratedGradients,
	}
}

// slopeParam declares a metric that a gradient is taken of. Every name is taken, so
// that one without a derivative is refused with the reason.
func slopeParam() Param {
	p := metricParam("logit_diff", "")
	p.Help = "what is measured of the clean answer r against the corrupted one r′; it needs a derivative: logit, logit_diff, logit_change, prob, logprob, loss, kl or centred_logit, and no function"
	return p
}

// gradientRun is one call on its way.
type gradientRun struct {
	m       *models.Model
	a       Args
	emit    Emit
	from    *BoundPrompts
	steps   int
	opt     ablate.PatchOptions
	change  change
	layouts []patchLayout
	fig     *viz.Figure
	done    int
	total   int
}

func runIntegratedGradients(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &gradientRun{m: a["m"].(*models.Model), a: a, emit: emit, steps: a["steps"].(int)}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	r.opt.Started = r.start
	estimate, err := r.estimate(ctx)
	if err != nil {
		return r.fig, err
	}
	r.describe(estimate)
	if r.a["exact"].(bool) {
		r.opt.Started = nil
		exact, err := ablate.Patch(ctx, r.m, r.from.Contrasts.Contrasts, r.opt, func(c ablate.PatchCell) error { return r.cell("_exact", c) })
		if err != nil {
			return r.fig, err
		}
		r.compare(estimate, exact)
	}
	r.fig.Caption += " Prompts: " + r.from.Report() + "."
	emit.Figure(r.fig)
	return r.fig, nil
}

// read turns the arguments into pairs and options.
func (r *gradientRun) read(ctx context.Context) (err error) {
	if r.steps < 0 || r.steps > maxSteps {
		return &hintError{fmt.Sprintf("steps: %d is outside 0..%d", r.steps, maxSteps), "20 to 300 are usual, and 0 takes the slope at the edited run alone"}
	}
	r.opt.Direction = ablate.Direction(r.a["direction"].(string))
	if r.opt.Sweeps, err = ablate.PatchSweepsByName(r.a["sweep"].(string)); err != nil {
		return err
	}
	if r.from, err = pairsOf(ctx, r.m, r.a, false); err != nil {
		return err
	}
	r.opt.Metric, err = metricOf(r.a, r.from.Contrasts.Contrasts)
	return err
}

// estimate computes the estimates and adds them to the figure.
func (r *gradientRun) estimate(ctx context.Context) (*ablate.Integration, error) {
	add := func(c ablate.PatchCell) error { return r.cell("", c) }
	if r.steps > 0 {
		return ablate.IntegratedPatch(ctx, r.m, r.from.Contrasts.Contrasts, r.steps, r.opt, add)
	}
	p, err := ablate.AttributionPatch(ctx, r.m, r.from.Contrasts.Contrasts, r.opt)
	if err != nil {
		return nil, err
	}
	for at := range p.Grids {
		g := &p.Grids[at]
		for c := range g.Cells() {
			if err := add(ablate.PatchCell{Grid: at, Cell: c, Index: unravelCell(c, g.Shape), Values: g.Cell(c)}); err != nil {
				return nil, err
			}
		}
	}
	return &ablate.Integration{Patching: p, CompletenessError: math.NaN()}, nil
}

// start shows the figure before its first cell.
func (r *gradientRun) start(p *ablate.Patching) error {
	r.change = change{metric: r.opt.Metric, normalise: r.a["normalise"].(bool), base: p.Base, source: p.Source, one: "as in the other run"}
	if err := r.change.check(); err != nil {
		return err
	}
	way := "from the corrupted run to clean values"
	if r.opt.Direction == ablate.Noise {
		way = "from the clean run to corrupted values"
	}
	how := fmt.Sprintf("integrated gradients in %d steps", r.steps)
	if r.steps == 0 {
		how = "the gradient at the run that is edited"
	}
	n := len(p.Contrasts)
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Integrated gradients",
		Subtitle: fmt.Sprintf("%s · %s, %s · n = %d pairs, seed %d", r.change.quantity(), how, way, n, r.from.seed()),
		Arrays:   map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": r.change.scale(viz.ScaleDiverging, "%.2f")},
		Heatmap: &viz.Heatmap{Scale: "effect"}, Provenance: provenance(r.m, "integrated_gradients", 1, r.a, idsOf(bothSides(p.Contrasts))...),
	}
	if r.steps == 0 {
		r.fig.Title = "Attribution patching"
	}
	r.from.describe(r.fig)
	var err error
	if r.layouts, r.total, err = layPatches(r.m, r.fig, r.opt.Sweeps, columns(r.m, bothSides(p.Contrasts)), "clean run", "corrupted run"); err != nil {
		return err
	}
	if r.a["exact"].(bool) {
		r.total *= 2
		r.twice()
	}
	if errorsOver(r.fig, n, viz.Student) {
		keepEach(r.fig, always(n))
	}
	r.emit.Figure(r.fig)
	r.emit.Progress(0, r.total, "cells")
	return nil
}

// twice puts a panel of exact effects behind each one of estimates.
func (r *gradientRun) twice() {
	var panels []viz.Panel
	for _, p := range r.fig.Heatmap.Panels {
		name := p.Title
		if name != "" {
			name += ", "
		}
		q := p
		p.Title, q.Title = name+"estimate", name+"exact patch"
		q.Values, q.Errors = p.Values+"_exact", p.Values+"_exact_sem"
		for _, array := range [...]string{"", "_sem"} {
			like := r.fig.Arrays[p.Values]
			r.fig.Arrays[q.Values+array] = viz.NewArray(like.Axes, like.Shape...)
		}
		panels = append(panels, p, q)
	}
	r.fig.Heatmap.Panels = panels
}

// cell adds one cell to the figure.
func (r *gradientRun) cell(suffix string, c ablate.PatchCell) error {
	v, sem := r.change.of(c.Values)
	name, offset := r.layouts[c.Grid].place(c.Index)
	if err := addCell(r.fig, r.emit, name+suffix, offset, v, sem, differences(c.Values, r.change.base)); err != nil {
		return err
	}
	r.done++
	r.emit.Progress(r.done, r.total, "cells")
	return nil
}

// describe says how well the cells of a layer add up to it.
func (r *gradientRun) describe(e *ablate.Integration) {
	base, source := ablate.Summarise(e.Base).Mean, ablate.Summarise(e.Source).Mean
	r.fig.Caption = fmt.Sprintf("%s is %.3g on average in the run that is edited and %.3g in the other.", e.Metric.Label, base, source)
	if r.steps == 0 {
		r.fig.Caption += " A slope errs where changes are large: the stream, the first MLP, saturated attention."
		return
	}
	largest := 0.0
	for _, sweep := range e.Whole {
		for _, layer := range sweep {
			for i, v := range layer {
				largest = max(largest, math.Abs(v-e.Base[i]))
			}
		}
	}
	r.fig.Badges = append(r.fig.Badges, viz.Badge{
		Text: "cells add up to their layer", Value: e.CompletenessError, Bound: 0.05 * largest, OK: e.CompletenessError <= 0.05*largest,
		Help: "largest difference, over layers and pairs, of the sum of a layer's cells and what patching it whole does, in the metric's unit, against 5 % of the largest such effect; more steps bring it down",
	})
}

// compare says how estimates and exact effects correlate.
func (r *gradientRun) compare(estimate *ablate.Integration, exact *ablate.Patching) {
	var x, y []float64
	for at := range exact.Grids {
		for c := range exact.Grids[at].Cells() {
			x = append(x, ablate.Summarise(differences(estimate.Grids[at].Cell(c), estimate.Base)).Mean)
			y = append(y, ablate.Summarise(differences(exact.Grids[at].Cell(c), exact.Base)).Mean)
		}
	}
	if c, ok := correlation(x, y); ok {
		r.fig.Caption += fmt.Sprintf(" Over all %d cells the estimates correlate with exact patches by r = %.3f.", len(x), c)
	} else {
		r.fig.Caption += " All estimates or all exact effects are the same, so that nothing correlates."
	}
	r.fig.Badges = append(r.fig.Badges, sweepBadge(exact.Report))
	r.fig.Caption += " " + sweepSentence(exact.Report)
}

// correlation is Pearson's of two lists; false where one of them does not vary.
func correlation(x, y []float64) (float64, bool) {
	mx, my := ablate.Summarise(x).Mean, ablate.Summarise(y).Mean
	xy, xx, yy := 0.0, 0.0, 0.0
	for i := range x {
		a, b := x[i]-mx, y[i]-my
		xy, xx, yy = xy+a*b, xx+a*a, yy+b*b
	}
	if !(xx > 0 && yy > 0) {
		return 0, false
	}
	return xy / math.Sqrt(xx*yy), true
}
