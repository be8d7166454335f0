package ablate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// EdgeMethod says where the gradients of edge attribution are taken.
type EdgeMethod string

// The methods.
const (
	EdgeGradient   EdgeMethod = "eap"             // on the base run
	EdgeIntegrated EdgeMethod = "eap_ig_inputs"   // averaged between both runs' embeddings
	EdgeEnds       EdgeMethod = "clean_corrupted" // averaged over both runs
)

// EdgeMethods lists the methods.
var EdgeMethods = [...]EdgeMethod{EdgeGradient, EdgeIntegrated, EdgeEnds}

// EdgeOptions are the options of AttributeEdges, PatchEdges and EdgeCircuits.
type EdgeOptions struct {
	// Direction is "" or Noise where the clean run is edited and the corrupted one
	// gives values, as papers on edges do it, and Denoise for the other way round.
	Direction Direction
	Metric    Metric // of the clean answer r against the corrupted one r′
	Among     []int  // ids that accuracy and margin choose from; nil for all
	// Kind is what stands in place of a source's output: Resample, or "", for the
	// source run's, Zero, or MeanByPos and MeanAll over Reference.
	Kind      Ablation
	Reference [][]int // the prompts of means; say which
	// FrozenNorm lets the destinations of PatchEdges read the difference by the norm
	// of the base run, its scale frozen. See PatchEdges.
	FrozenNorm bool
	Budget     Budget // of PatchEdges
	// Started, if not nil, is called by PatchEdges once, when the runs without edits
	// are done and no edge is, and Done when an edge, by its place in the list, has
	// been patched in all pairs. Their error ends the call.
	Started func(*EdgeEffects) error
	Done    func(edge int) error
}

// EdgeScores is the result of AttributeEdges.
type EdgeScores struct {
	Graph     *EdgeGraph
	Method    EdgeMethod
	Steps     int // of EdgeIntegrated, else 0
	Metric    Metric
	Kind      Ablation
	Direction Direction
	Contrasts []Contrast // with their answers settled
	// Base and Source are the metric of the runs without edits: of those that are
	// edited, and of those whose values are put in.
	Base, Source []float64
	Values       [][]float64 // [edge][pair], edges as in Graph.Edges
}

// AttributeEdges estimates what each edge does, to first order: by how much the
// metric of the base run changes when the destination alone reads the source run's
// output of the component u,
//
//	score(u → v) = Σ_{positions, D} (u_source − u_base) · ∂metric/∂(input of v),
//
// where the input is the stream before the norm that v reads through. It is edge
// attribution patching (Syed, Rager, Conmy, 2023, arXiv 2310.10348). EdgeIntegrated
// averages the gradient over runs whose embeddings are
//
//	x_k = x_source + (k/S)·(x_base − x_source),  k = 0..S−1,
//
// for S steps (EAP-IG: Hanna, Pezzelle, Belinkov, "Have Faith in Faithfulness",
// 2024, arXiv 2403.17806); the differences stay the same. With
// Noise, a positive score says that corrupting the edge raises the metric. Compare some with PatchEdges.
//
// The metric is one of those of AttributionPatch. It costs two runs forward and
// one backward of all pairs, S of them for EdgeIntegrated, and edges·T·D products
// a pair; both runs' head results are kept, 2·n·T·L·(H+1)·D numbers.
func AttributeEdges(ctx context.Context, m *models.Model, contrasts []Contrast, method EdgeMethod, steps int, opt EdgeOptions) (*EdgeScores, error) {
	if !slices.Contains(EdgeMethods[:], method) {
		return nil, fmt.Errorf("edge attribution: method is %q, want one of %v", method, EdgeMethods)
	}
	if method == EdgeIntegrated && steps < 1 {
		return nil, fmt.Errorf("edge attribution: %d steps: an integral needs 1 or more (5 in its paper)", steps)
	}
	if method != EdgeIntegrated {
		steps = 0
	}
	if err := opt.Metric.checkSlope(); err != nil {
		return nil, fmt.Errorf("edge attribution: %w", err)
	}
	r, err := startEdges(ctx, m, contrasts, opt)
	if err != nil {
		return nil, fmt.Errorf("edge attribution: %w", err)
	}
	s := &EdgeScores{Graph: r.graph, Method: method, Steps: steps, Metric: opt.Metric, Kind: r.kind, Direction: r.opt.Direction, Contrasts: r.contrasts, Base: r.base, Source: r.source}
	slope, err := r.slopes(ctx, method, steps)
	if err != nil {
		return nil, fmt.Errorf("edge attribution: %w", err)
	}
	for _, e := range r.graph.Edges {
		row := make([]float64, len(contrasts))
		for i := range contrasts {
			row[i] = r.score(e, i, slope)
		}
		s.Values = append(s.Values, row)
	}
	return s, nil
}

// slopes are the derivatives of the metric by every destination's input.
func (r *edgeRuns) slopes(ctx context.Context, method EdgeMethod, steps int) (*models.Cache, error) {
	base, source := r.sides.run.Batch(), r.other
	at := func(in models.Batch, hooks ...models.Hook) (*models.Cache, error) {
		g, err := r.m.Gradient(ctx, in, r.objective, models.Want{Sites: r.graph.destinations(), Need: models.Need{Last: true}}, hooks...)
		if err != nil {
			return nil, err
		}
		return g.Sites, nil
	}
	var all []*models.Cache
	switch method {
	case EdgeIntegrated:
		site := models.Site{Layer: -1, Kind: models.Embed}
		from, _ := r.sides.cache.Get(site)
		to, _ := r.own.Get(site)
		for k := range steps {
			x, share := from.Clone(), float64(k)/float64(steps)
			for i, v := range to.Data {
				x.Data[i] += float32(share * (float64(v) - float64(x.Data[i])))
			}
			set := models.Hook{Sites: models.Sites(site), Fn: func(_ models.Site, y *tensor.Dense) error {
				copy(y.Data, x.Data)
				return nil
			}, Grad: func(_ models.Site, g *tensor.Dense) error {
				clear(g.Data)
				return nil
			}}
			c, err := at(base, set)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	default:
		batches := []models.Batch{base}
		if method == EdgeEnds {
			batches = append(batches, source)
		}
		for _, in := range batches {
			c, err := at(in)
			if err != nil {
				return nil, err
			}
			all = append(all, c)
		}
	}
	return meanOf(all), nil
}

// meanOf is the mean of caches of the same sites; it takes over the first.
func meanOf(all []*models.Cache) *models.Cache {
	if len(all) == 1 {
		return all[0]
	}
	for _, site := range all[0].Sites() {
		x, _ := all[0].Get(site)
		for i := range x.Data {
			sum := float64(x.Data[i])
			for _, c := range all[1:] {
				y, _ := c.Get(site)
				sum += float64(y.Data[i])
			}
			x.Data[i] = float32(sum / float64(len(all)))
		}
		all[0].Put(site, x)
	}
	return all[0]
}

// score is Σ difference · slope of an edge in a pair.
func (r *edgeRuns) score(e Edge, pair int, slope *models.Cache) float64 {
	from, to := r.graph.Sources[e.Source], r.graph.Destinations[e.Destination]
	g, _ := slope.Get(destinationSite(to))
	gradient, sum := g.Sub(pair), 0.0
	before, after := r.of(from, pair)
	for pos := range r.sides.T {
		x, y, s := headOf(before, pos, from.Index), headOf(after, pos, from.Index), headOf(gradient, pos, to.Index)
		for d, v := range s {
			sum += (float64(y[d]) - float64(x[d])) * float64(v)
		}
	}
	return sum
}

// Ranking says which edges come first.
type Ranking string

// The rankings.
const (
	ByMagnitude Ranking = "abs"      // what matters, in either direction
	BySupport   Ranking = "positive" // what raises the metric: whose corruption lowers it, or whose restoring raises it
)

// Rank orders the edges by their mean score over pairs, those of greatest effect
// first and equal ones as in the graph.
func (s *EdgeScores) Rank(by Ranking) ([]Edge, error) {
	if by != ByMagnitude && by != BySupport {
		return nil, fmt.Errorf("edges are ranked by %q, want %q or %q", by, ByMagnitude, BySupport)
	}
	type scored struct {
		edge  Edge
		value float64
	}
	var all []scored
	for i, e := range s.Graph.Edges {
		v := Summarise(s.Values[i]).Mean
		switch {
		case by == ByMagnitude:
			v = math.Abs(v)
		case s.Direction == Noise:
			v = -v
		}
		all = append(all, scored{e, v})
	}
	slices.SortStableFunc(all, func(a, b scored) int { return cmp.Compare(b.value, a.value) })
	edges := make([]Edge, len(all))
	for i, a := range all {
		edges[i] = a.edge
	}
	return edges, nil
}
