package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// EffectOptions are the options of TotalAndDirect.
type EffectOptions struct {
	Nodes  []Node
	Metric Metric // of the source's answer r against the base's r′
	Among  []int
	// FrozenNorm keeps the final norm's scale of the base run in direct effects,
	// so that those of all components add up to the whole change.
	FrozenNorm bool
	Budget     Budget
}

// NodeEffect is one component's.
type NodeEffect struct {
	Node Node
	// Total and Direct are the metric of the edited runs, one a pair. Direct is
	// nil for the stream, which is no component that adds to it.
	Total, Direct []float64
}

// NodeEffects is the result of TotalAndDirect.
type NodeEffects struct {
	Nodes        []NodeEffect // in the order that was asked for
	Pairs        []Pair       // with their answers settled
	Base, Source []float64    // the metric of the runs without edits
	// LastError is max |total − direct| over the pairs of what nothing lies behind
	// but the norm: the last MLP and its neurons, and in parallel blocks the last
	// attention and its heads; NaN where none was asked for or the norm is frozen. It
	// is rounding.
	LastError float64
	Report    models.Report
}

// Change is the mean change of the metric against the base runs.
func (e *NodeEffects) Change(values []float64) Summary {
	diff := make([]float64, len(values))
	for i, v := range values {
		diff[i] = v - e.Base[i]
	}
	return Summarise(diff)
}

// DirectShare is DE/TE, a ratio of means over pairs. It is an error where the
// total effect is nothing to divide by.
func (e *NodeEffects) DirectShare(n NodeEffect) (float64, error) {
	if n.Direct == nil {
		return 0, fmt.Errorf("%s: the stream has no direct effect of its own", n.Node)
	}
	total := e.Change(n.Total).Mean
	if !(math.Abs(total) >= MinDenominator) {
		return 0, fmt.Errorf("%s: its total effect is %.3g, which is nothing to divide by", n.Node, total)
	}
	return e.Change(n.Direct).Mean / total, nil
}

// DirectShareError is the jackknife's standard error of DirectShare over pairs, NaN
// for one pair,
//
//	√( (n−1)/n · Σ (θ₋ᵢ − θ̄)² ),
//
// θ₋ᵢ the share without pair i (Efron and Stein, "The Jackknife Estimate of
// Variance", 1981).
func (e *NodeEffects) DirectShareError(n NodeEffect) float64 {
	pairs := len(e.Base)
	direct, total := e.Change(n.Direct).Mean*float64(pairs), e.Change(n.Total).Mean*float64(pairs)
	shares := make([]float64, pairs)
	for i, base := range e.Base {
		shares[i] = (direct - (n.Direct[i] - base)) / (total - (n.Total[i] - base))
	}
	s := Summarise(shares) // SEM = √(Σ(θ−θ̄)²/(n−1)) / √n
	return s.SEM * float64(pairs-1)
}

// TotalAndDirect measures, at the last position, two effects of each component
// (Kantamneni and Tegmark, "Language Models Use Trigonometry to Do Addition",
// 2025, arXiv 2502.00873, section 4):
//
//   - the total effect: in the base run the component's output is the source
//     run's, and everything behind it is computed anew;
//   - the direct effect: the difference of its outputs, source − base, is added to
//     the stream behind the last block of the base run, so that only the path to
//     the logits carries it; the final norm is computed anew unless it is frozen.
//
// What is left, total − direct, goes through other components; there it is
// called the indirect effect, which is not the one of causal mediation. It emits
// nothing on the way: two variants a component and pair, of which a direct one
// costs one row's unembedding.
func TotalAndDirect(ctx context.Context, m *models.Model, pairs []Pair, opt EffectOptions) (*NodeEffects, error) {
	if err := checkNodes(m, opt.Nodes); err != nil {
		return nil, fmt.Errorf("effects: %w", err)
	}
	if m.Config.Placement != models.PreNorm && slices.ContainsFunc(opt.Nodes, func(n Node) bool { return n.Part == HeadPart || n.Part == NeuronPart }) {
		return nil, fmt.Errorf("effects: a norm stands behind this model's attention and MLPs, so that single heads and neurons do not add to the stream: their direct effect is not defined; take %q and %q", AttentionPart, MLPPart)
	}
	if opt.FrozenNorm && m.Config.Norm == models.NoNorm {
		return nil, fmt.Errorf("effects: this model has no final norm to freeze")
	}
	own := newOutputs(m, opt.Nodes)
	s, err := runSides(ctx, m, pairs, models.Sites(own.sites...))
	if err != nil {
		return nil, fmt.Errorf("effects: %w", err)
	}
	if err := own.record(ctx, m, s); err != nil {
		return nil, fmt.Errorf("effects: %w", err)
	}
	e := &NodeEffects{Pairs: s.pairs, LastError: math.NaN()}
	if e.Base, e.Source, err = s.measured(opt.Metric, opt.Among); err != nil {
		return nil, fmt.Errorf("effects: %w", err)
	}
	for _, n := range opt.Nodes {
		r := NodeEffect{Node: n, Total: make([]float64, len(pairs))}
		if n.Part != StreamPart {
			r.Direct = make([]float64, len(pairs))
		}
		e.Nodes = append(e.Nodes, r)
	}
	step := max(1, nodesAtOnce/(m.Config.Width*len(pairs)))
	for lo := 0; lo < len(opt.Nodes) && err == nil; lo += step {
		nodes := e.Nodes[lo:min(lo+step, len(opt.Nodes))]
		var report models.Report
		report, err = grid{
			base: s.run, need: opt.Metric.need(answers(s.pairs)...), vocab: m.Config.Outputs(), cells: 2 * len(nodes),
			edits: func(cell, row int) ([]models.Edit, error) {
				n := nodes[cell/2].Node
				if cell%2 == 1 {
					return own.direct(n, row, opt.FrozenNorm)
				}
				value, err := s.recorded(n.site(), row)
				if err != nil {
					return nil, err
				}
				return []models.Edit{n.edit(m, value, s.T-1)}, nil
			},
			width: 1, measure: func(_, row int, logits []float32, into []float64) {
				into[0] = s.measure(opt.Metric, opt.Among, row, logits)
			},
			take: func(cell, row int, numbers []float64) {
				into := nodes[cell/2].Total
				if cell%2 == 1 {
					into = nodes[cell/2].Direct
				}
				if into != nil {
					into[row] = numbers[0]
				}
			},
			done: func(int) error { return nil },
		}.sweep(ctx, opt.Budget)
		e.Report = e.Report.Plus(report)
	}
	if err == nil && !opt.FrozenNorm {
		e.LastError = e.last(m.Config)
	}
	return e, err
}

// nodesAtOnce bounds the numbers of the edits of direct effects that are in
// memory at once.
const nodesAtOnce = 1 << 24

// answers are the tokens that pairs follow.
func answers(pairs []Pair) (ids []int) {
	for _, p := range pairs {
		ids = append(ids, p.SourceAnswer, p.BaseAnswer)
	}
	return ids
}

// last is the largest difference of total and direct effects of what nothing lies
// behind.
func (e *NodeEffects) last(c models.Config) float64 {
	worst := math.NaN()
	for _, n := range e.Nodes {
		mlp := n.Node.Part == MLPPart || n.Node.Part == NeuronPart
		if n.Direct == nil || n.Node.Layer != c.Layers-1 || !mlp && !c.Parallel && !c.AttnOnly {
			continue
		}
		for i := range n.Total {
			if d := math.Abs(n.Total[i] - n.Direct[i]); !(d <= worst) {
				worst = d
			}
		}
	}
	return worst
}

// outputs are what components write to the stream at the last position, in the
// base and the source runs.
type outputs struct {
	m            *models.Model
	sites        []models.Site         // that total effects take values from
	written      []models.Site         // what is added to the stream
	base, source *models.Cache         // [pairs,..] of the last position
	out          map[int]*tensor.Dense // W_out [D,F] of the layers with neurons
}

// written is the site of what a node adds to the stream.
func (n Node) written() models.Site {
	kind := map[Part]models.Kind{AttentionPart: models.AttnOut, HeadPart: models.Result, MLPPart: models.MLPOut, NeuronPart: models.Post}[n.Part]
	return models.Site{Layer: n.Layer, Kind: kind}
}

func newOutputs(m *models.Model, nodes []Node) *outputs {
	o := &outputs{m: m, sites: sitesOf(nodes), base: models.NewCache(), source: models.NewCache(), out: map[int]*tensor.Dense{}}
	seen := map[models.Site]bool{}
	for _, n := range nodes {
		if w := n.written(); n.Part != StreamPart && !seen[w] {
			seen[w] = true
			o.written = append(o.written, w)
		}
	}
	return o
}

// record runs both sides again and keeps the last position.
func (o *outputs) record(ctx context.Context, m *models.Model, s *sides) error {
	var rows [2][][]int
	for _, p := range s.pairs {
		rows[0], rows[1] = append(rows[0], p.Base), append(rows[1], p.Source)
	}
	sites := o.written
	if m.Config.Norm != models.NoNorm {
		sites = append(slices.Clone(sites), models.Site{Layer: -1, Kind: models.FinalScale})
	}
	for i, into := range []*models.Cache{o.base, o.source} {
		in, err := models.Rows(rows[i])
		if err != nil {
			return err
		}
		keep := models.Hook{Sites: models.Sites(sites...), Fn: func(at models.Site, x *tensor.Dense) error {
			last := x.Sub(0, s.T-1)
			y := tensor.New(append([]int{in.B}, last.Shape...)...)
			for b := range in.B {
				copy(y.Sub(b).Data, x.Sub(b, s.T-1).Data)
			}
			into.Put(at, y)
			return nil
		}}
		if _, err := m.Run(ctx, in, keep); err != nil {
			return err
		}
	}
	return nil
}

// direct are the edits that let a node's change reach the logits alone.
func (o *outputs) direct(n Node, row int, frozen bool) ([]models.Edit, error) {
	if n.Part == StreamPart {
		return nil, nil
	}
	before, ok := o.base.Get(n.written())
	after, there := o.source.Get(n.written())
	if !ok || !there {
		return nil, fmt.Errorf("site %s was not recorded", n.written())
	}
	x, y := before.Sub(row), after.Sub(row)
	if n.Part == HeadPart {
		x, y = x.Sub(n.Index), y.Sub(n.Index)
	}
	delta := make([]float32, o.m.Config.Width)
	if n.Part == NeuronPart {
		if o.out[n.Layer] == nil {
			block, err := o.m.Block(n.Layer)
			if err != nil {
				return nil, err
			}
			o.out[n.Layer] = block.Out.Weight
		}
		change := y.Data[n.Index] - x.Data[n.Index]
		for i := range delta {
			delta[i] = change * o.out[n.Layer].At(i, n.Index)
		}
	} else {
		for i := range delta {
			delta[i] = y.Data[i] - x.Data[i]
		}
	}
	return o.through(delta, row, frozen), nil
}

// through adds a difference [D] to the last stream at the last position.
func (o *outputs) through(delta []float32, row int, frozen bool) []models.Edit {
	last := models.Site{Layer: o.m.Config.Layers - 1, Kind: models.ResidPost}
	edits := []models.Edit{{Site: last.String(), Positions: []int{-1}, Op: models.Add, Value: models.List(delta...)}}
	if frozen {
		scale := models.Site{Layer: -1, Kind: models.FinalScale}
		x, _ := o.base.Get(scale)
		edits = append(edits, models.Edit{Site: scale.String(), Positions: []int{-1}, Op: models.Set, Value: models.Number(x.Sub(row).Data[0])})
	}
	return edits
}
