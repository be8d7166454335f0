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

func activationPatching() Analysis {
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("pairs, or prompts that get partners by change"),
		{Name: "clean", Type: TypePrompt, Chooses: ChoosesPrompts, Help: "one clean prompt; left out, prompts come from the template"},
		{Name: "corrupted", Type: TypePrompt, Chooses: ChoosesPrompts, Help: "the prompt it is set against; as many tokens as clean"},
		{Name: "sweep", Type: TypeChoice, Default: "resid_pre", Choices: ablate.PatchSweepNames(), Help: "what is patched, cell by cell, under TransformerLens' names"},
		{Name: "direction", Type: TypeChoice, Default: "denoise", Choices: []string{"denoise", "noise"}, Help: "denoise puts clean values into the corrupted run, noise corrupted ones into the clean run"},
		metricParam("logit_diff", "what is measured of the clean answer r against the corrupted one r′"),
		normaliseParam(true, "where it does what the other run does"),
		{Name: "window", Type: TypeInt, Default: 1, Bounds: atLeast(1), Unit: "layers", Help: "how many adjacent layers are patched at once; more than 1 inflates peaks"},
		changeParam("how prompts and their partners differ"),
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
	from      *BoundPrompts // where they come from; nil for one that was given
	opt       ablate.PatchOptions
	patching  *ablate.Patching // from its start on
	change    change
	layouts   []patchLayout // of each sweep
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
	r.opt.Window = r.a["window"].(int)
	if r.opt.Sweeps, err = ablate.PatchSweepsByName(r.a["sweep"].(string)); err != nil {
		return err
	}
	clean, corrupted := optionalPrompt(r.a, "clean"), optionalPrompt(r.a, "corrupted")
	if given(clean) || given(corrupted) {
		err = r.readPair(clean, corrupted)
	} else if r.from, err = pairsOf(ctx, r.m, r.a, false); err == nil {
		r.contrasts = r.from.Contrasts.Contrasts
	}
	if err != nil {
		return err
	}
	r.opt.Metric, err = metricOf(r.a, r.contrasts)
	return err
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
	if slices.Equal(x, y) {
		return &hintError{fmt.Sprintf("clean and corrupted are the same prompt, %s: a value that is moved changes nothing", promptSource(clean)), "change one token"}
	}
	r.contrasts = []ablate.Contrast{{Clean: ablate.Prompt{Text: clean.Text, IDs: x, Answer: -1, Other: -1}, Corrupted: ablate.Prompt{Text: corrupted.Text, IDs: y, Answer: -1, Other: -1}}}
	return nil
}

// start shows the figure before its first cell. A normalised effect that would
// divide by nothing is refused here.
func (r *patchingRun) start(p *ablate.Patching) error {
	r.patching = p
	r.change = change{metric: p.Metric, normalise: r.a["normalise"].(bool), base: p.Base, source: p.Source, one: "as in the other run"}
	if err := r.change.check(); err != nil {
		return err
	}
	ids := [][]int{}
	for _, c := range p.Contrasts {
		ids = append(ids, c.Clean.IDs, c.Corrupted.IDs)
	}
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Activation patching", Subtitle: r.subtitle(),
		Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": r.change.scale(viz.ScaleDiverging, "%.2f")},
		Heatmap: &viz.Heatmap{Scale: "effect"}, Provenance: provenance(r.m, "activation_patching", 1, r.a, ids...),
	}
	if r.from != nil {
		r.from.describe(r.fig)
	}
	var err error
	if r.layouts, r.total, err = layPatches(r.m, r.fig, r.opt.Sweeps, r.tokens(), "clean run", "corrupted run"); err != nil {
		return err
	}
	if n := len(r.contrasts); errorsOver(r.fig, n, viz.Student) {
		keepEach(r.fig, always(n))
		for name, v := range map[string][]float64{"base": p.Base, "source": p.Source} {
			r.fig.Arrays[each(name)] = viz.Values(narrow(v), []string{"pair"}, n)
		}
	}
	r.open()
	r.emit.Figure(r.fig)
	r.emit.Progress(0, r.total, "cells")
	return nil
}

// open says how the cells' runs are opened.
func (r *patchingRun) open() {
	var pairs []string
	for _, c := range r.patching.Contrasts {
		source, base := c.Clean, c.Corrupted
		if r.opt.Direction == ablate.Noise {
			source, base = base, source
		}
		pairs = append(pairs, pairSource(source, base))
	}
	measure := measureArg(r.a["metric"])
	if r.opt.Direction == ablate.Noise {
		measure = "" // its r is the answer of the run that gives values, here the corrupted one
	}
	at := 0
	for _, l := range r.layouts {
		for i := range l.length(l.panel) {
			o := l.opening(i, r.opt.Window, r.m.Config.Layers, ablate.FromClean, measure)
			o.Pairs = pairs
			r.fig.Heatmap.Panels[at].Open = o
			at++
		}
	}
}

// subtitle says direction, metric, pairs and window.
func (r *patchingRun) subtitle() string {
	way := "denoising: the clean run's values are put into the corrupted run"
	if r.opt.Direction == ablate.Noise {
		way = "noising: the corrupted run's values are put into the clean run"
	}
	parts := []string{way, r.change.quantity(), fmt.Sprintf("n = %d", len(r.contrasts))}
	if r.from != nil {
		parts[2] += fmt.Sprintf(", seed %d", r.from.seed())
	}
	if r.opt.Window > 1 {
		parts = append(parts, fmt.Sprintf("windows of %d layers", r.opt.Window))
	}
	return strings.Join(parts, " · ")
}

// tokens is the axis of positions: the tokens, and what they are patched with,
// or the template's parts.
func (r *patchingRun) tokens() viz.Axis {
	base, source := r.contrasts[0].Corrupted, r.contrasts[0].Clean
	if r.opt.Direction == ablate.Noise {
		base, source = source, base
	}
	axis := viz.Axis{Name: "position", Roles: TokenRoles(r.m.Tokenizer, base.IDs)}
	if r.from == nil {
		axis.Labels, axis.IDs = tokenLabels(r.m.Tokenizer, base.IDs), base.IDs
		for i, other := range tokenLabels(r.m.Tokenizer, source.IDs) {
			if axis.Labels[i] != other {
				axis.Labels[i] += "←" + other
			}
		}
		return axis
	}
	return columns(r.m, bothSides(r.contrasts))
}

// cell adds one cell to the figure.
func (r *patchingRun) cell(c ablate.PatchCell) error {
	v, sem := r.change.of(c.Values)
	name, offset := r.layouts[c.Grid].place(c.Index)
	if err := addCell(r.fig, r.emit, name, offset, v, sem, differences(c.Values, r.patching.Base)); err != nil {
		return err
	}
	r.done++
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
			if v, _ := r.change.of(p.Grids[i].Cell(c)); math.Abs(v) > best {
				best, at, grid = math.Abs(v), c, i
			}
		}
	}
	v, sem := r.change.of(p.Grids[grid].Cell(at))
	base, source := ablate.Summarise(p.Base), ablate.Summarise(p.Source)
	r.fig.Caption = fmt.Sprintf("%s is %.3g on average in the run that is patched and %.3g in the other. The largest cell is %s: %.3g%s.",
		p.Metric.Label, base.Mean, source.Mean, r.layouts[grid].describe(unravelCell(at, p.Grids[grid].Shape), r.fig), v, plusMinus(sem))
	if r.from != nil {
		r.fig.Caption += " Prompts: " + r.from.Report() + "."
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
