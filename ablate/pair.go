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
		return fmt.Errorf("the base prompt is empty")
	}
	if len(p.Base) != len(p.Source) {
		return fmt.Errorf("base has %d tokens, source %d: values are moved position by position, so both need the same length", len(p.Base), len(p.Source))
	}
	return nil
}

// sides are pairs of one length, run twice without edits.
type sides struct {
	m     *models.Model
	T     int
	pairs []Pair
	cache *models.Cache // of the source runs, [pairs,..], the sites of the sweep
	// logits of the last position, [pairs,V]
	base, source *tensor.Dense
	run          *models.Base // of the base runs
}

// runSides makes both runs of every pair, keeps the source's values at sites and
// settles the answers.
func runSides(ctx context.Context, m *models.Model, pairs []Pair, sites models.Selector) (*sides, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("no pairs")
	}
	s := &sides{m: m, T: len(pairs[0].Base), pairs: append([]Pair(nil), pairs...)}
	bases, sources := make([][]int, len(pairs)), make([][]int, len(pairs))
	for i, p := range pairs {
		if err := p.check(); err != nil {
			return nil, fmt.Errorf("pair %d: %w", i, err)
		}
		if len(p.Base) != s.T {
			return nil, fmt.Errorf("pair %d has %d tokens, pair 0 has %d: positions are averaged, so all pairs need the same length", i, len(p.Base), s.T)
		}
		bases[i], sources[i] = p.Base, p.Source
	}
	in, err := models.Rows(bases)
	if err != nil {
		return nil, err
	}
	if s.run, err = m.NewBase(ctx, in); err != nil {
		return nil, fmt.Errorf("base runs: %w", err)
	}
	out, err := s.run.Logits(ctx, models.Need{Last: true})
	if err != nil {
		return nil, fmt.Errorf("base runs: %w", err)
	}
	s.base = out.Logits.Reshape(len(pairs), m.Config.Outputs())
	if in, err = models.Rows(sources); err != nil {
		return nil, err
	}
	s.cache = models.NewCache()
	if out, err = m.RunFor(ctx, in, models.Need{Last: true}, models.Record(s.cache, sites)); err != nil {
		return nil, fmt.Errorf("source runs: %w", err)
	}
	s.source = out.Logits.Reshape(len(pairs), m.Config.Outputs())
	return s, s.settle()
}

// measure is a metric of a run of a pair, of the source's answer r against the
// base's r′.
func (s *sides) measure(metric Metric, among []int, pair int, logits []float32) float64 {
	p := s.pairs[pair]
	return metric.Of(Readout{Row: pair, Run: logits, Base: s.base.Sub(pair).Data, Answer: p.SourceAnswer, Other: p.BaseAnswer, Among: among})
}

// measured is a metric of the runs without edits, one a pair.
func (s *sides) measured(metric Metric, among []int) (base, source []float64, err error) {
	for i, p := range s.pairs {
		if err := metric.check(p.SourceAnswer, p.BaseAnswer); err != nil {
			return nil, nil, fmt.Errorf("pair %d: %w", i, err)
		}
		base, source = append(base, s.measure(metric, among, i, s.base.Sub(i).Data)), append(source, s.measure(metric, among, i, s.source.Sub(i).Data))
	}
	return base, source, nil
}

// MeasurePairs is a metric of both runs of every pair without edits, of the
// source's answer r against the base's r′: what effects are changes of, and what
// they are normalised by. It costs the two runs.
func MeasurePairs(ctx context.Context, m *models.Model, pairs []Pair, metric Metric) (base, source []float64, err error) {
	s, err := runSides(ctx, m, pairs, models.Sites())
	if err != nil {
		return nil, nil, err
	}
	return s.measured(metric, nil)
}

// settle fills in answers that are the model's own and checks the others.
func (s *sides) settle() error {
	for i := range s.pairs {
		for _, a := range []struct {
			name string
			id   *int
			from *tensor.Dense
		}{{"base answer", &s.pairs[i].BaseAnswer, s.base}, {"source answer", &s.pairs[i].SourceAnswer, s.source}} {
			if *a.id < 0 {
				*a.id = models.Argmax(a.from.Sub(i).Data)
			}
			if *a.id >= s.m.Config.Outputs() {
				return fmt.Errorf("pair %d: %s %d is outside the vocabulary 0..%d", i, a.name, *a.id, s.m.Config.Outputs()-1)
			}
		}
	}
	return nil
}
