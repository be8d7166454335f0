package ablate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// AllForOneOptions are the options of StartAllForOne.
type AllForOneOptions struct {
	// Among are the ids that an answer is chosen from, the task's numbers; nil for
	// the whole vocabulary.
	Among []int
	// Partner gives, for WaitResample, the prompt whose stream each one gets; nil
	// for one that is drawn by Seed.
	Partner []int
	Seed    uint64
	Budget  Budget
	// Metric, where it has a function, is measured besides, into Outcome.Values.
	Metric Metric
}

// AllForOne is the setting of the paper's experiments: prompts, the table of
// means, and the runs without edits.
type AllForOne struct {
	Prompts []Prompt // with their answers settled
	Table   *Table   // nil until Use
	Base    Outcome  // of the runs without edits

	m       *models.Model
	opt     AllForOneOptions
	run     *promptRun
	partner []int
	streams *models.Cache // of the prompts, for WaitResample; nil until it is needed
	means   map[tableKey]TableMean
	filled  int // of the table, when means were read
}

// Outcome is what the model says under one recipe, prompt by prompt.
type Outcome struct {
	Recipe Recipe
	Top    []int // the largest logit among those that are chosen from
	TopAny []int // and in the whole vocabulary
	// P is the probability of the right answer, over the whole vocabulary;
	// LogPBase that of the base run's answer, as a logarithm; Margin the right
	// logit minus the best wrong one.
	P, LogPBase, Margin []float64
	Values              []float64   // of AllForOneOptions.Metric, nil without one
	Logits              [][]float32 // [prompt][V] where they were asked for
}

// StartAllForOne makes the runs without edits. Prompts need answers and the
// table's length and groups. The table may be nil, and come later by Use: recipes
// need it, the runs without edits do not.
func StartAllForOne(ctx context.Context, m *models.Model, prompts []Prompt, table *Table, opt AllForOneOptions) (*AllForOne, error) {
	prob, err := MetricByName("prob")
	if err != nil {
		return nil, err
	}
	a := &AllForOne{m: m, opt: opt, partner: opt.Partner, means: map[tableKey]TableMean{}}
	if a.run, err = startPrompts(ctx, m, prompts, []Metric{prob}); err != nil {
		return nil, fmt.Errorf("all for one: %w", err)
	}
	a.Prompts = a.run.prompts
	if table != nil {
		if err := a.Use(table); err != nil {
			return nil, err
		}
	}
	if opt.Metric.Of != nil {
		for i, p := range a.Prompts {
			if err := opt.Metric.check(p.Answer, p.Other); err != nil {
				return nil, fmt.Errorf("all for one: prompt %d: %w", i, err)
			}
		}
	}
	for _, id := range opt.Among {
		if id < 0 || id >= m.Config.Outputs() {
			return nil, fmt.Errorf("all for one: token %d of those to choose from is outside the vocabulary 0..%d", id, m.Config.Outputs()-1)
		}
	}
	if opt.Among != nil && len(opt.Among) < 2 {
		return nil, fmt.Errorf("all for one: %d tokens to choose from are no choice", len(opt.Among))
	}
	for i, p := range a.Prompts {
		if opt.Among != nil && !slices.Contains(opt.Among, p.Answer) {
			return nil, fmt.Errorf("all for one: prompt %d: its answer %d is not among the tokens to choose from", i, p.Answer)
		}
	}
	if a.partner == nil && len(prompts) > 1 {
		if a.partner, err = partners(len(prompts), opt.Seed); err != nil {
			return nil, err
		}
	}
	a.Base = a.outcome(Recipe{Wait: -1, Mode: WaitFree, Transfer: NoMasks})
	for row, z := range a.run.logits {
		numbers := make([]float64, a.width())
		a.measure(row, z, top(z, opt.Among), numbers)
		a.Base.take(row, numbers)
	}
	return a, nil
}

// Use sets the table whose means recipes put in, and by which they know where
// prompts begin to differ.
func (a *AllForOne) Use(table *Table) error {
	if n := len(a.Prompts[0].IDs); n != table.T || table.Layers != a.m.Config.Layers || table.Width != a.m.Config.Width {
		return fmt.Errorf("all for one: the table is of %d tokens, %d layers and width %d, the prompts have %d tokens and the model %d layers and width %d", table.T, table.Layers, table.Width, n, a.m.Config.Layers, a.m.Config.Width)
	}
	a.Table = table
	return nil
}

// errNoTable is the error of recipes before Use.
var errNoTable = errors.New("all for one: there is no table of means yet: Use one")

// outcome is an empty one.
func (a *AllForOne) outcome(r Recipe) Outcome {
	n := len(a.Prompts)
	o := Outcome{Recipe: r, Top: make([]int, n), TopAny: make([]int, n), P: make([]float64, n), LogPBase: make([]float64, n), Margin: make([]float64, n)}
	if a.opt.Metric.Of != nil {
		o.Values = make([]float64, n)
	}
	return o
}

// width is how many numbers an outcome has of a prompt.
func (a *AllForOne) width() int {
	if a.opt.Metric.Of != nil {
		return 6
	}
	return 5
}

// measure reads them off the logits of a prompt, whose answer in the base run is own.
func (a *AllForOne) measure(row int, z []float32, own int, into []float64) {
	p := a.Prompts[row]
	logs := models.LogProbs(z)
	into[0], into[1] = float64(top(z, a.opt.Among)), float64(models.Argmax(z))
	into[2], into[3] = math.Exp(logs[p.Answer]), logs[own]
	into[4] = Readout{Run: z, Answer: p.Answer, Among: a.opt.Among}.Margin()
	if a.opt.Metric.Of != nil {
		into[5] = a.opt.Metric.Of(Readout{Row: row, Run: z, Base: a.run.logits[row], Answer: p.Answer, Other: p.Other, Among: a.opt.Among})
	}
}

// take fills in one prompt.
func (o *Outcome) take(row int, numbers []float64) {
	o.Top[row], o.TopAny[row] = int(numbers[0]), int(numbers[1])
	o.P[row], o.LogPBase[row], o.Margin[row] = numbers[2], numbers[3], numbers[4]
	if o.Values != nil {
		o.Values[row] = numbers[5]
	}
}

// Apply runs the prompts under recipes, one sweep of exact re-runs in which
// recipes that begin alike share what they have in common, and emits each
// outcome when all prompts have passed it, those that begin deepest first. keep
// keeps the logits. Outcomes come back in the order of the recipes.
//
// It costs recipes × prompts re-runs, each from its first edited block on.
func (a *AllForOne) Apply(ctx context.Context, recipes []Recipe, keep bool, emit func(i int, o Outcome) error) ([]Outcome, models.Report, error) {
	if len(recipes) == 0 {
		return nil, models.Report{}, fmt.Errorf("all for one: no recipes")
	}
	if a.Table == nil {
		return nil, models.Report{}, errNoTable
	}
	out := make([]Outcome, len(recipes))
	for i, r := range recipes {
		if err := r.check(a.m); err != nil {
			return nil, models.Report{}, fmt.Errorf("all for one: recipe %d: %w", i, err)
		}
		if r.Means() && r.Wait >= a.Table.Filled() {
			return nil, models.Report{}, fmt.Errorf("all for one: recipe %d puts in means behind block %d, and the table of means is filled for %d blocks", i, r.Wait, a.Table.Filled())
		}
		if r.Mode == WaitResample && r.Wait >= 0 {
			if err := a.recordStreams(ctx); err != nil {
				return nil, models.Report{}, fmt.Errorf("all for one: recipe %d: %w", i, err)
			}
		}
		if out[i] = a.outcome(r); keep {
			out[i].Logits = make([][]float32, len(a.Prompts))
		}
	}
	report, err := grid{
		base: a.run.base, need: models.Need{Last: true}, vocab: a.m.Config.Outputs(), cells: len(recipes),
		edits: func(cell, row int) ([]models.Edit, error) {
			edits, err := a.edits(recipes[cell], row)
			if err != nil {
				return nil, fmt.Errorf("all for one: recipe %d, prompt %d: %w", cell, row, err)
			}
			return edits, nil
		},
		width: a.width(), whole: keep,
		measure: func(cell, row int, logits []float32, into []float64) {
			a.measure(row, logits, a.Base.Top[row], into)
			if keep {
				out[cell].Logits[row] = slices.Clone(logits)
			}
		},
		take: func(cell, row int, numbers []float64) { out[cell].take(row, numbers) },
		done: func(cell int) error { return emit(cell, out[cell]) },
	}.sweep(ctx, a.opt.Budget)
	return out, report, err
}

// edits are a recipe's for one prompt.
func (a *AllForOne) edits(r Recipe, row int) ([]models.Edit, error) {
	p := a.Prompts[row]
	edits, err := r.masks(a.m, p, a.Table.First)
	if err != nil || r.Wait < 0 || r.Mode == WaitFree || r.Mode == WaitIsolated {
		return edits, err
	}
	value, err := a.waiting(r, row)
	if err != nil {
		return nil, err
	}
	var at []int
	for pos := a.Table.First + 1; pos < a.Table.T; pos++ {
		at = append(at, pos)
	}
	if at == nil {
		return edits, nil
	}
	stream := models.Site{Layer: r.Wait, Kind: models.ResidPost}
	return append(edits, models.Edit{Site: stream.String(), Positions: at, Op: models.Set, Value: models.Tensor(value)}), nil
}

// waiting is the stream that is set behind the last waiting block, at the
// positions behind the first varying one, [.,D].
func (a *AllForOne) waiting(r Recipe, row int) (*tensor.Dense, error) {
	t, p := a.Table, a.Prompts[row]
	if a.filled != t.filled {
		a.means, a.filled = map[tableKey]TableMean{}, t.filled
	}
	out := tensor.New(t.T-t.First-1, t.Width)
	for pos := t.First + 1; pos < t.T; pos++ {
		into := out.Sub(pos - t.First - 1).Data
		key := tableKey{p.Group, pos, -1}
		var read func() (TableMean, error)
		switch r.Mode {
		case WaitZero:
			continue
		case WaitResample:
			x, _ := a.streams.Get(models.Site{Layer: r.Wait, Kind: models.ResidPost})
			copy(into, x.Sub(a.partner[row], pos).Data)
			continue
		case WaitPositional:
			read = func() (TableMean, error) { return t.Place(p.Group, pos) }
		case WaitGlobal:
			key.pos = -1
			read = func() (TableMean, error) { return t.Global(p.Group) }
		default:
			key.token = p.IDs[pos]
			read = func() (TableMean, error) { return t.Own(p.Group, pos, p.IDs[pos]) }
		}
		mean, ok := a.means[key]
		if !ok {
			var err error
			if mean, err = read(); err != nil {
				return nil, err
			}
			a.means[key] = mean
		}
		copy(into, mean.Mean.Sub(r.Wait).Data)
	}
	return out, nil
}

// recordStreams keeps the prompts' own streams.
func (a *AllForOne) recordStreams(ctx context.Context) error {
	if a.streams != nil {
		return nil
	}
	if len(a.partner) != len(a.Prompts) {
		return fmt.Errorf("resampling: %d partners for %d prompts", len(a.partner), len(a.Prompts))
	}
	for i, p := range a.partner {
		if p < 0 || p >= len(a.Prompts) {
			return fmt.Errorf("resampling: partner %d of prompt %d is outside 0..%d", p, i, len(a.Prompts)-1)
		}
	}
	c := models.NewCache()
	in := a.run.base.Batch()
	stream := func(s models.Site) bool { return s.Kind == models.ResidPost }
	if _, err := a.m.RunFor(ctx, in, models.Need{Last: true, Tokens: []int{0}}, models.Record(c, stream)); err != nil {
		return err
	}
	a.streams = c
	return nil
}

// Accuracy is the share of prompts answered right, of those chosen from.
func (a *AllForOne) Accuracy(o Outcome) Summary { return Summarise(a.right(o, nil)) }

// Faithfulness is the accuracy on the prompts that the model gets right by
// itself: what is left of its ability. It is an error where it gets none right.
func (a *AllForOne) Faithfulness(o Outcome) (Summary, error) {
	only := make([]bool, len(a.Prompts))
	for i, p := range a.Prompts {
		only[i] = a.Base.Top[i] == p.Answer
	}
	values := a.right(o, only)
	if len(values) == 0 {
		return Summary{}, fmt.Errorf("faithfulness: the model gets none of the %d prompts right by itself, so that nothing can be kept", len(a.Prompts))
	}
	return Summarise(values), nil
}

// right is 1 for a prompt answered right, 0 for another.
func (a *AllForOne) right(o Outcome, only []bool) (values []float64) {
	for i, p := range a.Prompts {
		if only != nil && !only[i] {
			continue
		}
		v := 0.0
		if o.Top[i] == p.Answer {
			v = 1
		}
		values = append(values, v)
	}
	return values
}

// Agreement is the share of prompts whose answer is the base run's, right or
// wrong.
func (a *AllForOne) Agreement(o Outcome) Summary {
	values := make([]float64, len(a.Prompts))
	for i := range values {
		if o.Top[i] == a.Base.Top[i] {
			values[i] = 1
		}
	}
	return Summarise(values)
}
