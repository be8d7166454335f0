package analysis

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

func topTokens() Analysis {
	return Analysis{
		Name: "top_tokens", Title: "Top tokens", Version: 1,
		Summary: "what the model finds likeliest behind the prompt, as a table",
		Example: `top_tokens(load("mental-2op"), "34+57=")`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "prompt", Type: TypePrompt, Required: true, Help: "text, or tokens(m, text)"},
			{Name: "top_k", Type: TypeInt, Default: 10, Bounds: atLeast(1), Unit: "tokens", Help: "how many tokens to list"},
		},
		Run: runTopTokens,
	}
}

func runTopTokens(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	m := a["m"].(*models.Model)
	ids, err := a["prompt"].(Prompt).encode(m)
	if err != nil {
		return nil, err
	}
	top, err := probe.TopTokens(ctx, m, ids, a["top_k"].(int))
	if err != nil {
		return nil, err
	}
	var labels []string
	columns := make([][]float32, 3)
	for _, s := range top {
		labels = append(labels, tokenLabels(m.Tokenizer, []int{s.ID})[0])
		for i, v := range []float64{float64(s.ID), s.Probability(), s.Logit} {
			columns[i] = append(columns[i], float32(v))
		}
	}
	n := len(top)
	f := &viz.Figure{
		Kind: viz.KindTable, Title: "Top tokens", Subtitle: "likeliest next tokens",
		Caption: fmt.Sprintf("The model continues with %s, probability %.3f.", labels[0], top[0].Probability()),
		Arrays: map[string]*viz.Array{
			"id": viz.Values(columns[0], []string{"row"}, n), "prob": viz.Values(columns[1], []string{"row"}, n), "logit": viz.Values(columns[2], []string{"row"}, n),
		},
		Texts: map[string]*viz.Text{"token": {Shape: []int{n}, Values: labels}},
		Table: &viz.Table{Rows: n, Columns: []viz.Column{
			{Name: "token", Text: "token"}, {Name: "id", Values: "id", Format: "%.0f"},
			{Name: "probability", Values: "prob", Format: "%.3g"}, {Name: "logit", Values: "logit", Format: "%.3f"},
		}},
		Provenance: provenance(m, "top_tokens", 1, a, ids),
	}
	emit.Figure(f)
	return f, nil
}
