package ablate

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// Pair is two prompts of equal length and the answers that are followed. The
// base run is the one that is edited; the source run gives the values.
type Pair struct {
	Base, Source []int
	// BaseAnswer (r′) and SourceAnswer (r) are single tokens; -1 means the
	// model's own top token at the last position of that prompt.
	BaseAnswer, SourceAnswer int
}

// check refuses pairs of unequal length.
func (p Pair) check() error {
	if len(p.Base) == 0 {
		return fmt.Errorf("pair: the base prompt is empty")
	}
	if len(p.Base) != len(p.Source) {
		return fmt.Errorf("pair: base has %d tokens, source %d: values are moved position by position, so both need the same length", len(p.Base), len(p.Source))
	}
	return nil
}

// sides is one pair, run twice without edits.
type sides struct {
	Pair
	cache *models.Cache // of the source run, the sites of the sweep
	// logits of the last position, [V]
	base, source *tensor.Dense
}

// run makes both runs of a pair, keeps the source's values at sites and
// settles the answers.
func (p Pair) run(ctx context.Context, m *models.Model, sites models.Selector) (*sides, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	s := &sides{Pair: p, cache: models.NewCache()}
	base, err := m.Run(ctx, models.Prompt(p.Base...))
	if err != nil {
		return nil, fmt.Errorf("base run: %w", err)
	}
	source, err := m.Run(ctx, models.Prompt(p.Source...), models.Record(s.cache, sites))
	if err != nil {
		return nil, fmt.Errorf("source run: %w", err)
	}
	s.base, s.source = last(base), last(source)
	for _, a := range []struct {
		name string
		id   *int
		from *tensor.Dense
	}{{"base answer", &s.BaseAnswer, s.base}, {"source answer", &s.SourceAnswer, s.source}} {
		if *a.id < 0 {
			*a.id = argmax(a.from.Data)
		}
		if *a.id >= m.Config.Outputs() {
			return nil, fmt.Errorf("pair: %s %d is outside the vocabulary 0..%d", a.name, *a.id, m.Config.Outputs()-1)
		}
	}
	return s, nil
}

// last returns the logits of the last position of the only row, [V].
func last(out *models.Output) *tensor.Dense {
	row := out.Logits.Sub(0)
	return row.Sub(row.Dim(0) - 1)
}

func argmax(x []float32) int {
	at := 0
	for i, v := range x {
		if v > x[at] {
			at = i
		}
	}
	return at
}
