package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
)

// Component is a part of a block whose output is exchanged.
type Component string

// The components of causal mediation. Embedding is the stream's beginning, a
// row of its own below layer 0 in the paper's figures; it has the layer -1.
const (
	MLP        Component = "mlp"
	Attention  Component = "attn"
	Embedding  Component = "embed"
	Coordinate Component = "coordinate" // one number of an MLP output
)

// site returns the component's output in a block.
func (c Component) site(layer int) (models.Site, error) {
	switch c {
	case MLP, Coordinate:
		return models.Site{Layer: layer, Kind: models.MLPOut}, nil
	case Attention:
		return models.Site{Layer: layer, Kind: models.AttnOut}, nil
	case Embedding:
		return models.Site{Layer: -1, Kind: models.Embed}, nil
	}
	return models.Site{}, fmt.Errorf("unknown component %q (known: %q, %q, %q, %q)", c, MLP, Attention, Embedding, Coordinate)
}

// MediateOptions are the options of Mediate.
type MediateOptions struct {
	// Components to exchange, in order; nil means MLP and Attention.
	Components []Component
	// Layer is where Coordinate exchanges single numbers of the MLP output, each
	// at the last position; unused otherwise.
	Layer int
	// Metric, where it has a function, is measured besides, of the source's answer r
	// against the base's r′, into Cell.Values.
	Metric Metric
	// Started, if not nil, is called once, when the runs without edits are done and
	// no cell is: with the pairs, their answers settled, and the metric of both
	// sides. Its error ends the call.
	Started func(*Effects) error
	Budget  Budget
}

// Shift holds the probabilities of both answers before and after an edit. r is
// the source's answer, r′ the base's.
type Shift struct {
	// Base are P(r) and P(r′) of the base run, Edited those of the edited run.
	BaseR, BaseRPrime, EditedR, EditedRPrime float64
}

// Terms are the two relative changes that the indirect effect is the mean of,
//
//	(P*(r) − P(r)) / P(r)   and   (P(r′) − P*(r′)) / P*(r′).
func (s Shift) Terms() (r, rPrime float64) {
	return (s.EditedR - s.BaseR) / s.BaseR, (s.BaseRPrime - s.EditedRPrime) / s.EditedRPrime
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
	a, b := s.Terms()
	return (a + b) / 2
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
	Coordinate      int // of the output; -1 for all of it
	// Shifts holds one shift a pair, in the order of the pairs, and Values the
	// metric of the edited runs; nil without one.
	Shifts []Shift
	Values []float64
}

// Summarise returns the mean and the standard error of a measure over the
// cell's pairs.
func (c Cell) Summarise(measure func(Shift) float64) Summary {
	values := make([]float64, len(c.Shifts))
	for i, s := range c.Shifts {
		values[i] = measure(s)
	}
	return Summarise(values)
}

// Effects is the result of Mediate.
type Effects struct {
	Components       []Component
	Layers, Position int
	// Cells in the order in which they were computed, deepest layers first; not
	// all of them when the sweep was stopped.
	Cells []Cell
	// Pairs holds the pairs with their answers settled.
	Pairs []Pair
	// Total holds, a pair, the shift from the base run to the source run.
	Total []Shift
	// Base and Source are the metric of the runs without edits; nil without one.
	Base, Source []float64
	// OwnError is max |Δlogit| of a run in which a component is replaced by its
	// own value, SourceError that of a base run whose whole stream behind the
	// first block is the source's, against the source run. Both are 0 when
	// edits are exact.
	OwnError, SourceError float64
	// Report is what the sweep cost, and how many of its runs were compared
	// with full passes.
	Report models.Report
}

// Mediate measures the indirect effect of every component output: in the base
// run, the output of one component at one layer and position is replaced by
// the source run's (methods of arXiv 2305.15054 section 3), everything behind
// it is computed anew, and the probabilities of both answers are read at the
// last position. It emits each cell when all pairs have passed it, those of the
// deepest layers first.
//
// The cells of all pairs are one sweep of exact re-runs: pairs × components × L
// × T variants, of which each costs what its edit reaches, on average a quarter
// of a full run or less (see models.Base.Rerun).
func Mediate(ctx context.Context, m *models.Model, pairs []Pair, opt MediateOptions, emit func(Cell) error) (*Effects, error) {
	components := opt.Components
	if components == nil {
		components = []Component{MLP, Attention}
	}
	sites, err := mediationSites(m, components, opt.Layer)
	if err != nil {
		return nil, fmt.Errorf("mediation: %w", err)
	}
	s, err := runSides(ctx, m, pairs, models.Sites(sites...))
	if err != nil {
		return nil, fmt.Errorf("mediation: %w", err)
	}
	e := &Effects{Components: components, Layers: m.Config.Layers, Position: s.T, Pairs: s.pairs}
	for i := range s.pairs {
		e.Total = append(e.Total, s.shift(i, s.source.Sub(i).Data))
	}
	measured := opt.Metric.Of != nil
	if measured {
		if e.Base, e.Source, err = s.measured(opt.Metric, nil); err != nil {
			return nil, fmt.Errorf("mediation: %w", err)
		}
	}
	if e.OwnError, e.SourceError, err = s.identities(ctx, sites[0]); err != nil {
		return nil, fmt.Errorf("mediation: %w", err)
	}
	if opt.Started != nil {
		if err := opt.Started(e); err != nil {
			return nil, err
		}
	}
	cells := mediationCells(m, components, s.T, opt.Layer)
	for i := range cells {
		if cells[i].Shifts = make([]Shift, len(pairs)); measured {
			cells[i].Values = make([]float64, len(pairs))
		}
	}
	width := 2
	if measured {
		width++
	}
	report, err := grid{
		base: s.run, need: models.Need{Last: true}, vocab: m.Config.Outputs(), cells: len(cells),
		edits: func(cell, row int) ([]models.Edit, error) {
			c := cells[cell]
			site, err := c.Component.site(c.Layer)
			if err != nil {
				return nil, err
			}
			at := selection{"pos": c.Position}
			if c.Coordinate >= 0 {
				at["d_model"] = c.Coordinate
			}
			edit, err := s.transplant(row, site, at)
			return []models.Edit{edit}, err
		},
		width: width,
		measure: func(_, row int, logits []float32, into []float64) {
			shift := s.shift(row, logits)
			into[0], into[1] = shift.EditedR, shift.EditedRPrime
			if measured {
				into[2] = s.measure(opt.Metric, nil, row, logits)
			}
		},
		take: func(cell, row int, numbers []float64) {
			shift := e.Total[row] // for the probabilities of the base run
			shift.EditedR, shift.EditedRPrime = numbers[0], numbers[1]
			cells[cell].Shifts[row] = shift
			if measured {
				cells[cell].Values[row] = numbers[2]
			}
		},
		done: func(cell int) error {
			e.Cells = append(e.Cells, cells[cell])
			return emit(cells[cell])
		},
	}.sweep(ctx, opt.Budget)
	e.Report = report
	return e, err
}

// mediationSites lists the component outputs and, for the check of edits, the
// stream behind the first block.
func mediationSites(m *models.Model, components []Component, layer int) ([]models.Site, error) {
	var sites []models.Site
	for _, c := range components {
		for l := range m.Config.Layers {
			s, err := c.site(l)
			if err != nil {
				return nil, err
			}
			if c != Coordinate || l == layer {
				sites = append(sites, s)
			}
		}
		if c == Coordinate && (layer < 0 || layer >= m.Config.Layers) {
			return nil, fmt.Errorf("layer %d is outside 0..%d", layer, m.Config.Layers-1)
		}
	}
	if len(sites) == 0 {
		return nil, fmt.Errorf("no components")
	}
	for _, s := range sites {
		if _, err := m.Site(s.String()); err != nil {
			return nil, err
		}
	}
	return append(sites, models.Site{Layer: 0, Kind: models.ResidPost}), nil
}

// mediationCells lists the cells without their shifts.
func mediationCells(m *models.Model, components []Component, T, layer int) (cells []Cell) {
	for _, c := range components {
		switch c {
		case Coordinate:
			for i := range m.Config.Width {
				cells = append(cells, Cell{Component: c, Layer: layer, Position: T - 1, Coordinate: i})
			}
		case Embedding:
			for pos := range T {
				cells = append(cells, Cell{Component: c, Layer: -1, Position: pos, Coordinate: -1})
			}
		default:
			for l := range m.Config.Layers {
				for pos := range T {
					cells = append(cells, Cell{Component: c, Layer: l, Position: pos, Coordinate: -1})
				}
			}
		}
	}
	return cells
}

// shift reads the probabilities of both answers from edited logits of a pair.
func (s *sides) shift(pair int, edited []float32) Shift {
	p := s.pairs[pair]
	before, after := models.LogProbs(s.base.Sub(pair).Data), models.LogProbs(edited)
	return Shift{
		BaseR: math.Exp(before[p.SourceAnswer]), BaseRPrime: math.Exp(before[p.BaseAnswer]),
		EditedR: math.Exp(after[p.SourceAnswer]), EditedRPrime: math.Exp(after[p.BaseAnswer]),
	}
}

// RelativeImportance is the share of the late MLPs at the last position in what
// all MLP cells do (arXiv 2305.15054 section 4),
//
//	RI = Σ_late ln(1 + max(v, floor)) / Σ_all ln(1 + max(v, floor)),
//
// where v is the mean of the measure over pairs, and late is the second half of
// the rows: those of index i ≥ rows/2, the embedding's counted where it is
// among the cells. The paper's own figures clip v at 0.1 from below, which
// alone gives small effects a share; 0 is the honest floor. A sum of 0 is an
// error.
func (e *Effects) RelativeImportance(measure func(Shift) float64, floor float64) (float64, error) {
	first, rows := 0, e.Layers
	for _, c := range e.Cells {
		if c.Component == Embedding {
			first, rows = -1, e.Layers+1
		}
	}
	late, all := 0.0, 0.0
	for _, c := range e.Cells {
		if c.Component != MLP && c.Component != Embedding {
			continue
		}
		v := math.Log1p(max(c.Summarise(measure).Mean, floor))
		all += v
		if row := c.Layer - first; c.Position == e.Position-1 && 2*row >= rows {
			late += v
		}
	}
	if !(all > 0) {
		return 0, fmt.Errorf("relative importance: no MLP cell has an effect above 0, and a share of nothing is no number")
	}
	return late / all, nil
}
