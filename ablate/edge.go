package ablate

import (
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// The ends of edges that are no head and no MLP.
const (
	EmbedPart   Part  = "embed"  // what enters the first block, as a source; its layer is -1
	LogitsInput Input = "logits" // what the final norm reads, as a destination; its layer is L
)

// Edge leads from what a component adds to the stream to what another one, or
// one input of a head, reads of it. It is two places in an EdgeGraph.
type Edge struct{ Source, Destination int }

// EdgeGraph is a model as components joined by the stream (Syed, Rager, Conmy,
// "Attribution Patching Outperforms Automated Circuit Discovery", 2023, arXiv
// 2310.10348). A destination reads the sum of all sources before it.
type EdgeGraph struct {
	// Sources are the tokens' embedding (learned positions are no part of it: the
	// same ones stand in every run) and then, block by block, its heads and its MLP:
	// 1 + L·(H+1) of them.
	Sources []Node
	// Destinations are, block by block, the queries of all heads, their keys, their
	// values and the MLP, and the logits at the end: L·(3H+1) + 1 of them. Keys and
	// values have a destination for each head, also where heads share them.
	Destinations []Receiver
	// Edges are those that exist, source by source: to what is computed later. An
	// MLP reads the heads of its own block in serial blocks alone.
	Edges []Edge
}

// NewEdgeGraph lists a model's edges. A norm behind attention or MLP is an error:
// single heads do not add to the stream there.
func NewEdgeGraph(m *models.Model) (*EdgeGraph, error) {
	c := m.Config
	if c.Placement != models.PreNorm {
		return nil, fmt.Errorf("edges: a norm stands behind this model's attention and MLPs, so that single heads do not add to the stream and have no edges")
	}
	g := &EdgeGraph{Sources: []Node{{Part: EmbedPart, Layer: -1}}}
	for l := range c.Layers {
		for h := range c.Heads {
			g.Sources = append(g.Sources, Node{HeadPart, l, h})
		}
		for _, input := range []Input{QueryInput, KeyInput, ValueInput} {
			for h := range c.Heads {
				g.Destinations = append(g.Destinations, Receiver{input, l, h})
			}
		}
		if !c.AttnOnly {
			g.Sources = append(g.Sources, Node{Part: MLPPart, Layer: l})
			g.Destinations = append(g.Destinations, Receiver{Input: MLPInput, Layer: l})
		}
	}
	g.Destinations = append(g.Destinations, Receiver{Input: LogitsInput, Layer: c.Layers})
	for s, from := range g.Sources {
		for d, to := range g.Destinations {
			within := from.Part == HeadPart && to.Input == MLPInput && from.Layer == to.Layer && !c.Parallel
			if from.Layer < to.Layer || within {
				g.Edges = append(g.Edges, Edge{s, d})
			}
		}
	}
	return g, nil
}

// Name is such as "head 0.2 → k 3.1" or "embed → logits".
func (g *EdgeGraph) Name(e Edge) string {
	return g.SourceName(e.Source) + " → " + g.DestinationName(e.Destination)
}

// SourceName is such as "embed", "head 0.2" or "mlp 1".
func (g *EdgeGraph) SourceName(i int) string {
	if g.Sources[i].Part == EmbedPart {
		return string(EmbedPart)
	}
	return g.Sources[i].String()
}

// DestinationName is such as "k 3.1", "mlp 2" or "logits".
func (g *EdgeGraph) DestinationName(i int) string {
	return g.Destinations[i].String()
}

// check refuses edges that are not there, or there twice.
func (g *EdgeGraph) check(edges []Edge) error {
	there, seen := map[Edge]bool{}, map[Edge]bool{}
	for _, e := range g.Edges {
		there[e] = true
	}
	for _, e := range edges {
		if e.Source < 0 || e.Source >= len(g.Sources) || e.Destination < 0 || e.Destination >= len(g.Destinations) {
			return fmt.Errorf("edge %d → %d is outside sources 0..%d and destinations 0..%d", e.Source, e.Destination, len(g.Sources)-1, len(g.Destinations)-1)
		}
		if !there[e] {
			return fmt.Errorf("edge %s does not exist: its end is not computed behind its beginning", g.Name(e))
		}
		if seen[e] {
			return fmt.Errorf("edge %s is listed twice", g.Name(e))
		}
		seen[e] = true
	}
	return nil
}

// sourceSite is where a source's addition to the stream stands, [B,T,D], or
// [B,T,H,D] for a head.
func sourceSite(n Node) models.Site {
	switch n.Part {
	case HeadPart:
		return models.Site{Layer: n.Layer, Kind: models.Result}
	case MLPPart:
		return models.Site{Layer: n.Layer, Kind: models.MLPOut}
	}
	return models.Site{Layer: -1, Kind: models.Embed}
}

// destinationSite is where a destination's own copy of the stream stands, [B,T,D],
// or [B,T,H,D] for an input of a head.
func destinationSite(r Receiver) models.Site {
	if r.Input == LogitsInput {
		return models.Site{Layer: r.Layer - 1, Kind: models.ResidPost}
	}
	kind := map[Input]models.Kind{QueryInput: models.QInput, KeyInput: models.KInput, ValueInput: models.VInput, MLPInput: models.MLPIn}[r.Input]
	return models.Site{Layer: r.Layer, Kind: kind}
}

// sources and destinations select the sites of all of a graph's ends.
func (g *EdgeGraph) sources() models.Selector {
	var sites []models.Site
	for _, n := range g.Sources {
		sites = append(sites, sourceSite(n))
	}
	return models.Sites(sites...)
}

func (g *EdgeGraph) destinations() models.Selector {
	var sites []models.Site
	for _, r := range g.Destinations {
		sites = append(sites, destinationSite(r))
	}
	return models.Sites(sites...)
}

// headOf is head h of x [T,H,D] at position pos, and x [T,D] itself there for an
// end without heads.
func headOf(x *tensor.Dense, pos, h int) []float32 {
	if x.Rank() == 3 {
		return x.Sub(pos, h).Data
	}
	return x.Sub(pos).Data
}

// ungrouped is the same model with keys and values of its own for every head: the
// weights of shared ones are repeated. Its runs are the model's own up to
// rounding.
func ungrouped(m *models.Model) (*models.Model, error) {
	c := m.Config
	group := c.Heads / c.KVHeads
	if group == 1 {
		return m, nil
	}
	repeat := func(x *tensor.Dense) *tensor.Dense {
		if x == nil {
			return nil
		}
		size := x.Len() / c.KVHeads
		shape := append([]int{x.Dim(0) * group}, x.Shape[1:]...)
		out := tensor.New(shape...)
		for h := range c.Heads {
			copy(out.Data[h*size:(h+1)*size], x.Data[h/group*size:])
		}
		return out
	}
	params := *m.Params()
	params.Blocks = append([]models.BlockParams(nil), params.Blocks...)
	for l := range params.Blocks {
		b := &params.Blocks[l]
		b.K = models.LinearParams{Weight: repeat(b.K.Weight), Bias: repeat(b.K.Bias)}
		b.V = models.LinearParams{Weight: repeat(b.V.Weight), Bias: repeat(b.V.Bias)}
		if c.QKNorm == models.QKNormFull || c.QKNorm == models.QKNormHeads {
			b.KNorm = models.NormParams{Weight: repeat(b.KNorm.Weight), Bias: repeat(b.KNorm.Bias)}
		}
	}
	c.KVHeads = c.Heads
	return models.New(c, &params)
}
