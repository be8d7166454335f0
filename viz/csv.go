package viz

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
)

// WriteCSV writes the numbers of a figure as RFC 4180 with a header, UTF-8 and
// CRLF, in long form: a row for each cell of a token grid (every metric in a
// column of its own, then the best tokens), each cell of each heatmap panel,
// and each point of each line; a table is written as it is. Axes give index
// and label. A number is the shortest decimal that reads back as the same
// float32; NaN, +Inf and -Inf are written so. A number that is not there is
// empty and the last column, state, says why: "pending" or "blank" ("done"
// where all are there). Labels stand as they are: a spreadsheet may take one
// that begins with "=" for a formula.
func WriteCSV(w io.Writer, f *Figure) error {
	if err := f.Validate(); err != nil {
		return err
	}
	t := &csvTable{w: csv.NewWriter(w)}
	t.w.UseCRLF = true
	switch f.Kind {
	case KindTokens:
		f.csvTokens(t)
	case KindHeatmap:
		f.csvHeatmap(t)
	case KindLines:
		f.csvLines(t)
	case KindTable:
		f.csvTable(t)
	}
	t.w.Flush()
	return t.w.Error()
}

// csvTable collects a row field by field; the writer keeps its first error.
type csvTable struct {
	w     *csv.Writer
	row   []string
	state State
}

func (t *csvTable) add(fields ...string) { t.row = append(t.row, fields...) }

func (t *csvTable) number(a *Array, i int) {
	v, state := a.At(i)
	if state != Done {
		// Pending outranks Blank: it says that more is to come.
		if t.state == Done || state == Pending {
			t.state = state
		}
		t.add("")
		return
	}
	t.add(strconv.FormatFloat(float64(v), 'g', -1, 32))
}

// end writes the row with its state.
func (t *csvTable) end() {
	t.add([...]string{Pending: "pending", Done: "done", Blank: "blank"}[t.state])
	_ = t.w.Write(t.row) // the error stays with the writer
	t.row, t.state = t.row[:0], Done
}

// header writes the names of the columns, each made unique.
func (t *csvTable) header(names ...string) {
	seen := map[string]bool{}
	for _, n := range append(names, "state") {
		name := n
		for k := 2; seen[name]; k++ {
			name = fmt.Sprintf("%s_%d", n, k)
		}
		seen[name] = true
		t.row = append(t.row, name)
	}
	_ = t.w.Write(t.row) // the error stays with the writer
	t.row, t.state = t.row[:0], Done
}

func named(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

func (f *Figure) csvTokens(t *csvTable) {
	g := f.Tokens
	row, column := named(g.Rows.Name, "row"), named(g.Columns.Name, "column")
	names := []string{row + "_index", row, column + "_index", column}
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
		k = f.Texts[g.TopTokens].Shape[2]
	}
	for i := range k {
		names = append(names, fmt.Sprintf("top_%d", i+1), fmt.Sprintf("top_%d_value", i+1))
	}
	t.header(names...)
	for r, rowLabel := range g.Rows.Labels {
		for c, columnLabel := range g.Columns.Labels {
			at := r*len(g.Columns.Labels) + c
			t.add(strconv.Itoa(r), rowLabel, strconv.Itoa(c), columnLabel)
			if len(g.Columns.IDs) > 0 {
				t.add(strconv.Itoa(g.Columns.IDs[c]))
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
		names = append(names, "standard_error")
	}
	t.header(names...)
	for _, p := range f.Heatmap.Panels {
		for r, rowLabel := range p.Rows.Labels {
			for c, columnLabel := range p.Columns.Labels {
				at := r*len(p.Columns.Labels) + c
				t.add(p.Title, strconv.Itoa(r), rowLabel, strconv.Itoa(c), columnLabel)
				t.number(f.Arrays[p.Values], at)
				t.optional(errors, f.Arrays[p.Errors], at)
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
		names = append(names, "standard_error")
	}
	t.header(names...)
	for _, s := range l.Series {
		for i := range f.Arrays[l.X].Data {
			t.add(s.Name, strconv.FormatBool(s.Control))
			t.number(f.Arrays[l.X], i)
			if len(l.XLabels) > 0 {
				t.add(l.XLabels[i])
			}
			t.number(f.Arrays[s.Y], i)
			t.optional(errors, f.Arrays[s.Errors], i)
			t.end()
		}
	}
}

// optional writes a number of an array that some rows lack.
func (t *csvTable) optional(column bool, a *Array, i int) {
	switch {
	case a != nil:
		t.number(a, i)
	case column:
		t.add("")
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
