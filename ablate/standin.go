package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/models/tensor"
)

// Path says which way a value that is put in may act.
type Path string

// The paths.
const (
	EveryPath    Path = ""         // everything behind is computed anew
	DirectPath   Path = "direct"   // its difference is added to the stream behind the last block alone
	IndirectPath Path = "indirect" // everything but that: the difference is taken off there again
)

// Put is one activation that is replaced.
type Put struct {
	Place Place
	// Values is [pairs][width]: what is put in, such as the value of a fit at the
	// source's number. nil for what the source run itself has there.
	Values [][]float32
	Path   Path
}

// StandIn is what is replaced at once in the base run of every pair.
type StandIn struct {
	Name string // for errors: "helix of 9 parameters in layer 2"
	Puts []Put
}

// StandInOptions are the options of StandIns.
type StandInOptions struct {
	Metrics []Metric // of the source's answer r against the base's r′
	Among   []int
	Budget  Budget
	// Started, if not nil, is called once, when the runs without edits are done.
	Started func(*StandInEffects) error
}

// StandInEffects is the result of StandIns.
type StandInEffects struct {
	Pairs []Pair // with their answers settled
	// Base and Source are the metrics of the runs without edits, [metric][pair].
	Base, Source [][]float64
	// Values holds the metrics of the edited runs, [stand-in][metric][pair]; NaN
	// where the sweep was stopped.
	Values [][][]float64
	// OwnError and SourceError are Patching's.
	OwnError, SourceError float64
	Report                models.Report
}

// Change is the mean change of a metric by a stand-in against the base runs.
func (e *StandInEffects) Change(standIn, metric int) Summary {
	diff := make([]float64, len(e.Pairs))
	for i := range diff {
		diff[i] = e.Values[standIn][metric][i] - e.Base[metric][i]
	}
	return Summarise(diff)
}

// StandIns asks what of an activation acts: it is replaced, in the base run, by
// what a description of it says that it would be in the source run, and the
// metrics say how much of the source's answer comes of it (Kantamneni and Tegmark,
// "Language Models Use Trigonometry to Do Addition", 2025, arXiv 2502.00873,
// section 4.3, where descriptions are fits on helices). The source's own activation
// (Values nil) is the ceiling. Of several puts, direct paths are added up.
//
// Every stand-in and pair is one variant of one sweep of exact re-runs. Stand-ins
// go to emit when all pairs have passed them, the last first.
func StandIns(ctx context.Context, m *models.Model, pairs []Pair, list []StandIn, opt StandInOptions, emit func(standIn int) error) (*StandInEffects, error) {
	if len(list) == 0 || len(opt.Metrics) == 0 {
		return nil, fmt.Errorf("stand-ins: %d stand-ins and %d metrics: at least one of each is needed", len(list), len(opt.Metrics))
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("stand-ins: no pairs")
	}
	w := &standIns{m: m, list: make([]StandIn, len(list)), opt: opt, out: map[int]*tensor.Dense{}}
	if err := w.settle(list, len(pairs), len(pairs[0].Base)); err != nil {
		return nil, fmt.Errorf("stand-ins: %w", err)
	}
	if err := w.run(ctx, pairs); err != nil {
		return nil, fmt.Errorf("stand-ins: %w", err)
	}
	if opt.Started != nil {
		if err := opt.Started(w.effects); err != nil {
			return w.effects, err
		}
	}
	var ids []int
	need := models.Need{Last: true}
	for _, metric := range opt.Metrics {
		if !metric.Tokens {
			ids = nil
			break
		}
		ids = answers(w.s.pairs)
	}
	if ids != nil {
		need = Metric{Tokens: true}.need(ids...)
	}
	var err error
	w.effects.Report, err = grid{
		base: w.s.run, need: need, vocab: m.Config.Outputs(), cells: len(w.list), edits: w.edits,
		width: len(opt.Metrics),
		measure: func(_, row int, logits []float32, into []float64) {
			for i := range into {
				into[i] = w.read(i, row, logits)
			}
		},
		take: func(cell, row int, numbers []float64) {
			for i, v := range numbers {
				w.effects.Values[cell][i][row] = v
			}
		},
		done: emit,
	}.sweep(ctx, opt.Budget)
	if err != nil {
		return w.effects, err
	}
	// Identities say nothing of the numbers themselves, which go first.
	w.effects.OwnError, w.effects.SourceError, err = w.s.identities(ctx, w.list[0].Puts[0].Place.Site)
	return w.effects, err
}

// standIns is one call on its way.
type standIns struct {
	m       *models.Model
	list    []StandIn
	opt     StandInOptions
	s       *sides
	base    *models.Cache         // of the sites that have a direct path
	out     map[int]*tensor.Dense // W_O of their layers
	effects *StandInEffects
}

// settle checks every put against the model and the pairs.
func (w *standIns) settle(list []StandIn, pairs, T int) (err error) {
	for i, in := range list {
		if len(in.Puts) == 0 {
			return fmt.Errorf("%s replaces nothing", in.Name)
		}
		w.list[i] = StandIn{Name: in.Name, Puts: append([]Put(nil), in.Puts...)}
		for k := range w.list[i].Puts {
			p := &w.list[i].Puts[k]
			if p.Place, err = p.Place.settle(w.m, T); err != nil {
				return fmt.Errorf("%s: %w", in.Name, err)
			}
			if err := p.check(w.m, pairs, T); err != nil {
				return fmt.Errorf("%s: %w", in.Name, err)
			}
		}
	}
	return nil
}

func (p Put) check(m *models.Model, pairs, T int) error {
	if p.Path != EveryPath && p.Path != DirectPath && p.Path != IndirectPath {
		return fmt.Errorf("path is %q, want %q, %q or %q", p.Path, EveryPath, DirectPath, IndirectPath)
	}
	if p.Path != EveryPath && p.Place.Position != T-1 {
		return fmt.Errorf("%s: only the last position %d has a direct path to the logits that are read", p.Place, T-1)
	}
	if p.Path != EveryPath {
		if err := p.Place.direct(m); err != nil {
			return err
		}
	}
	if p.Values == nil {
		return nil
	}
	if len(p.Values) != pairs {
		return fmt.Errorf("%s: %d values for %d pairs", p.Place, len(p.Values), pairs)
	}
	width := p.Place.Width(m)
	for i, row := range p.Values {
		if len(row) != width {
			return fmt.Errorf("%s: the value of pair %d has %d numbers, and %d stand there", p.Place, i, len(row), width)
		}
		for _, v := range row {
			if v != v || math.IsInf(float64(v), 0) {
				return fmt.Errorf("%s: the value of pair %d holds %v", p.Place, i, v)
			}
		}
	}
	return nil
}

// run makes the runs without edits and measures them.
func (w *standIns) run(ctx context.Context, pairs []Pair) (err error) {
	stream := models.Site{Layer: 0, Kind: models.ResidPost}
	sites, direct := []models.Site{stream}, []models.Site{}
	for _, in := range w.list {
		for _, p := range in.Puts {
			sites = append(sites, p.Place.Site)
			if p.Path != EveryPath {
				direct = append(direct, p.Place.Site)
			}
		}
	}
	if w.s, err = runSides(ctx, w.m, pairs, models.Sites(sites...)); err != nil {
		return err
	}
	if len(direct) > 0 {
		w.base = models.NewCache()
		if _, err := w.m.RunFor(ctx, w.s.run.Batch(), models.Need{Last: true, Tokens: []int{0}}, models.Record(w.base, models.Sites(direct...))); err != nil {
			return err
		}
	}
	w.effects = &StandInEffects{Pairs: w.s.pairs, Values: make([][][]float64, len(w.list))}
	for i := range w.effects.Values {
		w.effects.Values[i] = newValues(len(w.opt.Metrics), len(pairs))
	}
	w.effects.Base, w.effects.Source = newValues(len(w.opt.Metrics), len(pairs)), newValues(len(w.opt.Metrics), len(pairs))
	for i, metric := range w.opt.Metrics {
		for row, p := range w.s.pairs {
			if err := metric.check(p.SourceAnswer, p.BaseAnswer); err != nil {
				return fmt.Errorf("pair %d: %w", row, err)
			}
			w.effects.Base[i][row] = w.read(i, row, w.s.base.Sub(row).Data)
			w.effects.Source[i][row] = w.read(i, row, w.s.source.Sub(row).Data)
		}
	}
	return nil
}

// newValues is metrics of pairs, none of them known.
func newValues(metrics, pairs int) [][]float64 {
	out := make([][]float64, metrics)
	for i := range out {
		out[i] = make([]float64, pairs)
		for k := range out[i] {
			out[i][k] = math.NaN()
		}
	}
	return out
}

// read is a metric of one run of a pair.
func (w *standIns) read(metric, pair int, logits []float32) float64 {
	p := w.s.pairs[pair]
	return w.opt.Metrics[metric].Of(Readout{Run: logits, Base: w.s.base.Sub(pair).Data, Answer: p.SourceAnswer, Other: p.BaseAnswer, Among: w.opt.Among, Row: pair})
}

// edits are a stand-in's in one pair: its values in their places, and what their
// direct paths add behind the last block.
func (w *standIns) edits(cell, row int) (edits []models.Edit, err error) {
	var direct []float64
	for _, p := range w.list[cell].Puts {
		var value []float32
		if p.Values != nil {
			value = p.Values[row]
		} else {
			x, err := w.s.recorded(p.Place.Site, row)
			if err != nil {
				return nil, err
			}
			value = p.Place.in(x)
		}
		if p.Path != DirectPath {
			edits = append(edits, p.Place.set(value))
		}
		if p.Path == EveryPath {
			continue
		}
		if direct == nil {
			direct = make([]float64, w.m.Config.Width)
		}
		if err := w.addDirect(direct, p, value, row); err != nil {
			return nil, err
		}
	}
	if direct == nil {
		return edits, nil
	}
	add := make([]float32, len(direct))
	for i, v := range direct {
		add[i] = float32(v)
	}
	last := models.Site{Layer: w.m.Config.Layers - 1, Kind: models.ResidPost}
	return append(edits, models.Edit{Site: last.String(), Positions: []int{-1}, Op: models.Add, Value: models.List(add...)}), nil
}

// addDirect adds the way of one put to the stream behind the last block, with the
// sign that its path has there.
func (w *standIns) addDirect(sum []float64, p Put, value []float32, row int) error {
	x, ok := w.base.Get(p.Place.Site)
	if !ok {
		return fmt.Errorf("site %s was not recorded", p.Place.Site)
	}
	own := p.Place.in(x.Sub(row))
	change := make([]float64, len(own))
	for i := range change {
		change[i] = float64(value[i]) - float64(own[i])
	}
	layer := p.Place.Site.Layer
	if p.Place.Site.Kind == models.Z && w.out[layer] == nil {
		block, err := w.m.Block(layer)
		if err != nil {
			return err
		}
		w.out[layer] = block.O.Weight
	}
	for i, v := range p.Place.toStream(w.m, w.out[layer], change) {
		if p.Path == IndirectPath {
			v = -v
		}
		sum[i] += v
	}
	return nil
}
