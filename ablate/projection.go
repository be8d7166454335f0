package ablate

import (
	"context"
	"fmt"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// Projection takes one subspace away from what several components write to the
// stream: from the outputs of attention blocks, single heads and MLPs, h ← h + P·out with
// P = 1 − BᵀB. With the waves of a band of frequencies as B it is the filter of
// Zhou et al., "Pre-trained Large Language Models Use Fourier Features to Compute
// Addition", 2024, arXiv:2406.03445, definition A.6; package probe makes B.
type Projection struct {
	Name string
	// Nodes are AttentionParts, HeadParts and MLPParts, mixed as you like; not a block
	// and one of its own heads. A block's bias b_O is no head's.
	Nodes []Node
	// Directions is B, [r, D]: independent rows; nil takes nothing away.
	Directions *tensor.Dense
	// Positions are where it is done, negative ones counted from the end; nil for
	// all.
	Positions []int
	// Places are activations that it is done to besides, each at its own position: of
	// the stream, and others of D numbers. Point is what stays where it is there, such
	// as their mean; nil for 0.
	Places []Place
	Point  []float32
}

// Edits are the projection as edits: one a block and one for all heads of a layer.
func (p Projection) Edits(m *models.Model) ([]models.Edit, error) {
	if err := checkNodes(m, p.Nodes); err != nil && (len(p.Nodes) > 0 || len(p.Places) == 0) {
		return nil, fmt.Errorf("projection %s: %w", p.Name, err)
	}
	for _, place := range p.Places {
		if n := place.Width(m); n != m.Config.Width {
			return nil, fmt.Errorf("projection %s: %s holds %d numbers, the directions are of %d", p.Name, place, n, m.Config.Width)
		}
	}
	if p.Point != nil && len(p.Point) != m.Config.Width {
		return nil, fmt.Errorf("projection %s: a point of %d numbers in a stream of %d dimensions", p.Name, len(p.Point), m.Config.Width)
	}
	for _, n := range p.Nodes {
		switch {
		case n.Part != AttentionPart && n.Part != HeadPart && n.Part != MLPPart:
			return nil, fmt.Errorf("projection %s: %s: only the outputs of attention blocks, heads and MLPs are vectors of the stream", p.Name, n)
		case n.Part == HeadPart && m.Config.Placement != models.PreNorm:
			return nil, fmt.Errorf("projection %s: %s: a norm stands behind this model's attention, so that single heads do not add to the stream: take %s", p.Name, n, Node{Part: AttentionPart, Layer: n.Layer})
		case n.Part == HeadPart && slices.Contains(p.Nodes, Node{Part: AttentionPart, Layer: n.Layer}):
			return nil, fmt.Errorf("projection %s: %s is a part of %s, which is projected, too: name one of them", p.Name, n, Node{Part: AttentionPart, Layer: n.Layer})
		}
	}
	if p.Directions == nil {
		return nil, nil
	}
	if p.Directions.Rank() != 2 || p.Directions.Dim(1) != m.Config.Width {
		return nil, fmt.Errorf("projection %s: directions of shape %v in a stream of %d dimensions", p.Name, p.Directions.Shape, m.Config.Width)
	}
	if p.Directions.Dim(0) >= m.Config.Width {
		return nil, fmt.Errorf("projection %s: %d directions span all %d dimensions of the model: nothing would be left", p.Name, p.Directions.Dim(0), m.Config.Width)
	}
	var edits []models.Edit
	heads := map[string]int{} // the edit of a layer's heads
	for _, n := range p.Nodes {
		site := n.written().String()
		e := models.Edit{Site: site, Positions: p.Positions, Op: models.ProjectOut, Basis: models.Tensor(p.Directions)}
		if n.Part == HeadPart {
			if at, ok := heads[site]; ok {
				edits[at].Heads = append(edits[at].Heads, n.Index)
				continue
			}
			heads[site] = len(edits)
			e.Heads = []int{n.Index}
		}
		edits = append(edits, e)
	}
	for _, place := range p.Places {
		e := models.Edit{Site: place.Site.String(), Positions: []int{place.Position}, Op: models.ProjectOut, Basis: models.Tensor(p.Directions)}
		if p.Point != nil {
			e.Value = models.List(p.Point...)
		}
		edits = append(edits, e)
	}
	return edits, nil
}

// Projected is what prompts say under one projection.
type Projected struct {
	// Values hold the metrics, [metric][prompt], Tops the top token of each prompt.
	Values [][]float64
	Tops   []int
}

// projectedRows is how many prompts a run takes at once.
const projectedRows = 256

// Project runs prompts without edits and under each projection, at their last
// position. emit receives the plain runs as number -1 first, then each
// projection when all prompts have passed it.
//
// A projection costs one full pass over the prompts and, once a component and a
// run, 2·r²·D to make its directions orthonormal.
func Project(ctx context.Context, m *models.Model, prompts []Prompt, projections []Projection, metrics []Metric, emit func(i int, p Projected) error) error {
	run, err := startPrompts(ctx, m, prompts, metrics)
	if err != nil {
		return fmt.Errorf("projections: %w", err)
	}
	plain := Projected{Values: run.measureBase(metrics, nil)}
	for _, z := range run.logits {
		plain.Tops = append(plain.Tops, models.Argmax(z))
	}
	if err := emit(-1, plain); err != nil {
		return err
	}
	for i, p := range projections {
		edits, err := p.Edits(m)
		if err != nil {
			return err
		}
		out, err := run.under(ctx, m, edits, metrics)
		if err != nil {
			return fmt.Errorf("projection %s: %w", p.Name, err)
		}
		if err := emit(i, out); err != nil {
			return err
		}
	}
	return nil
}

// under runs the prompts with edits, each in a full pass.
func (r *promptRun) under(ctx context.Context, m *models.Model, edits []models.Edit, metrics []Metric) (out Projected, err error) {
	hooks, err := m.Edits(edits...)
	if err != nil {
		return out, err
	}
	out.Values = make([][]float64, len(metrics))
	for first := 0; first < len(r.prompts); first += projectedRows {
		part := r.prompts[first:min(first+projectedRows, len(r.prompts))]
		in, err := batch(part)
		if err != nil {
			return out, err
		}
		run, err := m.RunFor(ctx, in, models.Need{Last: true}, hooks...)
		if err != nil {
			return out, err
		}
		for b := range part {
			logits := run.Logits.Sub(b, 0).Data
			out.Tops = append(out.Tops, models.Argmax(logits))
			for i, v := range r.measure(metrics, nil, first+b, logits) {
				out.Values[i] = append(out.Values[i], v)
			}
		}
	}
	return out, nil
}
