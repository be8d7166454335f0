package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/ablate"
	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

// nearnesses are how far an answer may be off, in the order of their lines.
var nearnesses = [...]struct {
	key, name string
	within    int
	share     func(*probe.NumberErrors) float64
}{
	{"exact", "exact", 0, func(e *probe.NumberErrors) float64 { return e.Accuracy }},
	{"within2", "± 2", 2, func(e *probe.NumberErrors) float64 { return e.Within2 }},
	{"within10", "± 10", 10, func(e *probe.NumberErrors) float64 { return e.Within10 }},
}

// layers draws the logit lens over the numbers: its waves after each layer, whether
// its largest number is the answer or near it, and how few waves of the final logits
// say the answer.
func (r *spectrumRun) layers(ctx context.Context) (*viz.Figure, error) {
	from, right, err := r.space.answered(ctx, r.a)
	if err != nil {
		return nil, err
	}
	prompts := idsOf(from.Set.Prompts)
	states, err := probe.LensStates(r.m, false)
	if err != nil {
		return nil, err
	}
	sites, err := probe.LensSites(r.m, false)
	if err != nil {
		return nil, err
	}
	sizes := waveSizes(r.space.basis.Highest())
	r.beginLayers(states, sizes, right, len(prompts))
	r.begin(len(states)+1, "states", from, prompts...)
	sweep, err := probe.SweepPrompts(ctx, r.m, prompts, -1, sites, func(int) error { return ctx.Err() })
	if err != nil {
		return r.fig, err
	}
	identity := mat.NewDense(len(r.space.ids), len(r.space.ids), nil)
	for i := range r.space.ids {
		identity.Set(i, i, 1)
	}
	parseval := 0.0
	var logits *mat.Dense
	for i := range states {
		if logits, err = r.numberLogits(sweep.Values[i]); err != nil {
			return r.fig, err
		}
		transform, s, err := probe.ContributionSpectrum(r.space.basis, logits, identity)
		if err != nil {
			return r.fig, err
		}
		parseval = math.Max(parseval, logitParseval(transform, logits, identity))
		if err := r.showState(i, len(states), logits, s, right); err != nil {
			return r.fig, err
		}
	}
	if err := r.showWaves(len(states), logits, sizes, right); err != nil {
		return r.fig, err
	}
	r.fig.Caption += " Prompts: " + from.Report() + "."
	r.finish(parseval)
	return r.fig, nil
}

// waveSizes are 1 to 5, 10, 20 and so on, and all.
func waveSizes(most int) (sizes []int) {
	for k := 1; k < most; k++ {
		if k <= 5 || k == 10 || k%20 == 0 {
			sizes = append(sizes, k)
		}
	}
	return append(sizes, most)
}

// beginLayers lays the panels out.
func (r *spectrumRun) beginLayers(states []string, sizes, right []int, n int) {
	labels, axis, L := stateLabels(states), r.space.axis(), len(states)
	x, k := make([]float32, L), make([]float32, len(sizes))
	for i := range x {
		x[i] = float32(i)
	}
	for i, size := range sizes {
		k[i] = float32(size)
	}
	f := &viz.Figure{
		Kind: viz.KindMultiples, Title: "Fourier features by layer",
		Subtitle: fmt.Sprintf("logit lens over the numbers at the last token, n = %d prompts · %s · %s", n, r.space.what(), map[bool]string{true: "final norm by each state's own statistics", false: "raw W_U·h, as in the paper"}[r.a["gain"].(bool)]),
		Arrays: map[string]*viz.Array{
			"state": viz.Values(x, []string{"state"}, L), "k": viz.Values(k, []string{"k"}, len(sizes)),
			"waves":  viz.NewArray([]string{"state", "frequency"}, L, len(axis.Labels)),
			"strong": viz.NewArray([]string{"k"}, len(sizes)), "drawn": viz.NewArray([]string{"k"}, len(sizes)), "whole": viz.NewArray([]string{"k"}, len(sizes)),
		},
		Scales: map[string]viz.Scale{
			"size":  {Kind: viz.ScaleSequential, Hi: 1e-3, Label: "mean |F·logits|", Format: "%.2f"},
			"state": {Kind: viz.ScaleLinear, Hi: float64(L - 1), Label: "state", Format: "%.0f"},
			"share": {Kind: viz.ScaleLinear, Hi: 1, Label: "share of prompts", Format: "%.2f"},
			"k":     {Kind: viz.ScaleLog, Lo: 1, Hi: float64(r.space.basis.Highest()), Label: "frequencies kept", Format: "%.0f"},
		},
	}
	lines := &viz.Lines{X: "state", XScale: "state", YScale: "share", XLabels: labels}
	for _, near := range nearnesses {
		f.Arrays[near.key] = viz.NewArray([]string{"state"}, L)
		lines.Series = append(lines.Series, viz.Series{Name: near.name, Y: near.key})
	}
	for _, near := range nearnesses {
		chance, flat := r.chance(right, near.within), make([]float32, L)
		for i := range flat {
			flat[i] = float32(chance)
		}
		f.Arrays[near.key+"_chance"] = viz.Values(flat, []string{"state"}, L)
		lines.Series = append(lines.Series, viz.Series{Name: near.name + ", any number", Y: near.key + "_chance", Control: true})
	}
	f.Multiples = &viz.Multiples{Columns: 1, Items: []viz.Item{
		{Title: "Waves in the logits", Subtitle: "mean size over prompts, sine and cosine joined, by state", Kind: viz.KindHeatmap, Heatmap: &viz.Heatmap{Scale: "size", Panels: []viz.Panel{{Rows: viz.Axis{Name: "state", Labels: labels}, Columns: axis, Values: "waves"}}}},
		{Title: "Is the answer the largest number?", Subtitle: "of the lens after each layer; control: a number at random", Kind: viz.KindLines, Lines: lines},
		{Title: "How few waves say the answer", Subtitle: "final logits with the constant and the strongest frequencies of each prompt alone; control: frequencies at random", Kind: viz.KindLines, Lines: &viz.Lines{
			X: "k", XScale: "k", YScale: "share", Series: []viz.Series{{Name: "strongest", Y: "strong"}, {Name: "random", Y: "drawn", Control: true}, {Name: "all", Y: "whole", Control: true}},
		}},
	}}
	r.fig = f
}

// chance is the share of the numbers that are near a right answer, on average.
func (r *spectrumRun) chance(right []int, within int) float64 {
	sum, p := 0.0, len(r.space.ids)
	for _, n := range right {
		sum += float64(min(p-1, n+within)-max(0, n-within)+1) / float64(p)
	}
	return sum / float64(len(right))
}

// numberLogits are the lens' logits of the numbers for states h [N, D], [N, P].
func (r *spectrumRun) numberLogits(h *mat.Dense) (*mat.Dense, error) {
	n, d := h.Dims()
	if !r.a["gain"].(bool) {
		var out mat.Dense
		out.Mul(h, r.space.readout(false).T())
		return &out, nil
	}
	all, err := r.m.Unembed(tensor.From(narrow(h.RawMatrix().Data), n, d))
	if err != nil {
		return nil, err
	}
	out := mat.NewDense(n, len(r.space.ids), nil)
	for i := range n {
		for j, id := range r.space.ids {
			out.Set(i, j, float64(all.At(i, id)))
		}
	}
	return out, nil
}

// largestNumbers are the numbers of the largest logit of each row.
func largestNumbers(logits *mat.Dense) []int {
	n, _ := logits.Dims()
	out := make([]int, n)
	for i := range n {
		out[i] = floats.MaxIdx(logits.RawRowView(i))
	}
	return out
}

// showState adds one state.
func (r *spectrumRun) showState(at, states int, logits *mat.Dense, s *probe.Spectrum, right []int) error {
	e, err := probe.ClassifyErrors(right, largestNumbers(logits), nil)
	if err != nil {
		return err
	}
	part := viz.Part{
		Arrays: []viz.ArrayRun{{Name: "waves", Offset: at * len(s.Frequencies), F32: viz.EncodeFloats(narrow(s.Frequencies))}},
		Scales: map[string]viz.Scale{"size": grow(r.fig.Scales["size"], s.Frequencies)},
	}
	for _, near := range nearnesses {
		part.Arrays = append(part.Arrays, one(near.key, at, near.share(e)))
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	r.emit.Progress(at+1, states+1, "states")
	if at == states-1 {
		r.fig.Caption = fmt.Sprintf("After the last layer the largest number is right for %.1f %% of the prompts, within 2 for %.1f %% and within 10 for %.1f %%; its strongest waves have the periods %s.",
			100*e.Accuracy, 100*e.Within2, 100*e.Within10, r.space.periods(s.Order()[:min(5, len(s.Order()))]))
	}
	return nil
}

// showWaves adds what few waves of the final logits say.
func (r *spectrumRun) showWaves(states int, logits *mat.Dense, sizes, right []int) error {
	var shares [2][]float64
	for i, rng := range []*rand.Rand{nil, rand.New(rand.NewPCG(r.seed, 4))} {
		answers, err := r.space.basis.StrongestWaves(logits, sizes, rng)
		if err != nil {
			return err
		}
		for _, given := range answers {
			e, err := probe.ClassifyErrors(right, given, nil)
			if err != nil {
				return err
			}
			shares[i] = append(shares[i], e.Accuracy)
		}
	}
	e, err := probe.ClassifyErrors(right, largestNumbers(logits), nil)
	if err != nil {
		return err
	}
	whole := make([]float64, len(sizes))
	for i := range whole {
		whole[i] = e.Accuracy
	}
	if err := r.part(states+1, states+1, "states", []string{"strong", "drawn", "whole"}, "share", shares[0], shares[1], whole); err != nil {
		return err
	}
	for i, k := range sizes {
		if k == 5 {
			r.fig.Caption += fmt.Sprintf(" The five strongest of each prompt alone give %.1f %%, five at random %.1f %%.", 100*shares[0][i], 100*shares[1][i])
		}
	}
	return nil
}

// answered are the prompts of a call whose answers are among the numbers, given or
// made, with those answers.
func (s *numberSpace) answered(ctx context.Context, a Args) (*BoundPrompts, []int, error) {
	var from *BoundPrompts
	var err error
	if a["prompts"] != nil {
		from, err = singlesOf(ctx, s.m, a)
	} else {
		n, seed := a["n"].(int), seedOf(a)
		t := templateOf(a)
		t.Hi = len(s.ids)
		from, err = Prompts{Template: t, Options: ablate.SetOptions{N: n, Seed: seed, Keep: ablate.Keep(a["keep"].(string))}}.Bind(ctx, s.m)
	}
	if err != nil {
		return nil, nil, err
	}
	number := s.numbers()
	var right []int
	for _, p := range from.Set.Prompts {
		n, ok := number[p.Answer]
		if !ok {
			return nil, nil, &hintError{fmt.Sprintf("the answer of %q is none of 0..%d", p.Text, len(s.ids)-1), "take more numbers, or prompts with smaller answers: prompts(..., hi=N) bounds them"}
		}
		right = append(right, n)
	}
	return from, right, nil
}

// numbers is the number of each of their tokens.
func (s *numberSpace) numbers() map[int]int {
	out := map[int]int{}
	for n, id := range s.ids {
		out[id] = n
	}
	return out
}
