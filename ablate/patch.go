package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// PatchOptions are the options of Patch.
type PatchOptions struct {
	Sweeps    []PatchSweep
	Direction Direction // "" for Denoise, as TransformerLens does it
	Metric    Metric    // of the clean answer r against the corrupted one r′
	// Among are the ids that accuracy and margin choose from; nil for all.
	Among []int
	// Window is how many adjacent layers are replaced at once, around the one of
	// the cell; 0 and 1 for it alone. Windows inflate peaks compared with the sum
	// over single layers (Zhang and Nanda, arXiv 2309.16042): say so.
	Window int
	Budget Budget
	// Started, if not nil, is called once, when the runs without edits are done and
	// no cell is: with the contrasts, the metric of both sides, and the checks. Its
	// error ends the call.
	Started func(*Patching) error
}

// PatchGrid is the result of one sweep.
type PatchGrid struct {
	Sweep PatchSweep
	Shape []int // of its axes
	// Values holds the metric of the patched runs, [pair][cell], cells in
	// row-major order; NaN where the sweep was stopped.
	Values [][]float64
}

// newPatchGrid is a sweep's result before its first cell.
func newPatchGrid(sweep PatchSweep, shape []int, rows int) PatchGrid {
	g := PatchGrid{Sweep: sweep, Shape: shape, Values: make([][]float64, rows)}
	for i := range g.Values {
		g.Values[i] = make([]float64, g.Cells())
		for c := range g.Values[i] {
			g.Values[i][c] = math.NaN()
		}
	}
	return g
}

// Cell is the metric of all pairs at a cell.
func (g *PatchGrid) Cell(cell int) []float64 {
	out := make([]float64, len(g.Values))
	for i := range g.Values {
		out[i] = g.Values[i][cell]
	}
	return out
}

// Cells is how many cells there are.
func (g *PatchGrid) Cells() int {
	n := 1
	for _, d := range g.Shape {
		n *= d
	}
	return n
}

// PatchCell is one cell when all pairs have passed it.
type PatchCell struct {
	Grid   int   // its sweep's place
	Cell   int   // row-major
	Index  []int // on the sweep's axes
	Values []float64
}

// Patching is the result of Patch.
type Patching struct {
	Grids     []PatchGrid
	Contrasts []Contrast // with their answers settled
	Direction Direction
	Metric    Metric
	Window    int
	// Base and Source are the metric of the runs without edits, one a pair: of
	// those that are patched, and of those whose values are put in.
	Base, Source []float64
	// OwnError is max |Δlogit| of a run patched with its own values, and
	// SourceError that of a base run whose whole stream behind the first block is
	// the source's, against the source run. Both are 0 when patches are exact.
	OwnError, SourceError float64
	Report                models.Report

	logits *tensor.Dense // of the base runs, [pairs,V], where there is an objective
}

// Normalised is the normalised effect of a cell, a ratio of means over pairs: 0
// where the patched run does what it did before, 1 where it does what the
// source run does.
func (p *Patching) Normalised(values []float64) (float64, error) {
	return RatioOfMeans(values, p.Base, p.Source)
}

// NormalisedPair is the normalised effect of one pair. It is an error where the
// metric of the pair's two runs is hardly different.
func (p *Patching) NormalisedPair(pair int, value float64) (float64, error) {
	return RatioOfMeans([]float64{value}, p.Base[pair:pair+1], p.Source[pair:pair+1])
}

// Patch replaces activations of one run by those of another, one cell of each
// sweep after the other, and measures what follows. With Denoise the clean
// run's values are put into the corrupted run, with Noise the other way round.
// r is the clean prompt's answer in either direction. It emits each cell when
// all pairs have passed it, those of the deepest layers first.
//
// All cells of all sweeps and pairs are one sweep of exact re-runs, so that
// each costs what its patch can reach: a sweep of resid_pre by position a
// quarter of full runs, pairs × cells of them.
func Patch(ctx context.Context, m *models.Model, contrasts []Contrast, opt PatchOptions, emit func(PatchCell) error) (*Patching, error) {
	if opt.Direction == "" {
		opt.Direction = Denoise
	}
	opt.Window = max(opt.Window, 1)
	if opt.Window > m.Config.Layers {
		return nil, fmt.Errorf("patching: a window of %d layers is more than the model's %d", opt.Window, m.Config.Layers)
	}
	p := &Patching{Direction: opt.Direction, Metric: opt.Metric, Window: opt.Window}
	s, sites, err := p.start(ctx, m, contrasts, opt)
	if err != nil {
		return nil, fmt.Errorf("patching: %w", err)
	}
	if p.OwnError, p.SourceError, err = s.identities(ctx, sites[0]); err != nil {
		return nil, fmt.Errorf("patching: %w", err)
	}
	if opt.Started != nil {
		if err := opt.Started(p); err != nil {
			return p, err
		}
	}
	return p, p.sweep(ctx, s, opt, emit)
}

// start makes the runs without edits, keeps the sources' values at the sites of
// the sweeps, and measures both sides.
func (p *Patching) start(ctx context.Context, m *models.Model, contrasts []Contrast, opt PatchOptions) (*sides, []models.Site, error) {
	if len(opt.Sweeps) == 0 {
		return nil, nil, fmt.Errorf("no sweeps")
	}
	var pairs []Pair
	for i, c := range contrasts {
		pair, err := c.Pair(opt.Direction)
		if err != nil {
			return nil, nil, fmt.Errorf("contrast %d: %w", i, err)
		}
		pairs = append(pairs, pair)
	}
	var sites []models.Site
	for _, sweep := range opt.Sweeps {
		for l := range m.Config.Layers {
			site, err := sweep.site(m, l)
			if err != nil {
				return nil, nil, fmt.Errorf("sweep %s: %w", sweep.Name, err)
			}
			sites = append(sites, site)
		}
	}
	s, err := runSides(ctx, m, pairs, models.Sites(append(slices.Clone(sites), models.Site{Layer: 0, Kind: models.ResidPost})...))
	if err != nil {
		return nil, nil, err
	}
	return s, sites, p.measure(s, contrasts, opt)
}

// measure settles the answers and reads the metric of the runs without edits.
func (p *Patching) measure(s *sides, contrasts []Contrast, opt PatchOptions) error {
	for i, c := range contrasts {
		c.Clean.Answer, c.Corrupted.Answer = s.pairs[i].SourceAnswer, s.pairs[i].BaseAnswer
		if opt.Direction == Noise {
			c.Clean.Answer, c.Corrupted.Answer = c.Corrupted.Answer, c.Clean.Answer
		}
		if err := opt.Metric.check(c.Clean.Answer, c.Corrupted.Answer); err != nil {
			return fmt.Errorf("pair %d: %w", i, err)
		}
		p.Contrasts = append(p.Contrasts, c)
		p.Base = append(p.Base, p.of(i, s.base.Sub(i).Data, s, opt))
		p.Source = append(p.Source, p.of(i, s.source.Sub(i).Data, s, opt))
	}
	return nil
}

// of is the metric of a run of a pair.
func (p *Patching) of(pair int, logits []float32, s *sides, opt PatchOptions) float64 {
	c := p.Contrasts[pair]
	return opt.Metric.Of(Readout{Row: pair, Run: logits, Base: s.base.Sub(pair).Data, Answer: c.Clean.Answer, Other: c.Corrupted.Answer, Among: opt.Among})
}

// sweep computes the cells.
func (p *Patching) sweep(ctx context.Context, s *sides, opt PatchOptions, emit func(PatchCell) error) error {
	var ids []int
	for _, c := range p.Contrasts {
		ids = append(ids, c.Clean.Answer, c.Corrupted.Answer)
	}
	values := func(site models.Site, pair int) (*tensor.Dense, error) { return s.recorded(site, pair) }
	w, err := newReplacement(s.m, s.run, opt.Sweeps, p.Window, values)
	if err != nil {
		return fmt.Errorf("patching: %w", err)
	}
	for i, sweep := range opt.Sweeps {
		p.Grids = append(p.Grids, newPatchGrid(sweep, w.shapes[i], len(s.pairs)))
	}
	report, err := w.sweep(ctx, opt.Metric.need(ids...), opt.Budget, 1, func(row int, logits []float32, into []float64) {
		into[0] = p.of(row, logits, s, opt)
	}, func(at, cell, row int, numbers []float64) {
		p.Grids[at].Values[row][cell] = numbers[0]
	}, func(at, cell int) error {
		g := &p.Grids[at]
		return emit(PatchCell{Grid: at, Cell: cell, Index: unravel(cell, g.Shape), Values: g.Cell(cell)})
	})
	p.Report = report
	return err
}
