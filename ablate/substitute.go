package ablate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// Ablation says what stands in place of what is knocked out.
type Ablation string

// The ablations. What each removes: zero everything, the constant that tells
// the task among it; a mean all that differs between the prompts of its set;
// resampling puts in real but wrong information, which also misleads.
const (
	Zero      Ablation = "zero"
	MeanAll   Ablation = "mean"        // over the reference prompts and all of their positions
	MeanByPos Ablation = "mean_by_pos" // over the reference prompts, position by position
	Resample  Ablation = "resample"    // another prompt's value at the same position
)

// Ablations lists the ablations.
var Ablations = [...]Ablation{Zero, MeanAll, MeanByPos, Resample}

// substitutes are the values that an ablation puts in.
type substitutes struct {
	kind  Ablation
	T     int
	zero  map[models.Site]*tensor.Dense
	mean  map[models.Site]*tensor.Dense // [T,..]
	other *models.Cache                 // of the partners, [rows,T,..]
}

// reference says what an ablation takes its values from.
type reference struct {
	prompts [][]int // of means
	partner []int   // for resampling: the row of the prompts themselves whose value is taken
}

// partners gives every one of n prompts another one, by the seed.
func partners(n int, seed uint64) ([]int, error) {
	if n < 2 {
		return nil, fmt.Errorf("resampling takes the values of another prompt, and there is only one")
	}
	rng := rand.New(rand.NewPCG(seed, 2))
	out := make([]int, n)
	for i := range out {
		out[i] = (i + 1 + rng.IntN(n-1)) % n
	}
	return out, nil
}

// newSubstitutes makes what an ablation of prompts needs at some sites.
func newSubstitutes(ctx context.Context, m *models.Model, kind Ablation, prompts []Prompt, ref reference, sites []models.Site) (*substitutes, error) {
	s := &substitutes{kind: kind, T: len(prompts[0].IDs), zero: map[models.Site]*tensor.Dense{}, mean: map[models.Site]*tensor.Dense{}}
	switch kind {
	case Zero:
		for _, site := range sites {
			s.zero[site] = tensor.New(m.Shape(site, 1, s.T)[1:]...)
		}
	case MeanAll, MeanByPos:
		return s, s.means(ctx, m, ref.prompts, sites)
	case Resample:
		if len(ref.partner) != len(prompts) {
			return nil, fmt.Errorf("resampling: %d partners for %d prompts", len(ref.partner), len(prompts))
		}
		rows := make([][]int, len(prompts))
		for i, p := range ref.partner {
			if p < 0 || p >= len(prompts) {
				return nil, fmt.Errorf("resampling: partner %d of prompt %d is outside 0..%d", p, i, len(prompts)-1)
			}
			rows[i] = prompts[p].IDs
		}
		in, err := models.Rows(rows)
		if err != nil {
			return nil, err
		}
		s.other = models.NewCache()
		_, err = m.RunFor(ctx, in, models.Need{Last: true}, models.Record(s.other, models.Sites(sites...)))
		return s, err
	default:
		return nil, fmt.Errorf("ablation is %q, want one of %v", kind, Ablations)
	}
	return s, nil
}

// means averages sites over the reference prompts, in float64.
func (s *substitutes) means(ctx context.Context, m *models.Model, prompts [][]int, sites []models.Site) error {
	if len(prompts) == 0 {
		return fmt.Errorf("%s: there are no reference prompts to average over", s.kind)
	}
	sums := map[models.Site][]float64{}
	for _, site := range sites {
		axes := m.Axes(site)
		if s.kind == MeanAll && slices.Contains(axes, "query") {
			return fmt.Errorf("%s: rows of %s differ in length, so that a mean over positions is none: take %q", s.kind, site, MeanByPos)
		}
		n := 1
		for _, d := range m.Shape(site, 1, s.T) {
			n *= d
		}
		sums[site] = make([]float64, n)
	}
	for i, p := range prompts {
		if len(p) != s.T {
			return fmt.Errorf("%s: reference prompt %d has %d tokens, the prompts %d", s.kind, i, len(p), s.T)
		}
	}
	err := eachBatch(ctx, m, prompts, models.Sites(sites...), func(_ int, c *models.Cache) {
		for site, sum := range sums {
			x, _ := c.Get(site)
			for i, v := range x.Data {
				sum[i%len(sum)] += float64(v)
			}
		}
	})
	if err != nil {
		return err
	}
	for site, sum := range sums {
		y := tensor.New(m.Shape(site, 1, s.T)[1:]...)
		width := len(sum) / s.T
		for i := range y.Data {
			if s.kind == MeanByPos {
				y.Data[i] = float32(sum[i] / float64(len(prompts)))
				continue
			}
			total := 0.0
			for t := range s.T {
				total += sum[t*width+i%width]
			}
			y.Data[i] = float32(total / float64(len(prompts)*s.T))
		}
		s.mean[site] = y
	}
	return nil
}

// value is what a site is set to in a prompt's run.
func (s *substitutes) value(site models.Site, row int) (*tensor.Dense, error) {
	from := s.zero
	if s.kind == MeanAll || s.kind == MeanByPos {
		from = s.mean
	}
	if s.kind == Resample {
		x, ok := s.other.Get(site)
		if !ok {
			return nil, fmt.Errorf("site %s was not recorded", site)
		}
		return x.Sub(row), nil
	}
	x, ok := from[site]
	if !ok {
		return nil, fmt.Errorf("site %s has no value for %q", site, s.kind)
	}
	return x, nil
}

// batchRows is how many prompts run at once where all their activations are
// kept for a moment.
const batchRows = 128

// eachBatch runs prompts of one length, some at a time, and hands over the
// recorded sites with the number of the first row.
//
// A run goes no further than the last of the sites.
func eachBatch(ctx context.Context, m *models.Model, prompts [][]int, sites models.Selector, fn func(first int, c *models.Cache)) error {
	stop := 1
	for _, s := range m.Sites() {
		if sites(s) {
			stop = max(stop, s.Layer+1)
		}
	}
	need := models.Need{StopAtLayer: stop}
	if stop == m.Config.Layers || sites(models.Site{Layer: -1, Kind: models.FinalScale}) || sites(models.Site{Layer: -1, Kind: models.Logits}) {
		need = models.Need{Last: true, Tokens: []int{0}}
	}
	for lo := 0; lo < len(prompts); lo += batchRows {
		in, err := models.Rows(prompts[lo:min(lo+batchRows, len(prompts))])
		if err != nil {
			return err
		}
		c := models.NewCache()
		if _, err := m.RunFor(ctx, in, need, models.Record(c, sites)); err != nil {
			return err
		}
		fn(lo, c)
	}
	return nil
}
