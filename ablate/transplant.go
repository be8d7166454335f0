package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// transplant is the edit that sets the base run's site at one position to the
// source run's value there.
func (s *sides) transplant(m *models.Model, name string, pos int) (models.Edit, error) {
	value, err := s.recorded(m, name)
	if err != nil {
		return models.Edit{}, err
	}
	return models.Edit{Site: name, Positions: []int{pos}, Op: models.Set, Value: models.List(value.Sub(pos).Data...)}, nil
}

// recorded returns the source run's value of a site, [T,D].
func (s *sides) recorded(m *models.Model, name string) (*tensor.Dense, error) {
	site, err := m.Site(name)
	if err != nil {
		return nil, err
	}
	value, ok := s.cache.Get(site)
	if !ok {
		return nil, fmt.Errorf("site %s was not recorded", name)
	}
	return value.Sub(0), nil
}

// edited runs the base prompt with edits and returns the last position's
// logits, [V].
func (s *sides) edited(ctx context.Context, m *models.Model, edits ...models.Edit) (*tensor.Dense, error) {
	hooks, err := m.Edits(edits...)
	if err != nil {
		return nil, err
	}
	out, err := m.Run(ctx, models.Prompt(s.Base...), hooks...)
	if err != nil {
		return nil, err
	}
	return last(out), nil
}

// shift reads the probabilities of both answers from edited logits.
func (s *sides) shift(edited *tensor.Dense) Shift {
	return Shift{
		BaseR: probability(s.base, s.SourceAnswer), BaseRPrime: probability(s.base, s.BaseAnswer),
		EditedR: probability(edited, s.SourceAnswer), EditedRPrime: probability(edited, s.BaseAnswer),
	}
}

// probability returns softmax(z)[id] in float64.
func probability(z *tensor.Dense, id int) float64 { return math.Exp(models.LogProbs(z.Data)[id]) }

// checkEdits measures two identities on a pair: a run patched with its own
// value is the run itself, and a run whose whole stream behind the first
// block is the source's is the source run from there on.
func (e *Effects) checkEdits(ctx context.Context, m *models.Model, s *sides) error {
	own := &sides{Pair: Pair{Base: s.Source, Source: s.Source, BaseAnswer: s.SourceAnswer, SourceAnswer: s.SourceAnswer}, cache: s.cache, base: s.source, source: s.source}
	name, err := e.Components[0].site(0)
	if err != nil {
		return err
	}
	edit, err := own.transplant(m, name, len(s.Base)-1)
	if err != nil {
		return err
	}
	logits, err := own.edited(ctx, m, edit)
	if err != nil {
		return err
	}
	e.OwnError = logits.MaxDifference(s.source)
	var all []models.Edit
	for pos := range s.Base {
		edit, err := s.transplant(m, "blocks.0.hook_resid_post", pos)
		if err != nil {
			return err
		}
		all = append(all, edit)
	}
	if logits, err = s.edited(ctx, m, all...); err != nil {
		return err
	}
	e.SourceError = logits.MaxDifference(s.source)
	return nil
}
