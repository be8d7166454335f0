package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// Freeze says what keeps its base value while a sender's change travels.
type Freeze string

// The freezes. Papers differ, so that a path effect always says which.
const (
	// FreezeHeads keeps every other head, at all positions; MLPs and norms are
	// computed anew ("direct" means: not through other heads).
	FreezeHeads Freeze = "heads"
	// FreezeHeadsAndMLPs keeps every other MLP output as well.
	FreezeHeadsAndMLPs Freeze = "heads_and_mlps"
	// FreezeOutputs keeps, at the last position alone, the attention and MLP
	// outputs behind the sender (arXiv 2502.00873 section 4).
	FreezeOutputs Freeze = "outputs"
)

// Freezes lists the freezes.
var Freezes = [...]Freeze{FreezeHeads, FreezeHeadsAndMLPs, FreezeOutputs}

// Input is what a receiver takes.
type Input string

// The inputs. Queries, keys and values are those before rotary positions; MLP
// is an MLP's output as it is computed from what arrives, and HeadInput a head's
// z.
const (
	QueryInput Input = "q"
	KeyInput   Input = "k"
	ValueInput Input = "v"
	MLPInput   Input = "mlp"
	HeadInput  Input = "head"
)

// Receiver is the end of a path. Index is the head, of keys and values the
// key-value head, and 0 for an MLP.
type Receiver struct {
	Input        Input
	Layer, Index int
}

// site is where a receiver's value stands.
func (r Receiver) site() models.Site {
	kind := map[Input]models.Kind{QueryInput: models.Q, KeyInput: models.K, ValueInput: models.V, MLPInput: models.MLPOut, HeadInput: models.Z}[r.Input]
	return models.Site{Layer: r.Layer, Kind: kind}
}

func (r Receiver) check(m *models.Model) error {
	most := 1
	switch r.Input {
	case QueryInput, HeadInput:
		most = m.Config.Heads
	case KeyInput, ValueInput:
		most = m.Config.KVHeads
	case MLPInput:
	default:
		return fmt.Errorf("receiver's input is %q, want %q, %q, %q, %q or %q", r.Input, QueryInput, KeyInput, ValueInput, MLPInput, HeadInput)
	}
	if r.Layer < 0 || r.Layer >= m.Config.Layers || r.Index < 0 || r.Index >= most {
		return fmt.Errorf("receiver %s of %d.%d is outside layers 0..%d and indices 0..%d", r.Input, r.Layer, r.Index, m.Config.Layers-1, most-1)
	}
	return nil
}

// PathOptions are the options of PathPatch.
type PathOptions struct {
	// Senders are heads and MLPs.
	Senders []Node
	// Receivers are where paths end; nil for the logits.
	Receivers []Receiver
	Freeze    Freeze
	// Last changes the sender, and with FreezeOutputs the receiver, at the last
	// position alone.
	Last   bool
	Metric Metric // of the base's answer r against the source's r′
	Budget Budget
	// Started is called before the first path, with the metric of the runs without
	// edits, and Done when all pairs have passed one; either may be nil.
	Started func(e *PathEffects) error
	Done    func(sender, receiver int) error
}

// PathEffects is the result of PathPatch.
type PathEffects struct {
	Pairs        []Pair
	Base, Source []float64 // the metric of both sides' runs
	// Values holds the metric by sender, receiver (one for the logits) and pair.
	Values [][][]float64
	Report models.Report
}

// Relative is the mean of (value − base)/base over pairs, the effect of Zhang et
// al. ("Interpreting and Improving Large Language Models in Arithmetic
// Calculation", ICML 2024, arXiv 2409.01659) where the metric is the answer's
// logit. A base near 0 is an error: a quotient by it says nothing.
func (e *PathEffects) Relative(values []float64) (Summary, error) {
	out := make([]float64, len(values))
	for i, v := range values {
		if !(math.Abs(e.Base[i]) >= MinDenominator) {
			return Summary{}, fmt.Errorf("relative effect: the metric of pair %d is %.3g in its base run, which is nothing to divide by", i, e.Base[i])
		}
		out[i] = (v - e.Base[i]) / e.Base[i]
	}
	return Summarise(out), nil
}

// PathPatch measures what a sender's change does along paths: the base run gets
// the source's output of the sender, everything of the freeze keeps the base's
// values, and either the logits are read, or what each receiver then takes is
// put alone into another base run, all else of which is free. A receiver that
// does not lie behind the sender changes nothing.
//
// It costs one re-run a sender and pair, and with receivers one run of all pairs
// a sender and one re-run a sender, receiver and pair.
func PathPatch(ctx context.Context, m *models.Model, pairs []Pair, opt PathOptions) (*PathEffects, error) {
	if err := opt.check(m); err != nil {
		return nil, fmt.Errorf("path patching: %w", err)
	}
	p, err := newPaths(ctx, m, pairs, opt)
	if err != nil {
		return nil, fmt.Errorf("path patching: %w", err)
	}
	edits, columns := p.toLogits, 1
	if opt.Receivers != nil {
		if err := p.record(ctx); err != nil {
			return nil, fmt.Errorf("path patching: %w", err)
		}
		edits, columns = p.toReceiver, len(opt.Receivers)
	}
	e := &PathEffects{Pairs: p.sides.pairs}
	read := func(pair int, logits []float32) float64 {
		q := p.sides.pairs[pair]
		return opt.Metric.Of(Readout{Row: pair, Run: logits, Base: p.sides.base.Sub(pair).Data, Answer: q.BaseAnswer, Other: q.SourceAnswer})
	}
	for i, q := range p.sides.pairs {
		if err := opt.Metric.check(q.BaseAnswer, q.SourceAnswer); err != nil {
			return nil, fmt.Errorf("path patching: pair %d: %w", i, err)
		}
		e.Base, e.Source = append(e.Base, read(i, p.sides.base.Sub(i).Data)), append(e.Source, read(i, p.sides.source.Sub(i).Data))
	}
	for range opt.Senders {
		e.Values = append(e.Values, table(columns, len(pairs)))
	}
	if opt.Started != nil {
		if err := opt.Started(e); err != nil {
			return nil, err
		}
	}
	e.Report, err = grid{
		base: p.sides.run, need: opt.Metric.need(answers(p.sides.pairs)...), vocab: m.Config.Outputs(), cells: len(opt.Senders) * columns,
		edits: func(cell, row int) ([]models.Edit, error) { return edits(cell/columns, cell%columns, row) },
		width: 1, measure: func(_, row int, logits []float32, into []float64) { into[0] = read(row, logits) },
		take: func(cell, row int, numbers []float64) { e.Values[cell/columns][cell%columns][row] = numbers[0] },
		done: func(cell int) error {
			if opt.Done == nil {
				return nil
			}
			return opt.Done(cell/columns, cell%columns)
		},
	}.sweep(ctx, opt.Budget)
	return e, err
}

func (opt PathOptions) check(m *models.Model) error {
	if err := checkNodes(m, opt.Senders); err != nil {
		return err
	}
	for _, n := range opt.Senders {
		if n.Part != HeadPart && n.Part != MLPPart {
			return fmt.Errorf("%s cannot send: senders are %q and %q", n, HeadPart, MLPPart)
		}
	}
	if !slices.Contains(Freezes[:], opt.Freeze) {
		return fmt.Errorf("freeze is %q, want one of %q", opt.Freeze, Freezes)
	}
	if opt.Freeze == FreezeOutputs && !opt.Last {
		return fmt.Errorf("freeze %q is one of the last position: set Last", FreezeOutputs)
	}
	if opt.Receivers != nil && len(opt.Receivers) == 0 {
		return fmt.Errorf("the list of receivers is empty: leave it out for the logits")
	}
	for _, r := range opt.Receivers {
		if err := r.check(m); err != nil {
			return err
		}
	}
	return nil
}

// paths carries what path patching needs of both runs.
type paths struct {
	m     *models.Model
	opt   PathOptions
	sides *sides
	own   *models.Cache   // of the base runs: heads' z, attention and MLP outputs, receivers, [pairs,..]
	taken []*models.Cache // what receivers take, a sender each
}

func newPaths(ctx context.Context, m *models.Model, pairs []Pair, opt PathOptions) (*paths, error) {
	p := &paths{m: m, opt: opt, own: models.NewCache()}
	var err error
	if p.sides, err = runSides(ctx, m, pairs, models.Sites(sitesOf(opt.Senders)...)); err != nil {
		return nil, err
	}
	receivers := map[models.Site]bool{}
	for _, r := range opt.Receivers {
		receivers[r.site()] = true
	}
	keep := func(s models.Site) bool {
		return s.Kind == models.Z || s.Kind == models.MLPOut || s.Kind == models.AttnOut || receivers[s]
	}
	_, err = m.RunFor(ctx, p.sides.run.Batch(), models.Need{Last: true}, models.Record(p.own, keep))
	return p, err
}

// frozen lists the sites behind a sender that keep their base values: behind it
// in the forward order, so that those before it need no edit.
func (p *paths) frozen(sender Node) (sites []models.Site) {
	for l := sender.Layer; l < p.m.Config.Layers; l++ {
		later := l > sender.Layer
		mlp := later || sender.Part == HeadPart && !p.m.Config.Parallel
		if p.m.Config.AttnOnly {
			mlp = false
		}
		switch p.opt.Freeze {
		case FreezeOutputs:
			if later {
				sites = append(sites, models.Site{Layer: l, Kind: models.AttnOut})
			}
			if mlp {
				sites = append(sites, models.Site{Layer: l, Kind: models.MLPOut})
			}
		default:
			if later {
				sites = append(sites, models.Site{Layer: l, Kind: models.Z})
			}
			if mlp && p.opt.Freeze == FreezeHeadsAndMLPs {
				sites = append(sites, models.Site{Layer: l, Kind: models.MLPOut})
			}
		}
	}
	return sites
}

// position is where a freeze and a sender act; -1 for everywhere.
func (p *paths) position() int {
	if p.opt.Last {
		return p.sides.T - 1
	}
	return -1
}

// toLogits are the edits of a sender's run of one pair.
func (p *paths) toLogits(sender, _, row int) ([]models.Edit, error) {
	n := p.opt.Senders[sender]
	value, err := p.sides.recorded(n.site(), row)
	if err != nil {
		return nil, err
	}
	edits := []models.Edit{n.edit(p.m, value, p.position())}
	for _, site := range p.frozen(n) {
		own, _ := p.own.Get(site)
		at := selection{}
		if p.opt.Freeze == FreezeOutputs {
			at["pos"] = p.sides.T - 1
		}
		edits = append(edits, editOf(p.m, site, own.Sub(row), at))
	}
	return edits, nil
}

// Behind says whether a receiver lies behind a sender, so that something of the
// sender may reach it.
func (r Receiver) Behind(m *models.Model, sender Node) bool {
	within := sender.Part == HeadPart && r.Input == MLPInput && !m.Config.Parallel
	return r.Layer > sender.Layer || r.Layer == sender.Layer && within
}

// Frozen are the sites that keep the base's values while a sender's change travels.
func (f Freeze) Frozen(m *models.Model, sender Node) []models.Site {
	p := paths{m: m, opt: PathOptions{Freeze: f}}
	return p.frozen(sender)
}

// record runs all pairs under each sender's edits and keeps what receivers take,
// before it is frozen.
func (p *paths) record(ctx context.Context) error {
	sites := map[models.Site]bool{}
	for _, r := range p.opt.Receivers {
		sites[r.site()] = true
	}
	for i := range p.opt.Senders {
		c := models.NewCache()
		hooks := []models.Hook{models.Record(c, func(s models.Site) bool { return sites[s] })}
		for row := range p.sides.pairs {
			edits, err := p.toLogits(i, 0, row)
			if err != nil {
				return err
			}
			for k := range edits {
				edits[k].Rows = []int{row}
			}
			own, err := p.m.Edits(edits...)
			if err != nil {
				return err
			}
			hooks = append(hooks, own...)
		}
		if _, err := p.m.RunFor(ctx, p.sides.run.Batch(), models.Need{Last: true, Tokens: []int{0}}, hooks...); err != nil {
			return err
		}
		p.taken = append(p.taken, c)
	}
	return nil
}

// toReceiver are the edits that put what a receiver took into the base run. What
// a sender itself would take is the base's own.
func (p *paths) toReceiver(sender, receiver, row int) ([]models.Edit, error) {
	r := p.opt.Receivers[receiver]
	var value *tensor.Dense
	if x, ok := p.taken[sender].Get(r.site()); ok {
		value = x.Sub(row)
	} else {
		return nil, fmt.Errorf("site %s was not recorded", r.site())
	}
	at := selection{}
	switch r.Input {
	case QueryInput, HeadInput:
		at["head"] = r.Index
	case KeyInput, ValueInput:
		at["kv_head"] = r.Index
	}
	if p.opt.Last { // nothing that stands before can differ
		at["pos"] = p.sides.T - 1
	}
	return []models.Edit{editOf(p.m, r.site(), value, at)}, nil
}
