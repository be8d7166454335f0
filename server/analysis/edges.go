package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// edgeKinds are what may stand in place of a source's output.
var edgeKinds = []string{string(ablate.Resample), string(ablate.Zero), string(ablate.MeanAll), string(ablate.MeanByPos)}

// edgeParams are those that the analyses of edges share, behind the prompts.
func edgeParams(metric Param) []Param {
	return []Param{
		{Name: "direction", Type: TypeChoice, Default: "noise", Choices: []string{"noise", "denoise"}, Help: "noise puts corrupted values into the clean run, as papers on edges do, denoise clean ones into the corrupted run"},
		{Name: "kind", Type: TypeChoice, Default: string(ablate.Resample), Choices: edgeKinds, Help: "what an edge carries in place of its own: resample the other prompt's value, or zeros or means over reference prompts"},
		{Name: "reference", Type: TypeInt, Default: 200, Bounds: atLeast(1), Unit: "prompts", Help: "how many prompts of the template a mean is over; the clean prompts themselves where they are a list"},
		metric,
	}
}

// edgeRun is what the analyses of edges share while they run.
type edgeRun struct {
	m      *models.Model
	a      Args
	emit   Emit
	name   string // of the analysis
	from   *BoundPrompts
	graph  *ablate.EdgeGraph
	opt    ablate.EdgeOptions
	change change
	// row and column are where the matrix has a source and a destination.
	row, column map[int]int
	fig         *viz.Figure
	done        int
	total       int
}

// read turns the arguments into pairs, a graph and options.
func (r *edgeRun) read(ctx context.Context) (err error) {
	if r.graph, err = ablate.NewEdgeGraph(r.m); err != nil {
		return err
	}
	if r.from, err = pairsOf(ctx, r.m, r.a, false); err != nil {
		return err
	}
	r.opt.Direction, r.opt.Kind = ablate.Direction(r.a["direction"].(string)), ablate.Ablation(r.a["kind"].(string))
	if r.opt.Metric, err = metricOf(r.a, r.from.Contrasts.Contrasts); err != nil {
		return err
	}
	if r.opt.Kind != ablate.MeanAll && r.opt.Kind != ablate.MeanByPos {
		return nil
	}
	n, set := r.a["reference"].(int), r.from.Set
	if !set.Listed() {
		if set, err = ablate.Prompts(ctx, r.m, set.Template, ablate.SetOptions{N: n, Seed: r.from.seed() + 1}); err != nil {
			return fmt.Errorf("reference: %w", err)
		}
	}
	r.opt.Reference = idsOf(set.Prompts)
	return nil
}

// contrasts are the pairs.
func (r *edgeRun) contrasts() []ablate.Contrast { return r.from.Contrasts.Contrasts }

// way says what is put where.
func (r *edgeRun) way() string {
	from, into := "corrupted", "clean"
	if r.opt.Direction == ablate.Denoise {
		from, into = into, from
	}
	switch r.opt.Kind {
	case ablate.Zero:
		return fmt.Sprintf("zeros read along the edge in the %s run", into)
	case ablate.MeanAll:
		return fmt.Sprintf("the mean over %d prompts and all positions read along the edge in the %s run", len(r.opt.Reference), into)
	case ablate.MeanByPos:
		return fmt.Sprintf("the mean over %d prompts at the same position read along the edge in the %s run", len(r.opt.Reference), into)
	}
	return fmt.Sprintf("the %s run's value read along the edge in the %s run", from, into)
}

// settle makes the change that edges are measured by and refuses what cannot be
// normalised.
func (r *edgeRun) settle(base, source []float64) error {
	r.change = change{metric: r.opt.Metric, normalise: r.a["normalise"].(bool), base: base, source: source, one: "as in the other run"}
	return r.change.check()
}

// show completes an empty figure and shows it.
func (r *edgeRun) show(fig *viz.Figure, title, subtitle string, total int, unit string) {
	r.fig, r.total = fig, total
	fig.Title = title
	fig.Subtitle = fmt.Sprintf("%s · n = %d pairs, seed %d", subtitle, len(r.contrasts()), r.from.seed())
	fig.Provenance = provenance(r.m, r.name, 1, r.a, idsOf(bothSides(r.contrasts()))...)
	r.from.describe(fig)
	r.emit.Figure(fig)
	r.emit.Progress(0, total, unit)
}

// matrix is the figure with a cell an edge: sources over destinations, those that
// have edges among the ones that are asked for, and blank where there is none.
func (r *edgeRun) matrix(edges []ablate.Edge) *viz.Figure {
	f := &viz.Figure{Kind: viz.KindHeatmap, Arrays: map[string]*viz.Array{}, Heatmap: &viz.Heatmap{Scale: "effect"},
		Scales: map[string]viz.Scale{"effect": r.change.scale(viz.ScaleDiverging, "%.2f")}}
	rows, columns := viz.Axis{Name: "source"}, viz.Axis{Name: "destination"}
	r.row, r.column = map[int]int{}, map[int]int{}
	for i := range r.graph.Sources {
		if slices.ContainsFunc(edges, func(e ablate.Edge) bool { return e.Source == i }) {
			r.row[i] = len(rows.Labels)
			rows.Labels = append(rows.Labels, r.graph.SourceName(i))
		}
	}
	for i := range r.graph.Destinations {
		if slices.ContainsFunc(edges, func(e ablate.Edge) bool { return e.Destination == i }) {
			r.column[i] = len(columns.Labels)
			columns.Labels = append(columns.Labels, r.graph.DestinationName(i))
		}
	}
	for _, array := range []string{"edge", "edge_sem"} {
		a := viz.NewArray([]string{"source", "destination"}, len(rows.Labels), len(columns.Labels))
		for i := range a.State {
			a.State[i] = viz.Blank
		}
		for _, e := range edges {
			a.State[r.place(e)] = viz.Pending
		}
		f.Arrays[array] = a
	}
	f.Heatmap.Panels = []viz.Panel{{Rows: rows, Columns: columns, Values: "edge", Errors: "edge_sem"}}
	f.Heatmap.Panels[0].Open = r.opening(rows, columns)
	if n := len(r.contrasts()); errorsOver(f, n, viz.Student) {
		keepEach(f, always(n))
	}
	return f
}

// opening says how the run of an edge is opened; nil where the patch lens has no such
// run: it computes norms anew.
func (r *edgeRun) opening(sources, destinations viz.Axis) *viz.Opening {
	giver, rest := ablate.FromClean, measureArg(r.a["metric"])
	alone := r.opt.Kind != ablate.Resample
	switch r.opt.Kind {
	case ablate.Resample:
		if r.opt.Direction != ablate.Denoise {
			rest = "" // its r is the answer of the run that gives values, here the corrupted one
		}
	case ablate.Zero:
		giver = ablate.FromZero
	default:
		giver = ablate.Giver(r.opt.Kind)
		if r.a["prompts"] != nil {
			rest += ", prompts={prompts}"
		} else {
			rest += templateArgs(r.a)
		}
		if n := r.a["reference"].(int); n != 200 {
			rest += fmt.Sprintf(", reference=%d", n)
		}
	}
	if r.opt.FrozenNorm {
		return nil
	}
	run := ""
	if giver != ablate.FromClean {
		run = fmt.Sprintf(", run=%q", giver)
	}
	o := &viz.Opening{Call: "patch_lens({model}, {pair}" + rest + ", patches=[{row}])", Columns: destinations.Labels}
	for _, name := range sources.Labels {
		o.Rows = append(o.Rows, fmt.Sprintf("patch(\"%s → {column}\"%s)", name, run))
	}
	for _, c := range r.contrasts() {
		source, base := c.Corrupted, c.Clean
		if r.opt.Direction == ablate.Denoise {
			source, base = base, source
		}
		if alone {
			o.Pairs = append(o.Pairs, "clean="+promptText(base)+answerArgs(r.m, c.Clean.Answer, c.Corrupted.Answer))
			continue
		}
		o.Pairs = append(o.Pairs, pairSource(source, base))
	}
	return o
}

// place is where an edge's cell stands in the matrix.
func (r *edgeRun) place(e ablate.Edge) int {
	return r.row[e.Source]*len(r.column) + r.column[e.Destination]
}

// cells adds edges with the metric of their runs to the figure, as one part.
func (r *edgeRun) cells(edges []ablate.Edge, values [][]float64, unit string) error {
	var part viz.Part
	scale := r.fig.Scales["effect"]
	for i, e := range edges {
		v, sem := r.change.of(values[i])
		part.Arrays = append(part.Arrays, runOf(r.fig, "edge", r.place(e), v, sem, differences(values[i], r.change.base))...)
		scale = grow(scale, []float64{v})
	}
	if scale != r.fig.Scales["effect"] {
		part.Scales = map[string]viz.Scale{"effect": scale}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total, unit)
	return nil
}

// largest names the edges of greatest effect.
func (r *edgeRun) largest(edges []ablate.Edge, values [][]float64) string {
	order := make([]int, len(edges))
	size := make([]float64, len(edges))
	for i := range edges {
		v, _ := r.change.of(values[i])
		order[i], size[i] = i, math.Abs(v)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case size[a] > size[b]:
			return -1
		case size[a] < size[b]:
			return 1
		}
		return 0
	})
	var parts []string
	for _, i := range order[:min(3, len(order))] {
		v, sem := r.change.of(values[i])
		parts = append(parts, fmt.Sprintf("%s %.3g%s", r.graph.Name(edges[i]), v, plusMinus(sem)))
	}
	base, source := ablate.Summarise(r.change.base).Mean, ablate.Summarise(r.change.source).Mean
	return fmt.Sprintf("%s is %.3g on average in the run that is edited and %.3g in the other. Of %d edges the largest are %s.", r.opt.Metric.Label, base, source, len(edges), strings.Join(parts, "; "))
}
