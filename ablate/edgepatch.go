package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// edgeRuns are both sides' runs with what every source adds to the stream.
type edgeRuns struct {
	m         *models.Model // with keys and values for every head
	graph     *EdgeGraph
	opt       EdgeOptions
	kind      Ablation
	contrasts []Contrast // with their answers settled
	sides     *sides
	other     models.Batch  // of the source runs
	own       *models.Cache // of the base runs
	subs      *substitutes  // nil where the source runs' values are put in
	frozen    *frozenNorms  // nil where norms are computed anew

	base, source []float64 // the metric
}

// startEdges makes the runs.
func startEdges(ctx context.Context, m *models.Model, contrasts []Contrast, opt EdgeOptions) (*edgeRuns, error) {
	if opt.Direction == "" {
		opt.Direction = Noise
	}
	r := &edgeRuns{opt: opt, kind: opt.Kind, own: models.NewCache()}
	var err error
	if r.graph, err = NewEdgeGraph(m); err != nil {
		return nil, err
	}
	if opt.Metric.Of == nil {
		return nil, fmt.Errorf("metric %q has no function", opt.Metric.Name)
	}
	if r.m, err = ungrouped(m); err != nil {
		return nil, err
	}
	pairs, prompts, rows := make([]Pair, len(contrasts)), make([]Prompt, len(contrasts)), make([][]int, len(contrasts))
	for i, c := range contrasts {
		if pairs[i], err = c.Pair(opt.Direction); err != nil {
			return nil, fmt.Errorf("contrast %d: %w", i, err)
		}
		prompts[i], rows[i] = Prompt{IDs: pairs[i].Base}, pairs[i].Source
	}
	sources := r.graph.sources()
	if r.sides, err = runSides(ctx, r.m, pairs, sources); err != nil {
		return nil, err
	}
	if r.other, err = models.Rows(rows); err != nil {
		return nil, err
	}
	if _, err = r.m.RunFor(ctx, r.sides.run.Batch(), models.Need{Last: true}, models.Record(r.own, sources)); err != nil {
		return nil, err
	}
	if err = r.substitute(ctx, prompts); err != nil {
		return nil, err
	}
	for i, c := range contrasts {
		c.Clean.Answer, c.Corrupted.Answer = r.sides.pairs[i].BaseAnswer, r.sides.pairs[i].SourceAnswer
		if opt.Direction == Denoise {
			c.Clean.Answer, c.Corrupted.Answer = c.Corrupted.Answer, c.Clean.Answer
		}
		if err := opt.Metric.check(c.Clean.Answer, c.Corrupted.Answer); err != nil {
			return nil, fmt.Errorf("pair %d: %w", i, err)
		}
		r.contrasts = append(r.contrasts, c)
		r.base = append(r.base, r.measure(i, r.sides.base.Sub(i).Data))
		r.source = append(r.source, r.measure(i, r.sides.source.Sub(i).Data))
	}
	return r, nil
}

// substitute makes what is put in where it is not the source runs'.
func (r *edgeRuns) substitute(ctx context.Context, prompts []Prompt) (err error) {
	if r.kind == "" {
		r.kind = Resample
	}
	if r.kind == Resample {
		return nil
	}
	var sites []models.Site
	for _, n := range r.graph.Sources {
		if s := sourceSite(n); !slices.Contains(sites, s) {
			sites = append(sites, s)
		}
	}
	r.subs, err = newSubstitutes(ctx, r.m, r.kind, prompts, reference{prompts: r.opt.Reference}, sites)
	return err
}

// measure is the metric of a run of a pair.
func (r *edgeRuns) measure(pair int, logits []float32) float64 {
	c := r.contrasts[pair]
	return r.opt.Metric.Of(Readout{Row: pair, Run: logits, Base: r.sides.base.Sub(pair).Data, Answer: c.Clean.Answer, Other: c.Corrupted.Answer, Among: r.opt.Among})
}

// objective is the sum of the metric over pairs, of logits [pairs,1,V].
func (r *edgeRuns) objective(logits *tensor.Dense) (float64, *tensor.Dense, error) {
	p := Patching{Contrasts: r.contrasts, Metric: r.opt.Metric, logits: r.sides.base}
	return p.objective(logits)
}

// of is what a source adds to the stream of a pair in the base run, and what is
// put in its place, of all heads of a block for one of them.
func (r *edgeRuns) of(n Node, pair int) (before, after *tensor.Dense) {
	site := sourceSite(n)
	x, _ := r.own.Get(site)
	if r.subs == nil {
		y, _ := r.sides.cache.Get(site)
		return x.Sub(pair), y.Sub(pair)
	}
	y := r.subs.zero[site]
	if y == nil {
		y = r.subs.mean[site]
	}
	return x.Sub(pair), y
}

// EdgeEffects is the result of PatchEdges.
type EdgeEffects struct {
	Graph        *EdgeGraph
	Edges        []Edge // as they were asked for
	Direction    Direction
	Contrasts    []Contrast  // with their answers settled
	Base, Source []float64   // the metric of the runs without edits
	Values       [][]float64 // the metric with one edge patched, [edge][pair]
	Report       models.Report
}

// Change is by how much an edge changes the metric of the base runs, what
// AttributeEdges estimates.
func (e *EdgeEffects) Change(edge int) Summary {
	diff := make([]float64, len(e.Base))
	for i, v := range e.Values[edge] {
		diff[i] = v - e.Base[i]
	}
	return Summarise(diff)
}

// PatchEdges measures edges, one at a time: in the base run the destination alone
// reads the source run's output of the component, at every position, and all that
// follows is computed anew. edges nil means all of the graph's. From heads to the
// queries, keys or values of heads it is TransformerLens' get_act_patch_direct_path
// with Denoise (version 4.3; with FrozenNorm that of version 3, which took the norm
// for linear, on weights whose norms are folded).
//
// With FrozenNorm the difference Δ reaches the destination as Δ, centred where the
// norm centres, over the scale that the norm has in the base run, so that all
// edges into a destination add up.
//
// It costs one re-run an edge and pair.
func PatchEdges(ctx context.Context, m *models.Model, contrasts []Contrast, edges []Edge, opt EdgeOptions) (*EdgeEffects, error) {
	r, err := startEdges(ctx, m, contrasts, opt)
	if err != nil {
		return nil, fmt.Errorf("edge patching: %w", err)
	}
	if edges == nil {
		edges = r.graph.Edges
	}
	if err := r.graph.check(edges); err != nil {
		return nil, fmt.Errorf("edge patching: %w", err)
	}
	if opt.FrozenNorm {
		if r.frozen, err = r.freeze(ctx); err != nil {
			return nil, fmt.Errorf("edge patching: %w", err)
		}
	}
	e := &EdgeEffects{Graph: r.graph, Edges: edges, Direction: r.opt.Direction, Contrasts: r.contrasts, Base: r.base, Source: r.source, Values: table(len(edges), len(contrasts))}
	var ids []int
	for _, c := range r.contrasts {
		ids = append(ids, c.Clean.Answer, c.Corrupted.Answer)
	}
	if opt.Budget.Variants == 0 {
		opt.Budget.Variants = max(1, nodesAtOnce/(r.sides.T*m.Config.Width))
	}
	if opt.Started != nil {
		if err := opt.Started(e); err != nil {
			return nil, err
		}
	}
	e.Report, err = grid{
		base: r.sides.run, need: opt.Metric.need(ids...), vocab: m.Config.Outputs(), cells: len(edges),
		edits: func(cell, row int) ([]models.Edit, error) { return r.edits(edges[cell], row) },
		width: 1, measure: func(_, row int, logits []float32, into []float64) { into[0] = r.measure(row, logits) },
		take: func(cell, row int, numbers []float64) { e.Values[cell][row] = numbers[0] },
		done: func(cell int) error {
			if opt.Done == nil {
				return nil
			}
			return opt.Done(cell)
		},
	}.sweep(ctx, opt.Budget)
	return e, err
}

// edits add a source's difference to what a destination reads.
func (r *edgeRuns) edits(e Edge, pair int) ([]models.Edit, error) {
	from, to := r.graph.Sources[e.Source], r.graph.Destinations[e.Destination]
	before, after := r.of(from, pair)
	var delta []float32
	for pos := range r.sides.T {
		x := headOf(before, pos, from.Index)
		for d, v := range headOf(after, pos, from.Index) {
			delta = append(delta, v-x[d])
		}
	}
	if r.frozen != nil {
		return r.frozen.edits(to, pair, delta)
	}
	edit := models.Edit{Site: destinationSite(to).String(), Op: models.Add, Value: models.List(delta...)}
	if to.Input != MLPInput && to.Input != LogitsInput {
		edit.Heads = []int{to.Index}
	}
	return []models.Edit{edit}, nil
}

// EdgeCircuits measures the model with some edges alone: every destination reads
// what the sources of its kept edges now say, and of all others what is put in
// their place,
//
//	input(v) = stream − Σ_removed u + Σ_removed u_source,
//
// with u the component's output in this very run. With every edge it is the clean
// run, and with none, up to rounding, the corrupted one. Full and Empty of the
// result are these two. The direction is Noise: what is left is kept clean. It costs one run of all pairs a circuit, in which each
// removed edge adds T·D numbers a pair.
func EdgeCircuits(ctx context.Context, m *models.Model, contrasts []Contrast, circuits [][]Edge, opt EdgeOptions) (*CircuitEffects, error) {
	if len(circuits) == 0 {
		return nil, fmt.Errorf("edge circuits: no circuits")
	}
	if opt.Direction == Denoise || opt.FrozenNorm {
		return nil, fmt.Errorf("edge circuits: what is kept is the clean run's and norms are computed anew: direction %q and frozen norms are for single edges", Denoise)
	}
	r, err := startEdges(ctx, m, contrasts, opt)
	if err != nil {
		return nil, fmt.Errorf("edge circuits: %w", err)
	}
	c := &CircuitEffects{Full: r.base, Other: r.source}
	if c.Empty, err = r.circuit(ctx, nil); err != nil {
		return nil, fmt.Errorf("edge circuits: %w", err)
	}
	for i, edges := range circuits {
		if err := r.graph.check(edges); err != nil {
			return nil, fmt.Errorf("edge circuits: circuit %d: %w", i, err)
		}
		values, err := r.circuit(ctx, edges)
		if err != nil {
			return c, fmt.Errorf("edge circuits: circuit %d: %w", i, err)
		}
		c.Values = append(c.Values, values)
	}
	return c, nil
}

// circuit is the metric of all pairs with some edges alone.
func (r *edgeRuns) circuit(ctx context.Context, keep []Edge) ([]float64, error) {
	kept := map[Edge]bool{}
	for _, e := range keep {
		kept[e] = true
	}
	removed := map[models.Site][]Edge{} // by what reads
	for _, e := range r.graph.Edges {
		if !kept[e] {
			at := destinationSite(r.graph.Destinations[e.Destination])
			removed[at] = append(removed[at], e)
		}
	}
	now := models.NewCache() // what sources say in this run
	add := models.Hook{Sites: func(s models.Site) bool { return removed[s] != nil }, Fn: func(at models.Site, x *tensor.Dense) error {
		for pair := range r.contrasts {
			for _, e := range removed[at] {
				from, to := r.graph.Sources[e.Source], r.graph.Destinations[e.Destination]
				u, ok := now.Get(sourceSite(from))
				if !ok {
					return fmt.Errorf("%s has not been computed yet", from)
				}
				_, other := r.of(from, pair)
				for pos := range r.sides.T {
					into, own := headOf(x.Sub(pair), pos, to.Index), headOf(u.Sub(pair), pos, from.Index)
					for d, v := range headOf(other, pos, from.Index) {
						into[d] += v - own[d]
					}
				}
			}
		}
		return nil
	}}
	out, err := r.m.RunFor(ctx, r.sides.run.Batch(), models.Need{Last: true}, models.Record(now, r.graph.sources()), add)
	if err != nil {
		return nil, err
	}
	values := make([]float64, len(r.contrasts))
	for i := range values {
		values[i] = r.measure(i, out.Logits.Sub(i, 0).Data)
	}
	return values, nil
}

// CircuitFractions are the shares of all edges at which MIB evaluates circuits.
var CircuitFractions = [...]float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1}

// CircuitAreas are the areas of MIB (Mueller et al., 2025, arXiv 2504.13151) by the
// trapezoid rule over the fractions of edges kept, ascending: that under the
// faithfulness (CPR, more is better) and that of its distance from 1 (CMD, 0 is
// best). The first is for circuits that were ranked BySupport, the second
// ByMagnitude.
func CircuitAreas(fractions, faithfulness []float64) (cpr, cmd float64, err error) {
	if len(fractions) != len(faithfulness) || len(fractions) < 2 {
		return 0, 0, fmt.Errorf("circuit areas: %d fractions and %d values: want two or more of each, as many", len(fractions), len(faithfulness))
	}
	for i := 1; i < len(fractions); i++ {
		w := fractions[i] - fractions[i-1]
		if !(w > 0) {
			return 0, 0, fmt.Errorf("circuit areas: fraction %g follows %g: they are to ascend", fractions[i], fractions[i-1])
		}
		a, b := faithfulness[i-1], faithfulness[i]
		cpr += w * (a + b) / 2
		cmd += w * (math.Abs(1-a) + math.Abs(1-b)) / 2
	}
	return cpr, cmd, nil
}
