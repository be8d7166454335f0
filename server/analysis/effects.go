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

func effects() Analysis {
	return Analysis{
		Name: "effects", Title: "Total and direct effects", Version: 1,
		Summary: "what each layer, head or neuron does at the last token, in all and on the direct path to the logits",
		Paper:   "Kantamneni, Tegmark, Language Models Use Trigonometry to Do Addition, 2025, arXiv 2502.00873",
		Example: `effects(load("mental-2op"), n=40)`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			promptsParam("pairs of base (clean) and source (corrupted), or prompts that get partners by change"),
			{Name: "show", Type: TypeChoice, Default: "layers", Choices: []string{"layers", "shares", "heads", "neurons", "joint"},
				Help: "layers: stream, attention and MLP by layer; shares: how much of attention and MLP is direct, DE/TE; heads: every head; neurons: every hidden number; joint: components patched together, those of the largest total effect first"},
			{Name: "joint", Type: TypeChoice, Default: "heads", Choices: []string{"heads", "mlps"}, Help: "what joint patches together"},
			metricParam("logit_change", "what is measured of the source's answer r against the base's r′"),
			normaliseParam(false, "where it does what the source run does"),
			{Name: "frozen_norm", Type: TypeBool, Default: false, Help: "keep the final norm's scale in direct effects, so that they add up"},
			changeParam("how base and source prompts differ"),
		}, setParams("{a}{op}{b}=", 40)...),
		Run: runEffects,
	}
}

// effectsRun is one call on its way.
type effectsRun struct {
	m      *models.Model
	a      Args
	emit   Emit
	change change
	pairs  []ablate.Pair
	from   *BoundPrompts
	fig    *viz.Figure
	parts  int
	total  int
	report models.Report
	last   float64             // what the effects of the last layer differ by, NaN for nothing
	nodes  []ablate.NodeEffect // that were measured
}

func runEffects(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &effectsRun{m: a["m"].(*models.Model), a: a, emit: emit, last: math.NaN()}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	show := map[string]func(context.Context) error{"layers": r.showLayers, "shares": r.showShares, "heads": r.showHeads, "neurons": r.showNeurons, "joint": r.showJoint}
	if err := show[a["show"].(string)](ctx); err != nil {
		return r.fig, err
	}
	if err := r.identities(ctx); err != nil {
		return r.fig, err
	}
	r.fig.Badges = append(r.fig.Badges, sweepBadge(r.report))
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.from.Report(), sweepSentence(r.report))
	emit.Figure(r.fig)
	return r.fig, nil
}

// read makes the pairs; the clean prompt is the base.
func (r *effectsRun) read(ctx context.Context) (err error) {
	if r.from, err = pairsOf(ctx, r.m, r.a, false); err != nil {
		return err
	}
	if r.pairs, err = pairs(r.from.Contrasts, ablate.Noise); err != nil {
		return err
	}
	metric, err := metricOf(r.a, r.from.Contrasts.Contrasts)
	if err != nil {
		return err
	}
	r.change = change{metric: metric, normalise: r.a["normalise"].(bool), one: "as in the source run"}
	if !r.change.normalise {
		return nil
	}
	if r.change.base, r.change.source, err = ablate.MeasurePairs(ctx, r.m, r.pairs, metric); err != nil {
		return err
	}
	return r.change.check()
}

// of is what the figure shows of a metric of edited runs.
func (r *effectsRun) of(e *ablate.NodeEffects, values []float64) ablate.Summary {
	r.change.base, r.change.source = e.Base, e.Source
	v, sem := r.change.of(values)
	return ablate.Summary{Mean: v, SEM: sem, N: len(values)}
}

// begin shows the empty figure.
func (r *effectsRun) begin(fig *viz.Figure, parts int) {
	r.fig, r.total = fig, parts
	fig.Title = "Total and direct effects"
	direct := " · direct: only the path to the logits, norm anew"
	if r.a["frozen_norm"].(bool) {
		direct = " · direct: only the path to the logits, norm frozen"
	}
	what := r.change.quantity()
	switch r.a["show"] {
	case "joint":
		direct = ""
	case "shares":
		what = "DE/TE of the " + changeOf(r.change.metric)
	}
	fig.Subtitle = fmt.Sprintf("%s · the source's value at the last token of the base run%s · n = %d pairs, seed %d", what, direct, len(r.pairs), r.from.seed())
	var ids [][]int
	for _, p := range r.pairs {
		ids = append(ids, p.Base, p.Source)
	}
	fig.Provenance = provenance(r.m, "effects", 1, r.a, ids...)
	r.from.describe(fig)
	if n := len(r.pairs); errorsOver(fig, n, viz.Student) && r.a["show"] != "shares" { // a quotient of means, which no pair has
		keepEach(fig, always(n))
	}
	r.emit.Figure(fig)
	r.emit.Progress(0, parts, "layers")
}

// measure gives the effects of one layer's components.
func (r *effectsRun) measure(ctx context.Context, layer int, parts ...ablate.Part) (*ablate.NodeEffects, error) {
	var nodes []ablate.Node
	for _, part := range parts {
		all, err := ablate.Nodes(r.m, part)
		if err != nil {
			return nil, err
		}
		for _, n := range all {
			if n.Layer == layer {
				nodes = append(nodes, n)
			}
		}
	}
	e, err := ablate.TotalAndDirect(ctx, r.m, r.pairs, ablate.EffectOptions{Nodes: nodes, Metric: r.change.metric, FrozenNorm: r.a["frozen_norm"].(bool)})
	if e != nil {
		r.report = r.report.Plus(e.Report)
		if !math.IsNaN(e.LastError) {
			r.last = e.LastError
		}
	}
	return e, err
}

// part adds runs of numbers to the figure and widens a scale.
func (r *effectsRun) part(scale string, runs map[string][]float64, offset int) error {
	part := viz.Part{}
	s := r.fig.Scales[scale]
	for name, v := range runs {
		if r.fig.Arrays[name] == nil {
			continue // the standard error of one pair
		}
		at := offset
		if strings.HasSuffix(name, each("")) {
			at *= len(r.pairs)
		}
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: at, F32: viz.EncodeFloats(narrow(v))})
		switch {
		case strings.HasSuffix(name, "_sem"), strings.HasSuffix(name, each("")):
		case s.Kind == viz.ScaleLinear && runs[name+"_sem"] != nil:
			for i := range v {
				s = widen(s, reach(r.fig, v[i], runs[name+"_sem"][i]))
			}
		case s.Kind == viz.ScaleDiverging:
			s = grow(s, v)
		default:
			s = widen(s, v)
		}
	}
	if s != r.fig.Scales[scale] {
		part.Scales = map[string]viz.Scale{scale: s}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.parts++
	r.emit.Part(part)
	r.emit.Progress(r.parts, r.total, "layers")
	return nil
}

// scale is the metric's change.
func (r *effectsRun) scale(kind viz.ScaleKind) viz.Scale { return r.change.scale(kind, "%.3g") }

// showLayers draws five lines over the layers, the deepest first.
func (r *effectsRun) showLayers(ctx context.Context) error {
	L := r.m.Config.Layers
	x, labels := make([]float32, L), make([]string, L)
	for l := range L {
		x[l], labels[l] = float32(l), fmt.Sprint(l)
	}
	fig := &viz.Figure{
		Kind: viz.KindLines, Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"layer"}, L)},
		Scales: map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Hi: float64(L - 1), Label: "layer", Format: "%.0f"}, "y": r.scale(viz.ScaleLinear)},
		Lines:  &viz.Lines{X: "x", XScale: "x", YScale: "y", XLabels: labels},
	}
	for _, line := range [][2]string{{"mlp_total", "MLP, total"}, {"mlp_direct", "MLP, direct"}, {"attn_total", "attention, total"}, {"attn_direct", "attention, direct"}, {"resid_post_total", "whole stream"}} {
		fig.Arrays[line[0]], fig.Arrays[line[0]+"_sem"] = viz.NewArray([]string{"layer"}, L), viz.NewArray([]string{"layer"}, L)
		fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: line[1], Y: line[0], Errors: line[0] + "_sem", Control: line[0] == "resid_post_total"})
	}
	r.begin(fig, L)
	sums := map[string]float64{}
	for l := L - 1; l >= 0; l-- {
		e, err := r.measure(ctx, l, ablate.StreamPart, ablate.AttentionPart, ablate.MLPPart)
		if err != nil {
			return err
		}
		r.nodes = append(r.nodes, e.Nodes...)
		runs := map[string][]float64{}
		for _, n := range e.Nodes {
			for name, v := range map[string][]float64{"_total": n.Total, "_direct": n.Direct} {
				if v == nil {
					continue
				}
				s := r.of(e, v)
				key := string(n.Node.Part) + name
				runs[key], runs[key+"_sem"], runs[each(key)] = []float64{s.Mean}, []float64{s.SEM}, differences(v, e.Base)
				sums[key] += s.Mean
			}
		}
		if err := r.part("y", runs, l); err != nil {
			return err
		}
	}
	fig.Caption = fmt.Sprintf("Summed over layers, MLPs do %.3g in all and %.3g directly, attention %.3g and %.3g.", sums["mlp_total"], sums["mlp_direct"], sums["attn_total"], sums["attn_direct"])
	return nil
}

// showHeads draws total and direct effects of every head.
func (r *effectsRun) showHeads(ctx context.Context) error {
	return r.cells(ctx, ablate.HeadPart, r.m.Config.Heads, "head")
}

// showNeurons draws those of every hidden number.
func (r *effectsRun) showNeurons(ctx context.Context) error {
	return r.cells(ctx, ablate.NeuronPart, r.m.Config.MLPWidth, "neuron")
}

// cells draws two panels, layer by layer from the deepest.
func (r *effectsRun) cells(ctx context.Context, part ablate.Part, n int, axis string) error {
	L := r.m.Config.Layers
	rows, columns := make([]string, L), make([]string, n)
	for l := range rows {
		rows[l] = fmt.Sprint(l)
	}
	for i := range columns {
		columns[i] = fmt.Sprint(i)
	}
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": r.scale(viz.ScaleDiverging)}, Heatmap: &viz.Heatmap{Scale: "effect"},
	}
	heads := r.heads(part)
	for _, p := range [][2]string{{"total", "Total effect"}, {"direct", "Direct effect"}} {
		fig.Arrays[p[0]], fig.Arrays[p[0]+"_sem"] = viz.NewArray([]string{"layer", axis}, L, n), viz.NewArray([]string{"layer", axis}, L, n)
		fig.Heatmap.Panels = append(fig.Heatmap.Panels, viz.Panel{Title: p[1], Rows: viz.Axis{Name: "layer", Labels: rows}, Columns: viz.Axis{Name: axis, Labels: columns}, Values: p[0], Errors: p[0] + "_sem", Heads: heads})
	}
	fig.Heatmap.Panels[0].Open = r.opening(part, fig.Heatmap.Panels[0])
	r.begin(fig, L)
	type named struct {
		size float64
		text string
	}
	var largest []named
	for l := L - 1; l >= 0; l-- {
		e, err := r.measure(ctx, l, part)
		if err != nil {
			return err
		}
		if part == ablate.HeadPart {
			r.nodes = append(r.nodes, e.Nodes...)
		}
		runs := map[string][]float64{}
		for _, node := range e.Nodes {
			total := r.of(e, node.Total)
			for name, v := range map[string][]float64{"total": node.Total, "direct": node.Direct} {
				s := r.of(e, v)
				runs[name], runs[name+"_sem"] = append(runs[name], s.Mean), append(runs[name+"_sem"], s.SEM)
				runs[each(name)] = append(runs[each(name)], differences(v, e.Base)...)
			}
			if size := math.Abs(total.Mean); size > 0 && (len(largest) < 3 || size > largest[2].size) {
				text := fmt.Sprintf("%s, %.3g%s", node.Node, total.Mean, plusMinus(total.SEM))
				if share, err := e.DirectShare(node); err == nil {
					text += fmt.Sprintf(", DE/TE %.2f", share)
				}
				largest = append(largest, named{size, text})
				slices.SortStableFunc(largest, func(a, b named) int { return cmp.Compare(b.size, a.size) })
				largest = largest[:min(3, len(largest))]
			}
		}
		if err := r.part("effect", runs, l*n); err != nil {
			return err
		}
	}
	if fig.Caption = "No component has any effect."; len(largest) > 0 {
		var texts []string
		for _, l := range largest {
			texts = append(texts, l.text)
		}
		fig.Caption = fmt.Sprintf("The largest total effects: %s.", strings.Join(texts, "; "))
	}
	return nil
}

// opening says how the runs of total effects are opened; a direct path is no
// edit of a value.
func (r *effectsRun) opening(part ablate.Part, panel viz.Panel) *viz.Opening {
	site, arg := "attn.hook_z", "heads"
	if part == ablate.NeuronPart {
		site, arg = "mlp.hook_post", "neurons"
	}
	o := &viz.Opening{Call: "patch_lens({model}, {pair}, patches=[{row}])"}
	for _, layer := range panel.Rows.Labels {
		o.Rows = append(o.Rows, fmt.Sprintf("patch(\"blocks.%s.%s\", at=-1{column})", layer, site))
	}
	for _, i := range panel.Columns.Labels {
		o.Columns = append(o.Columns, fmt.Sprintf(", %s=%s", arg, i))
	}
	for _, c := range r.from.Contrasts.Contrasts {
		o.Pairs = append(o.Pairs, pairSource(c.Corrupted, c.Clean))
	}
	return o
}

// heads says which head each cell is about; nil for cells of other parts.
func (r *effectsRun) heads(part ablate.Part) *viz.HeadCells {
	if part != ablate.HeadPart {
		return nil
	}
	h := &viz.HeadCells{Names: []string{"base run", "source run"}}
	for l := range r.m.Config.Layers {
		h.Rows = append(h.Rows, viz.HeadPlace{Layer: l, Query: -1})
	}
	for i := range r.m.Config.Heads {
		h.Columns = append(h.Columns, viz.HeadPlace{Head: i})
	}
	return h
}
