package ablate

import (
	"context"
	"fmt"

	"orrery/models"
)

// KnockoutOptions are the options of Knockout.
type KnockoutOptions struct {
	Sweeps  []PatchSweep // what is knocked out, cell by cell
	Kind    Ablation
	Metrics []Metric
	Among   []int // ids that accuracy and margin choose from; nil for all
	// Reference are the prompts that means are taken over, of the same length;
	// nil for the prompts themselves. Say which: a mean is one of a set.
	Reference [][]int
	// Partner gives, for Resample, the prompt whose values each one gets; nil
	// for one that is drawn by Seed.
	Partner []int
	Seed    uint64
	Budget  Budget
	// Started, if not nil, is called once, when the runs without edits are done and
	// no cell is.
	Started func(*Knockouts)
}

// Knockouts is the result of Knockout.
type Knockouts struct {
	Kind    Ablation
	Metrics []Metric
	Prompts []Prompt // with their answers settled
	// Base holds the metrics of the runs without edits, [metric][prompt].
	Base [][]float64
	// Grids hold the metrics under each knock-out, [metric][sweep].
	Grids     [][]PatchGrid
	Reference int   // how many prompts a mean is over; 0 without one
	Partner   []int // the partners, for Resample
	Report    models.Report
}

// KnockoutCell is one cell when all prompts have passed it.
type KnockoutCell struct {
	Sweep, Cell int
	Index       []int
	Values      [][]float64 // [metric][prompt]
}

// Knockout replaces what stands at sites by values without information on the
// prompt, cell by cell, and measures what is lost. Zero ablation takes away
// more than information and is best avoided; a mean says over which set it is.
// It emits each cell when all prompts have passed it.
//
// The cells of all prompts are one sweep of exact re-runs, prompts × cells of
// them; means cost one run of each reference prompt more.
func Knockout(ctx context.Context, m *models.Model, prompts []Prompt, opt KnockoutOptions, emit func(KnockoutCell) error) (*Knockouts, error) {
	k := &Knockouts{Kind: opt.Kind, Metrics: opt.Metrics}
	run, err := startPrompts(ctx, m, prompts, opt.Metrics)
	if err != nil {
		return nil, fmt.Errorf("knockout: %w", err)
	}
	k.Prompts = run.prompts
	var sites []models.Site
	for _, sweep := range opt.Sweeps {
		for l := range m.Config.Layers {
			site, err := sweep.site(m, l)
			if err != nil {
				return nil, fmt.Errorf("knockout: sweep %s: %w", sweep.Name, err)
			}
			sites = append(sites, site)
		}
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("knockout: no sweeps")
	}
	subs, err := k.substitutes(ctx, m, run.prompts, opt, sites)
	if err != nil {
		return nil, fmt.Errorf("knockout: %w", err)
	}
	w, err := newReplacement(m, run.base, opt.Sweeps, 1, subs.value)
	if err != nil {
		return nil, fmt.Errorf("knockout: %w", err)
	}
	for range opt.Metrics {
		var grids []PatchGrid
		for i, sweep := range opt.Sweeps {
			grids = append(grids, newPatchGrid(sweep, w.shapes[i], len(prompts)))
		}
		k.Grids = append(k.Grids, grids)
	}
	k.Base = run.measureBase(opt.Metrics, opt.Among)
	if opt.Started != nil {
		opt.Started(k)
	}
	report, err := w.sweep(ctx, models.Need{Last: true}, opt.Budget, func(at, cell, row int, logits []float32) {
		for i, v := range run.measure(opt.Metrics, opt.Among, row, logits) {
			k.Grids[i][at].Values[row][cell] = v
		}
	}, func(at, cell int) error {
		out := KnockoutCell{Sweep: at, Cell: cell, Index: unravel(cell, w.shapes[at])}
		for i := range opt.Metrics {
			out.Values = append(out.Values, k.Grids[i][at].Cell(cell))
		}
		return emit(out)
	})
	k.Report = report
	return k, err
}

// substitutes makes the values that are put in.
func (k *Knockouts) substitutes(ctx context.Context, m *models.Model, prompts []Prompt, opt KnockoutOptions, sites []models.Site) (*substitutes, error) {
	ref := reference{prompts: opt.Reference, partner: opt.Partner}
	if opt.Kind == Resample && ref.partner == nil {
		var err error
		if ref.partner, err = partners(len(prompts), opt.Seed); err != nil {
			return nil, err
		}
	}
	if ref.prompts == nil {
		for _, p := range prompts {
			ref.prompts = append(ref.prompts, p.IDs)
		}
	}
	switch opt.Kind {
	case MeanAll, MeanByPos:
		k.Reference = len(ref.prompts)
	case Resample:
		k.Partner = ref.partner
	}
	return newSubstitutes(ctx, m, opt.Kind, prompts, ref, sites)
}

// promptRun is a base run of prompts with their answers settled.
type promptRun struct {
	prompts []Prompt
	base    *models.Base
	logits  [][]float32 // of the last position, a row each
}

// startPrompts runs prompts without edits.
func startPrompts(ctx context.Context, m *models.Model, prompts []Prompt, metrics []Metric) (*promptRun, error) {
	if err := checkPrompts(m, prompts); err != nil {
		return nil, err
	}
	in, err := batch(prompts)
	if err != nil {
		return nil, err
	}
	r := &promptRun{prompts: append([]Prompt(nil), prompts...)}
	if r.base, err = m.NewBase(ctx, in); err != nil {
		return nil, err
	}
	out, err := r.base.Logits(ctx, models.Need{Last: true})
	if err != nil {
		return nil, err
	}
	for i := range r.prompts {
		r.logits = append(r.logits, out.Logits.Sub(i, 0).Data)
		if r.prompts[i].Answer < 0 {
			r.prompts[i].Answer = argmax(r.logits[i])
		}
		for _, metric := range metrics {
			if err := metric.check(r.prompts[i].Answer, r.prompts[i].Other); err != nil {
				return nil, fmt.Errorf("prompt %d: %w", i, err)
			}
		}
	}
	if len(metrics) == 0 {
		return nil, fmt.Errorf("no metrics")
	}
	return r, nil
}

// measure reads metrics of an edited run of a row.
func (r *promptRun) measure(metrics []Metric, among []int, row int, logits []float32) []float64 {
	p := r.prompts[row]
	out := make([]float64, len(metrics))
	for i, m := range metrics {
		out[i] = m.Of(Readout{Run: logits, Base: r.logits[row], Answer: p.Answer, Other: p.Other, Among: among})
	}
	return out
}

// measureBase reads metrics of the runs without edits, [metric][prompt].
func (r *promptRun) measureBase(metrics []Metric, among []int) [][]float64 {
	out := make([][]float64, len(metrics))
	for row := range r.prompts {
		for i, v := range r.measure(metrics, among, row, r.logits[row]) {
			out[i] = append(out[i], v)
		}
	}
	return out
}
