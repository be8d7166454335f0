package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

func activationPatching() Analysis {
	var metrics []string
	for _, m := range ablate.Metrics() {
		metrics = append(metrics, m.Name)
	}
	var changes []string
	for _, c := range ablate.Changes {
		changes = append(changes, string(c))
	}
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		{Name: "clean", Type: TypePrompt, Help: "one clean prompt; left out, prompts come from the template"},
		{Name: "corrupted", Type: TypePrompt, Help: "the prompt it is set against; as many tokens as clean"},
		{Name: "sweep", Type: TypeChoice, Default: "resid_pre", Choices: ablate.PatchSweepNames(), Help: "what is patched, cell by cell, under TransformerLens' names"},
		{Name: "direction", Type: TypeChoice, Default: "denoise", Choices: []string{"denoise", "noise"}, Help: "denoise puts clean values into the corrupted run, noise corrupted ones into the clean run"},
		{Name: "metric", Type: TypeChoice, Default: "logit_diff", Choices: metrics, Help: "what is measured of the clean answer r against the corrupted one r′"},
		{Name: "normalise", Type: TypeBool, Default: true, Help: "show 0 where a patch does nothing and 1 where it does what the other run does; a ratio of means"},
		{Name: "window", Type: TypeInt, Default: 1, Help: "how many adjacent layers are patched at once; more than 1 inflates peaks"},
		{Name: "change", Type: TypeChoice, Default: "operand", Choices: changes, Help: "how a template's prompts and their partners differ"},
	}
	return Analysis{
		Name: "activation_patching", Title: "Activation patching", Version: 1,
		Summary: "what follows when one run gets another run's activation, for every layer and position, head or attention pattern",
		Paper:   "Zhang, Nanda, Towards Best Practices of Activation Patching in Language Models, ICLR 2024, arXiv 2309.16042; the sweeps are those of TransformerLens",
		Example: `activation_patching(load("mental-2op"), n=40, sweep="block_every")`,
		Params:  append(params, setParams("{a}{op}{b}=", 40)...),
		Run:     runPatching,
	}
}

// patchingRun is one call on its way.
type patchingRun struct {
	m         *models.Model
	a         Args
	emit      Emit
	contrasts []ablate.Contrast
	made      string // how the contrasts came about
	opt       ablate.PatchOptions
	patching  *ablate.Patching // from its start on
	layouts   []patchLayout    // of each sweep
	fig       *viz.Figure
	done      int
	total     int
}

func runPatching(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &patchingRun{m: a["m"].(*models.Model), a: a, emit: emit}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	r.opt.Started = r.start
	_, err := ablate.Patch(ctx, r.m, r.contrasts, r.opt, r.cell)
	if r.fig == nil {
		return nil, err
	}
	if err != nil {
		return r.fig, err
	}
	r.finish()
	emit.Figure(r.fig)
	return r.fig, nil
}

// read turns the arguments into contrasts and options.
func (r *patchingRun) read(ctx context.Context) (err error) {
	r.opt.Direction = ablate.Direction(r.a["direction"].(string))
	if r.opt.Window, err = positive("window", r.a["window"].(int)); err != nil {
		return err
	}
	if r.opt.Metric, err = ablate.MetricByName(r.a["metric"].(string)); err != nil {
		return err
	}
	if r.opt.Sweeps, err = ablate.PatchSweepsByName(r.a["sweep"].(string)); err != nil {
		return err
	}
	clean, corrupted := optionalPrompt(r.a, "clean"), optionalPrompt(r.a, "corrupted")
	if given(clean) || given(corrupted) {
		return r.readPair(clean, corrupted)
	}
	set, err := promptSet(ctx, r.m, r.a)
	if err != nil {
		return err
	}
	seed, err := seedOf(r.a)
	if err != nil {
		return err
	}
	contrasts, err := ablate.Contrasts(ctx, r.m, set, ablate.Change(r.a["change"].(string)), -1, seed)
	if err != nil {
		return err
	}
	r.contrasts = contrasts.Contrasts
	r.made = set.Report()
	if contrasts.Alone > 0 {
		r.made += fmt.Sprintf("; %d found no partner", contrasts.Alone)
	}
	return nil
}

// optionalPrompt is a prompt that may be left out.
func optionalPrompt(a Args, name string) Prompt {
	p, _ := a[name].(Prompt)
	return p
}

func given(p Prompt) bool { return p.IDs != nil || p.Text != "" }

// readPair reads the one contrast that is given.
func (r *patchingRun) readPair(clean, corrupted Prompt) error {
	if !given(clean) || !given(corrupted) {
		return &hintError{"clean and corrupted go together, and one is missing", "give both, or neither for pairs from the template"}
	}
	x, err := clean.encode(r.m)
	if err != nil {
		return fmt.Errorf("clean: %w", err)
	}
	y, err := corrupted.encode(r.m)
	if err != nil {
		return fmt.Errorf("corrupted: %w", err)
	}
	if len(x) != len(y) {
		return &hintError{fmt.Sprintf("clean has %d tokens, corrupted has %d", len(x), len(y)), "values are moved position by position: use two prompts of equal length"}
	}
	r.contrasts = []ablate.Contrast{{Clean: ablate.Prompt{IDs: x, Answer: -1, Other: -1}, Corrupted: ablate.Prompt{IDs: y, Answer: -1, Other: -1}}}
	return nil
}

// start shows the figure before its first cell. A normalised effect that would
// divide by nothing is refused here.
func (r *patchingRun) start(p *ablate.Patching) error {
	r.patching = p
	if r.a["normalise"].(bool) {
		if _, err := p.Normalised(p.Base); err != nil {
			return &hintError{err.Error(), "take another metric or other prompts, or normalise=False"}
		}
	}
	ids := [][]int{}
	for _, c := range p.Contrasts {
		ids = append(ids, c.Clean.IDs, c.Corrupted.IDs)
	}
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Activation patching", Subtitle: r.subtitle(),
		Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": grow(r.scale(), []float64{1e-3})},
		Heatmap: &viz.Heatmap{Scale: "effect"}, Provenance: provenance(r.m, "activation_patching", 1, r.a, ids...),
	}
	if r.made != "" {
		seed := uint64(r.a["seed"].(int))
		r.fig.Provenance.Seed = &seed
	}
	tokens := r.tokens()
	for _, sweep := range r.opt.Sweeps {
		l, err := newPatchLayout(r.m, sweep, len(tokens.Labels))
		if err != nil {
			return err
		}
		r.layouts = append(r.layouts, l)
		r.fig.Heatmap.Panels = append(r.fig.Heatmap.Panels, l.panels(tokens, len(r.opt.Sweeps) > 1)...)
		r.total += l.cells()
	}
	for _, panel := range r.fig.Heatmap.Panels {
		for _, name := range []string{panel.Values, panel.Errors} {
			if name != "" {
				r.fig.Arrays[name] = viz.NewArray([]string{panel.Rows.Name, panel.Columns.Name}, len(panel.Rows.Labels), len(panel.Columns.Labels))
			}
		}
	}
	if len(r.contrasts) == 1 {
		dropErrors(r.fig)
	}
	r.emit.Figure(r.fig)
	r.emit.Progress(0, r.total, "cells")
	return nil
}

// subtitle says direction, metric, pairs and window.
func (r *patchingRun) subtitle() string {
	way := "denoising: the clean run's values are put into the corrupted run"
	if r.opt.Direction == ablate.Noise {
		way = "noising: the corrupted run's values are put into the clean run"
	}
	parts := []string{way, r.quantity(), fmt.Sprintf("n = %d", len(r.contrasts))}
	if r.opt.Window > 1 {
		parts = append(parts, fmt.Sprintf("windows of %d layers", r.opt.Window))
	}
	return strings.Join(parts, " · ")
}

// quantity is what a colour means.
func (r *patchingRun) quantity() string {
	if r.a["normalise"].(bool) {
		return "normalised " + changeOf(r.opt.Metric) + " (0: none, 1: as in the other run)"
	}
	return changeOf(r.opt.Metric)
}

func (r *patchingRun) scale() viz.Scale {
	label, unit := "normalised "+changeOf(r.opt.Metric), ""
	if !r.a["normalise"].(bool) {
		label, unit = changeOf(r.opt.Metric), r.opt.Metric.Unit
	}
	return viz.Scale{Kind: viz.ScaleDiverging, Label: label, Unit: unit, Format: "%.2f"}
}

// tokens is the axis of positions: the tokens, and what they are patched with,
// or the template's parts.
func (r *patchingRun) tokens() viz.Axis {
	base, source := r.contrasts[0].Corrupted, r.contrasts[0].Clean
	if r.opt.Direction == ablate.Noise {
		base, source = source, base
	}
	axis := viz.Axis{Name: "position", Roles: TokenRoles(r.m.Tokenizer, base.IDs)}
	if r.made == "" {
		axis.Labels, axis.IDs = tokenLabels(r.m.Tokenizer, base.IDs), base.IDs
		for i, other := range tokenLabels(r.m.Tokenizer, source.IDs) {
			if axis.Labels[i] != other {
				axis.Labels[i] += "←" + other
			}
		}
		return axis
	}
	axis.Roles = vizRoles(base)
	var labels [][]string
	for _, c := range r.contrasts {
		labels = append(labels, tokenLabels(r.m.Tokenizer, c.Clean.IDs), tokenLabels(r.m.Tokenizer, c.Corrupted.IDs))
	}
	axis.Labels = sharedLabels(labels, axis.Roles)
	return axis
}

// value is what a cell shows, with its standard error, NaN for one pair.
func (r *patchingRun) value(values []float64) (v, sem float64, err error) {
	diff := make([]float64, len(values))
	for i, x := range values {
		diff[i] = x - r.patching.Base[i]
	}
	s := ablate.Summarise(diff)
	if !r.a["normalise"].(bool) {
		return s.Mean, s.SEM, nil
	}
	v, err = r.patching.Normalised(values)
	whole := ablate.Summarise(r.patching.Source).Mean - ablate.Summarise(r.patching.Base).Mean
	return v, s.SEM / math.Abs(whole), err
}

// cell adds one cell to the figure.
func (r *patchingRun) cell(c ablate.PatchCell) error {
	v, sem, err := r.value(c.Values)
	if err != nil {
		return err
	}
	name, offset := r.layouts[c.Grid].place(c.Index)
	part := viz.Part{Arrays: []viz.ArrayRun{{Name: name, Offset: offset, F32: viz.EncodeFloats([]float32{float32(v)})}}}
	if _, ok := r.fig.Arrays[name+"_sem"]; ok {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name + "_sem", Offset: offset, F32: viz.EncodeFloats([]float32{float32(sem)})})
	}
	if s := grow(r.fig.Scales["effect"], []float64{v}); s != r.fig.Scales["effect"] {
		part.Scales = map[string]viz.Scale{"effect": s}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total, "cells")
	return nil
}

// finish adds badges and the sentences.
func (r *patchingRun) finish() {
	p := r.patching
	r.fig.Badges = []viz.Badge{
		{Text: "own value = no change", Value: p.OwnError, Bound: 1e-6, OK: p.OwnError <= 1e-6,
			Help: "largest change of a logit when a run is patched with its own values"},
		{Text: "whole stream = other run", Value: p.SourceError, Bound: 1e-6, OK: p.SourceError <= 1e-6,
			Help: "largest difference from the other run's logits when the residual stream behind layer 0 is that run's at every position"},
		sweepBadge(p.Report),
	}
	best, at, grid := math.Inf(-1), 0, 0
	for i := range p.Grids {
		for c := range p.Grids[i].Cells() {
			if v, _, err := r.value(p.Grids[i].Cell(c)); err == nil && math.Abs(v) > best {
				best, at, grid = math.Abs(v), c, i
			}
		}
	}
	v, sem, _ := r.value(p.Grids[grid].Cell(at))
	base, source := ablate.Summarise(p.Base), ablate.Summarise(p.Source)
	r.fig.Caption = fmt.Sprintf("%s is %.3g on average in the run that is patched and %.3g in the other. The largest cell is %s: %.3g%s.",
		p.Metric.Label, base.Mean, source.Mean, r.layouts[grid].describe(unravelCell(at, p.Grids[grid].Shape), r.fig), v, plusMinus(sem))
	if r.made != "" {
		r.fig.Caption += " Prompts: " + r.made + "."
	}
	r.fig.Caption += " " + sweepSentence(p.Report)
}

// plusMinus writes a standard error, nothing for that of one value.
func plusMinus(sem float64) string {
	if math.IsNaN(sem) {
		return ""
	}
	return fmt.Sprintf(" ± %.2g (standard error)", sem)
}

func unravelCell(i int, shape []int) []int {
	index := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		index[a] = i % shape[a]
		i /= shape[a]
	}
	return index
}
