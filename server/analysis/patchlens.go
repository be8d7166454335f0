package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// maxTries bounds the tries of a patch lens.
const maxTries = 200

func patchLens() Analysis {
	measure := metricParam("logit_diff", "what tries are measured by at the last token, of r against r′, with the share of it that each brings back: its normalised effect")
	measure.Name = "measure"
	params := []Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		{Name: "prompts", Type: TypePrompts, Help: "prompts, of pairs the clean ones, that a mean is over, where a patch puts one in: themselves where they are a list, else as many as reference says of their template; left out, of template"},
		{Name: "clean", Type: TypePrompt, Required: true, Help: "the prompt whose values are moved"},
		{Name: "corrupted", Type: TypePrompt, Help: "the prompt that they are put into; as many tokens as clean. Left out, the clean run itself is edited, by patches with run=\"zero\" and the like"},
		{Name: "patches", Type: TypePatches, Default: [][]ablate.Move{}, Help: "what is tried, each patch(site, at=...) or a list of them that are made together"},
		{Name: "show", Type: TypeInts, Default: []int{-1}, Bounds: &Bounds{Min: math.Inf(-1), Max: math.Inf(1), Most: 2}, Help: "which try is shown, or which two beside each other; negative counts from the last"},
		{Name: "metric", Type: TypeChoice, Default: "prob", Choices: []string{"prob", "answer", "rank", "change"}, Help: "what the colour means at first: of the top token, or of the clean answer; the figure switches between all"},
		measure,
		{Name: "answer", Type: TypeString, Default: "", Help: "r, one token; left out, the model's own answer to clean"},
		{Name: "other", Type: TypeString, Default: "", Help: "r′, one token; left out, the model's own answer to corrupted"},
		{Name: "top_k", Type: TypeInt, Default: 10, Bounds: atLeast(1), Unit: "tokens", Help: "how many tokens a cell lists on hover"},
		{Name: "reference", Type: TypeInt, Default: 200, Bounds: atLeast(1), Unit: "prompts", Help: "how many prompts of the template a mean is over"},
	}
	for _, p := range setParams("{a}{op}{b}=", 0) {
		if p.Name != "n" && p.Name != "keep" {
			p.Help += " (of a mean's prompts)"
			params = append(params, p)
		}
	}
	return Analysis{
		Name: "patch_lens", Title: "Patch lens", Version: 1,
		Summary: "moves single values of one run into another, and shows both and the patched run through the logit lens, with what the patch can reach",
		Paper:   "Meng, Bau, Andonian, Belinkov, Locating and Editing Factual Associations in GPT, NeurIPS 2022, arXiv 2202.05262; the lens is nostalgebraist's (2020)",
		Example: `patch_lens(load("mental-2op"), clean="34+57=", corrupted="12+57=", patches=[patch("blocks.1.hook_resid_post", at=1)])`,
		Params:  params,
		Run:     runPatchLens,
	}
}

// patchLensRun is one call on its way.
type patchLensRun struct {
	m    *models.Model
	a    Args
	emit Emit

	tries  [][]ablate.Move
	shown  []int // of tries
	alone  bool  // there is one prompt, and its own run is edited
	moved  *ablate.Moved
	sites  []models.Site // of the rows
	states []string
	lenses []patchReading // the first is that of the stream
	means  int            // prompts that means are over

	answer, other int               // r and r′
	measure       ablate.Metric     // of tries
	runs          []*ablate.SeenRun // of the tries that are shown
	outcomes      []outcome         // of all tries
	before, clean outcome
	fig           *viz.Figure
	own, last     float64 // what the badges say
	outside       int
	rerun         int
	done          int
}

// outcome is what a run says at the last position.
type outcome struct {
	answer, other float64 // P(r) and P(r′)
	value         float64 // of the measure
}

func runPatchLens(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &patchLensRun{m: a["m"].(*models.Model), a: a, emit: emit, tries: a["patches"].([][]ablate.Move)}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	if err := r.figure(); err != nil {
		return nil, err
	}
	emit.Figure(r.fig)
	if err := r.fill(ctx, r.lenses[0]); err != nil {
		return r.fig, err
	}
	if err := r.try(ctx); err != nil {
		return r.fig, err
	}
	for i, l := range r.lenses {
		if i > 0 {
			if err := r.fill(ctx, l); err != nil {
				return r.fig, err
			}
		}
		for shown := range r.runs {
			if err := r.reach(ctx, l, shown); err != nil {
				return r.fig, err
			}
		}
	}
	r.finish()
	emit.Figure(r.fig)
	return r.fig, nil
}

// start reads the arguments and makes both runs.
func (r *patchLensRun) start(ctx context.Context) error {
	clean, corrupted, err := r.prompts()
	if err != nil {
		return err
	}
	if r.shown, err = r.show(); err != nil {
		return err
	}
	if r.sites, err = probe.LensSites(r.m, false); err != nil {
		return err
	}
	if r.states, err = probe.LensStates(r.m, false); err != nil {
		return err
	}
	r.lenses = r.readings()
	opt := ablate.MovedOptions{Tries: r.tries}
	for _, l := range r.lenses {
		opt.Keep = append(opt.Keep, l.sites...)
	}
	if opt.Reference, err = r.reference(ctx); err != nil {
		return err
	}
	if r.moved, err = ablate.StartMoved(ctx, r.m, clean, corrupted, opt); err != nil {
		return fmt.Errorf("patches: %w", err)
	}
	return r.answers()
}

// prompts encodes both prompts. One alone may be knocked out.
func (r *patchLensRun) prompts() (clean, corrupted []int, err error) {
	if clean, err = r.a["clean"].(Prompt).encode(r.m); err != nil {
		return nil, nil, fmt.Errorf("clean: %w", err)
	}
	if len(r.tries) > maxTries {
		return nil, nil, &hintError{fmt.Sprintf("patches: %d tries are more than %d", len(r.tries), maxTries), "take activation_patching for a sweep"}
	}
	p := optionalPrompt(r.a, "corrupted")
	if r.alone = !given(p); r.alone {
		for i, try := range r.tries {
			for _, v := range try {
				if v.Giver() == ablate.FromClean {
					return nil, nil, &hintError{fmt.Sprintf("patches: try %d takes a clean value, and there is no corrupted run to put it into", i), `give corrupted, or a patch with run="zero", "mean", "mean_by_pos" or "corrupted"`}
				}
			}
		}
		return clean, clean, nil
	}
	if corrupted, err = p.encode(r.m); err != nil {
		return nil, nil, fmt.Errorf("corrupted: %w", err)
	}
	if len(clean) != len(corrupted) {
		return nil, nil, &hintError{fmt.Sprintf("clean has %d tokens, corrupted has %d", len(clean), len(corrupted)), "values are moved position by position: use two prompts of equal length"}
	}
	if slices.Equal(clean, corrupted) {
		return nil, nil, &hintError{fmt.Sprintf("clean and corrupted are the same prompt, %s: a value that is moved changes nothing", promptSource(p)), `change one token, or leave corrupted out and patch with run="zero" or a mean`}
	}
	return clean, corrupted, nil
}

// show resolves which tries are shown.
func (r *patchLensRun) show() ([]int, error) {
	list := r.a["show"].([]int)
	if len(r.tries) == 0 {
		return nil, nil
	}
	if len(list) < 1 || len(list) > 2 {
		return nil, &hintError{fmt.Sprintf("show: %d tries are asked for", len(list)), "one is shown, or two beside each other"}
	}
	out := make([]int, len(list))
	for i, n := range list {
		if out[i] = n; n < 0 {
			out[i] += len(r.tries)
		}
		if out[i] < 0 || out[i] >= len(r.tries) {
			return nil, &hintError{fmt.Sprintf("show: %d is outside 0..%d", n, len(r.tries)-1), fmt.Sprintf("there are %d patches; -1 is the last", len(r.tries))}
		}
	}
	if len(out) == 2 && out[0] == out[1] {
		return out[:1], nil
	}
	return out, nil
}

// reference makes the prompts that means are over, if there are means.
func (r *patchLensRun) reference(ctx context.Context) ([][]int, error) {
	needed := false
	for _, try := range r.tries {
		for _, v := range try {
			needed = needed || v.Giver() == ablate.FromMean || v.Giver() == ablate.FromMeanByPos
		}
	}
	if !needed {
		return nil, nil
	}
	n, seed := r.a["reference"].(int), seedOf(r.a)
	var template ablate.Template
	if r.a["prompts"] == nil {
		template = templateOf(r.a)
	} else {
		given, err := promptsOf(ctx, r.m, r.a)
		if err != nil {
			return nil, err
		}
		if given.Set.Listed() {
			r.means = len(given.Set.Prompts)
			return idsOf(given.Set.Prompts), nil
		}
		template = given.Set.Template
	}
	set, err := referenceSet(ctx, r.m, template, seed, n)
	if err != nil {
		return nil, err
	}
	r.means = len(set.Prompts)
	return idsOf(set.Prompts), nil
}

// referenceSet are the prompts of a template that means are over, by another
// draw than those of the seed itself.
func referenceSet(ctx context.Context, m *models.Model, t ablate.Template, seed uint64, n int) (*ablate.PromptSet, error) {
	set, err := ablate.Prompts(ctx, m, t, ablate.SetOptions{N: n, Seed: seed + 1})
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	return set, nil
}

// answers settles r and r′: the tokens that are named, or what the runs say.
func (r *patchLensRun) answers() error {
	last := len(r.moved.Clean.IDs) - 1
	tops := [2]int{topID(r.moved.Clean.Logits.Sub(last).Data, -1), topID(r.moved.Corrupted.Logits.Sub(last).Data, -1)}
	if r.alone { // against the runner-up
		tops[1] = topID(r.moved.Clean.Logits.Sub(last).Data, tops[0])
	}
	for i, name := range []string{"answer", "other"} {
		if text := r.a[name].(string); text != "" {
			id, err := TokenID(r.m, text)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			tops[i] = id
		}
	}
	r.answer, r.other = tops[0], tops[1]
	pair := ablate.Contrast{
		Clean:     ablate.Prompt{Text: r.a["clean"].(Prompt).Text, IDs: r.moved.Clean.IDs, Answer: r.answer, Other: r.other},
		Corrupted: ablate.Prompt{Text: optionalPrompt(r.a, "corrupted").Text, IDs: r.moved.Corrupted.IDs, Answer: r.other, Other: r.answer},
	}
	var err error
	if r.measure, err = metricNamed(r.a, "measure", []ablate.Contrast{pair}); err != nil {
		return err
	}
	r.runs = make([]*ablate.SeenRun, len(r.shown))
	r.clean, r.before = r.outcome(r.moved.Clean), r.outcome(r.moved.Corrupted)
	return nil
}

// topID is the id with the largest logit but skip; the lowest of several.
func topID(z []float32, skip int) int {
	best := -1
	for id, v := range z {
		if id != skip && (best < 0 || v > z[best]) {
			best = id
		}
	}
	return max(best, 0)
}

// outcome reads a run at the last position.
func (r *patchLensRun) outcome(run *ablate.SeenRun) outcome {
	z := run.Logits.Sub(len(run.IDs) - 1).Data
	logp := models.LogProbs(z)
	base := r.moved.Corrupted.Logits.Sub(len(run.IDs) - 1).Data
	return outcome{math.Exp(logp[r.answer]), math.Exp(logp[r.other]), r.measure.Of(ablate.Readout{Run: z, Base: base, Answer: r.answer, Other: r.other})}
}

// restored is the share of the measure's difference between both runs that a try
// brings back; false where there is nothing to divide by.
func (r *patchLensRun) restored(o outcome) (float64, bool) {
	if r.alone || r.measure.Pair && r.answer == r.other {
		return 0, false
	}
	v, err := ablate.RatioOfMeans([]float64{o.value}, []float64{r.before.value}, []float64{r.clean.value})
	return v, err == nil
}

// try runs every try for its outcome, and checks the shown ones.
func (r *patchLensRun) try(ctx context.Context) error {
	for i, moves := range r.tries {
		run, err := r.moved.Run(ctx, moves)
		if err != nil {
			return fmt.Errorf("patches: try %d: %w", i, err)
		}
		r.outcomes = append(r.outcomes, r.outcome(run))
		at := slices.Index(r.shown, i)
		if at < 0 {
			continue
		}
		n, err := r.moved.Rerun(ctx, moves, run)
		if err != nil {
			return err
		}
		own, err := r.moved.Own(ctx, moves)
		if err != nil {
			return err
		}
		r.runs[at], r.rerun, r.own = run, r.rerun+n, max(r.own, own)
	}
	return nil
}
