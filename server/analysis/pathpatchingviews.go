package analysis

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// figure makes the figure before its first path: a map of heads and one of MLPs where
// the logits receive, else senders over receivers.
func (r *pathRun) figure() {
	r.total = len(r.senders) * len(r.receivers)
	scale := r.change.scale(viz.ScaleDiverging, "%.2f")
	what := r.change.quantity()
	if r.relative {
		scale.Label, scale.Unit, scale.Format = "relative change of "+r.opt.Metric.Label, "%", "%.1f"
		what = fmt.Sprintf("(%s − clean)/clean, %%, mean of each pair's", r.opt.Metric.Label)
	}
	where := "the last token"
	if !r.opt.Last {
		where = "every token"
	}
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Path patching", Arrays: map[string]*viz.Array{}, Heatmap: &viz.Heatmap{Scale: "effect"}, Scales: map[string]viz.Scale{"effect": scale},
		Subtitle: fmt.Sprintf("%s · the sender's corrupted value at %s of the clean run, %s · n = %d pairs, seed %d", what, where, freezes[string(r.opt.Freeze)], len(r.pairs), r.from.seed()),
	}
	var ids [][]int
	for _, p := range r.pairs {
		ids = append(ids, p.Base, p.Source)
	}
	r.fig.Provenance = provenance(r.m, "path_patching", 1, r.a, ids...)
	r.from.describe(r.fig)
	if r.toLogits() {
		r.maps()
	} else {
		r.matrix()
	}
	if n := len(r.pairs); errorsOver(r.fig, n, viz.Student) {
		keepEach(r.fig, always(n))
	}
}

// maps are the heads over layers, and the MLPs beside them.
func (r *pathRun) maps() {
	layers := viz.Axis{Name: "layer"}
	for l := range r.m.Config.Layers {
		layers.Labels = append(layers.Labels, fmt.Sprint(l))
	}
	heads := viz.Axis{Name: "head"}
	for h := range r.m.Config.Heads {
		heads.Labels = append(heads.Labels, fmt.Sprint(h))
	}
	for _, part := range []struct {
		part    ablate.Part
		title   string
		columns viz.Axis
	}{{ablate.HeadPart, "Heads → logits", heads}, {ablate.MLPPart, "MLPs → logits", viz.Axis{Name: "MLP", Labels: []string{"mlp"}}}} {
		if !slices.ContainsFunc(r.senders, func(n ablate.Node) bool { return n.Part == part.part }) {
			continue
		}
		name := string(part.part)
		panel := viz.Panel{Title: part.title, Rows: layers, Columns: part.columns, Values: name, Errors: name + "_sem"}
		for _, array := range []string{name, name + "_sem"} {
			r.fig.Arrays[array] = allBlank(viz.NewArray([]string{layers.Name, part.columns.Name}, len(layers.Labels), len(part.columns.Labels)))
		}
		panel.Open = r.opening(r.mapped(part.part))
		if part.part == ablate.HeadPart {
			panel.Heads = &viz.HeadCells{Names: []string{"clean run", "corrupted run"}}
			for l := range layers.Labels {
				panel.Heads.Rows = append(panel.Heads.Rows, viz.HeadPlace{Layer: l, Query: -1})
			}
			for h := range heads.Labels {
				panel.Heads.Columns = append(panel.Heads.Columns, viz.HeadPlace{Head: h})
			}
		}
		r.fig.Heatmap.Panels = append(r.fig.Heatmap.Panels, panel)
	}
	r.expect()
}

// mapped are the rows and columns of a map of paths to the logits, as parts of a
// path's name: "head 2." and "1 → logits", or "mlp 2" and " → logits".
func (r *pathRun) mapped(part ablate.Part) (senders, receivers []string) {
	const end = " → " + string(ablate.LogitsInput)
	after := ""
	if receivers = []string{end}; part == ablate.HeadPart {
		after, receivers = ".", nil
		for h := range r.m.Config.Heads {
			receivers = append(receivers, fmt.Sprint(h)+end)
		}
	}
	for l := range r.m.Config.Layers {
		senders = append(senders, fmt.Sprintf("%s %d%s", part, l, after))
	}
	return senders, receivers
}

// matrix is senders over receivers.
func (r *pathRun) matrix() {
	rows, columns := viz.Axis{Name: "sender"}, viz.Axis{Name: "receiver", Labels: r.receivers}
	for _, n := range r.senders {
		rows.Labels = append(rows.Labels, n.String())
	}
	for _, array := range []string{"path", "path_sem"} {
		r.fig.Arrays[array] = allBlank(viz.NewArray([]string{rows.Name, columns.Name}, len(rows.Labels), len(columns.Labels)))
	}
	ends := make([]string, len(columns.Labels))
	for i, name := range columns.Labels {
		ends[i] = " → " + name
	}
	r.fig.Heatmap.Panels = []viz.Panel{{Rows: rows, Columns: columns, Values: "path", Errors: "path_sem", Open: r.opening(rows.Labels, ends)}}
	r.expect()
}

// allBlank marks everything as what cannot exist.
func allBlank(a *viz.Array) *viz.Array {
	for i := range a.State {
		a.State[i] = viz.Blank
	}
	return a
}

// expect marks the paths there are.
func (r *pathRun) expect() {
	for _, n := range r.senders {
		for column, end := range r.ends {
			if end.Behind(r.m, n) {
				name, at := r.place(n, column)
				for _, array := range []string{name, name + "_sem"} {
					r.fig.Arrays[array].State[at] = viz.Pending
				}
			}
		}
	}
}

// place is where a path's cell stands.
func (r *pathRun) place(n ablate.Node, column int) (array string, at int) {
	switch {
	case !r.toLogits():
		return "path", slices.Index(r.senders, n)*len(r.receivers) + column
	case n.Part == ablate.HeadPart:
		return "head", n.Layer*r.m.Config.Heads + n.Index
	}
	return "mlp", n.Layer
}

// opening says how the runs of paths are opened; senders are written behind what
// names each row, receivers behind what does each column.
func (r *pathRun) opening(senders, receivers []string) *viz.Opening {
	at := ""
	if r.opt.Last {
		at = ", at=-1"
	}
	o := &viz.Opening{Call: "patch_lens({model}, {pair}, patches=[{row}])", Columns: receivers}
	for _, sender := range senders {
		o.Rows = append(o.Rows, fmt.Sprintf("patch(\"%s{column}\"%s, freeze=%q)", sender, at, r.opt.Freeze))
	}
	for _, c := range r.from.Contrasts.Contrasts {
		o.Pairs = append(o.Pairs, pairSource(c.Corrupted, c.Clean))
	}
	return o
}

// finish adds badges and sentences, and rings key heads.
func (r *pathRun) finish(ctx context.Context) error {
	r.fig.Badges = append(r.fig.Badges, sweepBadge(r.report))
	if err := r.straight(ctx); err != nil {
		return err
	}
	cells := make([]pathCell, 0, len(r.values))
	for _, n := range r.senders {
		for column := range r.receivers {
			if c := (pathCell{n, column}); !math.IsNaN(r.values[c]) && r.ends[column].Behind(r.m, n) {
				cells = append(cells, c)
			}
		}
	}
	slices.SortStableFunc(cells, func(a, b pathCell) int { return cmp.Compare(math.Abs(r.values[b]), math.Abs(r.values[a])) })
	var largest []string
	unit := ""
	if r.relative {
		unit = " %"
	}
	for _, c := range cells[:min(3, len(cells))] {
		largest = append(largest, fmt.Sprintf("%s → %s %.3g%s", c.sender, r.receivers[c.column], r.values[c], unit))
	}
	r.fig.Caption = fmt.Sprintf("The metric %s is %.3g on average in the clean run and %.3g in the corrupted one. Of %d paths the largest are %s.",
		r.opt.Metric.Label, ablate.Summarise(r.change.base).Mean, ablate.Summarise(r.change.source).Mean, len(cells), strings.Join(largest, "; "))
	r.keyHeads(cells)
	if !r.toLogits() {
		r.fig.Caption += " What a receiver takes is put alone into another clean run."
	}
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.from.Report(), sweepSentence(r.report))
	r.emit.Figure(r.fig)
	return nil
}

// keyHeads rings and lists the heads that lower the metric by more than the
// threshold.
func (r *pathRun) keyHeads(cells []pathCell) {
	if !r.relative || !r.toLogits() {
		return
	}
	limit := r.a["threshold"].(float64)
	var names []string
	for _, c := range cells {
		if c.sender.Part == ablate.HeadPart && r.values[c] < -limit {
			names = append(names, strings.TrimPrefix(c.sender.String(), "head "))
			_, at := r.place(c.sender, c.column)
			r.fig.Heatmap.Panels[0].Ring = append(r.fig.Heatmap.Panels[0].Ring, at)
		}
	}
	heads := r.m.Config.Layers * r.m.Config.Heads
	if len(names) == 0 {
		r.fig.Caption += fmt.Sprintf(" No head of %d lowers it by more than %g %%.", heads, limit)
		return
	}
	r.fig.Caption += fmt.Sprintf(" Key heads, which lower it by more than %g %%: %d of %d (%s).", limit, len(names), heads, strings.Join(names, ", "))
}

// straight compares paths that touch nothing on the way with direct effects, which
// are computed in another way: the difference is added behind the last block.
func (r *pathRun) straight(ctx context.Context) error {
	if !r.toLogits() || !r.opt.Last || r.opt.Freeze == ablate.FreezeHeads || r.m.Config.Placement != models.PreNorm {
		return nil // a norm behind attention leaves heads without direct effects
	}
	metric := r.opt.Metric // effects measure the source's answer against the base's
	metric.Of = func(read ablate.Readout) float64 {
		read.Answer, read.Other = read.Other, read.Answer
		return r.opt.Metric.Of(read)
	}
	e, err := ablate.TotalAndDirect(ctx, r.m, r.pairs, ablate.EffectOptions{Nodes: r.senders, Metric: metric})
	if err != nil {
		return err
	}
	worst := 0.0
	for i, n := range e.Nodes {
		for pair, v := range n.Direct {
			worst = max(worst, math.Abs(v-r.effects.Values[i][0][pair]))
		}
	}
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "path = direct effect", Value: worst, Bound: 1e-3, OK: worst <= 1e-3,
		Help: "largest difference, over senders and pairs, from the metric when what the sender's output differs by is added behind the last block"})
	return nil
}
