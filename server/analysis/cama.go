package analysis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// camaMetrics are the ways to say what is left of the model's ability.
var camaMetrics = []struct {
	name, label, help string
	of                func(a *ablate.AllForOne, o ablate.Outcome) (ablate.Summary, error)
}{
	{"faithfulness", "faithfulness", "faithfulness: accuracy on the prompts that the model gets right by itself", (*ablate.AllForOne).Faithfulness},
	{"prob", "P(right answer)", "probability of the right answer, over the whole vocabulary", func(_ *ablate.AllForOne, o ablate.Outcome) (ablate.Summary, error) { return ablate.Summarise(o.P), nil }},
	{"margin", "logit difference", "logit of the right answer minus that of the best wrong one", func(_ *ablate.AllForOne, o ablate.Outcome) (ablate.Summary, error) {
		return ablate.Summarise(o.Margin), nil
	}},
}

// waitNames are the wait modes in words.
var waitNames = map[ablate.WaitMode]string{
	ablate.WaitCAMA: "CAMA", ablate.WaitZero: "zero", ablate.WaitGlobal: "global mean", ablate.WaitPositional: "positional mean",
	ablate.WaitResample: "resample", ablate.WaitIsolated: "isolated",
}

func cama() Analysis {
	var metrics, peeks []string
	for _, m := range camaMetrics {
		metrics = append(metrics, m.name)
	}
	for _, p := range ablate.Peeks {
		if p != ablate.PeekChosen {
			peeks = append(peeks, string(p))
		}
	}
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		{Name: "show", Type: TypeChoice, Default: "wait", Choices: []string{"wait", "grid", "edges", "heads", "attention"},
			Help: "wait: how long blocks may wait, with the baselines; grid: faithfulness by (wait, transfer); edges: the last token's edges cut in one block; heads: transfer heads pruned one by one; attention: what the last token reads in the transfer blocks"},
		{Name: "metric", Type: TypeChoice, Default: "faithfulness", Choices: metrics, Help: "what is drawn; the caption says all"},
		{Name: "peek", Type: TypeChoice, Default: "all", Choices: peeks, Help: "what the last token reads in transfer blocks, besides BOS and itself"},
		{Name: "wait", Type: TypeInt, Default: -1, Help: "the last waiting block, from 0, for heads and attention; -1 for the smallest window that is found"},
		{Name: "transfer", Type: TypeInt, Default: -1, Help: "how many blocks transfer; -1 for the smallest window that is found"},
		{Name: "threshold", Type: TypeFloat, Default: 0.95, Help: "the faithfulness that the smallest window has to reach"},
		{Name: "contexts", Type: TypeInt, Default: 0, Help: "how many prompts the means are over; 0 for every prompt of the template"},
	}
	return Analysis{
		Name: "cama", Title: "All for one", Version: 1,
		Summary: "which blocks need only each token's own meaning, which move it to the last token, and which compute there alone",
		Paper:   "Mamidanna, Rai, Yao, Zhou, All for One: LLMs Solve Mental Math at the Last Token With Information Transferred From Other Tokens, EMNLP 2025, arXiv 2509.09650",
		Example: `cama(load("mental-2op"), n=100, contexts=1000)`,
		Params:  append(params, setParams("{a}{op}{b}=", 200)...),
		Run:     runCAMA,
	}
}

// camaRun is one call on its way.
type camaRun struct {
	m        *models.Model
	a        Args
	emit     Emit
	set      *ablate.PromptSet
	contexts *ablate.PromptSet
	table    *ablate.Table
	all      *ablate.AllForOne
	metric   int // of camaMetrics
	recipe   ablate.Recipe
	search   *ablate.WindowSearch // nil where the window was given or is not needed
	report   models.Report        // of what the figure shows
	fig      *viz.Figure
	done     int
	total    int
}

func runCAMA(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &camaRun{m: a["m"].(*models.Model), a: a, emit: emit}
	for i, m := range camaMetrics {
		if m.name == a["metric"].(string) {
			r.metric = i
		}
	}
	if err := r.checkWindow(); err != nil {
		return nil, err
	}
	var err error
	if r.set, err = promptSet(ctx, r.m, a); err != nil {
		return nil, err
	}
	show := map[string]func(context.Context) error{"wait": r.showWait, "grid": r.showGrid, "edges": r.showEdges, "heads": r.showHeads, "attention": r.showAttention}
	if err := show[a["show"].(string)](ctx); err != nil {
		return r.fig, err
	}
	r.fig.Badges = append(r.fig.Badges, sweepBadge(r.report))
	r.fig.Caption = strings.TrimSpace(r.fig.Caption + " " + r.about())
	emit.Figure(r.fig)
	return r.fig, nil
}

// checkWindow refuses a window that the model has no room for, before anything
// runs.
func (r *camaRun) checkWindow() error {
	w, P := r.a["wait"].(int), r.a["transfer"].(int)
	if w < 0 && P < 0 {
		return nil
	}
	if w < 0 || P < 0 {
		return &hintError{fmt.Sprintf("wait is %d and transfer %d: they go together", w, P), "give both, or neither for the smallest window that is found"}
	}
	if L := r.m.Config.Layers; w+1+P > L {
		return &hintError{fmt.Sprintf("blocks 0..%d wait and %d transfer, and the model has %d blocks in all", w, P, L), fmt.Sprintf("wait + 1 + transfer is to be at most %d", L)}
	}
	return nil
}

// begin shows the empty figure, then makes the table of means and the runs
// without edits.
func (r *camaRun) begin(ctx context.Context, fig *viz.Figure, parts int, unit string) error {
	r.fig, r.total = fig, parts
	seed, err := seedOf(r.a)
	if err != nil {
		return err
	}
	fig.Title = "All for one"
	var ids [][]int
	for _, p := range r.set.Prompts {
		ids = append(ids, p.IDs)
	}
	fig.Provenance = provenance(r.m, "cama", 1, r.a, ids...)
	fig.Provenance.Seed = &seed
	if len(r.set.Prompts) == 1 {
		dropErrors(fig)
	}
	r.emit.Figure(fig)
	r.emit.Progress(0, parts, unit)
	contexts := r.a["contexts"].(int)
	if contexts < 0 {
		return &hintError{fmt.Sprintf("contexts: %d is negative", contexts), "use 0 for every prompt of the template, or how many to sample"}
	}
	if r.contexts, err = ablate.Prompts(ctx, r.m, templateOf(r.a), ablate.SetOptions{N: contexts, Seed: seed + 1}); err != nil {
		return fmt.Errorf("contexts: %w", err)
	}
	if r.table, err = ablate.CAMATable(ctx, r.m, r.contexts.Prompts); err != nil {
		return err
	}
	r.all, err = ablate.StartAllForOne(ctx, r.m, r.set.Prompts, r.table, ablate.AllForOneOptions{Seed: seed})
	return err
}

// window settles the recipe of heads and attention.
func (r *camaRun) window(ctx context.Context) error {
	r.recipe = ablate.Recipe{Wait: r.a["wait"].(int), Transfer: r.a["transfer"].(int), Peek: ablate.Peek(r.a["peek"].(string))}
	if r.recipe.Wait >= 0 {
		return nil
	}
	if err := r.find(ctx); err != nil {
		return err
	}
	r.recipe = r.search.Best
	return nil
}

// find looks for the smallest window.
func (r *camaRun) find(ctx context.Context) (err error) {
	seed, err := seedOf(r.a)
	if err != nil {
		return err
	}
	r.search, err = ablate.Search(ctx, r.m, r.set.Prompts, r.table, r.grid(), r.a["threshold"].(float64), ablate.AllForOneOptions{Seed: seed})
	return err
}

// grid is every window, with the peek that was asked for.
func (r *camaRun) grid() []ablate.Recipe {
	recipes := ablate.WindowGrid(r.m, ablate.WaitCAMA)
	for i := range recipes {
		recipes[i].Peek = ablate.Peek(r.a["peek"].(string))
	}
	return recipes
}

// value is what the figure shows of an outcome.
func (r *camaRun) value(o ablate.Outcome) (ablate.Summary, error) {
	return camaMetrics[r.metric].of(r.all, o)
}

// part adds numbers to the figure, at one place of arrays.
func (r *camaRun) part(unit string, offset int, values map[string]float64) error {
	var part viz.Part
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if r.fig.Arrays[name] == nil {
			continue // the standard error of one prompt
		}
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: offset, F32: viz.EncodeFloats([]float32{float32(values[name])})})
		if strings.HasSuffix(name, "sem") {
			continue
		}
		for key, s := range r.fig.Scales {
			if next := r.stretch(key, s, values[name]); next != s {
				part.Scales = map[string]viz.Scale{key: next}
			}
		}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total, unit)
	return nil
}

// stretch makes a scale of the metric hold a value.
func (r *camaRun) stretch(key string, s viz.Scale, v float64) viz.Scale {
	switch {
	case key == "x" || v != v:
		return s
	case s.Kind == viz.ScaleDiverging:
		return grow(s, []float64{v})
	}
	return widen(s, []float64{v})
}

// scale is the metric's, of an axis or of colours.
func (r *camaRun) scale(kind viz.ScaleKind) viz.Scale {
	m := camaMetrics[r.metric]
	s := viz.Scale{Kind: kind, Lo: 0, Hi: 1, Label: m.label, Format: "%.2f"}
	if m.name == "margin" && kind == viz.ScaleSequential {
		s.Kind, s.Lo, s.Hi = viz.ScaleDiverging, -1, 1
	}
	return s
}

// about says what the prompts, the means and the sweep were.
func (r *camaRun) about() string {
	var groups []string
	for _, op := range sortedGroups(r.table) {
		groups = append(groups, fmt.Sprintf("%s contexts of %q", thousands(int64(r.table.Contexts[op])), op))
	}
	means := "every prompt of the template"
	if r.contexts.Options.N > 0 {
		worst, fewest := 0.0, 0
		for l := range r.m.Config.Layers {
			e, n := r.table.Uncertainty(l)
			worst, fewest = max(worst, e), n
		}
		means = fmt.Sprintf("a sample: %d or more contexts a token, standard errors up to %.2g of the means (root mean squares, by block)", fewest, worst)
	}
	text := fmt.Sprintf("Prompts: %s. Means: over %s, %s.", r.set.Report(), strings.Join(groups, " and "), means)
	if s := r.search; s != nil {
		text += " " + searchSentence(s)
	}
	return text + " " + sweepSentence(r.report)
}

// searchSentence says what the window search found.
func searchSentence(s *ablate.WindowSearch) string {
	best := waitingBlocks(s.Best.Wait, s.Best.Transfer)
	if !s.Found {
		return fmt.Sprintf("No window keeps %.0f %% on every other prompt; the best, %s, keeps %.1f %% there and %.1f %% on the held-out half.", 100*s.Threshold, best, 100*s.Chosen.Mean, 100*s.HeldOut.Mean)
	}
	verdict := "which confirms it"
	if !s.Confirmed {
		verdict = "which does not confirm it"
	}
	return fmt.Sprintf("The smallest window that keeps %.0f %% on every other prompt is %s (%.1f %%); on the held-out half it keeps %.1f %% ± %.1f (n = %d), %s.",
		100*s.Threshold, best, 100*s.Chosen.Mean, 100*s.HeldOut.Mean, 100*s.HeldOut.SEM, s.HeldOut.N, verdict)
}
