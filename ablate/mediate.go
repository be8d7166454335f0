package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
)

// Component is a part of a block whose output is exchanged.
type Component string

// The components of causal mediation.
const (
	MLP       Component = "mlp"
	Attention Component = "attn"
)

// site returns the name of the component's output in a block.
func (c Component) site(layer int) (string, error) {
	switch c {
	case MLP:
		return fmt.Sprintf("blocks.%d.hook_mlp_out", layer), nil
	case Attention:
		return fmt.Sprintf("blocks.%d.hook_attn_out", layer), nil
	}
	return "", fmt.Errorf("mediation: unknown component %q (known: %q, %q)", c, MLP, Attention)
}

// MediateOptions are the options of Mediate.
type MediateOptions struct {
	// Components to exchange, in order; nil means MLP and Attention.
	Components []Component
}

// Shift holds the probabilities of both answers before and after an edit. r is
// the source's answer, r′ the base's.
type Shift struct {
	// Base are P(r) and P(r′) of the base run, Edited those of the edited run.
	BaseR, BaseRPrime, EditedR, EditedRPrime float64
}

// Indirect is the indirect effect of causal mediation,
//
//	IE = ½ [ (P*(r) − P(r)) / P(r) + (P(r′) − P*(r′)) / P*(r′) ]
//
// of Stolfo, Belinkov and Sachan, "A Mechanistic Interpretation of Arithmetic
// Reasoning in Language Models using Causal Mediation Analysis" (EMNLP 2023,
// arXiv 2305.15054). P is the base run, P* the edited one. It is at least -1
// and unbounded above.
func (s Shift) Indirect() float64 {
	return ((s.EditedR-s.BaseR)/s.BaseR + (s.BaseRPrime-s.EditedRPrime)/s.EditedRPrime) / 2
}

// Moved is (P*(r) − P(r)) + (P(r′) − P*(r′)), the probability that moved.
func (s Shift) Moved() float64 {
	return (s.EditedR - s.BaseR) + (s.BaseRPrime - s.EditedRPrime)
}

// Changed is |P(r′) − P*(r′)|, which also serves pairs with equal answers.
func (s Shift) Changed() float64 { return math.Abs(s.BaseRPrime - s.EditedRPrime) }

// Cell is one cell of the sweep: every pair with one component output of the
// base run replaced by the source run's.
type Cell struct {
	Component       Component
	Layer, Position int
	// Shifts holds one shift a pair, in the order of the pairs.
	Shifts []Shift
}

// Effects is the result of Mediate.
type Effects struct {
	Components       []Component
	Layers, Position int
	// Cells in the order in which they were computed; fewer than
	// components × layers × positions when the sweep was stopped.
	Cells []Cell
	// Pairs holds the pairs with their answers settled.
	Pairs []Pair
	// Total holds, a pair, the shift from the base run to the source run.
	Total []Shift
	// OwnError is max |Δlogit| of a base run in which a component is replaced
	// by its own value, SourceError that of a base run whose whole stream
	// behind the first block is the source's, against the source run. Both
	// are 0 when edits are exact.
	OwnError, SourceError float64
}

// Mediate measures the indirect effect of every component output: in the base
// run, the output of one component at one layer and position is replaced by
// the source run's (methods of arXiv 2305.15054 section 3), everything behind
// it is computed anew, and the probabilities of both answers are read at the
// last position. It runs from layer 0 up, position by position, and emits
// each cell when all pairs have passed it.
//
// This is the plain way: one edited run a cell and pair, pairs × components ×
// L × T runs in all.
func Mediate(ctx context.Context, m *models.Model, pairs []Pair, opt MediateOptions, emit func(Cell) error) (*Effects, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("mediation: no pairs")
	}
	components := opt.Components
	if components == nil {
		components = []Component{MLP, Attention}
	}
	for _, c := range components {
		if _, err := c.site(0); err != nil {
			return nil, err
		}
	}
	sites, err := mediationSites(m, components)
	if err != nil {
		return nil, err
	}
	e := &Effects{Components: components, Layers: m.Config.Layers, Position: len(pairs[0].Base)}
	var runs []*sides
	for i, p := range pairs {
		if len(p.Base) != e.Position {
			return nil, fmt.Errorf("mediation: pair %d has %d tokens, pair 0 has %d: positions are averaged, so all pairs need the same length", i, len(p.Base), e.Position)
		}
		s, err := p.run(ctx, m, models.Sites(sites...))
		if err != nil {
			return nil, fmt.Errorf("mediation: pair %d: %w", i, err)
		}
		runs = append(runs, s)
		e.Pairs = append(e.Pairs, s.Pair)
		e.Total = append(e.Total, s.shift(s.source))
	}
	if err := e.checkEdits(ctx, m, runs[0]); err != nil {
		return nil, fmt.Errorf("mediation: %w", err)
	}
	for layer := range e.Layers {
		for _, c := range components {
			for pos := range e.Position {
				cell, err := mediateCell(ctx, m, runs, c, layer, pos)
				if err != nil {
					return e, err
				}
				e.Cells = append(e.Cells, cell)
				if err := emit(cell); err != nil {
					return e, err
				}
			}
		}
	}
	return e, nil
}

// mediationSites lists the component outputs and, for the check of edits, the
// stream behind the first block.
func mediationSites(m *models.Model, components []Component) ([]models.Site, error) {
	names := []string{"blocks.0.hook_resid_post"}
	for l := range m.Config.Layers {
		for _, c := range components {
			name, err := c.site(l)
			if err != nil {
				return nil, err
			}
			names = append(names, name)
		}
	}
	var sites []models.Site
	for _, name := range names {
		s, err := m.Site(name)
		if err != nil {
			return nil, fmt.Errorf("mediation: %w", err)
		}
		sites = append(sites, s)
	}
	return sites, nil
}

// mediateCell makes the edited run of one cell for every pair.
func mediateCell(ctx context.Context, m *models.Model, runs []*sides, c Component, layer, pos int) (Cell, error) {
	cell := Cell{Component: c, Layer: layer, Position: pos}
	name, err := c.site(layer)
	if err != nil {
		return cell, err
	}
	for _, s := range runs {
		edit, err := s.transplant(m, name, pos)
		if err != nil {
			return cell, err
		}
		logits, err := s.edited(ctx, m, edit)
		if err != nil {
			return cell, err
		}
		cell.Shifts = append(cell.Shifts, s.shift(logits))
	}
	return cell, nil
}
