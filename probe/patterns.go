package probe

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// Patterns is what the heads of a model attend to, averaged over prompts.
type Patterns struct {
	// N is the number of prompts.
	N int
	// Mean and Error hold a tensor [H,T,T] a layer, rows the query: the mean
	// attention over prompts and its standard error (ddof 1; zero for one prompt).
	Mean, Error []*tensor.Dense
	// RowError is the largest |Σ_key attention − 1| of any query of any prompt.
	RowError float64
}

// MeanPatterns runs the model on prompts of one length and averages the
// patterns of all heads, blocks.l.attn.hook_pattern. emit gets the number of
// prompts that are done. The cost is a run a prompt, and L·H·T² numbers.
func MeanPatterns(ctx context.Context, m *models.Model, prompts [][]int, hooks []models.Hook, emit func(done int) error) (*Patterns, error) {
	if len(prompts) == 0 {
		return nil, fmt.Errorf("attention patterns: no prompts")
	}
	t := len(prompts[0])
	n := m.Config.Layers * m.Config.Heads * t * t
	sum, squares := make([]float64, n), make([]float64, n)
	p := &Patterns{N: len(prompts)}
	sites := make([]models.Site, m.Config.Layers)
	for l := range sites {
		s, err := m.Site(fmt.Sprintf("blocks.%d.attn.hook_pattern", l))
		if err != nil {
			return nil, fmt.Errorf("attention patterns: %w", err)
		}
		sites[l] = s
	}
	for i, ids := range prompts {
		if len(ids) != t {
			return nil, fmt.Errorf("attention patterns: prompt %d has %d tokens, the first %d: they cannot be averaged by position", i, len(ids), t)
		}
		cache := models.NewCache()
		if _, err := m.Run(ctx, models.Prompt(ids...), append(hooks[:len(hooks):len(hooks)], models.Record(cache, models.Sites(sites...)))...); err != nil {
			return nil, err
		}
		at := 0
		for _, s := range sites {
			x, ok := cache.Get(s)
			if !ok {
				return nil, fmt.Errorf("attention patterns: %s did not fire in this model", s)
			}
			for r := range len(x.Data) / t {
				total := 0.0
				for _, v := range x.Data[r*t : (r+1)*t] {
					sum[at] += float64(v)
					squares[at] += float64(v) * float64(v)
					total += float64(v)
					at++
				}
				p.RowError = max(p.RowError, math.Abs(total-1))
			}
		}
		if err := emit(i + 1); err != nil {
			return nil, err
		}
	}
	each := n / m.Config.Layers
	count := float64(len(prompts))
	for l := range m.Config.Layers {
		mean, stderr := tensor.New(m.Config.Heads, t, t), tensor.New(m.Config.Heads, t, t)
		for i := range each {
			mu := sum[l*each+i] / count
			mean.Data[i] = float32(mu)
			if len(prompts) > 1 {
				stderr.Data[i] = float32(math.Sqrt(max(0, squares[l*each+i]-count*mu*mu) / (count - 1) / count))
			}
		}
		p.Mean, p.Error = append(p.Mean, mean), append(p.Error, stderr)
	}
	return p, nil
}
