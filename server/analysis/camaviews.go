package analysis

import (
	"context"
	"fmt"
	"maps"
	"math"
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
	kin     viz.Kin
	recipes []ablate.Recipe
}

// waitKin is how near a baseline is to the method: it knows the token or the place,
// or neither.
var waitKin = map[ablate.WaitMode]viz.Kin{
	ablate.WaitPositional: viz.KinNear, ablate.WaitIsolated: viz.KinNear,
	ablate.WaitZero: viz.KinCrude, ablate.WaitGlobal: viz.KinCrude, ablate.WaitResample: viz.KinCrude,
}

// showWait draws faithfulness over the last waiting block, for CAMA and its
// baselines.
func (r *camaRun) showWait(ctx context.Context) error {
	var series []camaSeries
	for _, mode := range ablate.WaitModes {
		if mode == ablate.WaitResample && len(r.set.Prompts) == 1 {
			continue // no other prompt lends its values
		}
		if mode != ablate.WaitFree {
			series = append(series, camaSeries{waitNames[mode], waitKin[mode], ablate.WaitSweep(r.m, mode)})
		}
	}
	return r.lines(ctx, "last waiting block", "blocks up to it wait, those after it are free", series)
}

// showEdges draws what is left when the last token reads nobody else in one
// block.
func (r *camaRun) showEdges(ctx context.Context) error {
	return r.lines(ctx, "block", "the last token reads BOS and itself only in this block", []camaSeries{{name: "one block cut", recipes: ablate.EdgeRemoval(r.m, false)}})
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
		fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: s.name, Y: name, Errors: name + "_sem", Kin: s.kin})
		recipes = append(recipes, s.recipes...)
	}
	fig.Arrays["base"] = viz.NewArray([]string{"layer"}, n)
	fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: "no intervention", Y: "base", Control: true})
	if err := r.begin(ctx, fig, len(recipes)+1, "recipes"); err != nil {
		return err
	}
	if err := r.base("recipes"); err != nil {
		return err
	}
	if err := r.means(ctx); err != nil {
		return err
	}
	outcomes, err := r.follow(ctx, r.all, recipes, func(i int, o ablate.Outcome) error {
		v, each, err := r.value(r.all, o)
		if err != nil {
			return err
		}
		return r.part("recipes", fmt.Sprintf("line%d", i/n), i%n, v, each)
	})
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
	fig.Caption = fmt.Sprintf("Faithfulness of %s by block: %s. Without edits P is %.2f and the logit difference %.2f.", series[0].name, strings.Join(points, ", "), ablate.Summarise(r.all.Base.P).Mean, ablate.Summarise(r.all.Base.Margin).Mean)
	return nil
}

// follow runs recipes and returns their outcomes in order. The first number need not
// wait for the whole table of means: those that can do without come first, or,
// where there are none, those that wait in the first block only.
func (r *camaRun) follow(ctx context.Context, of *ablate.AllForOne, recipes []ablate.Recipe, emit func(i int, o ablate.Outcome) error) ([]ablate.Outcome, error) {
	blocks := func(recipe ablate.Recipe) int { // of the table
		switch {
		case !recipe.Means():
			return 0
		case recipe.Wait == 0 && !slices.ContainsFunc(recipes, func(r ablate.Recipe) bool { return !r.Means() }):
			return 1
		}
		return r.m.Config.Layers
	}
	all := make([]ablate.Outcome, len(recipes))
	for _, n := range slices.Compact([]int{0, 1, r.m.Config.Layers}) {
		var some []ablate.Recipe
		var at []int
		for i, recipe := range recipes {
			if blocks(recipe) == n {
				some, at = append(some, recipe), append(at, i)
			}
		}
		if some == nil {
			continue
		}
		if n > 0 {
			if err := of.Table.Fill(ctx, n); err != nil {
				return nil, err
			}
		}
		outcomes, report, err := of.Apply(ctx, some, false, func(i int, o ablate.Outcome) error { return emit(at[i], o) })
		if of == r.all {
			r.report = r.report.Plus(report)
		}
		if err != nil {
			return nil, err
		}
		for i, o := range outcomes {
			all[at[i]] = o
		}
	}
	return all, nil
}

// base draws the run without intervention, a line beside the others.
func (r *camaRun) base(unit string) error {
	v, _, err := r.value(r.all, r.all.Base)
	if err != nil {
		return err
	}
	line := make([]float32, len(r.fig.Arrays["base"].Data))
	for i := range line {
		line[i] = float32(v.Mean)
	}
	part := viz.Part{
		Arrays: []viz.ArrayRun{{Name: "base", F32: viz.EncodeFloats(line)}},
		Scales: map[string]viz.Scale{"y": r.stretch("y", r.fig.Scales["y"], v.Mean, math.NaN())},
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total, unit)
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
	what := r.metric.Label
	switch r.metric.Name {
	case faithfulness:
		what = "faithfulness: accuracy on the prompts that the model gets right by itself"
	case "prob":
		what = "probability of the right answer, over the whole vocabulary"
	case "margin":
		what = "logit of the right answer minus that of the best wrong one"
	}
	return fmt.Sprintf("%s · mean over n = %d prompts, seed %d", what, len(r.set.Prompts), r.from.seed())
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
		Kind: viz.KindHeatmap, Subtitle: r.subtitle() + " · CAMA after block w, then transfer blocks, then every token alone",
		Arrays: map[string]*viz.Array{"grid": grid, "grid_sem": sem}, Scales: map[string]viz.Scale{"effect": r.scale(viz.ScaleSequential)},
		Heatmap: &viz.Heatmap{Scale: "effect", Panels: []viz.Panel{{
			Rows: viz.Axis{Name: "transfer blocks", Labels: names}, Columns: viz.Axis{Name: "last waiting block w", Labels: names}, Values: "grid", Errors: "grid_sem",
		}}},
	}
	recipes := r.grid()
	if err := r.begin(ctx, fig, len(recipes), "windows"); err != nil {
		return err
	}
	forget, err := r.look(ctx, recipes)
	if err != nil {
		return err
	}
	if err := r.means(ctx); err != nil {
		return err
	}
	_, err = r.follow(ctx, r.all, recipes, func(i int, o ablate.Outcome) error {
		v, each, err := r.value(r.all, o)
		if err != nil {
			return err
		}
		return r.part("windows", "grid", recipes[i].Transfer*L+recipes[i].Wait, v, each)
	})
	if err != nil {
		return err
	}
	forget()
	if err := r.find(ctx); err != nil {
		return err
	}
	if s := r.search; s != nil && s.Found {
		fig.Heatmap.Panels[0].Ring = []int{s.Best.Transfer*L + s.Best.Wait}
	}
	return nil
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
	fig.Arrays["base"] = viz.NewArray([]string{"removed"}, most+1)
	fig.Lines.Series = []viz.Series{{Name: "greedy removal", Y: "kept", Errors: "kept_sem"}, {Name: "no intervention", Y: "base", Control: true}}
	if err := r.begin(ctx, fig, most+2, "heads"); err != nil {
		return err
	}
	if err := r.base("heads"); err != nil {
		return err
	}
	if err := r.means(ctx); err != nil {
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
	for _, name := range []string{"kept", "kept_sem", each("kept")} {
		if a := fig.Arrays[name]; a != nil {
			for i := (heads + 1) * len(a.State) / (most + 1); i < len(a.State); i++ {
				a.State[i] = viz.Blank
			}
		}
	}
	r.total = heads + 2
	p, err := r.all.Prune(ctx, r.recipe, ablate.ScoreLogProb, func(removed []ablate.Head, o ablate.Outcome) error {
		v, each, err := r.value(r.all, o)
		if err != nil {
			return err
		}
		return r.part("heads", "kept", len(removed), v, each)
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
	T := len(first.IDs)
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Subtitle: fmt.Sprintf("attention of the last token in the transfer blocks, mean over n = %d prompts, seed %d · without edits, and with CAMA after block %d", len(r.set.Prompts), r.from.seed(), recipe.Wait),
		Arrays:  map[string]*viz.Array{},
		Scales:  map[string]viz.Scale{"effect": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "attention", Format: "%.2f"}},
		Heatmap: &viz.Heatmap{Scale: "effect"},
	}
	for _, p := range [][2]string{{"attention_free", "No intervention"}, {"attention", waitingBlocks(recipe.Wait, P)}} {
		for _, array := range []string{p[0], p[0] + "_sem"} {
			fig.Arrays[array] = viz.NewArray([]string{"head", "pos"}, len(heads), T)
		}
		fig.Heatmap.Panels = append(fig.Heatmap.Panels, viz.Panel{Title: upperFirst(p[1]), Rows: viz.Axis{Name: "head", Labels: rows}, Columns: columns(r.m, r.set.Prompts), Values: p[0], Errors: p[0] + "_sem"})
	}
	if err := r.begin(ctx, fig, 2*len(heads)*T, "cells"); err != nil {
		return err
	}
	if err := r.means(ctx); err != nil {
		return err
	}
	read := func(name string, recipe ablate.Recipe) error {
		attention, err := r.all.Attention(ctx, recipe, heads)
		if err != nil {
			return err
		}
		for i, row := range attention {
			for k, s := range row {
				if err := r.part("cells", name, i*T+k, s, nil); err != nil {
					return err
				}
			}
		}
		return nil
	}
	// What needs no means does not wait for them.
	if err := read("attention_free", r.all.Base.Recipe); err != nil {
		return err
	}
	if err := r.window(ctx); err != nil {
		return err
	}
	if err := read("attention", r.recipe); err != nil {
		return err
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
	fig.Caption = fmt.Sprintf("With this window faithfulness is %s.", shareWords(f))
	return nil
}
