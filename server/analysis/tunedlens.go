package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// fewestTuned is how many prompts a tuned lens needs, a quarter of which is held out.
const fewestTuned = 8

// tunedRate is the first step of Adam. The authors' 1e-3 is for 250 steps of large
// batches; small models on few prompts get as far in 100.
const tunedRate = 3e-3

func tunedLens() Analysis {
	var names []string
	for _, m := range lensMetrics {
		names = append(names, string(m.metric))
	}
	return Analysis{
		Name: "tuned_lens", Title: "Tuned lens", Version: 1,
		Summary: "decodes the residual stream before every layer through a map that is fitted to the model's own answers, and measures it on prompts held out",
		Paper:   "Belrose et al., Eliciting Latent Predictions from Transformers with the Tuned Lens, 2023, arXiv 2303.08112",
		Example: `tuned_lens(load("mental-2op"), "34+57=", n=40, steps=20)`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "prompt", Type: TypePrompt, Required: true, Help: "what is read, text or tokens(m, text)"},
			promptsParam("single prompts that the lens is fitted on, a quarter of them held out"),
			{Name: "steps", Type: TypeInt, Default: 100, Bounds: atLeast(1), Unit: "steps", Help: "of Adam, over all fitted prompts at once"},
			{Name: "metric", Type: TypeChoice, Default: "prob", Choices: names, Help: "what the colour means at first; the figure switches between all"},
			{Name: "top_k", Type: TypeInt, Default: 10, Bounds: atLeast(1), Unit: "tokens", Help: "how many tokens a cell lists on hover"},
		}, setParams("{a}{op}{b}=", 200)...),
		Run: runTunedLens,
	}
}

// tunedRun is one call on its way.
type tunedRun struct {
	m            *models.Model
	a            Args
	emit         Emit
	ids          []int
	steps        int
	from         *BoundPrompts
	fitted, held [][]int
	lens         *probe.TunedLens
	states       []string
	fig          *viz.Figure
	done         int // parts
}

func runTunedLens(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &tunedRun{m: a["m"].(*models.Model), a: a, emit: emit}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	r.begin()
	if err := r.fit(ctx); err != nil {
		return r.fig, err
	}
	if err := r.show(ctx); err != nil {
		return r.fig, err
	}
	emit.Figure(r.fig)
	return r.fig, nil
}

// read checks the parameters and splits the prompts.
func (r *tunedRun) read(ctx context.Context) (err error) {
	if r.ids, err = r.a["prompt"].(Prompt).encode(r.m); err != nil {
		return err
	}
	r.steps = r.a["steps"].(int)
	if r.from, err = singlesOf(ctx, r.m, r.a); err != nil {
		return err
	}
	all := idsOf(r.from.Set.Prompts)
	if len(all) < fewestTuned {
		return &hintError{fmt.Sprintf("a tuned lens is fitted on %d prompts: at least %d are needed, of which a quarter is held out", len(all), fewestTuned), "take n=200"}
	}
	for i, at := range rand.New(rand.NewPCG(r.from.seed(), 8)).Perm(len(all)) {
		if i < len(all)/4 {
			r.held = append(r.held, all[at])
		} else {
			r.fitted = append(r.fitted, all[at])
		}
	}
	r.states, err = probe.LensStates(r.m, false)
	return err
}

// tunedLines are the curves of divergence, by what they are of.
var tunedLines = []viz.Series{
	{Name: "tuned lens, held out", Y: "kl_held"}, {Name: "tuned lens, fitted", Y: "kl_fitted"},
	{Name: "logit lens, held out", Y: "kl_logit", Control: true},
}

// begin shows the figure before its first number.
func (r *tunedRun) begin() {
	args := Args{"of": "resid", "scale": "recomputed", "coda": 0}
	for k, v := range r.a {
		args[k] = v
	}
	f := lensFigure(r.m, r.ids, r.states, min(r.a["top_k"].(int), r.m.Config.Vocab), args)
	f.Tokens.Sites = nil // a cell stands for a translation, not for the state itself
	L := r.m.Config.Layers
	x, labels := make([]float32, L), make([]string, L)
	for l := range L {
		x[l], labels[l] = float32(l), stateLabels(r.states)[l]
	}
	f.Arrays["block"] = viz.Values(x, []string{"block"}, L)
	f.Scales["block"] = viz.Scale{Kind: viz.ScaleLinear, Hi: math.Max(1, float64(L-1)), Label: "state", Format: "%.0f"}
	f.Scales["divergence"] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: "KL(model ‖ lens)", Unit: "nats", Format: "%.2f"}
	for _, s := range tunedLines {
		f.Arrays[s.Y] = viz.NewArray([]string{"block"}, L)
	}
	f.Multiples = &viz.Multiples{Columns: 1, Items: []viz.Item{
		{Title: "Tuned lens", Subtitle: "cell: top token of the state behind each block, translated", Kind: viz.KindTokens, Tokens: f.Tokens},
		{Title: "How far from the model", Subtitle: "mean over prompts and tokens; the last state needs no translation", Kind: viz.KindLines, Lines: &viz.Lines{
			X: "block", XScale: "block", YScale: "divergence", XLabels: labels, Series: tunedLines,
		}},
	}}
	f.Kind, f.Title, f.Tokens = viz.KindMultiples, "Tuned lens", nil
	f.Subtitle = fmt.Sprintf("h + A·h + b before the final norm, A and b of each block fitted to the model's distributions on %d prompts, KL measured on %d others · %d steps of Adam", len(r.fitted), len(r.held), r.steps)
	f.Provenance = provenance(r.m, "tuned_lens", 1, r.a, append([][]int{r.ids}, r.fitted...)...)
	r.from.describe(f)
	r.fig = f
	r.emit.Figure(f)
	r.emit.Progress(0, r.total(), "steps")
}

// total is how many parts the figure gets: a step each, the divergences of others,
// the rows.
func (r *tunedRun) total() int { return r.steps + 1 + len(r.states) }

// add draws a part.
func (r *tunedRun) add(part viz.Part) error {
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total(), "steps")
	return nil
}

// fit fits the lens, its curve falling step by step, and draws its divergences.
func (r *tunedRun) fit(ctx context.Context) (err error) {
	r.lens, err = probe.FitTunedLens(ctx, r.m, r.fitted, probe.TunedOptions{Steps: r.steps, Adam: true, Rate: tunedRate}, func(step int, losses []float64) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return r.add(viz.Part{
			Arrays: []viz.ArrayRun{{Name: "kl_fitted", F32: viz.EncodeFloats(narrow(losses))}},
			Scales: map[string]viz.Scale{"divergence": widen(r.fig.Scales["divergence"], losses)},
		})
	})
	if err != nil {
		return err
	}
	part, scale := viz.Part{}, r.fig.Scales["divergence"]
	for _, c := range []struct {
		array string
		lens  *probe.TunedLens
		on    [][]int
	}{{"kl_held", r.lens, r.held}, {"kl_fitted", r.lens, r.fitted}, {"kl_logit", probe.NewTunedLens(r.m), r.held}} {
		losses, err := c.lens.Loss(ctx, r.m, c.on)
		if err != nil {
			return err
		}
		values := make([]float64, len(losses))
		for l, loss := range losses {
			values[l] = loss.Loss
		}
		scale = widen(scale, values)
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: c.array, F32: viz.EncodeFloats(narrow(values))})
	}
	part.Scales = map[string]viz.Scale{"divergence": scale}
	return r.add(part)
}

// show reads the prompt through the lens and says it in words.
func (r *tunedRun) show(ctx context.Context) error {
	row := 0
	lens, err := probe.LogitLens(ctx, r.m, r.ids, probe.LensOptions{Tuned: r.lens, TopK: min(r.a["top_k"].(int), r.m.Config.Vocab)}, func(l probe.LensRow) error {
		if err := r.add(lensPart(r.m, r.fig, row, l)); err != nil {
			return err
		}
		row++
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	tokens := r.fig.Multiples.Items[0].Tokens
	tokens.Target = tokenLabels(r.m.Tokenizer, lens.Target)
	at := len(r.ids) - 1
	depth := lens.DecisionDepth()[at]
	r.fig.Badges = []viz.Badge{{Text: "last layer = logits", Value: lens.LastRowError, Bound: 1e-5, OK: lens.LastRowError <= 1e-5,
		Help: "largest absolute difference between the last state, which is not translated, and the model's logits"}}
	held, fitted, plain := r.fig.Arrays["kl_held"].Data, r.fig.Arrays["kl_fitted"].Data, r.fig.Arrays["kl_logit"].Data
	last := len(held) - 1
	closer := 0
	for l := range held {
		if held[l] < plain[l] {
			closer++
		}
	}
	r.fig.Caption = fmt.Sprintf("On prompts held out the tuned lens is nearer to the model than the logit lens at %d of %d states: before the last block %.2f nats against %.2f (%.2f on the prompts that it was fitted on). At the last token %s is its top token from %s on. A translator may compute what later blocks do: that it decodes a token does not say that the model uses it there.",
		closer, len(held), held[last], plain[last], fitted[last], tokenLabels(r.m.Tokenizer, lens.Target[at:])[0], tokens.Rows.Labels[depth])
	return nil
}
