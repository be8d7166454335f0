package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// jointShares are the parts of the whole effect whose sets are named.
var jointShares = []float64{0.7, 0.8, 0.9, 0.95, 0.99}

func effects() Analysis {
	var metrics, changes []string
	for _, m := range ablate.Metrics() {
		metrics = append(metrics, m.Name)
	}
	for _, c := range ablate.Changes {
		changes = append(changes, string(c))
	}
	return Analysis{
		Name: "effects", Title: "Total and direct effects", Version: 1,
		Summary: "what each layer, head or neuron does at the last token, in all and on the direct path to the logits",
		Paper:   "Kantamneni, Tegmark, Language Models Use Trigonometry to Do Addition, 2025, arXiv 2502.00873",
		Example: `effects(load("mental-2op"), n=40)`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "show", Type: TypeChoice, Default: "layers", Choices: []string{"layers", "heads", "neurons", "joint"},
				Help: "layers: stream, attention and MLP by layer; heads: every head; neurons: every hidden number; joint: heads patched together, those of the largest total effect first"},
			{Name: "metric", Type: TypeChoice, Default: "logit_change", Choices: metrics, Help: "what is measured of the source's answer r against the base's r′"},
			{Name: "frozen_norm", Type: TypeBool, Default: false, Help: "keep the final norm's scale in direct effects, so that they add up"},
			{Name: "change", Type: TypeChoice, Default: "operand", Choices: changes, Help: "how base and source prompts differ"},
		}, setParams("{a}{op}{b}=", 40)...),
		Run: runEffects,
	}
}

// effectsRun is one call on its way.
type effectsRun struct {
	m      *models.Model
	a      Args
	emit   Emit
	metric ablate.Metric
	pairs  []ablate.Pair
	made   string
	fig    *viz.Figure
	parts  int
	total  int
	report models.Report
}

func runEffects(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &effectsRun{m: a["m"].(*models.Model), a: a, emit: emit}
	var err error
	if r.metric, err = ablate.MetricByName(a["metric"].(string)); err != nil {
		return nil, err
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	show := map[string]func(context.Context) error{"layers": r.showLayers, "heads": r.showHeads, "neurons": r.showNeurons, "joint": r.showJoint}
	if err := show[a["show"].(string)](ctx); err != nil {
		return r.fig, err
	}
	r.fig.Badges = append(r.fig.Badges, sweepBadge(r.report))
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.made, sweepSentence(r.report))
	emit.Figure(r.fig)
	return r.fig, nil
}

// read makes the pairs; the clean prompt is the base.
func (r *effectsRun) read(ctx context.Context) error {
	set, err := promptSet(ctx, r.m, r.a)
	if err != nil {
		return err
	}
	contrasts, err := ablate.Contrasts(ctx, r.m, set, ablate.Change(r.a["change"].(string)), -1, uint64(r.a["seed"].(int)))
	if err != nil {
		return err
	}
	r.made = set.Report()
	for _, c := range contrasts.Contrasts {
		pair, err := c.Pair(ablate.Noise)
		if err != nil {
			return err
		}
		r.pairs = append(r.pairs, pair)
	}
	return nil
}

// begin shows the empty figure.
func (r *effectsRun) begin(fig *viz.Figure, parts int) {
	r.fig, r.total = fig, parts
	fig.Title = "Total and direct effects"
	norm := "norm anew"
	if r.a["frozen_norm"].(bool) {
		norm = "norm frozen"
	}
	fig.Subtitle = fmt.Sprintf("%s · the source's value at the last token of the base run · direct: only the path to the logits, %s · n = %d pairs", changeOf(r.metric), norm, len(r.pairs))
	var ids [][]int
	for _, p := range r.pairs {
		ids = append(ids, p.Base, p.Source)
	}
	fig.Provenance = provenance(r.m, "effects", 1, r.a, ids...)
	seed := uint64(r.a["seed"].(int))
	fig.Provenance.Seed = &seed
	if len(r.pairs) == 1 {
		dropErrors(fig)
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
	e, err := ablate.TotalAndDirect(ctx, r.m, r.pairs, ablate.EffectOptions{Nodes: nodes, Metric: r.metric, FrozenNorm: r.a["frozen_norm"].(bool)})
	if e != nil {
		r.report = r.report.Plus(e.Report)
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
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: offset, F32: viz.EncodeFloats(narrow(v))})
		switch {
		case strings.HasSuffix(name, "_sem"):
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
func (r *effectsRun) scale(kind viz.ScaleKind) viz.Scale {
	s := viz.Scale{Kind: kind, Lo: 0, Hi: 1e-3, Label: changeOf(r.metric), Unit: r.metric.Unit, Format: "%.3g"}
	if kind == viz.ScaleDiverging {
		s.Lo = -s.Hi
	}
	return s
}

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
	last := math.NaN()
	for l := L - 1; l >= 0; l-- {
		e, err := r.measure(ctx, l, ablate.StreamPart, ablate.AttentionPart, ablate.MLPPart)
		if err != nil {
			return err
		}
		if l == L-1 {
			last = e.LastMLPError
		}
		runs := map[string][]float64{}
		for _, n := range e.Nodes {
			for name, v := range map[string][]float64{"_total": n.Total, "_direct": n.Direct} {
				if v == nil {
					continue
				}
				s := e.Change(v)
				key := string(n.Node.Part) + name
				runs[key], runs[key+"_sem"] = []float64{s.Mean}, []float64{s.SEM}
				sums[key] += s.Mean
			}
		}
		if err := r.part("y", runs, l); err != nil {
			return err
		}
	}
	if !math.IsNaN(last) {
		fig.Badges = append(fig.Badges, viz.Badge{Text: "last MLP: direct = total", Value: last, Bound: 1e-3, OK: last <= 1e-3,
			Help: "largest difference of the two effects of the last layer's MLP over all pairs: nothing lies behind it, so that only rounding may differ"})
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
	for _, p := range [][2]string{{"total", "Total effect"}, {"direct", "Direct effect"}} {
		fig.Arrays[p[0]], fig.Arrays[p[0]+"_sem"] = viz.NewArray([]string{"layer", axis}, L, n), viz.NewArray([]string{"layer", axis}, L, n)
		fig.Heatmap.Panels = append(fig.Heatmap.Panels, viz.Panel{Title: p[1], Rows: viz.Axis{Name: "layer", Labels: rows}, Columns: viz.Axis{Name: axis, Labels: columns}, Values: p[0], Errors: p[0] + "_sem"})
	}
	r.begin(fig, L)
	best, text := 0.0, ""
	for l := L - 1; l >= 0; l-- {
		e, err := r.measure(ctx, l, part)
		if err != nil {
			return err
		}
		runs := map[string][]float64{}
		for _, node := range e.Nodes {
			total, direct := e.Change(node.Total), e.Change(node.Direct)
			for name, s := range map[string]ablate.Summary{"total": total, "direct": direct} {
				runs[name], runs[name+"_sem"] = append(runs[name], s.Mean), append(runs[name+"_sem"], s.SEM)
			}
			if math.Abs(total.Mean) > best {
				best = math.Abs(total.Mean)
				text = fmt.Sprintf("%s has the largest total effect, %.3g%s", node.Node, total.Mean, plusMinus(total.SEM))
				if share, err := e.DirectShare(node); err == nil {
					text += fmt.Sprintf("; %.0f %% of it is direct", 100*share)
				}
			}
		}
		if err := r.part("effect", runs, l*n); err != nil {
			return err
		}
	}
	if fig.Caption = "No component has any effect."; text != "" {
		fig.Caption = strings.ToUpper(text[:1]) + text[1:] + "."
	}
	return nil
}

// showJoint draws the effect of the first k heads, patched together.
func (r *effectsRun) showJoint(ctx context.Context) error {
	heads, err := ablate.Nodes(r.m, ablate.HeadPart)
	if err != nil {
		return err
	}
	n := len(heads) + 1
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i)
	}
	fig := &viz.Figure{
		Kind: viz.KindLines,
		Arrays: map[string]*viz.Array{
			"x": viz.Values(x, []string{"k"}, n), "joint": viz.NewArray([]string{"k"}, n), "joint_sem": viz.NewArray([]string{"k"}, n),
		},
		Scales: map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Hi: float64(n - 1), Label: "heads patched together", Format: "%.0f"}, "y": r.scale(viz.ScaleLinear)},
		Lines:  &viz.Lines{X: "x", XScale: "x", YScale: "y", Series: []viz.Series{{Name: "first k by total effect", Y: "joint", Errors: "joint_sem"}}},
	}
	r.begin(fig, 1)
	single, err := ablate.TotalAndDirect(ctx, r.m, r.pairs, ablate.EffectOptions{Nodes: heads, Metric: r.metric})
	if err != nil {
		return err
	}
	curve, report, err := ablate.Joint(ctx, r.m, r.pairs, single.ByEffect(), r.metric, ablate.Budget{})
	r.report = single.Report.Plus(report)
	if err != nil {
		return err
	}
	runs := map[string][]float64{}
	for _, v := range curve.Values {
		s := single.Change(v)
		runs["joint"], runs["joint_sem"] = append(runs["joint"], s.Mean), append(runs["joint_sem"], s.SEM)
	}
	if err := r.part("y", runs, 0); err != nil {
		return err
	}
	sizes, err := curve.Shares(jointShares...)
	if err != nil {
		fig.Caption = err.Error() + "."
		return nil
	}
	var parts []string
	for i, k := range sizes {
		parts = append(parts, fmt.Sprintf("%.0f %% with %d", 100*jointShares[i], k))
	}
	var first []string
	for _, node := range curve.Order[:sizes[0]] {
		first = append(first, node.String())
	}
	fig.Caption = fmt.Sprintf("Of what all %d heads do together, the first reach %s. The first %d: %s.", len(heads), strings.Join(parts, ", "), sizes[0], strings.Join(first, ", "))
	return nil
}
