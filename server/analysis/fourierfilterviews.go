package analysis

import (
	"fmt"
	"slices"
	"strings"

	"orrery/probe"
	"orrery/viz"
)

// filterKinds are the kinds of error; those with a short name are columns of the
// table, too.
var filterKinds = []struct {
	name, short string
	of          func(*probe.NumberErrors) float64
	// chance is the share of wrong answers where they are any number, 0 for none
	// to name.
	chance float64
}{
	{"even", "even", func(e *probe.NumberErrors) float64 { return e.MultipleOf[2] }, 0.5},
	{"× 5", "", func(e *probe.NumberErrors) float64 { return e.MultipleOf[5] }, 0.2},
	{"× 10, units kept", "× 10", func(e *probe.NumberErrors) float64 { return e.MultipleOf[10] }, 0.1},
	{"× 50", "", func(e *probe.NumberErrors) float64 { return e.MultipleOf[50] }, 0.02},
	{"within 2", "", func(e *probe.NumberErrors) float64 { return nearShare(e, e.Within2) }, 0},
	{"within 10", "± 10", func(e *probe.NumberErrors) float64 { return nearShare(e, e.Within10) }, 0},
}

// nearShare is the share of wrong answers that are near, from that of all.
func nearShare(e *probe.NumberErrors, within float64) float64 {
	if wrong := e.Wrong + e.Unread; wrong > 0 {
		return (within - e.Accuracy) * float64(e.N) / float64(wrong)
	}
	return 0
}

// curveSeries are the lines of the curve, in the order of a cut's conditions.
var curveSeries = []viz.Series{
	{Name: "low-pass", Y: "low"}, {Name: "low-pass, shuffled numbers", Y: "low_shuffled", Control: true},
	{Name: "high-pass", Y: "high"}, {Name: "high-pass, shuffled numbers", Y: "high_shuffled", Control: true},
}

// begin shows the empty figure: the curve, what is left, the kinds of error, the
// table.
func (r *filterRun) begin() {
	n, rows := len(r.cuts), len(r.table)
	x := make([]float32, n)
	for i, k := range r.cuts {
		x[i] = float32(k)
	}
	f := &viz.Figure{
		Kind: viz.KindMultiples, Title: "Fourier filters",
		Subtitle: fmt.Sprintf("outputs of %s at %s, waves projected out by P = 1 − M⁺M · cut at period %g · %s · %s · n = %d prompts",
			r.where(), map[string]string{"last": "the last token", "all": "all tokens"}[r.a["positions"].(string)],
			r.a["period"].(float64), r.space.what(), readoutName(r.a["gain"].(bool), r.m), len(r.set.Prompts)),
		Arrays: map[string]*viz.Array{"cut": viz.Values(x, []string{"cut"}, n), "plain": viz.NewArray([]string{"cut"}, n)},
		Texts:  map[string]*viz.Text{"filter": viz.NewText(rows)},
		Scales: map[string]viz.Scale{
			"cut":      {Kind: viz.ScaleLinear, Lo: 1, Hi: float64(r.cuts[n-1]), Label: fmt.Sprintf("cut at frequency k, period %d/k", r.space.basis.Over), Format: "%.0f"},
			"accuracy": {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "accuracy", Format: "%.2f"},
			"left":     {Kind: viz.ScaleLinear, Lo: 0, Hi: float64(r.m.Config.Width), Label: fmt.Sprintf("dimensions left of %d", r.m.Config.Width), Format: "%.0f"},
			"share":    {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "share of wrong answers", Format: "%.2f"},
		},
	}
	for _, name := range []string{"low_left", "high_left"} {
		f.Arrays[name] = viz.NewArray([]string{"cut"}, n)
	}
	for _, s := range curveSeries {
		f.Arrays[s.Y] = viz.NewArray([]string{"cut"}, n)
	}
	for i, c := range r.curve {
		s := i % len(curveSeries)
		if c.filter == nil {
			f.Arrays[curveSeries[s].Y].State[i/len(curveSeries)] = viz.Blank
		}
		if left := []string{"low_left", "", "high_left", ""}[s]; left != "" {
			f.Arrays[left].Set(i/len(curveSeries), []float32{float32(remaining(c))})
		}
	}
	f.Multiples = &viz.Multiples{Columns: 2, Items: []viz.Item{
		{Title: "Accuracy by cut", Subtitle: "control: the same waves over shuffled numbers", Kind: viz.KindLines, Lines: &viz.Lines{
			X: "cut", XScale: "cut", YScale: "accuracy", Series: append(slices.Clone(curveSeries), viz.Series{Name: "no filter", Y: "plain", Control: true}),
		}},
		{Title: "What a filter leaves", Subtitle: "one that leaves nothing is refused", Kind: viz.KindLines, Lines: &viz.Lines{
			X: "cut", XScale: "cut", YScale: "left", Series: []viz.Series{{Name: "low-pass", Y: "low_left"}, {Name: "high-pass", Y: "high_left"}},
		}},
		r.kindsItem(f), r.tableItem(f),
	}}
	f.Provenance = provenance(r.m, "fourier_filter", 1, r.a, idsOf(r.set.Prompts)...)
	r.from.describe(f)
	r.fig = f
	r.emit.Figure(f)
	r.emit.Progress(0, r.total(), "filters")
}

// remaining is the dimension that a condition leaves, 0 when it was refused.
func remaining(c *condition) int {
	if c.filter == nil {
		return 0
	}
	return c.filter.Remaining
}

// total is how many conditions are run, the one without a filter included.
func (r *filterRun) total() int {
	n := 1
	for _, c := range slices.Concat(r.table, r.curve) {
		if c.filter != nil {
			n++
		}
	}
	return n
}

// kindsItem is the kinds of error of the conditions on all components, beside
// those by chance.
func (r *filterRun) kindsItem(f *viz.Figure) viz.Item {
	b := &viz.Bars{YScale: "share", Categories: viz.Axis{Name: "error"}}
	chance := viz.NewArray([]string{"kind"}, len(filterKinds))
	for i, k := range filterKinds {
		b.Categories.Labels = append(b.Categories.Labels, k.name)
		if k.chance > 0 {
			chance.Set(i, []float32{float32(k.chance)})
		} else {
			chance.State[i] = viz.Blank
		}
	}
	f.Arrays["chance"] = chance
	for i, c := range r.table {
		if !c.bars {
			continue
		}
		name := kindsArray(i)
		f.Arrays[name] = viz.NewArray([]string{"kind"}, len(filterKinds))
		if c.filter == nil {
			blank(f.Arrays[name])
		}
		b.Series = append(b.Series, viz.Series{Name: c.name, Y: name})
	}
	b.Series = append(b.Series, viz.Series{Name: "any wrong number, by chance", Y: "chance", Control: true})
	return viz.Item{Title: "Kinds of error", Subtitle: "of the wrong answers", Kind: viz.KindBars, Bars: b}
}

func kindsArray(row int) string { return fmt.Sprintf("kinds%d", row) }

func blank(a *viz.Array) {
	for i := range a.State {
		a.State[i] = viz.Blank
	}
}

// tableItem is all conditions at the chosen period with their numbers.
func (r *filterRun) tableItem(f *viz.Figure) viz.Item {
	t := &viz.Table{Rows: len(r.table), Columns: []viz.Column{{Name: "filter", Text: "filter"}}}
	for _, c := range []viz.Column{
		{Name: "left", Values: "left", Format: "%.0f"}, {Name: "right", Values: "accuracy", Format: "%.3f"},
		{Name: "|error|", Values: "size", Format: "%.1f"},
	} {
		f.Arrays[c.Values] = viz.NewArray([]string{"filter"}, len(r.table))
		t.Columns = append(t.Columns, c)
	}
	for _, k := range filterKinds {
		if k.short != "" {
			f.Arrays[k.short] = viz.NewArray([]string{"filter"}, len(r.table))
			t.Columns = append(t.Columns, viz.Column{Name: k.short, Values: k.short, Format: "%.2f"})
		}
	}
	for i, c := range r.table {
		f.Texts["filter"].Values[i] = c.name
		f.Arrays["left"].Set(i, []float32{float32(remaining(c))})
		if c.filter == nil {
			f.Texts["filter"].Values[i] += " (refused)"
			for _, column := range t.Columns[2:] {
				f.Arrays[column.Values].State[i] = viz.Blank
			}
		}
	}
	return viz.Item{Title: fmt.Sprintf("At period %g", r.a["period"].(float64)), Subtitle: "dimensions left, share right, mean size and kinds of error", Kind: viz.KindTable, Table: t}
}

// apply adds numbers to the figure.
func (r *filterRun) apply(runs ...viz.ArrayRun) error {
	part := viz.Part{Arrays: runs}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done++
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total(), "filters")
	return nil
}

func one(name string, offset int, v float64) viz.ArrayRun {
	return viz.ArrayRun{Name: name, Offset: offset, F32: viz.EncodeFloats([]float32{float32(v)})}
}

// showPlain draws the accuracy without filters.
func (r *filterRun) showPlain(accuracy float64) error {
	flat := make([]float32, len(r.cuts))
	for i := range flat {
		flat[i] = float32(accuracy)
	}
	r.fig.Caption = fmt.Sprintf("Without a filter %.1f %% of the answers are right.", 100*accuracy)
	return r.apply(viz.ArrayRun{Name: "plain", F32: viz.EncodeFloats(flat)})
}

// showPoint draws one point of the curve.
func (r *filterRun) showPoint(at int, accuracy float64) error {
	return r.apply(one(curveSeries[at%len(curveSeries)].Y, at/len(curveSeries), accuracy))
}

// showRow fills one row of the table, and its bars. Shares of no wrong answers are
// left blank.
func (r *filterRun) showRow(row int, e *probe.NumberErrors) error {
	c := r.table[row]
	runs := []viz.ArrayRun{one("accuracy", row, e.Accuracy)}
	if e.Wrong == 0 {
		for _, name := range r.shareArrays() {
			r.fig.Arrays[name].State[row] = viz.Blank
		}
		if c.bars {
			blank(r.fig.Arrays[kindsArray(row)])
		}
	} else {
		runs = append(runs, one("size", row, e.MeanSize))
		for i, k := range filterKinds {
			v := k.of(e)
			if k.short != "" {
				runs = append(runs, one(k.short, row, v))
			}
			if c.bars {
				runs = append(runs, one(kindsArray(row), i, v))
			}
		}
	}
	if c.bars {
		text := fmt.Sprintf(" %s at period %g leaves %d of %d dimensions and %.1f %% right", upperFirst(c.name), r.a["period"].(float64), c.filter.Remaining, r.m.Config.Width, 100*e.Accuracy)
		if e.Wrong > 0 {
			text += fmt.Sprintf("; of the errors %.0f %% keep the units, %.0f %% the parity, and they are %.1f large on average", 100*e.MultipleOf[10], 100*e.MultipleOf[2], e.MeanSize)
		}
		r.fig.Caption += text + "."
	} else if c.control {
		r.fig.Caption = strings.TrimSuffix(r.fig.Caption, ".") + fmt.Sprintf(" (shuffled numbers: %.1f %% right).", 100*e.Accuracy)
	}
	return r.apply(runs...)
}

// shareArrays are the columns of shares among wrong answers.
func (r *filterRun) shareArrays() []string {
	names := []string{"size"}
	for _, k := range filterKinds {
		if k.short != "" {
			names = append(names, k.short)
		}
	}
	return names
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
