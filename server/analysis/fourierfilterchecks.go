package analysis

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

// badges check the filters' identities and that a filtered output has none of the
// removed waves.
func (r *filterRun) badges(ctx context.Context) error {
	worst, symmetric := 0.0, 0.0
	var removed []*probe.Filter
	for _, band := range []probe.Band{probe.LowPass(r.k), probe.HighPass(r.k)} {
		f, err := probe.NewFilter(r.space.basis, r.w, band)
		if err != nil {
			continue // refused, and said so in the table
		}
		removed = append(removed, f)
		p := f.Projector()
		var square, skew mat.Dense
		square.Mul(p, p)
		square.Sub(&square, p)
		skew.Sub(p, p.T())
		worst, symmetric = math.Max(worst, mat.Max(absolute(&square))), math.Max(symmetric, mat.Max(absolute(&skew)))
	}
	left, err := r.leftovers(ctx, removed)
	if err != nil {
		return err
	}
	r.fig.Badges = append(r.fig.Badges,
		viz.Badge{Text: "P² = P, symmetric", Value: math.Max(worst, symmetric), Bound: 1e-10, OK: math.Max(worst, symmetric) <= 1e-10, Help: "largest difference of the projectors of the chosen period from their squares and transposes"},
		viz.Badge{Text: "removed waves are gone", Value: left, Bound: 1e-4, OK: left <= 1e-4, Help: "largest wave that should have gone from the filtered outputs, as a share of the largest one that they had, measured in the edited runs"})
	if both, err := probe.NewFilter(r.space.basis, r.w, probe.LowPass(1)); err == nil && len(removed) == 2 {
		off := 0.0
		for _, f := range removed {
			removes := f.Directions()
			if removes == nil {
				continue // no wave is longer, or shorter: nothing goes
			}
			var d mat.Dense
			d.Mul(removes, both.Projector())
			off = math.Max(off, mat.Max(absolute(&d)))
		}
		r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "low and high leave the constant", Value: off, Bound: 1e-10, OK: off <= 1e-10,
			Help: "largest entry of what low-pass and high-pass remove within the directions that only the constant and no wave reads"})
	}
	return nil
}

// leftovers runs a few prompts under the filters and looks for removed waves in
// what the components then wrote.
func (r *filterRun) leftovers(ctx context.Context, filters []*probe.Filter) (float64, error) {
	rows := [][]int{}
	for _, p := range r.set.Prompts[:min(8, len(r.set.Prompts))] {
		rows = append(rows, p.IDs)
	}
	in, err := models.Rows(rows)
	if err != nil {
		return 0, err
	}
	waves, err := r.space.basis.Transform(r.w)
	if err != nil {
		return 0, err
	}
	worst := 0.0
	for _, f := range filters {
		edits, err := r.projection(&condition{filter: f, nodes: r.chosen}).Edits(r.m)
		if err != nil {
			return 0, err
		}
		hooks, err := r.m.Edits(edits...)
		if err != nil {
			return 0, err
		}
		var sites []models.Site
		heads := map[models.Site][]int{} // of single heads
		for _, e := range edits {
			site, err := r.m.Site(e.Site)
			if err != nil {
				return 0, err
			}
			sites, heads[site] = append(sites, site), e.Heads
		}
		before, after := models.NewCache(), models.NewCache()
		hooks = append(append([]models.Hook{models.Record(before, models.Sites(sites...))}, hooks...), models.Record(after, models.Sites(sites...)))
		if _, err := r.m.Run(ctx, in, hooks...); err != nil {
			return 0, err
		}
		for _, s := range sites {
			x, _ := before.Get(s)
			y, _ := after.Get(s)
			for b := range in.B {
				before, after := []*tensor.Dense{x.Sub(b, in.T-1)}, []*tensor.Dense{y.Sub(b, in.T-1)}
				if heads[s] != nil {
					before, after = only(before[0], heads[s]), only(after[0], heads[s])
				}
				for i := range before {
					if had := r.wave(waves, f.Band, before[i].Data); had > 0 {
						worst = math.Max(worst, r.wave(waves, f.Band, after[i].Data)/had)
					}
				}
			}
		}
	}
	return worst, nil
}

// only is what single heads write, of x [H,D].
func only(x *tensor.Dense, heads []int) (out []*tensor.Dense) {
	for _, h := range heads {
		out = append(out, x.Sub(h))
	}
	return out
}

// wave is the largest of the removed waves that an output adds to the logits.
func (r *filterRun) wave(waves *mat.Dense, band probe.Band, h []float32) float64 {
	top := 0.0
	for i, k := range r.space.basis.K {
		if k == 0 || !band.Removes(k) {
			continue
		}
		sum := 0.0
		for j, v := range h {
			sum += waves.At(i, j) * float64(v)
		}
		top = math.Max(top, math.Abs(sum))
	}
	return top
}

// absolute is |x| by entry.
func absolute(x *mat.Dense) *mat.Dense {
	var out mat.Dense
	out.Apply(func(_, _ int, v float64) float64 { return math.Abs(v) }, x)
	return &out
}
