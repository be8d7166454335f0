package analysis

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/viz"
)

// sortedGroups are the groups of a table.
func sortedGroups(t *ablate.Table) []string { return slices.Sorted(maps.Keys(t.Contexts)) }

// camaSeries is one line: its recipes, one a point. Baselines are lines like the
// method's, with marks of their own, so that they are told apart.
type camaSeries struct {
	name    string
	recipes []ablate.Recipe
}

// showWait draws faithfulness over the last waiting block, for CAMA and its
// baselines.
func (r *camaRun) showWait(ctx context.Context) error {
	var series []camaSeries
	for _, mode := range ablate.WaitModes {
		if mode != ablate.WaitFree {
			series = append(series, camaSeries{waitNames[mode], ablate.WaitSweep(r.m, mode)})
		}
	}
	return r.lines(ctx, "last waiting block", "blocks up to it wait, those behind it are free", series)
}

// showEdges draws what is left when the last token reads nobody else in one
// block.
func (r *camaRun) showEdges(ctx context.Context) error {
	return r.lines(ctx, "block", "the last token reads BOS and itself only in this block", []camaSeries{{"one block cut", ablate.EdgeRemoval(r.m, false)}})
}

// lines draws one point a recipe; what says what a point is.
func (r *camaRun) lines(ctx context.Context, x, what string, series []camaSeries) error {
	n := r.m.Config.Layers
	at := make([]float32, n)
	labels := make([]string, n)
	for l := range n {
		at[l], labels[l] = float32(l), fmt.Sprint(l)
	}
	fig := r.lineFigure(x, what, at, labels)
	var recipes []ablate.Recipe
	for i, s := range series {
		name := fmt.Sprintf("line%d", i)
		fig.Arrays[name], fig.Arrays[name+"_sem"] = viz.NewArray([]string{"layer"}, n), viz.NewArray([]string{"layer"}, n)
		fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: s.name, Y: name, Errors: name + "_sem"})
		recipes = append(recipes, s.recipes...)
	}
	if err := r.begin(ctx, fig, len(recipes), "recipes"); err != nil {
		return err
	}
	outcomes, report, err := r.all.Apply(ctx, recipes, false, func(i int, o ablate.Outcome) error {
		v, err := r.value(o)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("line%d", i/n)
		return r.part("recipes", i%n, map[string]float64{name: v.Mean, name + "_sem": v.SEM})
	})
	r.report = report
	if err != nil {
		return err
	}
	var points []string
	for l := range n {
		f, err := r.all.Faithfulness(outcomes[l])
		if err != nil {
			return err
		}
		points = append(points, fmt.Sprintf("%d: %.1f %% (P %.2f, logit difference %.2f)", l, 100*f.Mean, ablate.Summarise(outcomes[l].P).Mean, ablate.Summarise(outcomes[l].Margin).Mean))
	}
	fig.Caption = fmt.Sprintf("%s, faithfulness by block: %s. Without edits P is %.2f and the logit difference %.2f.", series[0].name, strings.Join(points, ", "), ablate.Summarise(r.all.Base.P).Mean, ablate.Summarise(r.all.Base.Margin).Mean)
	return nil
}

func (r *camaRun) lineFigure(x, what string, at []float32, labels []string) *viz.Figure {
	return &viz.Figure{
		Kind: viz.KindLines, Subtitle: r.subtitle() + " · " + what,
		Arrays: map[string]*viz.Array{"x": viz.Values(at, []string{"x"}, len(at))},
		Scales: map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Lo: 0, Hi: float64(len(at) - 1), Label: x, Format: "%.0f"}, "y": r.scale(viz.ScaleLinear)},
		Lines:  &viz.Lines{X: "x", XScale: "x", YScale: "y", XLabels: labels},
	}
}

func (r *camaRun) subtitle() string {
	return fmt.Sprintf("%s · mean and standard error over n = %d prompts", camaMetrics[r.metric].help, len(r.set.Prompts))
}

// showGrid draws faithfulness by (wait, transfer); windows that do not fit the
// model are blank.
func (r *camaRun) showGrid(ctx context.Context) error {
	L := r.m.Config.Layers
	names := make([]string, L)
	for l := range L {
		names[l] = fmt.Sprint(l)
	}
	grid := viz.NewArray([]string{"transfer", "wait"}, L, L)
	sem := viz.NewArray([]string{"transfer", "wait"}, L, L)
	for P := range L {
		for w := range L {
			if w+1+P > L {
				grid.State[P*L+w], sem.State[P*L+w] = viz.Blank, viz.Blank
			}
		}
	}
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Subtitle: r.subtitle() + " · CAMA behind block w, then transfer blocks, then every token alone",
		Arrays: map[string]*viz.Array{"grid": grid, "sem": sem}, Scales: map[string]viz.Scale{"effect": r.scale(viz.ScaleSequential)},
		Heatmap: &viz.Heatmap{Scale: "effect", Panels: []viz.Panel{{
			Rows: viz.Axis{Name: "transfer blocks", Labels: names}, Columns: viz.Axis{Name: "last waiting block w", Labels: names}, Values: "grid", Errors: "sem",
		}}},
	}
	recipes := r.grid()
	if err := r.begin(ctx, fig, len(recipes), "windows"); err != nil {
		return err
	}
	_, report, err := r.all.Apply(ctx, recipes, false, func(i int, o ablate.Outcome) error {
		v, err := r.value(o)
		if err != nil {
			return err
		}
		return r.part("windows", recipes[i].Transfer*L+recipes[i].Wait, map[string]float64{"grid": v.Mean, "sem": v.SEM})
	})
	r.report = report
	if err != nil {
		return err
	}
	return r.find(ctx)
}

// showHeads draws what is left while the transfer blocks' heads are removed one
// by one.
func (r *camaRun) showHeads(ctx context.Context) error {
	most := 0 // heads there may be; the window is not known yet
	if P := r.a["transfer"].(int); P >= 0 {
		most = P * r.m.Config.Heads
	} else {
		most = r.m.Config.Layers * r.m.Config.Heads
	}
	at := make([]float32, most+1)
	for i := range at {
		at[i] = float32(i)
	}
	fig := r.lineFigure("heads removed", "the last token's edges of transfer heads are cut, the least missed first", at, nil)
	fig.Arrays["kept"], fig.Arrays["kept_sem"] = viz.NewArray([]string{"removed"}, most+1), viz.NewArray([]string{"removed"}, most+1)
	fig.Lines.Series = []viz.Series{{Name: "greedy removal", Y: "kept", Errors: "kept_sem"}}
	if err := r.begin(ctx, fig, most+1, "heads"); err != nil {
		return err
	}
	if err := r.window(ctx); err != nil {
		return err
	}
	if s := r.search; s != nil && !s.Found {
		return &hintError{searchSentence(s), "there is no window whose heads could be pruned; give wait and transfer to look at one all the same"}
	}
	if r.recipe.Transfer == 0 {
		return &hintError{"the window has no transfer block, and so no heads to remove", "give a transfer of 1 or more"}
	}
	heads := len(r.recipe.TransferHeads(r.m))
	for i := heads + 1; i <= most; i++ {
		fig.Arrays["kept"].State[i], fig.Arrays["kept_sem"].State[i] = viz.Blank, viz.Blank
	}
	r.total = heads + 1
	p, err := r.all.Prune(ctx, r.recipe, ablate.ScoreLogProb, func(removed []ablate.Head, o ablate.Outcome) error {
		v, err := r.value(o)
		if err != nil {
			return err
		}
		return r.part("heads", len(removed), map[string]float64{"kept": v.Mean, "kept_sem": v.SEM})
	})
	if p != nil {
		r.report = p.Report
	}
	if err != nil {
		return err
	}
	return r.describePruning(p)
}

// describePruning says how many heads keep 95 % of what all keep, and which.
func (r *camaRun) describePruning(p *ablate.Pruning) error {
	all, err := r.all.Faithfulness(p.Steps[0])
	if err != nil {
		return err
	}
	most := 0
	for k, o := range p.Steps {
		f, err := r.all.Faithfulness(o)
		if err != nil {
			return err
		}
		if f.Mean >= 0.95*all.Mean {
			most = k
		}
	}
	var kept []string
	for _, h := range p.Kept(r.m, most) {
		kept = append(kept, h.String())
	}
	window := waitingBlocks(r.recipe.Wait, r.recipe.Transfer)
	if threshold := r.a["threshold"].(float64); all.Mean < threshold {
		r.fig.Caption = fmt.Sprintf("With %s, faithfulness is only %.1f %%, below the %.0f %% that a window is to keep: which heads can go says little about what is transferred.", window, 100*all.Mean, 100*threshold)
		return nil
	}
	left := "None is left"
	if len(kept) > 0 {
		left = "Left: " + strings.Join(kept, ", ")
	}
	r.fig.Caption = fmt.Sprintf("With %s, faithfulness is %.1f %%; %d of %d transfer heads can go while 95 %% of it stays. %s.", window, 100*all.Mean, most, len(p.Removed), left)
	return nil
}

// showAttention draws what the last token reads in the transfer blocks.
func (r *camaRun) showAttention(ctx context.Context) error {
	P := r.a["transfer"].(int)
	if P < 0 {
		return &hintError{"attention needs a window", "give wait and transfer; show=\"grid\" finds one"}
	}
	recipe := ablate.Recipe{Wait: r.a["wait"].(int), Transfer: P}
	heads := recipe.TransferHeads(r.m)
	if len(heads) == 0 {
		return &hintError{"the window has no transfer block, and so no heads to look at", "give a transfer of 1 or more"}
	}
	var rows []string
	for _, h := range heads {
		rows = append(rows, h.String())
	}
	first := r.set.Prompts[0]
	var labels [][]string
	for _, p := range r.set.Prompts {
		labels = append(labels, tokenLabels(r.m.Tokenizer, p.IDs))
	}
	columns := viz.Axis{Name: "position", Roles: vizRoles(first), Labels: sharedLabels(labels, vizRoles(first))}
	T := len(first.IDs)
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Subtitle: fmt.Sprintf("attention of the last token, mean over n = %d prompts · CAMA behind block %d", len(r.set.Prompts), recipe.Wait),
		Arrays:  map[string]*viz.Array{"attention": viz.NewArray([]string{"head", "pos"}, len(heads), T), "sem": viz.NewArray([]string{"head", "pos"}, len(heads), T)},
		Scales:  map[string]viz.Scale{"effect": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "attention", Format: "%.2f"}},
		Heatmap: &viz.Heatmap{Scale: "effect", Panels: []viz.Panel{{Rows: viz.Axis{Name: "head", Labels: rows}, Columns: columns, Values: "attention", Errors: "sem"}}},
	}
	if err := r.begin(ctx, fig, len(heads)*T, "cells"); err != nil {
		return err
	}
	if err := r.window(ctx); err != nil {
		return err
	}
	attention, err := r.all.Attention(ctx, r.recipe, heads)
	if err != nil {
		return err
	}
	for i, row := range attention {
		for k, s := range row {
			if err := r.part("cells", i*T+k, map[string]float64{"attention": s.Mean, "sem": s.SEM}); err != nil {
				return err
			}
		}
	}
	out, report, err := r.all.Apply(ctx, []ablate.Recipe{r.recipe}, false, func(int, ablate.Outcome) error { return nil })
	if err != nil {
		return err
	}
	r.report = report
	f, err := r.all.Faithfulness(out[0])
	if err != nil {
		return err
	}
	fig.Caption = fmt.Sprintf("With this window faithfulness is %.1f %% ± %.1f.", 100*f.Mean, 100*f.SEM)
	return nil
}
