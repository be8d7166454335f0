package viz_test

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/viz"
)

// member is one array of a figure's npz as its bytes, nil where there is none.
func member(t *testing.T, f *viz.Figure, name string) (shape string, data []byte) {
	t.Helper()
	raw := export(t, f, "npz", viz.Options{})
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range z.File {
		if m.Name != name+".npy" {
			continue
		}
		r, err := m.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		_, shape, data = readNPY(t, b)
		return shape, data
	}
	return "", nil
}

// sharesFigure are bars of shares with published intervals (Newcombe 1998, see
// TestIntervals), the last of which is still to come.
func sharesFigure() *viz.Figure {
	share := viz.Values([]float32{15. / 148, 0, 0}, []string{"c"}, 3)
	share.State = []viz.State{viz.Done, viz.Pending, viz.Done}
	return &viz.Figure{Kind: viz.KindBars, Title: "Shares",
		Bars:   &viz.Bars{YScale: "y", Categories: viz.Axis{Name: "c", Labels: []string{"15 of 148", "pending", "0 of 148"}}, Series: []viz.Series{{Name: "s", Y: "share", Errors: "sem"}}},
		Scales: map[string]viz.Scale{"y": {Kind: viz.ScaleLinear, Hi: 1, Format: "%.2f"}},
		Arrays: map[string]*viz.Array{"share": share, "sem": viz.Values([]float32{.02, .02, 0}, []string{"c"}, 3)}, Interval: viz.Wilson(148)}
}

// TestIntervalsAreExported reads the ends of a figure's intervals, and what they are,
// from its table and its archive; a figure without intervals has none of it.
func TestIntervalsAreExported(t *testing.T) {
	f := sharesFigure()
	header, rows := readCSV(t, f)
	if !slices.Contains(header, "interval_95_low") || rows[0]["interval"] != "95 % Wilson score interval, n = 148" || rows[1]["interval"] != "" || rows[1]["interval_95_low"] != "" {
		t.Errorf("header %q, rows %v", header, rows)
	}
	for name, want := range map[string]float64{"interval_95_low": 0.0624, "interval_95_high": 0.1605} {
		shape, data := member(t, f, "share."+name)
		if shape != "3," {
			t.Fatalf("share.%s has the shape %q", name, shape)
		}
		v := math.Float32frombits(binary.LittleEndian.Uint32(data))
		if !(math.Abs(float64(v)-want) <= 5e-5) {
			t.Errorf("share.%s is %g, published as %g", name, v, want)
		}
		if got, err := strconv.ParseFloat(rows[0][name], 32); err != nil || float32(got) != v {
			t.Errorf("%s is %q in the table, %g in the archive", name, rows[0][name], v)
		}
		if missing := math.Float32frombits(binary.LittleEndian.Uint32(data[4:])); missing == missing {
			t.Errorf("share.%s of what is pending is %g", name, missing)
		}
		if _, states := member(t, f, "share."+name+".state"); !bytes.Equal(states, []byte{1, 0, 1}) {
			t.Errorf("states of share.%s: %v", name, states)
		}
	}
	if _, said := member(t, f, "figure.interval"); !strings.Contains(strings.ReplaceAll(string(said), "\x00", ""), "95 % Wilson score interval, n = 148") {
		t.Errorf("figure.interval is %q", said)
	}
	f.Interval = nil
	if header, _ := readCSV(t, f); slices.Contains(header, "interval") {
		t.Errorf("header %q", header)
	}
	for _, name := range []string{"share.interval_95_low", "figure.interval"} {
		if _, data := member(t, f, name); data != nil {
			t.Errorf("%s stands in an archive without intervals", name)
		}
	}
}

// TestIntervalsOfFramesAreExported: under a slider the ends have all frames, also where
// the errors are the same at each, and panels of multiples have theirs.
func TestIntervalsOfFramesAreExported(t *testing.T) {
	f := sampleMultiples()
	var line *viz.Lines
	for _, item := range f.Multiples.Items {
		if item.Lines != nil {
			line = item.Lines
		}
	}
	if line == nil {
		t.Fatal("the sample has no lines")
	}
	of := f.Arrays[line.Series[0].Y]
	sem := viz.NewArray(of.Axes, of.Shape...)
	for i := range sem.Data {
		sem.Set(i, []float32{0.5})
	}
	line.Series[0].Errors, f.Arrays["sem"], f.Interval = "sem", sem, viz.Student(5)
	shape, data := member(t, f, line.Series[0].Y+".interval_95_high")
	if len(data) != 4*len(of.Data) {
		t.Fatalf("%d bytes of shape %s for %d numbers", len(data), shape, len(of.Data))
	}
	for i, v := range of.Data {
		high := math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:]))
		if _, state := of.At(i); state == viz.Done && !(math.Abs(float64(high)-float64(v)-0.5*2.776) <= 1e-3*(1+math.Abs(float64(v)))) {
			t.Errorf("the interval of %g ± 0.5 over 5 ends at %g", v, high)
		}
	}
}
