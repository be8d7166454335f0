package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/viz"
)

var componentTitles = map[ablate.Component]string{ablate.MLP: "MLP output", ablate.Attention: "Attention output", ablate.Coordinate: "MLP output, number by number at the last token", ablate.Embedding: "Embedding"}

var componentWords = map[ablate.Component]string{ablate.MLP: "MLP output", ablate.Attention: "attention output", ablate.Coordinate: "MLP output"}

func causalMediation() Analysis {
	return Analysis{
		Name: "causal_mediation", Title: "Causal mediation", Version: 1,
		Summary: "indirect effect of each layer's MLP and attention output at each position: the base run gets the source run's value there",
		Paper:   "Stolfo, Belinkov, Sachan, A Mechanistic Interpretation of Arithmetic Reasoning in Language Models using Causal Mediation Analysis, EMNLP 2023, arXiv 2305.15054",
		Example: `causal_mediation(load("mental-2op"), base="34+57=", source="12+57=")`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			promptsParam("pairs of base (clean) and source (corrupted), or prompts that get partners by change"),
			{Name: "base", Type: TypePrompt, Chooses: ChoosesPrompts, Help: "the prompt whose run is edited; left out, pairs come from the template"},
			{Name: "source", Type: TypePrompt, Chooses: ChoosesPrompts, Help: "the prompt whose values are put in; as many tokens as base"},
			{Name: "components", Type: TypeStrings, Default: []string{"mlp", "attn"}, Choices: []string{"mlp", "attn", "embed", "coordinate"}, Help: "which outputs are exchanged; embed is the row below layer 0 in the paper's figures; coordinate takes single numbers of one layer's MLP output at the last token"},
			{Name: "layer", Type: TypeInt, Default: -1, Index: "layers", Help: "the layer of the coordinates; negative counts from the last"},
			metricParam("log_ie", "what the colour means: log_ie, ie, ie_r, ie_r_prime, moved and changed are the method's own (where all pairs have one answer, changed stands for log_ie), every other is the change of a metric of the source's answer r against the base's r′", shiftNames()...),
			normaliseParam(false, "where it does what the source run does"),
			{Name: "base_answer", Type: TypeString, Default: "", Help: "r′, one token; left out, the model's own answer to base"},
			{Name: "source_answer", Type: TypeString, Default: "", Help: "r, one token; left out, the model's own answer to source"},
			changeParam("how prompts and their partners differ"),
			{Name: "control", Type: TypeBool, Default: false, Help: "beside it, the same for pairs of other operands with the same result; shows the change of the base answer's probability unless another metric of one answer is asked for"},
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
	layer      int          // of coordinates
	shift      *shiftMetric // nil for the change of a metric
	kept       bool         // the change of the one answer stands for the indirect effect
	sets       []mediationPairs
	from       *BoundPrompts // where the pairs come from; nil for a pair that was given
	fig        *viz.Figure
	done       int
	total      int
}

// mediationPairs are the pairs of one half of the figure.
type mediationPairs struct {
	title, suffix string // of panels, and of arrays
	pairs         []ablate.Pair
	contrasts     []ablate.Contrast
	change        change   // of a metric
	calls         []string // the pairs as arguments of patch_lens
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
	if err := r.readMetric(); err != nil {
		return nil, err
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	for i := range r.sets {
		set := &r.sets[i]
		if err := r.measures(set); err != nil {
			return nil, err
		}
		opt := ablate.MediateOptions{Components: r.components, Layer: r.layer, Metric: set.change.metric}
		opt.Started = func(e *ablate.Effects) error { return r.start(set, e) }
		var err error
		if set.effects, err = ablate.Mediate(ctx, r.m, set.pairs, opt, func(c ablate.Cell) error { return r.cell(*set, c) }); err != nil {
			return r.fig, err
		}
	}
	r.finish()
	emit.Figure(r.fig)
	return r.fig, nil
}

// start refuses what a measure says nothing about, and shows the figure before
// its first cell.
func (r *mediationRun) start(set *mediationPairs, e *ablate.Effects) error {
	set.change.base, set.change.source = e.Base, e.Source
	if err := r.compares(e); err != nil {
		return err
	}
	if err := set.change.check(); err != nil || r.fig != nil {
		return err
	}
	r.figure()
	r.emit.Figure(r.fig)
	r.emit.Progress(0, r.total, "cells")
	return nil
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
		if slices.Equal(pair.Base, pair.Source) {
			return &hintError{fmt.Sprintf("base and source are the same prompt, %s: a value that is put in changes nothing", promptSource(base)), "change one token"}
		}
		call := "clean=" + promptSource(source) + ", corrupted=" + promptSource(base)
		for _, name := range [...][2]string{{"answer", "source_answer"}, {"other", "base_answer"}} {
			if text := r.a[name[1]].(string); text != "" {
				call += fmt.Sprintf(", %s=%q", name[0], text)
			}
		}
		r.sets = []mediationPairs{{pairs: []ablate.Pair{pair}, calls: []string{call}, contrasts: []ablate.Contrast{{
			Clean:     ablate.Prompt{Text: base.Text, IDs: pair.Base, Answer: pair.BaseAnswer, Other: pair.SourceAnswer},
			Corrupted: ablate.Prompt{Text: source.Text, IDs: pair.Source, Answer: pair.SourceAnswer, Other: pair.BaseAnswer},
		}}}}
		return nil
	}
	if r.a["base_answer"].(string) != "" || r.a["source_answer"].(string) != "" {
		return &hintError{"base_answer and source_answer are answers of one pair", "give base and source as well, or leave the answers out"}
	}
	control := r.a["control"].(bool)
	if control && r.a["change"] == string(ablate.KeepResult) {
		return &hintError{`change "result" is the control itself`, "take another change, or control=False"}
	}
	var err error
	if r.from, err = pairsOf(ctx, r.m, r.a, control); err != nil {
		return err
	}
	halves := []*ablate.ContrastSet{r.from.Contrasts}
	if control {
		halves = append(halves, r.from.Control)
	}
	for i, half := range halves {
		p := mediationPairs{contrasts: half.Contrasts}
		if i == 1 {
			p.title, p.suffix = ", result kept", "_kept"
		}
		if p.pairs, err = pairs(half, ablate.Noise); err != nil { // the clean prompt is the base
			return err
		}
		for _, c := range half.Contrasts {
			p.calls = append(p.calls, pairSource(c.Corrupted, c.Clean))
		}
		r.sets = append(r.sets, p)
	}
	return nil
}

// cell adds one cell to the figure.
func (r *mediationRun) cell(set mediationPairs, c ablate.Cell) error {
	mean, sem, values := r.of(set, c)
	if err := r.finite(c, values); err != nil {
		return err
	}
	name, offset := string(c.Component)+set.suffix, c.Layer*len(set.pairs[0].Base)+c.Position
	switch c.Component {
	case ablate.Coordinate:
		offset = c.Coordinate
	case ablate.Embedding:
		offset = c.Position
	}
	if err := addCell(r.fig, r.emit, name, offset, mean, sem, values); err != nil {
		return err
	}
	r.done++
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
	var ids [][]int
	for _, set := range r.sets {
		for _, p := range set.pairs {
			ids = append(ids, p.Base, p.Source)
		}
	}
	r.fig = &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Causal mediation", Subtitle: r.subtitle(),
		Arrays: map[string]*viz.Array{}, Scales: map[string]viz.Scale{"effect": r.scale()},
		Heatmap: &viz.Heatmap{Scale: "effect"}, Provenance: provenance(r.m, "causal_mediation", 1, r.a, ids...),
	}
	if r.from != nil {
		r.from.describe(r.fig)
		r.fig.Subtitle += fmt.Sprintf(" · mean over n = %d pairs, seed %d", len(r.sets[0].pairs), r.from.seed())
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
			switch c {
			case ablate.Embedding:
				panel.Rows.Labels = []string{"embed"}
			case ablate.Coordinate:
				panel.Rows.Labels, panel.Columns = layers[r.layer:r.layer+1], viz.Axis{Name: "coordinate"}
				for i := range r.m.Config.Width {
					panel.Columns.Labels = append(panel.Columns.Labels, fmt.Sprint(i))
				}
			}
			for _, array := range []string{name, name + "_sem"} {
				r.fig.Arrays[array] = viz.NewArray([]string{panel.Rows.Name, panel.Columns.Name}, len(panel.Rows.Labels), len(panel.Columns.Labels))
			}
			panel.Open = r.opening(c, panel, set.calls)
			r.fig.Heatmap.Panels = append(r.fig.Heatmap.Panels, panel)
			r.total += len(r.fig.Arrays[name].Data)
		}
	}
	if slices.ContainsFunc(r.sets, func(set mediationPairs) bool { return len(set.pairs) == 1 }) {
		dropErrors(r.fig)
		return
	}
	if n := len(r.sets[0].pairs); !slices.ContainsFunc(r.sets, func(set mediationPairs) bool { return len(set.pairs) != n }) {
		errorsOver(r.fig, n, viz.Student)
	}
	keepEach(r.fig, func(array string) int {
		if last := r.sets[len(r.sets)-1]; strings.HasSuffix(array, last.suffix) {
			return len(last.pairs)
		}
		return len(r.sets[0].pairs)
	})
}

// opening says how the runs of a component's cells are opened.
func (r *mediationRun) opening(c ablate.Component, panel viz.Panel, calls []string) *viz.Opening {
	rest := ""
	if r.shift == nil {
		rest = measureArg(r.a["metric"])
	}
	o := &viz.Opening{Call: "patch_lens({model}, {pair}, patches=[{row}]" + rest + ")", Pairs: calls}
	site, where, arg := "hook_mlp_out", "", "at"
	switch c {
	case ablate.Attention:
		site = "hook_attn_out"
	case ablate.Coordinate:
		where, arg = ", at=-1", "neurons"
	}
	for _, layer := range panel.Rows.Labels {
		at := fmt.Sprintf("blocks.%s.%s", layer, site)
		if c == ablate.Embedding {
			at = "hook_embed"
		}
		o.Rows = append(o.Rows, fmt.Sprintf("patch(%q%s{column})", at, where))
	}
	for i := range panel.Columns.Labels {
		o.Columns = append(o.Columns, fmt.Sprintf(", %s=%d", arg, i))
	}
	return o
}

// columns is the axis of positions: the base's tokens and what they get, or
// what the tokens of all pairs are.
func (r *mediationRun) columns(set mediationPairs) viz.Axis {
	pair := set.pairs[0]
	axis := viz.Axis{Name: "position", Roles: TokenRoles(r.m.Tokenizer, pair.Base)}
	if r.from != nil {
		return columns(r.m, bothSides(set.contrasts))
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
	if r.from == nil {
		r.describePair(r.sets[0].effects)
	} else {
		for _, set := range r.sets {
			r.describeSet(set)
		}
		r.fig.Caption += fmt.Sprintf(" Prompts: %s.", r.from.Report())
	}
	r.fig.Caption += " " + sweepSentence(report)
}

// label says in words which cell that is.
func (r *mediationRun) label(c ablate.Cell) string {
	switch c.Component {
	case ablate.Embedding:
		return "the embedding at " + r.columns(r.sets[0]).Labels[c.Position]
	case ablate.Coordinate:
		return fmt.Sprintf("number %d of layer %d's MLP output", c.Coordinate, c.Layer)
	}
	return fmt.Sprintf("layer %d's %s at %s", c.Layer, componentWords[c.Component], r.columns(r.sets[0]).Labels[c.Position])
}

// describeSet says which cell does most, and how much of what MLPs do is done by
// the late ones at the last token.
func (r *mediationRun) describeSet(set mediationPairs) {
	top := largest(set.effects.Cells, r.size(set))
	mean, sem, values := r.of(set, top)
	where := "Over all pairs"
	if set.suffix != "" {
		where = "With the result kept"
	}
	text := fmt.Sprintf("%s, the largest value is that of %s: %.3g%s (n = %d).", where, r.label(top), mean, plusMinus(sem), len(values))
	measure, what := ablate.Shift.Indirect, "IE"
	if r.a["metric"] == "changed" || r.a["control"].(bool) {
		measure, what = ablate.Shift.Changed, "change of P(base answer)"
	}
	if importance, err := set.effects.RelativeImportance(measure, 0); err == nil {
		text += fmt.Sprintf(" Late MLPs at the last token do %.1f %% of what all MLPs do (relative importance, Σ ln(1 + %s)).", 100*importance, what)
		// The paper's own figures raise small effects to 0.1 first.
		if clipped, err := set.effects.RelativeImportance(measure, 0.1); err == nil && what == "IE" {
			text = strings.TrimSuffix(text, ").") + fmt.Sprintf("; %.1f %% where effects are raised to 0.1 first, as in the paper's figures).", 100*clipped)
		}
	}
	r.fig.Caption = strings.TrimSpace(r.fig.Caption + " " + text)
}

// describePair says which cell does most, and where the answer moves.
func (r *mediationRun) describePair(e *ablate.Effects) {
	effect := largest(e.Cells, r.size(r.sets[0]))
	pair, total := e.Pairs[0], e.Total[0]
	names := tokenLabels(r.m.Tokenizer, []int{pair.BaseAnswer, pair.SourceAnswer})
	if pair.BaseAnswer == pair.SourceAnswer {
		r.fig.Caption = fmt.Sprintf("Both prompts have the answer %s; the largest value is that of %s.", names[0], r.label(effect))
		return
	}
	moved := largest(e.Cells, func(c ablate.Cell) float64 {
		return c.Summarise(func(s ablate.Shift) float64 { return s.EditedR }).Mean
	})
	shift := moved.Shifts[0]
	r.fig.Caption = fmt.Sprintf("The largest value is that of %s. The source's answer %s gains most from %s: P(%s) goes from %.3g to %.3g and P(%s) from %.3g to %.3g; in the source run they are %.3g and %.3g.",
		r.label(effect), names[1], r.label(moved), names[1], shift.BaseR, shift.EditedR, names[0], shift.BaseRPrime, shift.EditedRPrime, total.EditedR, total.EditedRPrime)
}

// largest returns the cell of the greatest size.
func largest(cells []ablate.Cell, size func(ablate.Cell) float64) ablate.Cell {
	top, best := cells[0], math.Inf(-1)
	for _, c := range cells {
		if v := size(c); v > best {
			top, best = c, v
		}
	}
	return top
}
