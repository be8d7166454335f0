package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// logitRows is how many of each run's best tokens the table of logits holds.
const logitRows = 4

// figure makes the figure before its first row.
func (r *patchLensRun) figure() error {
	k := min(r.a["top_k"].(int), r.m.Config.Vocab)
	panels := r.panels()
	n, rows, cols := len(panels), len(r.sites), len(r.moved.Clean.IDs)
	name := tokenLabels(r.m.Tokenizer, []int{r.answer})[0]
	grid := []string{"run", "layer", "pos"}
	r.fig = &viz.Figure{
		Kind: viz.KindTokens, Title: "Patch lens", Subtitle: r.subtitle(),
		Arrays: map[string]*viz.Array{}, Texts: map[string]*viz.Text{},
		Scales: map[string]viz.Scale{
			"prob":   {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "probability of the top token", Format: "%.3f"},
			"answer": {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "P(" + name + ")", Format: "%.3f"},
			"rank":   {Kind: viz.ScaleLog, Lo: 1, Hi: float64(r.m.Config.Vocab), Label: "rank of " + name, Format: "%.0f", Reverse: true},
			"change": {Kind: viz.ScaleDiverging, Lo: -1, Hi: 1, Label: "change of P(" + name + ")", Format: "%+.3f"},
		},
		Tokens: &viz.Tokens{
			Rows: viz.Axis{Name: "layer", Labels: r.rowLabels()}, Columns: panels[0].Columns, Panels: panels,
			Cell: "top1", TopTokens: "top", TopValues: "top_prob", Show: r.a["metric"].(string), Focus: -1, Target: make([]string, cols),
			Metrics: []viz.TokenMetric{
				{Name: "prob", Label: "prob", Help: "probability of the top token, which stands in the cell", Values: "prob", Scale: "prob"},
				{Name: "answer", Label: "P(" + name + ")", Help: "probability of the clean answer " + name, Values: "answer", Scale: "answer"},
				{Name: "rank", Label: "rank", Help: "rank of the clean answer " + name + "; 1 is best, ties count against it", Values: "rank", Scale: "rank"},
				{Name: "change", Label: "change", Help: "probability of the clean answer " + name + " less that in the same cell of the " + r.baseName(), Values: "change", Scale: "change"},
			},
			Patch: &viz.TokenPatch{From: 0, Into: r.into(), Call: r.call()},
		},
		Provenance: provenance(r.m, "patch_lens", 1, r.a, r.moved.Clean.IDs, r.moved.Corrupted.IDs),
	}
	for c := range cols {
		r.fig.Tokens.Target[c] = name
	}
	for i, try := range r.shown {
		res := viz.TokenResult{Panel: r.into() + 1 + i, Try: try, Moves: r.pointed(r.tries[try]), Cone: fmt.Sprint("cone_", i), Changed: fmt.Sprint("changed_", i)}
		r.fig.Tokens.Patch.Results = append(r.fig.Tokens.Patch.Results, res)
	}
	for _, l := range r.lenses {
		r.fig.Tokens.Lenses = append(r.fig.Tokens.Lenses, l.lens(rows))
		array := func(name string, axes []string, shape ...int) {
			r.fig.Arrays[name+l.suffix] = l.blank(viz.NewArray(axes, shape...), rows, cols)
		}
		array("top_prob", append(slices.Clone(grid), "k"), n, rows, cols, k)
		r.fig.Texts["top1"+l.suffix], r.fig.Texts["top"+l.suffix] = viz.NewText(n, rows, cols), viz.NewText(n, rows, cols, k)
		for _, m := range r.fig.Tokens.Metrics {
			array(m.Values, grid, n, rows, cols)
		}
		for _, res := range r.fig.Tokens.Patch.Results {
			array(res.Cone, grid[1:], rows, cols)
			array(res.Changed, grid[1:], rows, cols)
		}
	}
	r.fig.Tokens.Sites = r.fig.Tokens.Lenses[0].Sites
	return nil
}

// rowLabels are short: three grids stand abreast.
func (r *patchLensRun) rowLabels() []string {
	labels := stateLabels(r.states)
	labels[0] = "emb"
	return labels
}

// into is the panel of the run that is edited.
func (r *patchLensRun) into() int {
	if r.alone {
		return 0
	}
	return 1
}

func (r *patchLensRun) baseName() string {
	if r.alone {
		return "run as it is"
	}
	return "corrupted run"
}

func (r *patchLensRun) resultName() string {
	if r.alone {
		return "Edited run"
	}
	return "Patched run"
}

func (r *patchLensRun) subtitle() string {
	way := "clean values put into the corrupted run"
	if r.alone {
		way = "values of one run replaced"
	}
	return "cell: top token after each block · " + way + " · one scale for all"
}

// call is the source of this figure, its patches left open.
func (r *patchLensRun) call() string {
	call := "patch_lens({model}, clean=" + promptSource(r.a["clean"].(Prompt))
	if !r.alone {
		call += ", corrupted=" + promptSource(optionalPrompt(r.a, "corrupted"))
	}
	for _, name := range []string{"answer", "other"} {
		if text := r.a[name].(string); text != "" {
			call += fmt.Sprintf(", %s=%q", name, text)
		}
	}
	return call + measureArg(r.a["measure"]) + ", patches=[{patches}])"
}

// panels are the runs: clean, corrupted, and those that are shown with a try.
func (r *patchLensRun) panels() []viz.TokenPanel {
	panel := func(title string, run *ablate.SeenRun) viz.TokenPanel {
		last := run.Logits.Sub(len(run.IDs) - 1).Data
		axis := viz.Axis{Name: "position", Labels: tokenLabels(r.m.Tokenizer, run.IDs), Roles: TokenRoles(r.m.Tokenizer, run.IDs), IDs: run.IDs}
		var words []string
		for i, l := range axis.Labels {
			if axis.Roles[i] != viz.RoleBOS && axis.Roles[i] != viz.RoleEquals {
				words = append(words, viz.TokenText(l))
			}
		}
		says := viz.TokenText(tokenLabels(r.m.Tokenizer, []int{topID(last, -1)})[0])
		return viz.TokenPanel{Title: title, Note: strings.Join(words, " ") + " → " + says, Columns: axis}
	}
	if len(r.moved.Clean.IDs) > 12 { // a long prompt stands below its grid
		short := panel
		panel = func(title string, run *ablate.SeenRun) viz.TokenPanel {
			p := short(title, run)
			p.Note = p.Note[strings.LastIndex(p.Note, "→"):]
			return p
		}
	}
	var out []viz.TokenPanel
	if r.alone {
		out = append(out, panel("Run as it is", r.moved.Clean))
	} else {
		out = append(out, panel("Clean run", r.moved.Clean), panel("Corrupted run", r.moved.Corrupted))
	}
	for _, try := range r.shown {
		p := panel(r.resultName(), r.moved.Corrupted)
		p.Note = r.label(r.tries[try])
		out = append(out, p)
	}
	return out
}

// pointed are a try's moves as cells of the grids. What is no stream is shown
// where it enters it.
func (r *patchLensRun) pointed(try []ablate.Move) (out []viz.TokenMove) {
	for _, v := range try {
		from, into, err := v.Sites(r.m)
		if err != nil {
			continue // refused before
		}
		at, to := r.places(v)
		for i := range to {
			mv := viz.TokenMove{Panel: r.into(), FromRow: rowOf(into), FromColumn: to[i], ToRow: rowOf(into), ToColumn: to[i], Lens: r.lensOf(into)}
			if v.Giver() == ablate.FromClean || v.Giver() == ablate.FromCorrupted {
				mv.FromRow, mv.FromColumn = rowOf(from), at[i]
			}
			if v.Giver() == ablate.FromClean {
				mv.Panel = 0
			}
			out = append(out, mv)
		}
	}
	return out
}

// places are the positions that a move reads and writes.
func (r *patchLensRun) places(v ablate.Move) (at, to []int) {
	T := len(r.moved.Clean.IDs)
	whole := func(list []int) []int {
		out := make([]int, 0, T)
		for _, p := range list {
			out = append(out, (p+T)%T)
		}
		for p := range T {
			if list == nil {
				out = append(out, p)
			}
		}
		return out
	}
	at, to = v.At, v.To
	if v.Queries != nil {
		at = v.Queries
	}
	if to == nil {
		to = at
	}
	return whole(at), whole(to)
}

// rowOf is the row of the lens in which a site's value first stands.
func rowOf(s models.Site) int {
	if s.Layer < 0 || s.Kind == models.ResidPre {
		return max(s.Layer, 0)
	}
	return s.Layer + 1
}

// fill reads the runs without patches under a lens, the corrupted one first,
// which the others are compared with.
func (r *patchLensRun) fill(ctx context.Context, l patchReading) error {
	if err := r.read(ctx, l, r.into(), r.moved.Corrupted); err != nil || r.alone {
		return err
	}
	return r.read(ctx, l, 0, r.moved.Clean)
}

// read streams the rows of one panel under one lens.
func (r *patchLensRun) read(ctx context.Context, l patchReading, panel int, run *ablate.SeenRun) error {
	cols, row := len(run.IDs), l.first
	opt := probe.LensOptions{TopK: r.fig.Arrays["top_prob"].Shape[3]}
	for range cols {
		opt.Target = append(opt.Target, r.answer)
	}
	total := 0
	for _, l := range r.lenses {
		total += len(r.fig.Tokens.Panels) * len(l.sites)
	}
	seen := probe.LensRun{IDs: run.IDs, Cache: run.Cache, Logits: run.Logits}
	emit := func(read probe.LensRow) error {
		part := r.part(l, panel, row, read)
		if err := r.fig.Apply(part); err != nil {
			return err
		}
		row++
		r.done++
		r.emit.Part(part)
		r.emit.Progress(r.done, total, "rows")
		return ctx.Err()
	}
	if l.suffix != "" {
		_, err := probe.ReadOutputs(ctx, r.m, seen, l.sites, opt, emit)
		return err
	}
	lens, err := probe.ReadLens(ctx, r.m, seen, opt, emit)
	if err == nil {
		r.last = max(r.last, lens.LastRowError)
	}
	return err
}

// part is what one row of a panel adds.
func (r *patchLensRun) part(lens patchReading, panel, row int, l probe.LensRow) viz.Part {
	rows, cols := len(r.sites), len(l.TopIDs)
	at := (panel*rows + row) * cols
	base := r.fig.Arrays["answer"+lens.suffix].Data[(r.into()*rows+row)*cols:]
	prob, change := make([]float64, cols), make([]float64, cols)
	var top1, top []string
	var probs []float32
	for p := range cols {
		labels := tokenLabels(r.m.Tokenizer, l.TopIDs[p])
		top1, top = append(top1, labels[0]), append(top, labels...)
		probs = append(probs, narrow(l.TopProbs[p])...)
		prob[p] = l.TopProbs[p][0]
		if change[p] = l.Values[probe.Probability][p] - float64(base[p]); panel == r.into() || float32(l.Values[probe.Probability][p]) == base[p] {
			change[p] = 0
		}
	}
	k := len(top) / cols
	run := func(name string, values []float64) viz.ArrayRun {
		return viz.ArrayRun{Name: name + lens.suffix, Offset: at, F32: viz.EncodeFloats(narrow(values))}
	}
	return viz.Part{
		Arrays: []viz.ArrayRun{run("prob", prob), run("answer", l.Values[probe.Probability]), run("rank", l.Values[probe.Rank]), run("change", change),
			{Name: "top_prob" + lens.suffix, Offset: at * k, F32: viz.EncodeFloats(probs)}},
		Texts: []viz.TextRun{{Name: "top1" + lens.suffix, Offset: at, Values: top1}, {Name: "top" + lens.suffix, Offset: at * k, Values: top}},
	}
}

// reach reads a shown try under a lens, its cone there, and what changed in it.
func (r *patchLensRun) reach(ctx context.Context, l patchReading, shown int) error {
	run, res := r.runs[shown], r.fig.Tokens.Patch.Results[shown]
	edits, err := r.moved.Edits(ctx, r.tries[res.Try])
	if err != nil {
		return err
	}
	cone, err := ablate.Cone(r.m, edits, len(run.IDs), l.sites)
	if err != nil {
		return err
	}
	n, err := ablate.Outside(run, r.moved.Corrupted, cone, l.sites)
	if err != nil {
		return err
	}
	r.outside += n
	if err := r.read(ctx, l, res.Panel, run); err != nil {
		return err
	}
	reached, changed := []float64{}, []float64{}
	cols := len(run.IDs)
	size, first := len(r.sites)*cols, l.first*cols
	text := r.fig.Texts["top1"+l.suffix].Values
	for i := first; i < size; i++ {
		reached = append(reached, flag(cone[i/cols-l.first][i%cols]))
		changed = append(changed, flag(text[res.Panel*size+i] != text[r.into()*size+i]))
	}
	part := viz.Part{Arrays: []viz.ArrayRun{
		{Name: res.Cone + l.suffix, Offset: first, F32: viz.EncodeFloats(narrow(reached))},
		{Name: res.Changed + l.suffix, Offset: first, F32: viz.EncodeFloats(narrow(changed))},
	}}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

func flag(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
