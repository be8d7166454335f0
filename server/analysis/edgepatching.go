package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/nearest"
	"orrery/viz"
)

func edgePatching() Analysis {
	params := append([]Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("pairs, or prompts that get partners by change"),
		{Name: "senders", Type: TypeStrings, Default: []string{}, Help: `where edges begin: "embed", "head 0.1", "mlp 2"; left out, everywhere`},
		{Name: "receivers", Type: TypeStrings, Default: []string{}, Help: `where they end: "q 1.2", "k 1.2", "v 1.2", "mlp 3", "logits"; left out, everywhere`},
		{Name: "frozen_norm", Type: TypeBool, Default: false, Help: "let the difference pass the receiver's norm by the scale of the edited run, so that the edges into it add up"},
	}, edgeParams(metricParam("logit_diff", "what is measured of the clean answer r against the corrupted one r′"))...)
	params = append(params, normaliseParam(false, "where an edge does what the other run does"), changeParam("how prompts and their partners differ"))
	return Analysis{
		Name: "edge_patching", Title: "Edge patching", Version: 1,
		Summary: "what follows when one component alone reads another one's output from the other run, edge by edge; path_patching follows a change further, through what is not frozen",
		Paper:   "Goldowsky-Dill, MacLeod, Sato, Arora, Localizing Model Behavior with Path Patching, 2023, arXiv 2304.05969; from heads to queries, keys and values it is TransformerLens' direct path",
		Example: `edge_patching(load("mental-2op"), n=4, receivers=["logits", "mlp 3"])`,
		Params:  append(params, setParams("{a}{op}{b}=", 10)...),
		Run:     runEdgePatching,
	}
}

func runEdgePatching(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &edgeRun{m: a["m"].(*models.Model), a: a, emit: emit, name: "edge_patching"}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	r.opt.FrozenNorm = a["frozen_norm"].(bool)
	edges, err := r.chosen()
	if err != nil {
		return nil, err
	}
	var e *ablate.EdgeEffects
	r.opt.Started = func(started *ablate.EdgeEffects) error {
		e = started
		if err := r.settle(e.Base, e.Source); err != nil {
			return err
		}
		what := []string{r.change.quantity(), r.way()}
		if r.opt.FrozenNorm {
			what = append(what, "the receiver's norm frozen, which the patch lens cannot open")
		}
		r.show(r.matrix(edges), "Edge patching", strings.Join(what, " · "), len(edges), "edges")
		return nil
	}
	r.opt.Done = func(i int) error { return r.cells(edges[i:i+1], e.Values[i:i+1], "edges") }
	if e, err = ablate.PatchEdges(ctx, r.m, r.contrasts(), edges, r.opt); err != nil {
		return r.fig, err
	}
	r.fig.Badges = append(r.fig.Badges, sweepBadge(e.Report))
	r.fig.Caption = fmt.Sprintf("%s Prompts: %s. %s", r.largest(edges, e.Values), r.from.Report(), sweepSentence(e.Report))
	emit.Figure(r.fig)
	return r.fig, nil
}

// chosen are the graph's edges from the senders to the receivers.
func (r *edgeRun) chosen() ([]ablate.Edge, error) {
	var senders, receivers []string
	for i := range r.graph.Sources {
		senders = append(senders, r.graph.SourceName(i))
	}
	for i := range r.graph.Destinations {
		receivers = append(receivers, r.graph.DestinationName(i))
	}
	for _, list := range []struct {
		name  string
		known []string
	}{{"senders", senders}, {"receivers", receivers}} {
		for i, s := range r.a[list.name].([]string) {
			if !slices.Contains(list.known, s) {
				return nil, &hintError{fmt.Sprintf("%s: there is no %q in this model of %d layers with %d heads each", list.name, s, r.m.Config.Layers, r.m.Config.Heads), "one of " + strings.Join(nearest.Names(s, list.known, 8), ", ")}
			}
			if slices.Contains(r.a[list.name].([]string)[:i], s) {
				return nil, &hintError{fmt.Sprintf("%s: %q is listed twice", list.name, s), "list each once"}
			}
		}
	}
	wanted := func(list, name string) bool {
		l := r.a[list].([]string)
		return len(l) == 0 || slices.Contains(l, name)
	}
	var edges []ablate.Edge
	for _, e := range r.graph.Edges {
		if wanted("senders", senders[e.Source]) && wanted("receivers", receivers[e.Destination]) {
			edges = append(edges, e)
		}
	}
	if len(edges) == 0 {
		return nil, &hintError{"no edge leads from these senders to these receivers: what receives is computed before what sends", "a receiver stands behind its sender"}
	}
	return edges, nil
}
