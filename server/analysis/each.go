package analysis

import (
	"orrery/viz"
)

// eachLimit bounds the numbers of single pairs that a figure keeps: 2 MB, which
// a page takes in at once. A figure of more keeps means and errors only.
const eachLimit = 1 << 19

// each is the name of the array of the numbers that an array's means are over.
func each(name string) string { return name + "_each" }

// seriesOf are a figure's lines or bars.
func seriesOf(f *viz.Figure) []viz.Series {
	switch {
	case f.Lines != nil:
		return f.Lines.Series
	case f.Bars != nil:
		return f.Bars.Series
	}
	return nil
}

// keepEach gives every panel, line or bar with standard errors an array for the
// numbers of its pairs or prompts, as long as they are not too many. count says
// how many an array's means are over.
func keepEach(f *viz.Figure, count func(array string) int) {
	type place struct {
		values string
		into   *string
	}
	var places []place
	if f.Heatmap != nil {
		for i := range f.Heatmap.Panels {
			if p := &f.Heatmap.Panels[i]; p.Errors != "" {
				places = append(places, place{p.Values, &p.Each})
			}
		}
	}
	series := seriesOf(f)
	for i := range series {
		if s := &series[i]; s.Errors != "" {
			places = append(places, place{s.Y, &s.Each})
		}
	}
	total := 0
	for _, p := range places {
		total += count(p.values) * len(f.Arrays[p.values].Data)
	}
	if total > eachLimit {
		return
	}
	for _, p := range places {
		of, n := f.Arrays[p.values], count(p.values)
		a := viz.NewArray(append(append([]string(nil), of.Axes...), "pair"), append(append([]int(nil), of.Shape...), n)...)
		for i, state := range of.State {
			if state != viz.Blank {
				continue
			}
			for k := range n {
				a.State[i*n+k] = viz.Blank
			}
		}
		*p.into = each(p.values)
		f.Arrays[*p.into] = a
	}
}

// always counts n for every array.
func always(n int) func(string) int { return func(string) int { return n } }

// runOf is one cell's part of a figure: its mean, its standard error, and what
// the mean is over, of those that the figure has arrays for.
func runOf(f *viz.Figure, name string, offset int, mean, sem float64, values []float64) []viz.ArrayRun {
	runs := []viz.ArrayRun{{Name: name, Offset: offset, F32: viz.EncodeFloats([]float32{float32(mean)})}}
	if f.Arrays[name+"_sem"] != nil {
		runs = append(runs, viz.ArrayRun{Name: name + "_sem", Offset: offset, F32: viz.EncodeFloats([]float32{float32(sem)})})
	}
	if f.Arrays[each(name)] != nil {
		runs = append(runs, viz.ArrayRun{Name: each(name), Offset: offset * len(values), F32: viz.EncodeFloats(narrow(values))})
	}
	return runs
}

// addCell adds a cell to a figure whose colours are the scale "effect", and
// stretches that to hold it.
func addCell(f *viz.Figure, emit Emit, name string, offset int, mean, sem float64, values []float64) error {
	part := viz.Part{Arrays: runOf(f, name, offset, mean, sem, values)}
	if s := grow(f.Scales["effect"], []float64{mean}); s != f.Scales["effect"] {
		part.Scales = map[string]viz.Scale{"effect": s}
	}
	if err := f.Apply(part); err != nil {
		return err
	}
	emit.Part(part)
	return nil
}

// differences are values against a base, pair by pair.
func differences(values, base []float64) []float64 {
	out := make([]float64, len(values))
	for i := range out {
		out[i] = values[i] - base[i]
	}
	return out
}
