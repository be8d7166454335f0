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

// maxDraws bounds the draws of noise that a prompt gets.
const maxDraws = 1000

func causalTrace() Analysis {
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("single prompts"),
		{Name: "sweep", Type: TypeChoice, Default: "resid_post", Choices: ablate.PatchSweepNames(), Help: "what is restored, cell by cell, under TransformerLens' names"},
		{Name: "positions", Type: TypeInts, Default: []int{}, Help: "the tokens that get noise; left out, all operands. Negative ones count from the last"},
		{Name: "scale", Type: TypeFloat, Default: 3.0, Bounds: &Bounds{Min: 0, Max: math.Inf(1), Above: true}, Help: "the noise's standard deviation, in those of the embedding matrix's entries"},
		{Name: "draws", Type: TypeInt, Default: 10, Bounds: between(1, maxDraws), Unit: "draws", Help: "how many draws of noise each prompt gets; a prompt's number is the mean over them"},
		{Name: "window", Type: TypeInt, Default: 1, Bounds: atLeast(1), Unit: "layers", Help: "how many adjacent layers are restored at once; more than 1 inflates peaks"},
		metricParam("prob", "what is measured of the right answer r; logit_diff needs prompts that come with another answer r′"),
		normaliseParam(false, "where restoring brings back the clean run"),
	}
	return Analysis{
		Name: "causal_trace", Title: "Causal tracing", Version: 1,
		Summary: "noise on the operands' embeddings, and what restoring the clean run's values brings back, cell by cell",
		Paper:   "Meng, Bau, Andonian, Belinkov, Locating and Editing Factual Associations in GPT, NeurIPS 2022, arXiv 2202.05262, section 2",
		Example: `causal_trace(load("mental-2op"), n=20)`,
		Params:  append(params, setParams("{a}{op}{b}=", 20)...),
		Run:     runCausalTrace,
	}
}

// traceRun is one call on its way.
type traceRun struct {
	m       *models.Model
	a       Args
	emit    Emit
	from    *BoundPrompts
	rows    []ablate.Prompt // every prompt as often as it gets a draw
	draws   int
	opt     ablate.TraceOptions
	change  change
	layouts []patchLayout
	trace   *ablate.Trace
	fig     *viz.Figure
	done    int
	total   int
}

func runCausalTrace(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &traceRun{m: a["m"].(*models.Model), a: a, emit: emit}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	r.opt.Started = r.start
	t, err := ablate.CausalTrace(ctx, r.m, r.rows, r.opt, r.cell)
	if err != nil {
		return r.fig, err
	}
	r.finish(t)
	emit.Figure(r.fig)
	return r.fig, nil
}

// read turns the arguments into prompts and options.
func (r *traceRun) read(ctx context.Context) (err error) {
	r.opt.Window, r.draws = r.a["window"].(int), r.a["draws"].(int)
	if r.opt.Scale = r.a["scale"].(float64); !(r.opt.Scale > 0) || math.IsInf(r.opt.Scale, 0) {
		return &hintError{fmt.Sprintf("scale: %g is no size of noise", r.opt.Scale), "use a number above 0; the papers use 3"}
	}
	if r.opt.Sweeps, err = ablate.PatchSweepsByName(r.a["sweep"].(string)); err != nil {
		return err
	}
	if r.from, err = singlesOf(ctx, r.m, r.a); err != nil {
		return err
	}
	for _, p := range r.from.Set.Prompts {
		r.rows = append(r.rows, slices.Repeat([]ablate.Prompt{p}, r.draws)...)
	}
	metric, err := metricOf(r.a, singly(r.rows))
	if err != nil {
		return err
	}
	r.opt.Metrics, r.opt.Seed = []ablate.Metric{metric}, r.from.seed()
	r.change = change{metric: metric, normalise: r.a["normalise"].(bool), one: "as in the clean run"}
	r.opt.Positions, err = r.noised()
	return err
}

// noised are the positions that get noise, from the first on.
func (r *traceRun) noised() ([]int, error) {
	first := r.from.Set.Prompts[0]
	T := len(first.IDs)
	at := slices.Clone(r.a["positions"].([]int))
	for i, pos := range at {
		if pos < -T || pos >= T {
			return nil, &hintError{fmt.Sprintf("positions: %d is outside 0..%d", pos, T-1), fmt.Sprintf("or -%d..-1 from the last", T)}
		}
		if at[i] = (pos + T) % T; slices.Contains(at[:i], at[i]) {
			return nil, &hintError{fmt.Sprintf("positions: token %d is listed twice", at[i]), "list each once"}
		}
	}
	if len(at) > 0 {
		slices.Sort(at)
		return at, nil
	}
	for pos, role := range columns(r.m, r.from.Set.Prompts).Roles {
		if role == viz.RoleOperandA || role == viz.RoleOperandB || role == viz.RoleOperandC {
			at = append(at, pos)
		}
	}
	if len(at) == 0 {
		return nil, &hintError{"these prompts have no operands to put noise on", "give positions, such as positions=[1]"}
	}
	return at, nil
}

// means are a prompt's means over its draws.
func (r *traceRun) means(values []float64) []float64 {
	out := make([]float64, len(values)/r.draws)
	for i, v := range values {
		out[i/r.draws] += v / float64(r.draws)
	}
	return out
}

// start shows the figure before its first cell.
func (r *traceRun) start(t *ablate.Trace) error {
	r.trace = t
	r.change.base, r.change.source = r.means(t.Noised[0]), r.means(t.Clean[0])
	if err := r.change.check(); err != nil {
		return err
	}
	prompts := r.from.Set.Prompts
	tokens := columns(r.m, prompts)
	var noised []string
	for _, at := range r.opt.Positions {
		noised = append(noised, tokens.Labels[at])
	}
	parts := []string{r.change.quantity(), "restoring: the clean run's values are put into the run with noise", fmt.Sprintf("noise of %g σ on %s", t.Scale, strings.Join(noised, ", "))}
	if t.Window > 1 {
		parts = append(parts, fmt.Sprintf("windows of %d layers", t.Window))
	}
	parts = append(parts, fmt.Sprintf("n = %d prompts, %d draws each, seed %d", len(prompts), r.draws, r.opt.Seed))
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Causal tracing", Subtitle: strings.Join(parts, " · "),
		Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": r.change.scale(viz.ScaleDiverging, "%.2f")},
		Heatmap: &viz.Heatmap{Scale: "effect"}, Provenance: provenance(r.m, "causal_trace", 1, r.a, idsOf(prompts)...),
	}
	r.from.describe(r.fig)
	var err error
	if r.layouts, r.total, err = layPatches(r.m, r.fig, r.opt.Sweeps, tokens); err != nil {
		return err
	}
	if n := len(prompts); errorsOver(r.fig, n, viz.Student) {
		keepEach(r.fig, always(n))
	}
	r.emit.Figure(r.fig)
	r.emit.Progress(0, r.total, "cells")
	return nil
}

// cell adds one cell to the figure.
func (r *traceRun) cell(c ablate.KnockoutCell) error {
	values := r.means(c.Values[0])
	v, sem := r.change.of(values)
	name, offset := r.layouts[c.Sweep].place(c.Index)
	if err := addCell(r.fig, r.emit, name, offset, v, sem, differences(values, r.change.base)); err != nil {
		return err
	}
	r.done++
	r.emit.Progress(r.done, r.total, "cells")
	return nil
}

// finish adds badges and the sentences.
func (r *traceRun) finish(t *ablate.Trace) {
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "whole stream = clean run", Value: t.CleanError, Bound: 1e-6, OK: t.CleanError <= 1e-6,
		Help: "largest difference from the clean runs' logits when, in the runs with noise, the residual stream behind layer 0 is restored at every position"}, sweepBadge(t.Report))
	best, at, grid := math.Inf(-1), 0, 0
	for i := range t.Grids[0] {
		for c := range t.Grids[0][i].Cells() {
			if v, _ := r.change.of(r.means(t.Grids[0][i].Cell(c))); math.Abs(v) > best {
				best, at, grid = math.Abs(v), c, i
			}
		}
	}
	g := t.Grids[0][grid]
	v, sem := r.change.of(r.means(g.Cell(at)))
	r.fig.Caption = fmt.Sprintf("%s is %.3g in the clean runs and %.3g with noise of standard deviation %.3g (%g times that of the embedding matrix, %.3g). Most comes back from %s: %.3g%s.",
		r.change.metric.Label, ablate.Summarise(r.change.source).Mean, ablate.Summarise(r.change.base).Mean, t.Scale*t.Sigma, t.Scale, t.Sigma,
		r.layouts[grid].describe(unravelCell(at, g.Shape), r.fig), v, plusMinus(sem))
	r.fig.Caption += fmt.Sprintf(" Noise takes a model off its distribution and may find other places than another prompt's values do. Prompts: %s. %s", r.from.Report(), sweepSentence(t.Report))
}
