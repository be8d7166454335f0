package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// patternRowBound is how far a row of attention may be from adding up to 1.
const patternRowBound = 1e-5

func attentionPatterns() Analysis {
	return Analysis{
		Name: "attention", Title: "Attention", Version: 1,
		Summary: "what each head attends to: thumbnails of all heads, one of them large, or the mean over a set of prompts by role",
		Paper:   "Elhage et al., A Mathematical Framework for Transformer Circuits (2021)",
		Example: `attention(load("mental-2op"), "34+57=")`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			promptsParam("single prompts to take the mean over"),
			{Name: "prompt", Type: TypePrompt, Chooses: ChoosesPrompts, Help: "text, or tokens(m, text); left out, the mean over a set of prompts"},
			{Name: "layer", Type: TypeInt, Index: "layers", Help: "one layer; left out, all; negative counts from the last"},
			{Name: "head", Type: TypeInt, Index: "heads", Help: "one head of that layer, drawn large"},
			editsParam(),
		}, setParams("{a}{op}{b}=", 40)...),
		Run: runAttention,
	}
}

// attentionRun is one call on its way.
type attentionRun struct {
	m       *models.Model
	a       Args
	prompts [][]int
	axis    viz.Axis      // tokens, or roles where there are several prompts
	from    *BoundPrompts // where the prompts come from; nil for one that was given
	heads   [][2]int      // layer and head of each panel
}

func runAttention(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &attentionRun{m: a["m"].(*models.Model), a: a}
	if err := r.choose(); err != nil {
		return nil, err
	}
	hooks, err := editHooks(r.m, a)
	if err != nil {
		return nil, err
	}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	emit.Progress(0, len(r.prompts), "prompts")
	p, err := probe.MeanPatterns(ctx, r.m, r.prompts, hooks, func(done int) error {
		emit.Progress(done, len(r.prompts), "prompts")
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	f := r.figure(p)
	emit.Figure(f)
	return f, nil
}

// choose reads which heads are drawn.
func (r *attentionRun) choose() error {
	layers, heads := r.m.Config.Layers, r.m.Config.Heads
	index := func(name string, n int) (int, bool, error) {
		i, is := r.a[name].(int)
		if !is {
			return 0, false, nil
		}
		if i < -n || i >= n {
			return 0, false, &hintError{fmt.Sprintf("%s: %d is outside 0..%d", name, i, n-1), fmt.Sprintf("or -%d..-1 from the last", n)}
		}
		return (i + n) % n, true, nil
	}
	layer, oneLayer, err := index("layer", layers)
	if err != nil {
		return err
	}
	head, oneHead, err := index("head", heads)
	if err != nil {
		return err
	}
	if oneHead && !oneLayer {
		return &hintError{fmt.Sprintf("head: %d of which layer?", head), "name the layer, too: layer=0"}
	}
	for l := range layers {
		for h := range heads {
			if (!oneLayer || l == layer) && (!oneHead || h == head) {
				r.heads = append(r.heads, [2]int{l, h})
			}
		}
	}
	return nil
}

// read makes the prompts and their axis.
func (r *attentionRun) read(ctx context.Context) error {
	if p := optionalPrompt(r.a, "prompt"); given(p) {
		ids, err := p.encode(r.m)
		if err != nil {
			return err
		}
		r.prompts = [][]int{ids}
		r.axis = viz.Axis{Labels: tokenLabels(r.m.Tokenizer, ids), Roles: TokenRoles(r.m.Tokenizer, ids), IDs: ids}
		return nil
	}
	var err error
	if r.from, err = singlesOf(ctx, r.m, r.a); err != nil {
		return err
	}
	r.prompts, r.axis = idsOf(r.from.Set.Prompts), columns(r.m, r.from.Set.Prompts)
	return nil
}

// figure draws the heads, the query's tokens from the top down. What a query
// cannot see is blank.
func (r *attentionRun) figure(p *probe.Patterns) *viz.Figure {
	t := len(r.axis.Labels)
	rows := viz.Axis{Name: "query", Labels: reversed(r.axis.Labels), Roles: reversed(r.axis.Roles), IDs: reversed(r.axis.IDs)}
	columns := viz.Axis{Name: "key", Labels: r.axis.Labels, Roles: r.axis.Roles, IDs: r.axis.IDs}
	f := &viz.Figure{
		Title:      "Attention",
		Arrays:     map[string]*viz.Array{},
		Scales:     map[string]viz.Scale{"attention": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "attention", Format: "%.2f"}},
		Provenance: provenance(r.m, "attention", 1, r.a, r.prompts...),
		Badges: []viz.Badge{{Text: "rows add up to 1", Value: p.RowError, Bound: patternRowBound, OK: p.RowError <= patternRowBound,
			Help: "largest difference from 1 of the attention of one query of one prompt over its keys"}},
	}
	if r.from != nil {
		r.from.describe(f)
	}
	var items []viz.Item
	type edge struct {
		layer, head, query, key int
		value                   float64
	}
	var strongest edge
	large := 0 // the item of the strongest edge
	for i, lh := range r.heads {
		l, h := lh[0], lh[1]
		name := fmt.Sprintf("L%dH%d", l, h)
		panel := viz.Panel{Rows: rows, Columns: columns, Values: name}
		f.Arrays[name] = r.array(p.Mean[l].Sub(h).Data, t)
		if p.N > 1 {
			panel.Errors = name + "sem"
			f.Arrays[panel.Errors] = r.array(p.Error[l].Sub(h).Data, t)
		}
		for q := range t {
			for k := range q { // its own place and the BOS say little
				if v := float64(p.Mean[l].Sub(h, q).Data[k]); v > strongest.value && (k > 0 || r.axis.Roles[0] != viz.RoleBOS) {
					strongest, large = edge{l, h, q, k, v}, i
				}
			}
		}
		items = append(items, viz.Item{Title: name, Kind: viz.KindHeatmap, Heatmap: &viz.Heatmap{Scale: "attention", Panels: []viz.Panel{panel}}})
	}
	of := "this prompt"
	if p.N > 1 {
		of = fmt.Sprintf("mean over n = %d prompts, seed %d", p.N, r.from.seed())
	}
	f.Subtitle = fmt.Sprintf("colour: attention of a query (row) to a key (column), %s%s", of, underEdits(r.a))
	if strongest.value > 0 {
		f.Caption = fmt.Sprintf("The strongest edge to an earlier token but the first: L%dH%d, from %s at %d to %s at %d, %.2f.",
			strongest.layer, strongest.head, r.axis.Labels[strongest.query], strongest.query, r.axis.Labels[strongest.key], strongest.key, strongest.value)
	}
	if r.from != nil {
		f.Caption += " Prompts: " + r.from.Report() + "."
	}
	if len(items) == 1 {
		f.Kind, f.Heatmap = viz.KindHeatmap, items[0].Heatmap
		f.Title = "Attention of " + items[0].Title
		return f
	}
	f.Kind, f.Multiples = viz.KindMultiples, &viz.Multiples{Columns: min(r.m.Config.Heads, 12), Items: items, Browse: r.m.Config.Heads, Large: large}
	return f
}

// array turns a pattern [query, key] upside down and blanks what is ahead of
// the query.
func (r *attentionRun) array(pattern []float32, t int) *viz.Array {
	a := viz.NewArray([]string{"query", "key"}, t, t)
	for q := range t {
		row := t - 1 - q
		a.Set(row*t, pattern[q*t:(q+1)*t])
		for k := q + 1; k < t; k++ {
			a.Data[row*t+k], a.State[row*t+k] = 0, viz.Blank
		}
	}
	return a
}

// reversed is a copy of a list from its end to its beginning.
func reversed[T any](list []T) []T {
	out := slices.Clone(list)
	slices.Reverse(out)
	return out
}

// largestOf is the largest of some numbers, NaN left out, and where it stands.
func largestOf(values []float64) (at int, largest float64) {
	at, largest = -1, math.Inf(-1)
	for i, v := range values {
		if v > largest {
			at, largest = i, v
		}
	}
	return at, largest
}
