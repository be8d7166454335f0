package ablate

import (
	"context"
	"fmt"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// Score says what pruning keeps as large as it can.
type Score string

// The scores.
const (
	ScoreLogProb      Score = "logprob"      // the mean log-probability of the base run's answers, which ties hardly ever
	ScoreFaithfulness Score = "faithfulness" // as the paper says; ties go to the log-probability
)

// Pruning is the result of Prune.
type Pruning struct {
	Recipe Recipe
	// Removed are the heads in the order of their removal.
	Removed []Head
	// Steps holds the outcome with the first k heads removed, k from 0.
	Steps  []Outcome
	Report models.Report
}

// Kept are the heads that remain after k removals.
func (p *Pruning) Kept(m *models.Model, k int) (kept []Head) {
	for _, h := range p.Recipe.TransferHeads(m) {
		if !slices.Contains(p.Removed[:k], h) {
			kept = append(kept, h)
		}
	}
	return kept
}

// Prune removes the heads of a recipe's transfer blocks one after the other, each
// time the one whose removal leaves the score largest; of equal ones the first.
// A head is removed by cutting the last token's edges to all but BOS and itself.
// The recipe's own cuts stay. It emits each step.
//
// With n heads it costs n·(n+1)/2 recipes.
func (a *AllForOne) Prune(ctx context.Context, r Recipe, score Score, emit func(removed []Head, o Outcome) error) (*Pruning, error) {
	if score != ScoreLogProb && score != ScoreFaithfulness {
		return nil, fmt.Errorf("pruning: score is %q, want %q or %q", score, ScoreLogProb, ScoreFaithfulness)
	}
	left := r.TransferHeads(a.m)
	if len(left) == 0 {
		return nil, fmt.Errorf("pruning: the recipe has no transfer block, and so no heads to remove")
	}
	p := &Pruning{Recipe: r}
	quiet := func(int, Outcome) error { return nil }
	cost := func(o Outcome) (float64, float64, error) {
		logs := Summarise(o.LogPBase).Mean
		if score == ScoreLogProb {
			return logs, 0, nil
		}
		f, err := a.Faithfulness(o)
		return f.Mean, logs, err
	}
	for first := true; ; first = false {
		var recipes []Recipe
		for _, h := range left {
			next := r
			next.Cut = append(slices.Concat(r.Cut, p.Removed), h)
			recipes = append(recipes, next)
		}
		if first {
			recipes = []Recipe{r}
		}
		out, report, err := a.Apply(ctx, recipes, false, quiet)
		p.Report = p.Report.Plus(report)
		if err != nil {
			return p, err
		}
		best, x, y := 0, 0.0, 0.0
		for i, o := range out {
			u, v, err := cost(o)
			if err != nil {
				return p, err
			}
			if i == 0 || u > x || u == x && v > y {
				best, x, y = i, u, v
			}
		}
		if !first {
			p.Removed = append(p.Removed, left[best])
			left = slices.Delete(left, best, best+1)
		}
		p.Steps = append(p.Steps, out[best])
		if err := emit(p.Removed, out[best]); err != nil {
			return p, err
		}
		if len(left) == 0 {
			return p, nil
		}
	}
}

// Attention gives the mean pattern of heads' last token under a recipe, over the
// prompts, [head][key]. It costs one run a prompt.
func (a *AllForOne) Attention(ctx context.Context, r Recipe, heads []Head) ([][]Summary, error) {
	if err := r.check(a.m); err != nil {
		return nil, fmt.Errorf("attention: %w", err)
	}
	if r.Mode == WaitResample && r.Wait >= 0 {
		if err := a.recordStreams(ctx); err != nil {
			return nil, fmt.Errorf("attention: %w", err)
		}
	}
	if a.Table == nil {
		return nil, errNoTable
	}
	T := a.Table.T
	values := make([][][]float64, len(heads)) // [head][key][prompt]
	for i, h := range heads {
		if err := (Recipe{Wait: -1, Cut: []Head{h}}).check(a.m); err != nil {
			return nil, fmt.Errorf("attention: %w", err)
		}
		values[i] = table(T, len(a.Prompts))
	}
	for row, p := range a.Prompts {
		edits, err := a.edits(r, row)
		if err != nil {
			return nil, fmt.Errorf("attention: prompt %d: %w", row, err)
		}
		hooks, err := a.m.Edits(edits...)
		if err != nil {
			return nil, fmt.Errorf("attention: prompt %d: %w", row, err)
		}
		look := models.Hook{Sites: func(s models.Site) bool { return s.Kind == models.Pattern }, Fn: func(at models.Site, x *tensor.Dense) error {
			for i, h := range heads {
				if h.Layer != at.Layer {
					continue
				}
				for k, v := range x.Sub(0, h.Head, T-1).Data {
					values[i][k][row] = float64(v)
				}
			}
			return nil
		}}
		if _, err := a.m.Run(ctx, models.Prompt(p.IDs...), append(hooks, look)...); err != nil {
			return nil, fmt.Errorf("attention: prompt %d: %w", row, err)
		}
	}
	out := make([][]Summary, len(heads))
	for i := range heads {
		for _, v := range values[i] {
			out[i] = append(out[i], Summarise(v))
		}
	}
	return out, nil
}
