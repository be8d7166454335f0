package analysis

import (
	"context"
	"fmt"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

func edgeAttribution() Analysis {
	params := append([]Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("pairs, or prompts that get partners by change"),
		{Name: "show", Type: TypeChoice, Default: "edges", Choices: []string{"edges", "top", "circuits"},
			Help: "edges: every edge's score; top: the largest beside what patching them does; circuits: faithfulness with the first edges alone, ranked on every other pair and measured on those between, beside random edges"},
		{Name: "method", Type: TypeChoice, Default: string(ablate.EdgeGradient), Choices: edgeMethods(), Help: "where gradients are taken: eap on the edited run, eap_ig_inputs along the way between both runs' embeddings, clean_corrupted on both runs"},
		{Name: "steps", Type: TypeInt, Default: 5, Bounds: between(1, 1000), Unit: "steps", Help: "of eap_ig_inputs; the papers take 5 to 30"},
		{Name: "top", Type: TypeInt, Default: 20, Bounds: atLeast(1), Unit: "edges", Help: "how many edges top shows"},
		{Name: "rank", Type: TypeChoice, Default: string(ablate.ByMagnitude), Choices: []string{string(ablate.ByMagnitude), string(ablate.BySupport)}, Help: "which edges come first: abs by size, positive those that raise the metric"},
		{Name: "draws", Type: TypeInt, Default: ablate.MinDraws, Bounds: atLeast(ablate.MinDraws), Unit: "orders", Help: "random orders of the circuits' band"},
	}, edgeParams(slopeParam())...)
	params = append(params, normaliseParam(false, "where an edge does what the other run does (circuits are always shares of the whole model)"), changeParam("how prompts and their partners differ"))
	return Analysis{
		Name: "edge_attribution", Title: "Edge attribution patching", Version: 1,
		Summary: "estimates by gradients what follows when one component alone reads another one's output from the other run, for all edges at once",
		Paper:   "Syed, Rager, Conmy, Attribution Patching Outperforms Automated Circuit Discovery, 2023, arXiv 2310.10348; with integrated gradients Hanna, Pezzelle, Belinkov, Have Faith in Faithfulness, 2024, arXiv 2403.17806",
		Example: `edge_attribution(load("mental-2op"), n=10)`,
		Params:  append(params, setParams("{a}{op}{b}=", 20)...),
		Run:     runEdgeAttribution,
	}
}

func edgeMethods() (names []string) {
	for _, m := range ablate.EdgeMethods {
		names = append(names, string(m))
	}
	return names
}

// attributionRun is one call on its way.
type attributionRun struct {
	edgeRun
	steps  int
	scores *ablate.EdgeScores
	values [][]float64 // the metric of edited runs as estimated, [edge][pair]
}

func runEdgeAttribution(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &attributionRun{edgeRun: edgeRun{m: a["m"].(*models.Model), a: a, emit: emit, name: "edge_attribution"}, steps: a["steps"].(int)}
	if r.steps < 1 || r.steps > maxSteps {
		return nil, &hintError{fmt.Sprintf("steps: %d is outside 1..%d", r.steps, maxSteps), "5 and 30 are usual"}
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	show := map[string]func(context.Context) error{"edges": r.showEdges, "top": r.showTop, "circuits": r.showCircuits}
	if err := show[a["show"].(string)](ctx); err != nil {
		return r.fig, err
	}
	r.fig.Caption += " Prompts: " + r.from.Report() + "."
	emit.Figure(r.fig)
	return r.fig, nil
}

// attribute computes all scores.
func (r *attributionRun) attribute(ctx context.Context, contrasts []ablate.Contrast) (err error) {
	if r.scores, err = ablate.AttributeEdges(ctx, r.m, contrasts, ablate.EdgeMethod(r.a["method"].(string)), r.steps, r.opt); err != nil {
		return err
	}
	r.values = make([][]float64, len(r.scores.Values))
	for i, scores := range r.scores.Values {
		for pair, v := range scores {
			r.values[i] = append(r.values[i], r.scores.Base[pair]+v)
		}
	}
	return nil
}

// how says how scores are estimated.
func (r *attributionRun) how() string {
	switch ablate.EdgeMethod(r.a["method"].(string)) {
	case ablate.EdgeIntegrated:
		return fmt.Sprintf("estimated by gradients at %d points between both runs' embeddings (EAP-IG)", r.steps)
	case ablate.EdgeEnds:
		return "estimated by the mean of both runs' gradients"
	}
	return "estimated by the gradient of the run that is edited (EAP)"
}

// showEdges draws every edge's score.
func (r *attributionRun) showEdges(ctx context.Context) error {
	if err := r.attribute(ctx, r.contrasts()); err != nil {
		return err
	}
	if err := r.settle(r.scores.Base, r.scores.Source); err != nil {
		return err
	}
	edges := r.graph.Edges
	r.show(r.matrix(edges), "Edge attribution patching", r.change.quantity()+" · "+r.how()+" · "+r.way(), len(r.graph.Sources), "sources")
	for lo := 0; lo < len(edges); {
		hi := lo
		for hi < len(edges) && edges[hi].Source == edges[lo].Source {
			hi++
		}
		if err := r.cells(edges[lo:hi], r.values[lo:hi], "sources"); err != nil {
			return err
		}
		lo = hi
	}
	r.fig.Caption = r.largest(edges, r.values) + ` A slope errs where changes are large; show="top" sets the largest beside what patching them does.`
	return nil
}

// showTop draws the first edges' scores beside exact effects.
func (r *attributionRun) showTop(ctx context.Context) error {
	k := r.a["top"].(int)
	if k > len(r.graph.Edges) {
		return &hintError{fmt.Sprintf("top: %d edges are more than the %d that there are", k, len(r.graph.Edges)), "take fewer"}
	}
	if err := r.attribute(ctx, r.contrasts()); err != nil {
		return err
	}
	if err := r.settle(r.scores.Base, r.scores.Source); err != nil {
		return err
	}
	ranked, err := r.scores.Rank(ablate.Ranking(r.a["rank"].(string)))
	if err != nil {
		return err
	}
	of := map[ablate.Edge][]float64{}
	for i, e := range r.graph.Edges {
		of[e] = r.values[i]
	}
	top := ranked[:k]
	axis := viz.Axis{Name: "edge"}
	for _, e := range top {
		axis.Labels = append(axis.Labels, r.graph.Name(e))
	}
	fig := &viz.Figure{Kind: viz.KindBars, Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"y": r.change.scale(viz.ScaleLinear, "%.3g")},
		Bars: &viz.Bars{Categories: axis, YScale: "y", Series: []viz.Series{{Name: "estimate", Y: "estimate", Errors: "estimate_sem"}, {Name: "exact patch", Y: "exact", Errors: "exact_sem"}}}}
	for _, name := range []string{"estimate", "estimate_sem", "exact", "exact_sem"} {
		fig.Arrays[name] = viz.NewArray([]string{"edge"}, k)
	}
	if n := len(r.contrasts()); errorsOver(fig, n, viz.Student) {
		keepEach(fig, always(n))
	}
	r.show(fig, "Edge attribution patching", r.change.quantity()+" · "+r.how()+" · "+r.way(), 2*k, "edges")
	add := func(name string, i int, values []float64) error {
		v, sem := r.change.of(values)
		part := viz.Part{Arrays: runOf(fig, name, i, v, sem, differences(values, r.change.base))}
		if s := widen(fig.Scales["y"], reach(fig, v, sem)); s != fig.Scales["y"] {
			part.Scales = map[string]viz.Scale{"y": s}
		}
		if err := fig.Apply(part); err != nil {
			return err
		}
		r.done++
		r.emit.Part(part)
		r.emit.Progress(r.done, r.total, "edges")
		return nil
	}
	for i, e := range top {
		if err := add("estimate", i, of[e]); err != nil {
			return err
		}
	}
	var exact *ablate.EdgeEffects
	opt := r.opt
	opt.Started = func(e *ablate.EdgeEffects) error { exact = e; return nil }
	opt.Done = func(i int) error { return add("exact", i, exact.Values[i]) }
	if exact, err = ablate.PatchEdges(ctx, r.m, r.contrasts(), top, opt); err != nil {
		return err
	}
	var x, y []float64
	for i, e := range top {
		a, _ := r.change.of(of[e])
		b, _ := r.change.of(exact.Values[i])
		x, y = append(x, a), append(y, b)
	}
	fig.Caption = r.largest(r.graph.Edges, r.values)
	if c, ok := correlation(x, y); ok {
		fig.Caption += fmt.Sprintf(" Estimates and exact patches of these %d correlate by r = %.3f.", k, c)
	}
	fig.Badges = append(fig.Badges, sweepBadge(exact.Report))
	fig.Caption += " " + sweepSentence(exact.Report)
	return nil
}
