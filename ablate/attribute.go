package ablate

import (
	"context"
	"fmt"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// AttributionPatch estimates what Patch measures, to first order: the patched
// run's metric is taken to be
//
//	metric(base) + Σ (source − base) · ∂metric/∂base
//
// over the elements of a cell (Nanda, "Attribution Patching: Activation Patching
// At Industrial Scale", 2023). It is one run forward of the sources and one run
// forward and backward of the bases, for all cells at once. It goes wrong where
// changes are large or the model far from linear: the residual stream, the
// first MLP of small models, saturated attention. Compare it with Patch on some
// cells.
//
// The metric is logit, logit_diff, logit_change, prob, logprob, loss, centred_logit
// or kl, whose slope at the base itself is 0; windows are of one layer. Values,
// normalised effects and signs are those of Patch. Report is empty.
func AttributionPatch(ctx context.Context, m *models.Model, contrasts []Contrast, opt PatchOptions) (*Patching, error) {
	p, s, err := startEstimate(ctx, m, contrasts, opt)
	if err != nil {
		return nil, fmt.Errorf("attribution patching: %w", err)
	}
	var sites []models.Site
	for _, sweep := range opt.Sweeps {
		for l := range m.Config.Layers {
			site, err := sweep.site(m, l)
			if err != nil {
				return nil, fmt.Errorf("attribution patching: %w", err)
			}
			sites = append(sites, site)
		}
	}
	own := models.NewCache()
	selected := models.Sites(sites...)
	g, err := m.Gradient(ctx, s.run.Batch(), p.objective, models.Want{Sites: selected, Need: models.Need{Last: true}}, models.Record(own, selected))
	if err != nil {
		return nil, fmt.Errorf("attribution patching: %w", err)
	}
	for _, sweep := range opt.Sweeps {
		grid, err := p.baseGrid(s, sweep)
		if err != nil {
			return nil, fmt.Errorf("attribution patching: %w", err)
		}
		for i := range s.pairs {
			for l := range m.Config.Layers {
				site, err := sweep.site(m, l)
				if err != nil {
					return nil, fmt.Errorf("attribution patching: %w", err)
				}
				before, _ := own.Get(site)
				slope, _ := g.Sites.Get(site)
				after, err := s.recorded(site, i)
				if err != nil {
					return nil, fmt.Errorf("attribution patching: %w", err)
				}
				grid.estimate(grid.Values[i], m.Axes(site)[1:], l, before.Sub(i), after, slope.Sub(i))
			}
		}
		p.Grids = append(p.Grids, grid)
	}
	return p, nil
}

// startEstimate makes the runs without edits that estimates by gradients begin
// with.
func startEstimate(ctx context.Context, m *models.Model, contrasts []Contrast, opt PatchOptions) (*Patching, *sides, error) {
	if opt.Direction == "" {
		opt.Direction = Denoise
	}
	if err := opt.Metric.checkSlope(); err != nil {
		return nil, nil, err
	}
	if opt.Window > 1 {
		return nil, nil, fmt.Errorf("a window of %d layers: estimates of single layers are added up by whoever wants a window", opt.Window)
	}
	p := &Patching{Direction: opt.Direction, Metric: opt.Metric, Window: 1}
	s, _, err := p.start(ctx, m, contrasts, opt)
	if err != nil {
		return nil, nil, err
	}
	p.logits = s.base
	if opt.Started != nil {
		err = opt.Started(p)
	}
	return p, s, err
}

// baseGrid is a sweep's result in which every cell has the metric of the base run.
func (p *Patching) baseGrid(s *sides, sweep PatchSweep) (PatchGrid, error) {
	shape, err := sweep.Shape(s.m, s.T)
	if err != nil {
		return PatchGrid{}, err
	}
	grid := newPatchGrid(sweep, shape, len(s.pairs))
	for i := range grid.Values {
		for c := range grid.Values[i] {
			grid.Values[i][c] = p.Base[i]
		}
	}
	return grid, nil
}

// objective is the sum of the metric over pairs, which do not see each other, of
// logits [pairs,1,V].
func (p *Patching) objective(logits *tensor.Dense) (float64, *tensor.Dense, error) {
	d := tensor.New(logits.Shape...)
	sum := 0.0
	for i, c := range p.Contrasts {
		r := Readout{Row: i, Run: logits.Sub(i, 0).Data, Base: p.logits.Sub(i).Data, Answer: c.Clean.Answer, Other: c.Corrupted.Answer}
		sum += p.Metric.Of(r)
		p.Metric.slope(r, d.Sub(i, 0).Data)
	}
	return sum, d, nil
}

// estimate adds (after − before) · slope of a layer's site, whose axes are given,
// to the cells that its elements belong to.
func (g *PatchGrid) estimate(cells []float64, axes []string, layer int, before, after, slope *tensor.Dense) {
	step := make([]int, len(axes)) // how far a cell's number advances along each axis
	n := 1
	for a := len(g.Shape) - 1; a > 0; a-- {
		step[slices.Index(axes, g.Sweep.Axes[a])] = n
		n *= g.Shape[a]
	}
	for i, v := range slope.Data {
		cell, rest := layer*n, i
		for a := len(axes) - 1; a >= 0; a-- {
			cell += rest % slope.Shape[a] * step[a]
			rest /= slope.Shape[a]
		}
		if a, b := after.Data[i], before.Data[i]; a != b { // scores of masked keys are −∞ in both
			cells[cell] += float64(a-b) * float64(v)
		}
	}
}
