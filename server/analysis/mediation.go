package analysis

import (
	"context"
	"fmt"
	"math"
	"strings"

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

var componentTitles = map[ablate.Component]string{ablate.MLP: "MLP output", ablate.Attention: "Attention output", ablate.Coordinate: "MLP output, number by number at the last token"}

var componentWords = map[ablate.Component]string{ablate.MLP: "MLP output", ablate.Attention: "attention output", ablate.Coordinate: "MLP output"}

func causalMediation() Analysis {
	var names []string
	for _, m := range mediationMetrics {
		names = append(names, m.name)
	}
	var changes []string
	for _, c := range ablate.Changes {
		changes = append(changes, string(c))
	}
	return Analysis{
		Name: "causal_mediation", Title: "Causal mediation", Version: 1,
		Summary: "indirect effect of each layer's MLP and attention output at each position: the base run gets the source run's value there",
		Paper:   "Stolfo, Belinkov, Sachan, A Mechanistic Interpretation of Arithmetic Reasoning in Language Models using Causal Mediation Analysis, EMNLP 2023, arXiv 2305.15054",
		Example: `causal_mediation(load("mental-2op"), base="34+57=", source="12+57=")`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "base", Type: TypePrompt, Help: "the prompt whose run is edited; left out, pairs come from the template"},
			{Name: "source", Type: TypePrompt, Help: "the prompt whose values are put in; as many tokens as base"},
			{Name: "components", Type: TypeStrings, Default: []string{"mlp", "attn"}, Choices: []string{"mlp", "attn", "coordinate"}, Help: "which outputs are exchanged; coordinate takes single numbers of one layer's MLP output at the last token"},
			{Name: "layer", Type: TypeInt, Default: -1, Help: "the layer of the coordinates; negative counts from the last"},
			{Name: "metric", Type: TypeChoice, Default: "log_ie", Choices: names, Help: "what the colour means"},
			{Name: "base_answer", Type: TypeString, Default: "", Help: "r′, one token; left out, the model's own answer to base"},
			{Name: "source_answer", Type: TypeString, Default: "", Help: "r, one token; left out, the model's own answer to source"},
			{Name: "change", Type: TypeChoice, Default: "operand", Choices: changes, Help: "how a template's prompts and their partners differ"},
			{Name: "control", Type: TypeBool, Default: false, Help: "beside it, the same for pairs of other operands with the same result; takes the metric changed"},
		}, setParams("{a}{op}{b}=", 40)...),
		Run: runMediation,
	}
}

// mediationRun is one call on its way.
type mediationRun struct {
	m          *models.Model
	a          Args
	emit       Emit
	components []ablate.Component
	layer      int // of coordinates
	metric     int // of mediationMetrics
	sets       []mediationPairs
	fig        *viz.Figure
	done       int
	total      int
}

// mediationPairs are the pairs of one half of the figure.
type mediationPairs struct {
	title, suffix string // of panels, and of arrays
	pairs         []ablate.Pair
	made          string // how they came about; "" for a pair that was given
	effects       *ablate.Effects
}

func runMediation(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &mediationRun{m: a["m"].(*models.Model), a: a, emit: emit}
	for _, c := range a["components"].([]string) {
		r.components = append(r.components, ablate.Component(c))
	}
	if len(r.components) == 0 {
		return nil, &hintError{"components: the list is empty", `use ["mlp"], ["attn"] or both`}
	}
	L := r.m.Config.Layers
	if r.layer = a["layer"].(int); r.layer < -L || r.layer >= L {
		return nil, &hintError{fmt.Sprintf("layer: %d is outside 0..%d", r.layer, L-1), fmt.Sprintf("or -%d..-1 from the last", L)}
	}
	if r.layer < 0 {
		r.layer += L
	}
	for i, mm := range mediationMetrics {
		if mm.name == a["metric"].(string) {
			r.metric = i
		}
	}
	if a["control"].(bool) && mediationMetrics[r.metric].name != "changed" {
		return nil, &hintError{fmt.Sprintf("the control keeps the result, so that r = r′ and the metric %q compares an answer with itself", a["metric"]), `use metric="changed"`}
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	r.figure()
	emit.Figure(r.fig)
	emit.Progress(0, r.total, "cells")
	for i := range r.sets {
		effects, err := ablate.Mediate(ctx, r.m, r.sets[i].pairs, ablate.MediateOptions{Components: r.components, Layer: r.layer}, func(c ablate.Cell) error {
			return r.cell(r.sets[i], c)
		})
		if effects == nil && i == 0 {
			return nil, err
		}
		if err != nil {
			return r.fig, err
		}
		r.sets[i].effects = effects
	}
	r.finish()
	emit.Figure(r.fig)
	return r.fig, nil
}

// read makes the pairs: the one that is given, or those of a template.
func (r *mediationRun) read(ctx context.Context) error {
	base, source := optionalPrompt(r.a, "base"), optionalPrompt(r.a, "source")
	if given(base) || given(source) {
		if !given(base) || !given(source) {
			return &hintError{"base and source go together, and one is missing", "give both, or neither for pairs from the template"}
		}
		if r.a["control"].(bool) {
			return &hintError{"the control needs pairs from a template", "leave out base and source"}
		}
		pair, err := mediationPair(r.m, r.a)
		if err != nil {
			return err
		}
		r.sets = []mediationPairs{{pairs: []ablate.Pair{pair}}}
		return nil
	}
	if r.a["base_answer"].(string) != "" || r.a["source_answer"].(string) != "" {
		return &hintError{"base_answer and source_answer are answers of one pair", "give base and source as well, or leave the answers out"}
	}
	set, err := promptSet(ctx, r.m, r.a)
	if err != nil {
		return err
	}
	changes := []ablate.Change{ablate.Change(r.a["change"].(string))}
	if r.a["control"].(bool) {
		if changes[0] == ablate.KeepResult {
			return &hintError{`change "result" is the control itself`, "take another change, or control=False"}
		}
		changes = append(changes, ablate.KeepResult)
	}
	for i, change := range changes {
		contrasts, err := ablate.Contrasts(ctx, r.m, set, change, -1, uint64(r.a["seed"].(int)))
		if err != nil {
			return err
		}
		p := mediationPairs{made: set.Report()}
		if i == 1 {
			p.title, p.suffix = ", result kept", "_kept"
		}
		if contrasts.Alone > 0 {
			p.made += fmt.Sprintf("; %d found no partner", contrasts.Alone)
		}
		for _, c := range contrasts.Contrasts {
			pair, err := c.Pair(ablate.Noise) // the clean prompt is the base
			if err != nil {
				return err
			}
			p.pairs = append(p.pairs, pair)
		}
		r.sets = append(r.sets, p)
	}
	return nil
}

// cell adds one cell to the figure.
func (r *mediationRun) cell(set mediationPairs, c ablate.Cell) error {
	s := c.Summarise(mediationMetrics[r.metric].measure)
	name, offset := string(c.Component)+set.suffix, c.Layer*len(set.pairs[0].Base)+c.Position
	if c.Component == ablate.Coordinate {
		offset = c.Coordinate
	}
	part := viz.Part{Arrays: []viz.ArrayRun{{Name: name, Offset: offset, F32: viz.EncodeFloats([]float32{float32(s.Mean)})}}}
	if r.fig.Arrays[name+"_sem"] != nil {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name + "_sem", Offset: offset, F32: viz.EncodeFloats([]float32{float32(s.SEM)})})
	}
	if next := grow(r.fig.Scales["effect"], []float64{s.Mean}); next != r.fig.Scales["effect"] {
		part.Scales = map[string]viz.Scale{"effect": next}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total, "cells")
	return nil
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

// figure makes the figure before its first cell.
func (r *mediationRun) figure() {
	metric := mediationMetrics[r.metric]
	var ids [][]int
	for _, set := range r.sets {
		for _, p := range set.pairs {
			ids = append(ids, p.Base, p.Source)
		}
	}
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Causal mediation", Subtitle: metric.subtitle,
		Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": grow(metric.scale, []float64{1e-3})},
		Heatmap: &viz.Heatmap{Scale: "effect"}, Provenance: provenance(r.m, "causal_mediation", 1, r.a, ids...),
	}
	if r.sets[0].made != "" {
		seed := uint64(r.a["seed"].(int))
		r.fig.Provenance.Seed = &seed
		r.fig.Subtitle += fmt.Sprintf(" · mean over n = %d pairs", len(r.sets[0].pairs))
	}
	layers := make([]string, r.m.Config.Layers)
	for l := range layers {
		layers[l] = fmt.Sprint(l)
	}
	for _, set := range r.sets {
		columns := r.columns(set)
		for _, c := range r.components {
			name := string(c) + set.suffix
			panel := viz.Panel{Title: componentTitles[c] + set.title, Rows: viz.Axis{Name: "layer", Labels: layers}, Columns: columns, Values: name, Errors: name + "_sem"}
			if c == ablate.Coordinate {
				panel.Rows.Labels, panel.Columns = layers[r.layer:r.layer+1], viz.Axis{Name: "coordinate"}
				for i := range r.m.Config.Width {
					panel.Columns.Labels = append(panel.Columns.Labels, fmt.Sprint(i))
				}
			}
			for _, array := range []string{name, name + "_sem"} {
				r.fig.Arrays[array] = viz.NewArray([]string{panel.Rows.Name, panel.Columns.Name}, len(panel.Rows.Labels), len(panel.Columns.Labels))
			}
			r.fig.Heatmap.Panels = append(r.fig.Heatmap.Panels, panel)
			r.total += len(r.fig.Arrays[name].Data)
		}
		if len(set.pairs) == 1 {
			dropErrors(r.fig)
		}
	}
}

// columns is the axis of positions: the base's tokens and what they get, or
// what the tokens of all pairs are.
func (r *mediationRun) columns(set mediationPairs) viz.Axis {
	pair := set.pairs[0]
	axis := viz.Axis{Name: "position", Roles: TokenRoles(r.m.Tokenizer, pair.Base)}
	if set.made != "" {
		var labels [][]string
		for _, p := range set.pairs {
			labels = append(labels, tokenLabels(r.m.Tokenizer, p.Base), tokenLabels(r.m.Tokenizer, p.Source))
		}
		axis.Labels = sharedLabels(labels, axis.Roles)
		return axis
	}
	axis.Labels, axis.IDs = tokenLabels(r.m.Tokenizer, pair.Base), pair.Base
	for i, other := range tokenLabels(r.m.Tokenizer, pair.Source) {
		if axis.Labels[i] != other {
			axis.Labels[i] += "←" + other
		}
	}
	return axis
}

// finish adds badges and the sentences.
func (r *mediationRun) finish() {
	var own, source float64
	var report models.Report
	for _, set := range r.sets {
		own, source = max(own, set.effects.OwnError), max(source, set.effects.SourceError)
		report = report.Plus(set.effects.Report)
	}
	r.fig.Badges = []viz.Badge{
		{Text: "own value = no change", Value: own, Bound: 1e-6, OK: own <= 1e-6,
			Help: "largest change of a logit when a component output is replaced by its own value"},
		{Text: "whole stream = source run", Value: source, Bound: 1e-6, OK: source <= 1e-6,
			Help: "largest difference from the source run's logits when the residual stream behind layer 0 is the source's at every position"},
		sweepBadge(report),
	}
	if r.sets[0].made == "" {
		r.describePair(r.sets[0].effects)
	} else {
		for _, set := range r.sets {
			r.describeSet(set)
		}
		r.fig.Caption += fmt.Sprintf(" Prompts: %s.", r.sets[0].made)
	}
	r.fig.Caption += " " + sweepSentence(report)
}

// label says in words which cell that is.
func (r *mediationRun) label(c ablate.Cell) string {
	if c.Component == ablate.Coordinate {
		return fmt.Sprintf("number %d of layer %d's MLP output", c.Coordinate, c.Layer)
	}
	return fmt.Sprintf("layer %d's %s at %s", c.Layer, componentWords[c.Component], r.columns(r.sets[0]).Labels[c.Position])
}

// describeSet says which cell does most, and how much of what MLPs do is done by
// the late ones at the last token.
func (r *mediationRun) describeSet(set mediationPairs) {
	metric := mediationMetrics[r.metric]
	top := largest(set.effects.Cells, metric.measure)
	s := top.Summarise(metric.measure)
	where := "Over all pairs"
	if set.suffix != "" {
		where = "With the result kept"
	}
	text := fmt.Sprintf("%s, the largest value is that of %s: %.3g%s (n = %d).", where, r.label(top), s.Mean, plusMinus(s.SEM), s.N)
	measure, what := ablate.Shift.Indirect, "IE"
	if metric.name == "changed" {
		measure, what = ablate.Shift.Changed, metric.scale.Label
	}
	if importance, err := set.effects.RelativeImportance(measure, 0); err == nil {
		text += fmt.Sprintf(" Late MLPs at the last token do %.1f %% of what all MLPs do (relative importance, Σ ln(1 + %s)).", 100*importance, what)
	}
	r.fig.Caption = strings.TrimSpace(r.fig.Caption + " " + text)
}

// describePair says which cell does most, and where the answer moves.
func (r *mediationRun) describePair(e *ablate.Effects) {
	effect := largest(e.Cells, mediationMetrics[r.metric].measure)
	pair, total := e.Pairs[0], e.Total[0]
	names := tokenLabels(r.m.Tokenizer, []int{pair.BaseAnswer, pair.SourceAnswer})
	if pair.BaseAnswer == pair.SourceAnswer {
		r.fig.Caption = fmt.Sprintf("Both prompts have the answer %s; the largest value is that of %s.", names[0], r.label(effect))
		return
	}
	moved := largest(e.Cells, func(s ablate.Shift) float64 { return s.EditedR })
	shift := moved.Shifts[0]
	r.fig.Caption = fmt.Sprintf("The largest value is that of %s. The source's answer %s gains most from %s: P(%s) goes from %.3g to %.3g and P(%s) from %.3g to %.3g; in the source run they are %.3g and %.3g.",
		r.label(effect), names[1], r.label(moved), names[1], shift.BaseR, shift.EditedR, names[0], shift.BaseRPrime, shift.EditedRPrime, total.EditedR, total.EditedRPrime)
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
