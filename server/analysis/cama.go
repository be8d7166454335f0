package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// faithfulness is the method's own metric, besides those by name: accuracy on
// the prompts that the model gets right by itself.
const faithfulness = "faithfulness"

// waitNames are the wait modes in words.
var waitNames = map[ablate.WaitMode]string{
	ablate.WaitCAMA: "CAMA", ablate.WaitZero: "zero", ablate.WaitGlobal: "global mean", ablate.WaitPositional: "positional mean",
	ablate.WaitResample: "resample", ablate.WaitIsolated: "isolated",
}

func cama() Analysis {
	metric := metricParam(faithfulness, "what is drawn, as it is: faithfulness is its own share of the run without intervention. The caption says faithfulness, probability and logit difference; logit_diff needs prompts that come with another answer r′", faithfulness)
	var peeks []string
	for _, p := range ablate.Peeks {
		if p != ablate.PeekChosen {
			peeks = append(peeks, string(p))
		}
	}
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("single prompts"),
		{Name: "show", Type: TypeChoice, Default: "wait", Choices: []string{"wait", "grid", "edges", "heads", "attention"},
			Help: "wait: how long blocks may wait, with the baselines; grid: faithfulness by (wait, transfer); edges: the last token's edges cut in one block; heads: transfer heads pruned one by one; attention: what the last token reads in the transfer blocks"},
		metric,
		{Name: "peek", Type: TypeChoice, Default: "all", Choices: peeks, Help: "what the last token reads in transfer blocks, besides BOS and itself"},
		{Name: "wait", Type: TypeInt, Default: -1, Bounds: atLeast(-1), Index: "layers", Help: "the last waiting block, from 0, for heads and attention; -1 for the smallest window that is found"},
		{Name: "transfer", Type: TypeInt, Default: -1, Bounds: atLeast(-1), Unit: "blocks", Help: "how many blocks transfer; -1 for the smallest window that is found"},
		{Name: "threshold", Type: TypeFloat, Default: 0.95, Bounds: &Bounds{Min: 0, Max: 1, Above: true}, Help: "the faithfulness that the smallest window has to reach"},
		{Name: "contexts", Type: TypeInt, Default: 0, Bounds: atLeast(0), Unit: "prompts", Help: "how many prompts the means are over; 0 for every prompt of the template; the prompts themselves where they are a list"},
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
	from     *BoundPrompts
	set      *ablate.PromptSet
	contexts *ablate.PromptSet
	table    *ablate.Table
	all      *ablate.AllForOne
	metric   ablate.Metric // without a function for faithfulness
	recipe   ablate.Recipe
	search   *ablate.WindowSearch // nil where the window was given or is not needed
	report   models.Report        // of what the figure shows
	fig      *viz.Figure
	done     int
	total    int
}

func runCAMA(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &camaRun{m: a["m"].(*models.Model), a: a, emit: emit}
	if err := r.checkWindow(); err != nil {
		return nil, err
	}
	var err error
	if r.from, err = singlesOf(ctx, r.m, a); err != nil {
		return nil, err
	}
	r.set = r.from.Set
	r.metric = ablate.Metric{Name: faithfulness, Label: faithfulness}
	if a["metric"] != faithfulness {
		if r.metric, err = metricOf(a, singly(r.set.Prompts)); err != nil {
			return nil, err
		}
	}
	show := map[string]func(context.Context) error{"wait": r.showWait, "grid": r.showGrid, "edges": r.showEdges, "heads": r.showHeads, "attention": r.showAttention}
	if err := show[a["show"].(string)](ctx); err != nil {
		return r.fig, err
	}
	checks, err := r.all.Check(ctx)
	if err != nil {
		return r.fig, err
	}
	r.fig.Badges = append(append(r.fig.Badges, sweepBadge(r.report)), camaBadges(checks)...)
	r.fig.Caption = strings.TrimSpace(r.fig.Caption + " " + r.about())
	emit.Figure(r.fig)
	return r.fig, nil
}

// camaBadges are the identities of CAMA and peeking.
func camaBadges(c ablate.CAMAChecks) []viz.Badge {
	over := fmt.Sprintf(", over %d prompts", c.Prompts)
	return []viz.Badge{
		{Text: "CAMA of the embedding = itself", Value: c.Embedding, Bound: 1e-5, OK: c.Embedding <= 1e-5,
			Help: "largest difference of the stream before block 0 from its mean over prompts with the same token there" + over},
		{Text: "no mean hangs on later tokens", Value: c.Later, OK: c.Later == 0,
			Help: "largest change of the stream at and before a token, behind any block, when the tokens behind it are another prompt's: so CAMA changes nothing at the first operand, and an operator's mean is one whatever follows" + over},
		{Text: "masks of nothing = no edit", Value: c.NoOp, OK: c.NoOp == 0,
			Help: "largest change of a logit under masks that let every token read all before it"},
		{Text: "masked rows add up to 1", Value: c.Rows, Bound: 1e-5, OK: c.Rows <= 1e-5,
			Help: "largest difference from 1 of the sum over a row of a pattern where tokens read BOS and themselves alone; no row is left with nothing to read" + over},
	}
}

// checkWindow refuses a window that the model has no room for, before anything
// runs.
func (r *camaRun) checkWindow() error {
	w, P := r.a["wait"].(int), r.a["transfer"].(int)
	if w < 0 && P < 0 {
		return nil
	}
	if w < 0 || P < 0 {
		given, missing := "wait", "transfer"
		if w < 0 {
			given, missing = missing, given
		}
		return &hintError{fmt.Sprintf("%s=%d is given without %s: they go together", given, max(w, P), missing), "give both, or neither for the smallest window that is found"}
	}
	if L := r.m.Config.Layers; w+1+P > L {
		return &hintError{fmt.Sprintf("blocks 0..%d wait and %d transfer, and the model has %d blocks in all", w, P, L), fmt.Sprintf("wait + 1 + transfer is to be at most %d", L)}
	}
	return nil
}

// begin shows the empty figure, then makes the runs without edits.
func (r *camaRun) begin(ctx context.Context, fig *viz.Figure, parts int, unit string) error {
	r.fig, r.total = fig, parts
	fig.Title = "All for one: " + map[string]string{
		"wait": "how long tokens can wait", "grid": r.metric.Label + " by wait and transfer", "edges": "one block cut",
		"heads": "transfer heads removed", "attention": "what the last token reads",
	}[r.a["show"].(string)]
	fig.Provenance = provenance(r.m, "cama", 1, r.a, idsOf(r.set.Prompts)...)
	r.from.describe(fig)
	n := len(r.set.Prompts)
	if errorsOver(fig, n, r.interval()) && r.a["show"] != "attention" && (r.metric.Of != nil || r.set.Options.Keep == ablate.KeepCorrect) {
		keepEach(fig, always(n))
	}
	r.emit.Figure(fig)
	r.emit.Progress(0, parts, unit)
	var err error
	if r.all, err = ablate.StartAllForOne(ctx, r.m, r.set.Prompts, nil, ablate.AllForOneOptions{Seed: r.from.seed(), Metric: r.metric}); err != nil {
		return err
	}
	base, _, err := r.value(r.all, r.all.Base)
	if err != nil { // before the table, not behind it
		return &hintError{err.Error(), "faithfulness needs right answers: take prompts that the model can do, or a metric such as \"prob\""}
	}
	if r.a["show"] != "attention" && base.N != n { // faithfulness is over those that the model gets right
		errorsOver(fig, base.N, r.interval())
		r.emit.Figure(fig)
	}
	return nil
}

// means makes the contexts and their table, which is left to fill: listing every
// prompt of a template takes a while, and running them most of the time.
func (r *camaRun) means(ctx context.Context) (err error) {
	if r.contexts = r.set; !r.set.Listed() {
		if r.contexts, err = r.sample(ctx, r.a["contexts"].(int)); err != nil {
			return fmt.Errorf("contexts: %w", err)
		}
	}
	if r.table, err = ablate.NewTable(r.m, r.contexts.Prompts); err != nil {
		return err
	}
	if err := r.covers(); err != nil {
		return err
	}
	return r.all.Use(r.table)
}

// sample is n prompts of the template, 0 for all of them.
func (r *camaRun) sample(ctx context.Context, n int) (*ablate.PromptSet, error) {
	return ablate.Prompts(ctx, r.m, r.set.Template, ablate.SetOptions{N: n, Seed: r.from.seed() + 1})
}

// covers refuses sampled contexts that lack a token of the prompts: its mean would be
// over none.
func (r *camaRun) covers() error {
	if r.a["show"] == "edges" || r.contexts.Options.N == 0 {
		return nil
	}
	there := tokensOf(r.contexts.Prompts)
	lacking := slices.DeleteFunc(slices.Clone(r.set.Prompts), func(p ablate.Prompt) bool { return there.cover(p, r.table.First) })
	if len(lacking) == 0 {
		return nil
	}
	return &hintError{fmt.Sprintf("contexts: a sample of %d has no prompt with a token of %d of the %d prompts where it stands (such as %q), so that there is no mean to put in", len(r.contexts.Prompts), len(lacking), len(r.set.Prompts), lacking[0].Text),
		"take a larger sample, or contexts=0 for every prompt of the template"}
}

// ownTokens are the tokens that contexts of each group have at each position.
type ownTokens map[ownToken]bool

type ownToken struct {
	group      string
	pos, token int
}

func tokensOf(contexts []ablate.Prompt) ownTokens {
	there := ownTokens{}
	for _, p := range contexts {
		for pos, id := range p.IDs {
			there[ownToken{p.Group, pos, id}] = true
		}
	}
	return there
}

// cover says whether there is a mean for every token of a prompt behind the first
// position at which prompts differ.
func (t ownTokens) cover(p ablate.Prompt, first int) bool {
	for pos := first + 1; pos < len(p.IDs); pos++ {
		if !t[ownToken{p.Group, pos, p.IDs[pos]}] {
			return false
		}
	}
	return true
}

// interval is that of what the figure shows: shares of right answers have one of
// their own.
func (r *camaRun) interval() func(n int) *viz.Interval {
	if r.a["show"] != "attention" && slices.Contains([]string{faithfulness, "accuracy"}, r.metric.Name) {
		return viz.Wilson
	}
	return viz.Student
}

// window settles the recipe of heads and attention.
func (r *camaRun) window(ctx context.Context) error {
	r.recipe = ablate.Recipe{Wait: r.a["wait"].(int), Transfer: r.a["transfer"].(int), Peek: ablate.Peek(r.a["peek"].(string))}
	if r.recipe.Wait >= 0 {
		return r.table.Fill(ctx, r.recipe.Wait+1)
	}
	if err := r.find(ctx); err != nil {
		return err
	}
	r.recipe = r.search.Best
	return nil
}

// find looks for the smallest window.
func (r *camaRun) find(ctx context.Context) (err error) {
	if err := r.table.Fill(ctx, r.m.Config.Layers); err != nil {
		return err
	}
	r.search, err = ablate.Search(ctx, r.m, r.set.Prompts, r.table, r.grid(), r.a["threshold"].(float64), ablate.AllForOneOptions{Seed: r.from.seed()})
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

// value is what the figure shows of an outcome, with what it is the mean of.
func (r *camaRun) value(all *ablate.AllForOne, o ablate.Outcome) (ablate.Summary, []float64, error) {
	if r.metric.Of != nil {
		return ablate.Summarise(o.Values), o.Values, nil
	}
	right := make([]float64, len(o.Top))
	for i, top := range o.Top {
		if top == all.Prompts[i].Answer {
			right[i] = 1
		}
	}
	s, err := all.Faithfulness(o)
	return s, right, err
}

// part adds one place's mean, standard error and numbers to the figure.
func (r *camaRun) part(unit, name string, offset int, v ablate.Summary, values []float64) error {
	part := viz.Part{Arrays: runOf(r.fig, name, offset, v.Mean, v.SEM, values)}
	for key, s := range r.fig.Scales {
		if next := r.stretch(key, s, v.Mean, v.SEM); next != s {
			part.Scales = map[string]viz.Scale{key: next}
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

// stretch makes a scale of the metric hold a value, and an axis its interval.
func (r *camaRun) stretch(key string, s viz.Scale, v, sem float64) viz.Scale {
	switch {
	case key == "x" || v != v:
		return s
	case s.Kind == viz.ScaleDiverging:
		return grow(s, []float64{v})
	case r.fig.Heatmap != nil:
		return widen(s, []float64{v})
	}
	return widen(s, reach(r.fig, v, sem))
}

// scale is the metric's, of an axis or of colours.
func (r *camaRun) scale(kind viz.ScaleKind) viz.Scale {
	s := viz.Scale{Kind: kind, Lo: 0, Hi: 1, Label: r.metric.Label, Unit: r.metric.Unit, Format: "%.2f"}
	if !slices.Contains([]string{faithfulness, "prob", "accuracy"}, r.metric.Name) && kind == viz.ScaleSequential {
		s.Kind, s.Lo, s.Hi = viz.ScaleDiverging, -1, 1
	}
	return s
}

// enoughContexts is how many contexts a token's mean should be over where they are
// sampled.
const enoughContexts = 100

// about says what the prompts, the means and the sweep were.
func (r *camaRun) about() string {
	if r.table.Filled() == 0 {
		return fmt.Sprintf("Prompts: %s. No means are put in. %s", r.from.Report(), sweepSentence(r.report))
	}
	var groups []string
	for _, op := range sortedGroups(r.table) {
		text := thousands(int64(r.table.Contexts[op])) + " contexts"
		if op != "" { // of a template whose operators stand in it
			text += fmt.Sprintf(" of %q", op)
		}
		groups = append(groups, text)
	}
	means := "every prompt of the template"
	if r.set.Listed() {
		means = "the prompts themselves"
	} else if r.contexts.Options.N > 0 {
		worst, fewest := 0.0, 0
		for l := range r.table.Filled() {
			e, n := r.table.Uncertainty(l)
			worst, fewest = max(worst, e), n
		}
		means = fmt.Sprintf("a sample: %d or more contexts a token, standard errors up to %.2g of the means (root mean squares, by block)", fewest, worst)
		if fewest < enoughContexts {
			means += fmt.Sprintf("; less than %d are few, and contexts=0 takes every prompt", enoughContexts)
		}
	}
	text := fmt.Sprintf("Prompts: %s. Means: over %s, %s.", r.from.Report(), strings.Join(groups, " and "), means)
	if s := r.search; s != nil {
		text += " " + searchSentence(s)
	}
	return text + " " + sweepSentence(r.report)
}

// shareWords are a share of right answers with its interval.
func shareWords(s ablate.Summary) string {
	lo, hi := viz.Wilson(s.N).Ends(s.Mean, s.SEM)
	return fmt.Sprintf("%.1f %% (95 %% interval %.1f to %.1f %%, n = %d)", 100*s.Mean, 100*lo, 100*hi, s.N)
}

// searchSentence says what the window search found.
func searchSentence(s *ablate.WindowSearch) string {
	best := waitingBlocks(s.Best.Wait, s.Best.Transfer)
	if !s.Found {
		return fmt.Sprintf("No window keeps %.0f %% on every other prompt; the best, %s, keeps %.1f %% there and %s on the held-out half.", 100*s.Threshold, best, 100*s.Chosen.Mean, shareWords(s.HeldOut))
	}
	verdict := "which confirms it"
	if !s.Confirmed {
		verdict = "which does not confirm it"
	}
	return fmt.Sprintf("The smallest window that keeps %.0f %% on every other prompt is %s (%.1f %%); on the held-out half it keeps %s, %s.",
		100*s.Threshold, best, 100*s.Chosen.Mean, shareWords(s.HeldOut), verdict)
}
