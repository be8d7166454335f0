package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// Integration is the result of IntegratedPatch.
type Integration struct {
	// Patching holds the estimates as those of AttributionPatch: the metric of the
	// base run plus what a cell has of the whole.
	*Patching
	Steps int
	// Whole is the metric of the base run with all of a layer's site set to the
	// source run's, [sweep][layer][pair]. In it completeness is exact: a layer's
	// cells add up to Whole − Base as the steps grow.
	Whole [][][]float64
	// CompletenessError is the largest |Σ of a layer's cells − (Whole − Base)| over
	// sweeps, layers and pairs.
	CompletenessError float64
}

// IntegratedPatch divides what a layer's whole site does among its cells by
// integrated gradients (Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep
// Networks", ICML 2017, arXiv 1703.01365, section 3) along the straight line from
// the base run's values to the source run's,
//
//	Σ (source − base) · ∫₀¹ ∂metric/∂x (base + α·(source − base)) dα,
//
// over a cell's elements, the integral by the midpoints of some steps. Where
// AttributionPatch takes the slope at the base alone and errs with large changes,
// these estimates of a layer add up to the effect of patching it whole; the error
// that is left is measured. What a cell does by itself is still Patch's to say.
//
// The metric is one of those of AttributionPatch; windows are of one layer. It emits
// the cells of a layer when they are done. It costs, a sweep and layer, steps runs forward and backward of all pairs and one
// forward.
func IntegratedPatch(ctx context.Context, m *models.Model, contrasts []Contrast, steps int, opt PatchOptions, emit func(PatchCell) error) (*Integration, error) {
	if steps < 1 {
		return nil, fmt.Errorf("integrated patching: %d steps: an integral needs 1 or more (20 to 300 in its paper)", steps)
	}
	p, s, err := startEstimate(ctx, m, contrasts, opt)
	if err != nil {
		return nil, fmt.Errorf("integrated patching: %w", err)
	}
	g := &Integration{Patching: p, Steps: steps}
	for at, sweep := range opt.Sweeps {
		grid, err := p.baseGrid(s, sweep)
		if err != nil {
			return nil, fmt.Errorf("integrated patching: %w", err)
		}
		var whole [][]float64
		for l := range m.Config.Layers {
			site, err := sweep.site(m, l)
			if err != nil {
				return nil, fmt.Errorf("integrated patching: %w", err)
			}
			line, err := newLine(ctx, s, site)
			if err != nil {
				return nil, fmt.Errorf("integrated patching: %w", err)
			}
			slope, err := line.slope(ctx, p, steps)
			if err != nil {
				return nil, fmt.Errorf("integrated patching: %w", err)
			}
			end, err := line.end(ctx, p, opt)
			if err != nil {
				return nil, fmt.Errorf("integrated patching: %w", err)
			}
			whole = append(whole, end)
			for i := range s.pairs {
				grid.estimate(grid.Values[i], m.Axes(site)[1:], l, line.from.Sub(i), line.to.Sub(i), slope.Sub(i))
				sum, n := 0.0, len(grid.Values[i])/m.Config.Layers
				for _, v := range grid.Values[i][l*n : (l+1)*n] {
					sum += v - p.Base[i]
				}
				g.CompletenessError = math.Max(g.CompletenessError, math.Abs(sum-(end[i]-p.Base[i])))
			}
			n := grid.Cells() / m.Config.Layers
			for c := l * n; c < (l+1)*n; c++ {
				if err := emit(PatchCell{Grid: at, Cell: c, Index: unravel(c, grid.Shape), Values: grid.Cell(c)}); err != nil {
					return nil, err
				}
			}
		}
		p.Grids, g.Whole = append(p.Grids, grid), append(g.Whole, whole)
	}
	return g, nil
}

// line leads from the base runs' values at a site to the source runs'.
type line struct {
	s        *sides
	site     models.Site
	from, to *tensor.Dense // [pairs,..]
}

func newLine(ctx context.Context, s *sides, site models.Site) (*line, error) {
	own := models.NewCache()
	if _, err := s.m.RunFor(ctx, s.run.Batch(), models.Need{Last: true, Tokens: []int{0}}, models.Record(own, models.Sites(site))); err != nil {
		return nil, err
	}
	from, ok := own.Get(site)
	to, there := s.cache.Get(site)
	if !ok || !there {
		return nil, fmt.Errorf("site %s was not recorded", site)
	}
	return &line{s: s, site: site, from: from, to: to}, nil
}

// at sets the site to the point of the line at share.
func (l *line) at(share float64) models.Hook {
	return models.Hook{Sites: models.Sites(l.site), Fn: func(_ models.Site, x *tensor.Dense) error {
		for i, v := range l.from.Data {
			if w := l.to.Data[i]; w != v { // scores of masked keys are −∞ in both
				v = float32(float64(v) + share*(float64(w)-float64(v)))
			}
			x.Data[i] = v
		}
		return nil
	}, Grad: func(_ models.Site, g *tensor.Dense) error {
		clear(g.Data)
		return nil
	}}
}

// slope is the mean derivative of the metric by the site along the line.
func (l *line) slope(ctx context.Context, p *Patching, steps int) (*tensor.Dense, error) {
	sum := make([]float64, l.from.Len())
	for k := range steps {
		g, err := l.s.m.Gradient(ctx, l.s.run.Batch(), p.objective, models.Want{Sites: models.Sites(l.site), Need: models.Need{Last: true}}, l.at((float64(k)+.5)/float64(steps)))
		if err != nil {
			return nil, err
		}
		slope, ok := g.Sites.Get(l.site)
		if !ok {
			return nil, fmt.Errorf("%s has no gradient", l.site)
		}
		for i, v := range slope.Data {
			sum[i] += float64(v)
		}
	}
	mean := tensor.New(l.from.Shape...)
	for i, v := range sum {
		mean.Data[i] = float32(v / float64(steps))
	}
	return mean, nil
}

// end is the metric at the line's end.
func (l *line) end(ctx context.Context, p *Patching, opt PatchOptions) ([]float64, error) {
	out, err := l.s.m.RunFor(ctx, l.s.run.Batch(), models.Need{Last: true}, l.at(1))
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(l.s.pairs))
	for i := range values {
		values[i] = p.of(i, out.Logits.Sub(i, 0).Data, l.s, opt)
	}
	return values, nil
}
