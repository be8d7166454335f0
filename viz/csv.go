package viz

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// WriteCSV writes the numbers of a figure as RFC 4180 with a header, UTF-8 and
// CRLF, in long form: a row for each cell of a token grid (every metric in a
// column of its own, then the best tokens), each cell of each heatmap panel,
// each point of each line, with a mean's standard error and the ends of its interval,
// the kind of which stands in the column interval, and the numbers that it is over as
// each_1 and so on where the figure keeps them, each point of a scatter (every view and colouring
// in columns of their own, and its places in each path), each bar, and each
// point and hand of a dial; a table is written as it is. Axes give index and
// label. Under a slider the rows of every frame follow one another, the frame
// and its label and value in front; these are empty where the rows are the
// same at every frame. The panels of multiples follow one another, with the
// columns of all of them. A number is the shortest decimal that reads back as
// the same float32; NaN, +Inf and -Inf are written so. A number that is not
// there is empty and the last column, state, says why: "pending" or "blank"
// ("done" where all are there). Labels stand as they are: a spreadsheet may
// take one that begins with "=" for a formula.
func WriteCSV(w io.Writer, f *Figure) error {
	if err := f.Validate(); err != nil {
		return err
	}
	out := csv.NewWriter(w)
	out.UseCRLF = true
	t := f.csvFrames()
	_ = out.Write(t.columns) // the error stays with the writer
	for _, row := range t.rows {
		_ = out.Write(row)
	}
	out.Flush()
	return out.Error()
}

// csvTable collects rows field by field; the last column is the state.
type csvTable struct {
	columns []string
	rows    [][]string
	row     []string
	state   State
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

// optional writes a number of an array that some rows lack.
func (t *csvTable) optional(column bool, a *Array, i int) {
	switch {
	case a != nil:
		t.number(a, i)
	case column:
		t.add("")
	}
}

// errorNames are the columns of a mean's standard error and interval.
func (f *Figure) errorNames() []string {
	if f.Interval == nil {
		return []string{"standard_error"}
	}
	return []string{"standard_error", "interval_95_low", "interval_95_high", "interval"}
}

// errors writes a mean's standard error and interval, which some rows lack.
func (t *csvTable) errors(column bool, f *Figure, values, errors string, i int) {
	if !column {
		return
	}
	e := f.Arrays[errors]
	if e == nil {
		t.add(make([]string, len(f.errorNames()))...)
		return
	}
	t.number(e, i)
	if f.Interval == nil {
		return
	}
	lo, hi, state := f.end(mean{values, errors}, i)
	if state != Done {
		t.add("", "", "")
		return
	}
	for _, v := range [...]float32{lo, hi} {
		t.add(strconv.FormatFloat(float64(v), 'g', -1, 32))
	}
	t.add(f.Interval.String())
}

// end ends the row with its state.
func (t *csvTable) end() {
	t.add([...]string{Pending: "pending", Done: "done", Blank: "blank"}[t.state])
	t.rows = append(t.rows, t.row)
	t.row, t.state = nil, Done
}

// header names the columns, each made unique.
func (t *csvTable) header(names ...string) { t.columns = unique(append(names, "state")) }

func unique(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = n
		for k := 2; slices.Contains(out[:i], out[i]); k++ {
			out[i] = fmt.Sprintf("%s_%d", n, k)
		}
	}
	return out
}

func named(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// csv is the rows of a figure without a slider, or of one frame.
func (f *Figure) csv() *csvTable {
	t := &csvTable{state: Done}
	switch f.Kind {
	case KindTokens:
		f.csvTokens(t)
	case KindHeatmap:
		f.csvHeatmap(t)
	case KindLines:
		f.csvLines(t)
	case KindTable:
		f.csvTable(t)
	case KindScatter:
		f.csvScatter(t)
	case KindBars:
		f.csvBars(t)
	case KindDials:
		f.csvDials(t)
	}
	return t
}

// csvFrames is the rows of all frames.
func (f *Figure) csvFrames() *csvTable {
	if f.Kind == KindMultiples {
		return f.csvMultiples()
	}
	if f.Slider == nil {
		return f.csv()
	}
	frames := make([]*csvTable, len(f.Slider.Labels))
	same := true
	for i := range frames {
		frames[i] = f.frameAt(i).csv()
		same = same && slices.EqualFunc(frames[i].rows, frames[0].rows, slices.Equal[[]string])
	}
	name := named(f.Slider.Name, "frame")
	out := &csvTable{columns: unique(append([]string{name + "_index", name, name + "_value"}, frames[0].columns...))}
	for i, t := range frames {
		front := []string{strconv.Itoa(i), f.Slider.Labels[i], strconv.FormatFloat(float64(f.Arrays[f.Slider.Values].Data[i]), 'g', -1, 32)}
		if same {
			front = []string{"", "", ""}
		}
		for _, row := range t.rows {
			out.rows = append(out.rows, append(slices.Clone(front), row...))
		}
		if same {
			break
		}
	}
	return out
}

// csvMultiples is the rows of all panels under the columns of all of them.
func (f *Figure) csvMultiples() *csvTable {
	out := &csvTable{columns: []string{"item"}}
	tables := make([]*csvTable, len(f.Multiples.Items))
	for i, item := range f.Multiples.Items {
		tables[i] = f.item(item).csvFrames()
		for _, c := range tables[i].columns[:len(tables[i].columns)-1] {
			if !slices.Contains(out.columns[1:], c) {
				out.columns = append(out.columns, c)
			}
		}
	}
	out.columns = append(out.columns, "state")
	for i, t := range tables {
		at := make([]int, len(t.columns))
		for k, c := range t.columns {
			at[k] = 1 + slices.Index(out.columns[1:], c)
		}
		at[len(at)-1] = len(out.columns) - 1
		for _, row := range t.rows {
			full := make([]string, len(out.columns))
			full[0] = f.Multiples.Items[i].Title
			for k, field := range row {
				full[at[k]] = field
			}
			out.rows = append(out.rows, full)
		}
	}
	out.columns = unique(out.columns)
	return out
}

// eachLength is how many numbers a mean is over.
func (f *Figure) eachLength(name string) int {
	a := f.Arrays[name]
	if a == nil {
		return 0
	}
	return a.Shape[len(a.Shape)-1]
}

// eachNames are the columns of the numbers that means are over.
func eachNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("each_%d", i+1)
	}
	return names
}

// each writes the numbers that the mean at a place is over, in n columns.
func (t *csvTable) each(a *Array, at, n int) {
	have := 0
	if a != nil {
		have = a.Shape[len(a.Shape)-1]
	}
	for i := range have {
		t.number(a, at*have+i)
	}
	for range n - have {
		t.add("")
	}
}
