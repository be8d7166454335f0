package viz

import (
	"fmt"
	"slices"
	"strconv"
)

func (f *Figure) csvTokens(t *csvTable) {
	g := f.Tokens
	row, column := named(g.Rows.Name, "row"), named(g.Columns.Name, "column")
	var names []string
	if len(g.Lenses) > 0 {
		names = append(names, "lens")
	}
	if len(g.Panels) > 0 {
		names = append(names, "panel")
	}
	names = append(names, row+"_index", row, column+"_index", column)
	if len(g.Columns.IDs) > 0 {
		names = append(names, column+"_id")
	}
	names = append(names, "cell")
	for _, m := range g.Metrics {
		names = append(names, m.Name)
	}
	if len(g.Target) > 0 {
		names = append(names, "target")
	}
	k := 0
	if g.TopTokens != "" {
		shape := f.Texts[g.TopTokens].Shape
		k = shape[len(shape)-1]
	}
	for i := range k {
		names = append(names, fmt.Sprintf("top_%d", i+1), fmt.Sprintf("top_%d_value", i+1))
	}
	t.header(names...)
	panels, _ := g.panels()
	lenses := g.Lenses
	if len(lenses) == 0 {
		lenses = []TokenLens{{}}
	}
	for _, l := range lenses {
		read := *f
		read.Tokens = g.under(l)
		for i := range panels {
			read.csvGrid(t, l.Name, i, k)
		}
	}
}

// csvGrid writes the cells of one panel of a token grid, with k best tokens each,
// behind the name of the lens that reads them where there is one.
func (f *Figure) csvGrid(t *csvTable, lens string, panel, k int) {
	g := f.Tokens
	columns, from := f.panel(panel)
	for r, rowLabel := range g.Rows.Labels {
		for c, columnLabel := range columns.Labels {
			at := from + r*len(columns.Labels) + c
			if lens != "" {
				t.add(lens)
			}
			if len(g.Panels) > 0 {
				t.add(g.Panels[panel].Title)
			}
			t.add(strconv.Itoa(r), rowLabel, strconv.Itoa(c), columnLabel)
			if len(g.Columns.IDs) > 0 {
				t.add(strconv.Itoa(columns.IDs[c]))
			}
			t.add(f.Texts[g.Cell].Values[at])
			for _, m := range g.Metrics {
				t.number(f.Arrays[m.Values], at)
			}
			if len(g.Target) > 0 {
				t.add(g.Target[c])
			}
			for i := range k {
				t.add(f.Texts[g.TopTokens].Values[at*k+i])
				t.number(f.Arrays[g.TopValues], at*k+i)
			}
			t.end()
		}
	}
}

func (f *Figure) csvHeatmap(t *csvTable) {
	first := f.Heatmap.Panels[0]
	row, column := named(first.Rows.Name, "row"), named(first.Columns.Name, "column")
	errors := false
	for _, p := range f.Heatmap.Panels {
		if p.Rows.Name != first.Rows.Name {
			row = "row"
		}
		if p.Columns.Name != first.Columns.Name {
			column = "column"
		}
		errors = errors || p.Errors != ""
	}
	names := []string{"panel", row + "_index", row, column + "_index", column, "value"}
	if errors {
		names = append(names, f.errorNames()...)
	}
	each := 0
	for _, p := range f.Heatmap.Panels {
		each = max(each, f.eachLength(p.Each))
	}
	t.header(append(names, eachNames(each)...)...)
	for _, p := range f.Heatmap.Panels {
		for r, rowLabel := range p.Rows.Labels {
			for c, columnLabel := range p.Columns.Labels {
				at := r*len(p.Columns.Labels) + c
				t.add(p.Title, strconv.Itoa(r), rowLabel, strconv.Itoa(c), columnLabel)
				t.number(f.Arrays[p.Values], at)
				t.errors(errors, f, p.Values, p.Errors, at)
				t.each(f.Arrays[p.Each], at, each)
				t.end()
			}
		}
	}
}

func (f *Figure) csvLines(t *csvTable) {
	l := f.Lines
	errors := false
	for _, s := range l.Series {
		errors = errors || s.Errors != ""
	}
	names := []string{"series", "control", "x"}
	if len(l.XLabels) > 0 {
		names = append(names, "x_label")
	}
	names = append(names, "y")
	if errors {
		names = append(names, f.errorNames()...)
	}
	each := 0
	for _, s := range l.Series {
		each = max(each, f.eachLength(s.Each))
	}
	t.header(append(names, eachNames(each)...)...)
	for _, s := range l.Series {
		for i := range f.Arrays[l.X].Data {
			t.add(s.Name, strconv.FormatBool(s.Control))
			t.number(f.Arrays[l.X], i)
			if len(l.XLabels) > 0 {
				t.add(l.XLabels[i])
			}
			t.number(f.Arrays[s.Y], i)
			t.errors(errors, f, s.Y, s.Errors, i)
			t.each(f.Arrays[s.Each], i, each)
			t.end()
		}
	}
}

func (f *Figure) csvTable(t *csvTable) {
	names := make([]string, len(f.Table.Columns))
	for i, c := range f.Table.Columns {
		names[i] = c.Name
		if c.Unit != "" {
			names[i] += " [" + c.Unit + "]"
		}
	}
	t.header(names...)
	for r := range f.Table.Rows {
		for _, c := range f.Table.Columns {
			if c.Text != "" {
				t.add(f.Texts[c.Text].Values[r])
				continue
			}
			t.number(f.Arrays[c.Values], r)
		}
		t.end()
	}
}

func (f *Figure) csvScatter(t *csvTable) {
	s := f.Scatter
	names := []string{"index"}
	if s.Labels != "" {
		names = append(names, "label")
	}
	if s.Backdrop != "" {
		names = append(names, "backdrop")
	}
	for _, v := range s.Views {
		for k := range v.coordinates() {
			names = append(names, v.Name+"_"+[...]string{"x", "y", "z"}[k])
		}
	}
	for _, c := range s.Colours {
		names = append(names, c.Name)
	}
	places := make([]map[int]string, len(s.Paths))
	for i, p := range s.Paths {
		names = append(names, "path_"+p.Name)
		places[i] = f.pathPlaces(p)
	}
	t.header(names...)
	for i := range f.Arrays[s.Views[0].X.Values].Data {
		t.add(strconv.Itoa(i))
		if s.Labels != "" {
			t.add(f.Texts[s.Labels].Values[i])
		}
		if s.Backdrop != "" {
			t.number(f.Arrays[s.Backdrop], i)
		}
		for _, v := range s.Views {
			for _, c := range v.coordinates() {
				t.number(f.Arrays[c.Values], i)
			}
		}
		for _, c := range s.Colours {
			t.number(f.Arrays[c.Values], i)
		}
		for _, p := range places {
			t.add(p[i])
		}
		t.end()
	}
}

// pathPlaces says of each point at which places of a path it stands, from 0,
// with spaces between several.
func (f *Figure) pathPlaces(p Path) map[int]string {
	out := map[int]string{}
	order := f.Arrays[p.Order]
	for k := range order.Data {
		if v, state := order.At(k); state == Done {
			if before := out[int(v)]; before != "" {
				out[int(v)] = before + " "
			}
			out[int(v)] += strconv.Itoa(k)
		}
	}
	return out
}

func (f *Figure) csvBars(t *csvTable) {
	b := f.Bars
	errors := false
	for _, s := range b.Series {
		errors = errors || s.Errors != ""
	}
	category := named(b.Categories.Name, "category")
	names := []string{"series", "control", category + "_index", category}
	if len(b.Categories.IDs) > 0 {
		names = append(names, category+"_id")
	}
	names = append(names, "marked", "y")
	if errors {
		names = append(names, f.errorNames()...)
	}
	each := 0
	for _, s := range b.Series {
		each = max(each, f.eachLength(s.Each))
	}
	t.header(append(names, eachNames(each)...)...)
	for _, s := range b.Series {
		for i, label := range b.Categories.Labels {
			t.add(s.Name, strconv.FormatBool(s.Control), strconv.Itoa(i), label)
			if len(b.Categories.IDs) > 0 {
				t.add(strconv.Itoa(b.Categories.IDs[i]))
			}
			t.add(strconv.FormatBool(slices.Contains(b.Marks, i)))
			t.number(f.Arrays[s.Y], i)
			t.errors(errors, f, s.Y, s.Errors, i)
			t.each(f.Arrays[s.Each], i, each)
			t.end()
		}
	}
}

func (f *Figure) csvDials(t *csvTable) {
	coloured := false
	for _, d := range f.Dials.Items {
		coloured = coloured || d.Colour != ""
	}
	names := []string{"dial", "period", "hand", "index", "label", "x", "y"}
	if coloured {
		names = append(names, "colour")
	}
	t.header(names...)
	for _, d := range f.Dials.Items {
		period := strconv.FormatFloat(d.Period, 'g', -1, 64)
		for i := range f.Arrays[d.X].Data {
			label := ""
			if d.Labels != "" {
				label = f.Texts[d.Labels].Values[i]
			}
			t.add(d.Title, period, "", strconv.Itoa(i), label)
			t.number(f.Arrays[d.X], i)
			t.number(f.Arrays[d.Y], i)
			t.optional(coloured, f.Arrays[d.Colour], i)
			t.end()
		}
		for _, h := range d.Hands {
			t.add(d.Title, period, named(string(h.Role), "hand"), "", h.Name)
			t.number(f.Arrays[h.X], 0)
			t.number(f.Arrays[h.Y], 0)
			t.optional(coloured, nil, 0)
			t.end()
		}
	}
}
