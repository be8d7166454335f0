package ablate

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// selection chooses elements of a site by an index on some axes of one row of a
// batch; an axis that is not named is whole.
type selection map[string]int

// editOf is the edit that sets the chosen elements of a site to value, which has
// the site's shape without the batch.
func editOf(m *models.Model, site models.Site, value *tensor.Dense, at selection) models.Edit {
	e := models.Edit{Site: site.String(), Op: models.Set}
	axes := m.Axes(site)[1:]
	for axis, i := range at {
		switch axis {
		case "pos":
			e.Positions = []int{i}
		case "head", "kv_head":
			e.Heads = []int{i}
		case "query":
			e.Queries = []int{i}
		case "key":
			e.Keys = []int{i}
		default:
			e.Neurons = []int{i}
		}
	}
	e.Value = models.List(choose(value, axes, at)...)
	return e
}

// choose lists the chosen elements of x; those of leading indices are x's own.
func choose(x *tensor.Dense, axes []string, at selection) []float32 {
	for len(axes) > 0 {
		i, ok := at[axes[0]]
		if !ok {
			break
		}
		x, axes = x.Sub(i), axes[1:]
	}
	inner := false
	for _, axis := range axes {
		_, ok := at[axis]
		inner = inner || ok
	}
	if !inner {
		return x.Data
	}
	var out []float32
	for i := range x.Dim(0) {
		out = append(out, choose(x.Sub(i), axes[1:], at)...)
	}
	return out
}

// recorded is the source run's value at a site, without the batch.
func (s *sides) recorded(site models.Site, pair int) (*tensor.Dense, error) {
	value, ok := s.cache.Get(site)
	if !ok {
		return nil, fmt.Errorf("site %s was not recorded", site)
	}
	return value.Sub(pair), nil
}

// transplant is the edit that sets the chosen elements of a site in the base run
// of a pair to the source run's.
func (s *sides) transplant(pair int, site models.Site, at selection) (models.Edit, error) {
	value, err := s.recorded(site, pair)
	if err != nil {
		return models.Edit{}, err
	}
	return editOf(s.m, site, value, at), nil
}

// identities measures two invariants on a pair: a run patched with its own value
// is the run itself, and a run whose whole stream behind the first block is the
// source's is the source run from there on. It returns max |Δlogit| of both.
// site is one of those recorded, and so is the stream.
func (s *sides) identities(ctx context.Context, site models.Site) (own, whole float64, err error) {
	edited := func(ids []int, at models.Site) (*tensor.Dense, error) {
		e, err := s.transplant(0, at, nil)
		if err != nil {
			return nil, err
		}
		hooks, err := s.m.Edits(e)
		if err != nil {
			return nil, err
		}
		out, err := s.m.RunFor(ctx, models.Prompt(ids...), models.Need{Last: true}, hooks...)
		if err != nil {
			return nil, err
		}
		return out.Logits.Sub(0, 0), nil
	}
	y, err := edited(s.pairs[0].Source, site)
	if err != nil {
		return 0, 0, err
	}
	own = y.MaxDifference(s.source.Sub(0))
	if y, err = edited(s.pairs[0].Base, models.Site{Layer: 0, Kind: models.ResidPost}); err != nil {
		return 0, 0, err
	}
	return own, y.MaxDifference(s.source.Sub(0)), nil
}
