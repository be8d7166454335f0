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
	// Sequence measures the mean next-token loss over each prompt besides. It needs
	// the logits of every position, which cost the unembedding of T rows a cell.
	Sequence bool
	// Whole measures besides what is left when all of a sweep's cells are knocked
	// out together, one run of all prompts a sweep: what effects are normalised by.
	Whole  bool
	Budget Budget
	// Started, if not nil, is called once, when the runs without edits are done and
	// no cell is. Its error ends the call.
	Started func(*Knockouts) error
}

// Knockouts is the result of Knockout.
type Knockouts struct {
	Kind    Ablation
	Metrics []Metric
	Prompts []Prompt // with their answers settled
	// Base holds the metrics of the runs without edits, [metric][prompt].
	Base [][]float64
	// Grids hold the metrics under each knock-out, [metric][sweep].
	Grids [][]PatchGrid
	// Whole holds, where it was asked for, the metrics with all cells of a sweep
	// knocked out together, [metric][sweep][prompt].
	Whole [][][]float64
	// BaseSequence and Sequence are, where they were asked for, the mean over
	// positions 0..T−2 of −ln P(next token), in nats: of the runs without edits, one
	// a prompt, and under each knock-out, one grid a sweep.
	BaseSequence []float64
	Sequence     []PatchGrid
	Reference    int   // how many prompts a mean is over; 0 without one
	Partner      []int // the partners, for Resample
	Report       models.Report
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
	need := models.Need{Last: true}
	if opt.Sequence {
		need = models.Need{}
		if err := k.startSequence(ctx, run, opt.Sweeps, w.shapes); err != nil {
			return nil, fmt.Errorf("knockout: %w", err)
		}
	}
	if opt.Whole {
		if err := k.whole(ctx, m, run, subs, opt); err != nil {
			return nil, fmt.Errorf("knockout: %w", err)
		}
	}
	if opt.Started != nil {
		if err := opt.Started(k); err != nil {
			return k, err
		}
	}
	width := len(opt.Metrics)
	if opt.Sequence {
		width++ // the last number
	}
	report, err := w.sweep(ctx, need, opt.Budget, width, func(row int, logits []float32, into []float64) {
		if opt.Sequence {
			into[len(opt.Metrics)] = sequenceLoss(logits, run.prompts[row].IDs)
		}
		copy(into, run.measure(opt.Metrics, opt.Among, row, logits[len(logits)-m.Config.Outputs():]))
	}, func(at, cell, row int, numbers []float64) {
		if opt.Sequence {
			k.Sequence[at].Values[row][cell] = numbers[len(opt.Metrics)]
		}
		for i := range opt.Metrics {
			k.Grids[i][at].Values[row][cell] = numbers[i]
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

// whole measures the runs with all cells of a sweep knocked out together.
func (k *Knockouts) whole(ctx context.Context, m *models.Model, run *promptRun, subs *substitutes, opt KnockoutOptions) error {
	k.Whole = make([][][]float64, len(opt.Metrics))
	for at, sweep := range opt.Sweeps {
		var edits []models.Edit
		for row := range run.prompts {
			for l := range m.Config.Layers {
				site, err := sweep.site(m, l)
				if err != nil {
					return err
				}
				value, err := subs.value(site, row)
				if err != nil {
					return err
				}
				e := editOf(m, site, value, selection{})
				e.Rows = []int{row}
				edits = append(edits, e)
			}
		}
		base, err := m.NewBase(ctx, run.base.Batch(), edits...)
		if err != nil {
			return err
		}
		out, err := base.Logits(ctx, models.Need{Last: true})
		if err != nil {
			return err
		}
		for i := range opt.Metrics {
			k.Whole[i] = append(k.Whole[i], make([]float64, len(run.prompts)))
		}
		for row := range run.prompts {
			for i, v := range run.measure(opt.Metrics, opt.Among, row, out.Logits.Sub(row, 0).Data) {
				k.Whole[i][at][row] = v
			}
		}
	}
	return nil
}

// startSequence measures the losses of the runs without edits.
func (k *Knockouts) startSequence(ctx context.Context, run *promptRun, sweeps []PatchSweep, shapes [][]int) error {
	if len(run.prompts[0].IDs) < 2 {
		return fmt.Errorf("a prompt of one token has no next token to lose: leave out Sequence")
	}
	out, err := run.base.Logits(ctx, models.Need{})
	if err != nil {
		return err
	}
	for row, p := range run.prompts {
		k.BaseSequence = append(k.BaseSequence, sequenceLoss(out.Logits.Sub(row).Data, p.IDs))
	}
	for i, sweep := range sweeps {
		k.Sequence = append(k.Sequence, newPatchGrid(sweep, shapes[i], len(run.prompts)))
	}
	return nil
}

// sequenceLoss is the mean of −ln P(next token) over all tokens but the last, of
// logits [T,V].
func sequenceLoss(logits []float32, ids []int) float64 {
	V, sum := len(logits)/len(ids), 0.0
	for pos, next := range ids[1:] {
		sum -= models.LogProbs(logits[pos*V : (pos+1)*V])[next]
	}
	return sum / float64(len(ids)-1)
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
			r.prompts[i].Answer = models.Argmax(r.logits[i])
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
		out[i] = m.Of(Readout{Row: row, Run: logits, Base: r.logits[row], Answer: p.Answer, Other: p.Other, Among: among})
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
