package analysis

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// directBound is how far the bars of a direct logit attribution may be from
// the logit, as a share of the sum of their magnitudes (float32 rounding).
const directBound = 1e-5

func directAttribution() Analysis {
	return Analysis{
		Name: "dla", Title: "Direct logit attribution", Version: 1,
		Summary: "what each component, head or neuron writes towards the answer's logit; the bars add up to it exactly",
		Paper:   "Elhage et al., A Mathematical Framework for Transformer Circuits (2021)",
		Example: `dla(load("mental-2op"), "34+57=", by="head")`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "prompt", Type: TypePrompt, Required: true, Help: "text, or tokens(m, text)"},
			{Name: "answer", Type: TypeString, Default: "", Help: "the token whose logit is taken apart; left out, the model's own top token, without edits"},
			{Name: "incorrect", Type: TypeString, Default: "", Help: "a token whose logit is subtracted; left out, none: the logit itself"},
			{Name: "by", Type: TypeChoice, Default: "component", Choices: []string{"component", "head", "neuron"}, Help: "how far the stream is taken apart"},
			{Name: "top", Type: TypeInt, Default: 20, Bounds: atLeast(1), Unit: "neurons", Help: "how many neurons stand by themselves"},
			{Name: "position", Type: TypeInt, Default: -1, Help: "where the logit is read; negative counts from the end"},
			editsParam(),
		},
		Run: runDirect,
	}
}

func runDirect(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	m := a["m"].(*models.Model)
	ids, err := a["prompt"].(Prompt).encode(m)
	if err != nil {
		return nil, err
	}
	opt := probe.DirectOptions{By: probe.DirectBy(a["by"].(string)), Position: a["position"].(int), Incorrect: -1, Top: a["top"].(int)}
	if opt.Hooks, err = editHooks(m, a); err != nil {
		return nil, err
	}
	at := opt.Position
	if at < 0 {
		at += len(ids)
	}
	if at < 0 || at >= len(ids) {
		return nil, fmt.Errorf("position: %d is outside the prompt of %d tokens (%d..%d)", opt.Position, len(ids), -len(ids), len(ids)-1)
	}
	if opt.Answer, err = answerOrTop(ctx, m, ids[:at+1], a["answer"].(string)); err != nil {
		return nil, err
	}
	if text := a["incorrect"].(string); text != "" {
		if opt.Incorrect, err = TokenID(m, text); err != nil {
			return nil, fmt.Errorf("incorrect: %w", err)
		}
	}
	d, err := probe.DirectAttribution(ctx, m, ids, opt)
	if err != nil {
		return nil, err
	}
	f := directFigure(m, ids, at, opt, d, a)
	emit.Figure(f)
	return f, nil
}

// answerOrTop is the token that a text names or, without one, the model's own
// top token behind the prompt.
func answerOrTop(ctx context.Context, m *models.Model, ids []int, text string) (int, error) {
	if text == "" {
		top, err := probe.TopTokens(ctx, m, ids, 1)
		if err != nil {
			return 0, err
		}
		return top[0].ID, nil
	}
	id, err := TokenID(m, text)
	if err != nil {
		return 0, fmt.Errorf("answer: %w", err)
	}
	return id, nil
}

func directFigure(m *models.Model, ids []int, at int, opt probe.DirectOptions, d *probe.Direct, a Args) *viz.Figure {
	var labels []string
	var values []float64
	magnitude, largest := 0.0, 0
	add := func(label string, v float64) {
		labels, values = append(labels, label), append(values, v)
		magnitude += math.Abs(v)
	}
	for i, p := range d.Parts {
		add(p.Label, p.Value)
		if math.Abs(p.Value) > math.Abs(values[largest]) {
			largest = i
		}
	}
	add("b_U, b_ln", d.Bias)
	add("remainder", d.Remainder)
	answer := tokenLabels(m.Tokenizer, []int{opt.Answer})[0]
	what := fmt.Sprintf("logit of %s", answer)
	if opt.Incorrect >= 0 {
		what = fmt.Sprintf("logit of %s minus that of %s", answer, tokenLabels(m.Tokenizer, []int{opt.Incorrect})[0])
	}
	scale := widen(viz.Scale{Kind: viz.ScaleLinear, Label: "added to the " + what, Format: "%.3f"}, values)
	n := len(labels)
	return &viz.Figure{
		Kind: viz.KindBars, Title: "Direct logit attribution",
		Subtitle: fmt.Sprintf("height: what each %s adds to the %s at position %d, with the final norm's scale of the run%s", opt.By, what, at, underEdits(a)),
		Caption: fmt.Sprintf("The %s is %.3f; %s adds most in magnitude, %+.3f. The bars add up to the logit: the remainder, %.1e, is rounding.",
			what, d.Logit, labels[largest], values[largest], d.Remainder),
		Arrays: map[string]*viz.Array{"value": viz.Values(narrow(values), []string{string(opt.By)}, n)},
		Scales: map[string]viz.Scale{"y": scale},
		Bars:   &viz.Bars{Categories: viz.Axis{Name: string(opt.By), Labels: labels}, Series: []viz.Series{{Name: what, Y: "value"}}, YScale: "y"},
		Badges: []viz.Badge{{
			Text: "bars = logit", Value: math.Abs(d.Remainder), Bound: directBound * magnitude, OK: math.Abs(d.Remainder) <= directBound*magnitude,
			Help: "what the components and biases leave of the model's logit, against 1e-5 of the sum of their magnitudes",
		}},
		Provenance: provenance(m, "dla", 1, a, ids),
	}
}
