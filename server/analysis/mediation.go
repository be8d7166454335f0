package analysis

import (
	"context"
	"fmt"
	"math"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

// mediationMetrics says how each measure of a shift is shown.
var mediationMetrics = []struct {
	name, subtitle string
	measure        func(ablate.Shift) float64
	scale          viz.Scale
}{
	{"log_ie", "sign(IE) ln(1 + |IE|), IE = the indirect effect", func(s ablate.Shift) float64 {
		ie := s.Indirect()
		return math.Copysign(math.Log1p(math.Abs(ie)), ie)
	}, viz.Scale{Kind: viz.ScaleDiverging, Label: "sign(IE) ln(1 + |IE|)", Format: "%.2f"}},
	{"ie", "indirect effect IE = ½[(P*(r) − P(r))/P(r) + (P(r′) − P*(r′))/P*(r′)]", ablate.Shift.Indirect,
		viz.Scale{Kind: viz.ScaleDiverging, Label: "indirect effect", Format: "%.3g"}},
	{"moved", "probability moved, (P*(r) − P(r)) + (P(r′) − P*(r′))", ablate.Shift.Moved,
		viz.Scale{Kind: viz.ScaleDiverging, Label: "probability moved", Format: "%.3f"}},
	{"changed", "|P(r′) − P*(r′)|, change of the base answer's probability", ablate.Shift.Changed,
		viz.Scale{Kind: viz.ScaleSequential, Label: "change of P(base answer)", Format: "%.3f"}},
}

var componentTitles = map[ablate.Component]string{ablate.MLP: "MLP output", ablate.Attention: "Attention output"}

var componentWords = map[ablate.Component]string{ablate.MLP: "MLP output", ablate.Attention: "attention output"}

func causalMediation() Analysis {
	var names []string
	for _, m := range mediationMetrics {
		names = append(names, m.name)
	}
	return Analysis{
		Name: "causal_mediation", Title: "Causal mediation", Version: 1,
		Summary: "indirect effect of each layer's MLP and attention output at each position: the base run gets the source run's value there",
		Paper:   "Stolfo, Belinkov, Sachan, A Mechanistic Interpretation of Arithmetic Reasoning in Language Models using Causal Mediation Analysis, EMNLP 2023, arXiv 2305.15054",
		Example: `causal_mediation(load("mental-2op"), base="34+57=", source="12+57=")`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "base", Type: TypePrompt, Required: true, Help: "the prompt whose run is edited"},
			{Name: "source", Type: TypePrompt, Required: true, Help: "the prompt whose values are put in; as many tokens as base"},
			{Name: "components", Type: TypeStrings, Default: []string{"mlp", "attn"}, Choices: []string{"mlp", "attn"}, Help: "which outputs are exchanged"},
			{Name: "metric", Type: TypeChoice, Default: "log_ie", Choices: names, Help: "what the colour means"},
			{Name: "base_answer", Type: TypeString, Default: "", Help: "r′, one token; left out, the model's own answer to base"},
			{Name: "source_answer", Type: TypeString, Default: "", Help: "r, one token; left out, the model's own answer to source"},
		},
		Run: runMediation,
	}
}

func runMediation(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	m := a["m"].(*models.Model)
	pair, err := mediationPair(m, a)
	if err != nil {
		return nil, err
	}
	var components []ablate.Component
	for _, c := range a["components"].([]string) {
		components = append(components, ablate.Component(c))
	}
	if len(components) == 0 {
		return nil, &hintError{"components: the list is empty", `use ["mlp"], ["attn"] or both`}
	}
	metric := mediationMetrics[0]
	for _, mm := range mediationMetrics {
		if mm.name == a["metric"].(string) {
			metric = mm
		}
	}
	fig := mediationFigure(m, pair, components, a)
	fig.Subtitle = metric.subtitle
	fig.Scales["effect"] = metric.scale
	fig.Scales["effect"] = grow(fig.Scales["effect"], []float64{1e-3})
	emit.Figure(fig)
	done, total := 0, len(components)*m.Config.Layers*len(pair.Base)
	emit.Progress(0, total, "cells")
	effects, err := ablate.Mediate(ctx, m, []ablate.Pair{pair}, ablate.MediateOptions{Components: components}, func(c ablate.Cell) error {
		value := c.Summarise(metric.measure).Mean
		part := viz.Part{Arrays: []viz.ArrayRun{{
			Name: string(c.Component), Offset: c.Layer*len(pair.Base) + c.Position,
			F32: viz.EncodeFloats([]float32{float32(value)}),
		}}}
		if s := grow(fig.Scales["effect"], []float64{value}); s != fig.Scales["effect"] {
			part.Scales = map[string]viz.Scale{"effect": s}
		}
		if err := fig.Apply(part); err != nil {
			return err
		}
		done++
		emit.Part(part)
		emit.Progress(done, total, "cells")
		return ctx.Err()
	})
	if effects == nil {
		return nil, err
	}
	if err != nil {
		return fig, err
	}
	finishMediation(m, fig, effects, metric.measure)
	emit.Figure(fig)
	return fig, nil
}

// mediationPair reads the two prompts and their answers.
func mediationPair(m *models.Model, a Args) (ablate.Pair, error) {
	pair := ablate.Pair{BaseAnswer: -1, SourceAnswer: -1}
	var err error
	if pair.Base, err = a["base"].(Prompt).encode(m); err != nil {
		return pair, fmt.Errorf("base: %w", err)
	}
	if pair.Source, err = a["source"].(Prompt).encode(m); err != nil {
		return pair, fmt.Errorf("source: %w", err)
	}
	if len(pair.Base) != len(pair.Source) {
		return pair, &hintError{fmt.Sprintf("base has %d tokens, source has %d", len(pair.Base), len(pair.Source)), "values are moved position by position: use two prompts of equal length"}
	}
	for name, id := range map[string]*int{"base_answer": &pair.BaseAnswer, "source_answer": &pair.SourceAnswer} {
		if text := a[name].(string); text != "" {
			if *id, err = TokenID(m, text); err != nil {
				return pair, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return pair, nil
}

// mediationFigure is the figure before its first cell.
func mediationFigure(m *models.Model, pair ablate.Pair, components []ablate.Component, a Args) *viz.Figure {
	f := &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Causal mediation",
		Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{},
		Heatmap:    &viz.Heatmap{Scale: "effect"},
		Provenance: provenance(m, "causal_mediation", 1, a, pair.Base, pair.Source),
	}
	layers := make([]string, m.Config.Layers)
	for l := range layers {
		layers[l] = fmt.Sprint(l)
	}
	base, source := tokenLabels(m.Tokenizer, pair.Base), tokenLabels(m.Tokenizer, pair.Source)
	columns := viz.Axis{Name: "position", Roles: TokenRoles(m.Tokenizer, pair.Base), IDs: pair.Base}
	for i := range base {
		if base[i] != source[i] {
			base[i] += "←" + source[i]
		}
	}
	columns.Labels = base
	for _, c := range components {
		f.Arrays[string(c)] = viz.NewArray([]string{"layer", "pos"}, m.Config.Layers, len(pair.Base))
		f.Heatmap.Panels = append(f.Heatmap.Panels, viz.Panel{Title: componentTitles[c], Rows: viz.Axis{Name: "layer", Labels: layers}, Columns: columns, Values: string(c)})
	}
	return f
}

// finishMediation adds badges and the sentence.
func finishMediation(m *models.Model, f *viz.Figure, e *ablate.Effects, measure func(ablate.Shift) float64) {
	defer func() { f.Caption += " " + sweepSentence(e.Report) }()
	f.Badges = []viz.Badge{
		{Text: "own value = no change", Value: e.OwnError, Bound: 1e-6, OK: e.OwnError <= 1e-6,
			Help: "largest change of a logit when a component output is replaced by its own value"},
		{Text: "whole stream = source run", Value: e.SourceError, Bound: 1e-6, OK: e.SourceError <= 1e-6,
			Help: "largest difference from the source run's logits when the residual stream behind layer 0 is the source's at every position"},
		sweepBadge(e.Report),
	}
	label := func(c ablate.Cell) string {
		return fmt.Sprintf("layer %d's %s at %s", c.Layer, componentWords[c.Component], f.Heatmap.Panels[0].Columns.Labels[c.Position])
	}
	effect := largest(e.Cells, measure)
	pair, total := e.Pairs[0], e.Total[0]
	names := tokenLabels(m.Tokenizer, []int{pair.BaseAnswer, pair.SourceAnswer})
	if pair.BaseAnswer == pair.SourceAnswer {
		f.Caption = fmt.Sprintf("Both prompts have the answer %s; the largest value is that of %s.", names[0], label(effect))
		return
	}
	moved := largest(e.Cells, func(s ablate.Shift) float64 { return s.EditedR })
	shift := moved.Shifts[0]
	f.Caption = fmt.Sprintf("The largest value is that of %s. The source's answer %s gains most from %s: P(%s) goes from %.3g to %.3g and P(%s) from %.3g to %.3g; in the source run they are %.3g and %.3g.",
		label(effect), names[1], label(moved), names[1], shift.BaseR, shift.EditedR, names[0], shift.BaseRPrime, shift.EditedRPrime, total.EditedR, total.EditedRPrime)
}

// largest returns the cell with the largest mean of a measure.
func largest(cells []ablate.Cell, measure func(ablate.Shift) float64) ablate.Cell {
	top, best := cells[0], math.Inf(-1)
	for _, c := range cells {
		if v := c.Summarise(measure).Mean; v > best {
			top, best = c, v
		}
	}
	return top
}
