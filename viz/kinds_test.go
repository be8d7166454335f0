package viz_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/viz"
)

// TestValidateKinds spoils each new kind in one way and reads the error.
func TestValidateKinds(t *testing.T) {
	set := func(f *viz.Figure, name string, fn func(s *viz.Scale)) {
		s := f.Scales[name]
		fn(&s)
		f.Scales[name] = s
	}
	for _, c := range []struct {
		name   string
		figure *viz.Figure
		spoil  func(f *viz.Figure)
		want   string
	}{
		{"no view", sampleHelix(), func(f *viz.Figure) { f.Scatter.Views = nil }, "a scatter needs a view"},
		{"x that is not there", sampleHelix(), func(f *viz.Figure) { f.Scatter.Views[0].X.Values = "no" }, `view "helix": x "no" must name an array`},
		{"y that is not there", sampleHelix(), func(f *viz.Figure) { f.Scatter.Views[1].Y.Values = "no" }, `view "plane": y: no array "no"`},
		{"z of another length", sampleHelix(), func(f *viz.Figure) {
			f.Arrays["z"] = viz.NewArray(nil, 99)
			f.Scatter.Views[0].Z.Values = "z"
		}, `view "helix": z: array "z" has shape [99], its axes need [100]`},
		{"z without values", sampleHelix(), func(f *viz.Figure) { f.Scatter.Views[0].Z.Values = "" }, `view "helix": z: no array ""`},
		{"coordinate on colours", sampleHelix(), func(f *viz.Figure) { f.Scatter.Views[0].X.Scale = "digit" }, `an axis needs linear or log`},
		{"two views of one name", sampleHelix(), func(f *viz.Figure) { f.Scatter.Views[1].Name = "helix" }, `view name "helix" is empty or used twice`},
		{"shown view", sampleHelix(), func(f *viz.Figure) { f.Scatter.Show = "pca" }, `show "pca" is not a view (views are ["helix" "plane"])`},
		{"colour without a scale", sampleHelix(), func(f *viz.Figure) { f.Scatter.Colours[1].Scale = "" }, `colour "value": no scale ""`},
		{"a category and a half", sampleHelix(), func(f *viz.Figure) { f.Arrays["digit"].Data[7] = 3.5 }, `array "digit" holds 3.5 at 7, the category scale "digit" takes whole numbers`},
		{"labels too few", sampleHelix(), func(f *viz.Figure) { f.Texts["name"] = viz.NewText(3) }, `labels: text "name" has shape [3]`},
		{"path beyond the points", sampleHelix(), func(f *viz.Figure) { f.Arrays["order"].Data[4] = 100 }, `path 0 "in order": array "order" holds 100 at 4, it must hold whole numbers from 0 to 99`},
		{"path through no number", sampleHelix(), func(f *viz.Figure) { f.Arrays["order"].Data[4] = nan }, `holds NaN at 4`},
		{"path of no array", sampleHelix(), func(f *viz.Figure) { f.Scatter.Paths[0].Order = "no" }, `order "no" must name an array of rank 1`},
		{"turned too far", sampleHelix(), func(f *viz.Figure) { f.Scatter.Turn[1] = 91 }, `turn [30 91]`},
		{"turned nowhere", sampleHelix(), func(f *viz.Figure) { f.Scatter.Turn[0] = math.NaN() }, `turn [NaN 20]`},
		{"half a backdrop", samplePlane(), func(f *viz.Figure) { f.Arrays["published"].Data[0] = 0.5 }, `backdrop: array "published" holds 0.5 at 0`},
		{"names of categories", samplePlane(), func(f *viz.Figure) { f.Texts["kinds"] = viz.NewText(3) }, `scale "kind": names: text "kinds" has shape [3], its axes need [2]`},
		{"names of numbers", samplePlane(), func(f *viz.Figure) { set(f, "kind", func(s *viz.Scale) { s.Kind = viz.ScaleSequential }) }, `names "kinds" are for category scales, this one is sequential`},
		{"broken category", samplePlane(), func(f *viz.Figure) { set(f, "kind", func(s *viz.Scale) { s.Hi = 1.5 }) }, `category limits 0 to 1.5 must be whole numbers`},
		{"too many categories", samplePlane(), func(f *viz.Figure) { set(f, "kind", func(s *viz.Scale) { s.Hi = 500 }) }, `501 categories, 128 at most`},
		{"cyclic of nothing", sampleHelix(), func(f *viz.Figure) { set(f, "phase", func(s *viz.Scale) { s.Hi = 0 }) }, `cyclic scale needs a turn above 0`},
		{"no categories", sampleBars(), func(f *viz.Figure) { f.Bars.Categories.Labels = nil }, `categories "component" has no labels`},
		{"no series", sampleBars(), func(f *viz.Figure) { f.Bars.Series = nil }, `bars need a series`},
		{"bars of another length", sampleBars(), func(f *viz.Figure) { f.Arrays["control"] = viz.NewArray(nil, 12) }, `series 1 "random token": array "control" has shape [12], its axes need [11]`},
		{"errors of another length", sampleBars(), func(f *viz.Figure) { f.Arrays["se"] = viz.NewArray(nil, 12) }, `series 0 "answer": array "se" has shape [12]`},
		{"mark beyond", sampleBars(), func(f *viz.Figure) { f.Bars.Marks = []int{11} }, `mark 11 is not a category of 11`},
		{"mark twice", sampleBars(), func(f *viz.Figure) { f.Bars.Marks = []int{3, 3} }, `mark 3 is not a category of 11, or marked twice`},
		{"no dials", sampleDials(), func(f *viz.Figure) { f.Dials.Items = nil }, `dials need an item`},
		{"period 0", sampleDials(), func(f *viz.Figure) { f.Dials.Items[2].Period = 0 }, `dial 2 "T = 2": period 0 must be a number above 0`},
		{"period of no number", sampleDials(), func(f *viz.Figure) { f.Dials.Items[2].Period = math.NaN() }, `period NaN`},
		{"sine of another length", sampleDials(), func(f *viz.Figure) { f.Arrays["T5_sin"] = viz.NewArray(nil, 9) }, `dial 1 "T = 5": y: array "T5_sin" has shape [9]`},
		{"colour alone", sampleDials(), func(f *viz.Figure) { f.Dials.Items[0].Scale = "" }, `dial 0 "T = 10": colour: no scale ""`},
		{"two tips of a hand", sampleDials(), func(f *viz.Figure) { f.Arrays["T10_34_cos"] = viz.NewArray(nil, 2) }, `hand 0 "34": array "T10_34_cos" has shape [2], its axes need [1]`},
		{"no columns", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Columns = 0 }, `0 columns of multiples; 1 to 12 are possible`},
		{"no items", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Items = nil }, `multiples need an item`},
		{"panels in panels", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Items[0] = viz.Item{Title: "in", Kind: viz.KindMultiples} }, `item 0 "in": kind is "multiples", but field "multiples" is set: false`},
		{"item of two kinds", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Items[0].Table = &viz.Table{} }, `item 0 "Loss": kind is "lines", but field "table" is set: true`},
		{"fault in an item", sampleMultiples(), func(f *viz.Figure) { f.Multiples.Items[3].Heatmap.Scale = "no" }, `item 3 "k = 4 · neuron 211": no scale "no"`},
		{"frame beyond", sampleMultiples(), func(f *viz.Figure) { f.Slider.Show = 10 }, `slider "checkpoint": show 10 is not a frame of 10`},
		{"no frames", sampleMultiples(), func(f *viz.Figure) { f.Slider.Labels = nil }, `slider "checkpoint" has no frames`},
		{"steps that go back", sampleMultiples(), func(f *viz.Figure) { f.Arrays["step"].Data[4] = 200 }, `must hold finite numbers in ascending order, not 200 at 4`},
		{"frames that do not fit", sampleMultiples(), func(f *viz.Figure) { f.Arrays["cos"] = viz.NewArray(nil, 9, 13) }, `array "cos" has shape [9 13], its first dimension must be the 10 frames`},
		{"frames of nothing", sampleMultiples(), func(f *viz.Figure) { f.Slider.Arrays = append(f.Slider.Arrays, "test") }, `array "test" has shape [10], it needs [10, ...]`},
		{"frames of what is not there", sampleMultiples(), func(f *viz.Figure) { f.Slider.Arrays = append(f.Slider.Arrays, "no") }, `no array "no"`},
		{"frames twice", sampleMultiples(), func(f *viz.Figure) { f.Slider.Arrays = append(f.Slider.Arrays, "cos") }, `array "cos" is named twice`},
		{"text that is not there", sampleMultiples(), func(f *viz.Figure) { f.Slider.Texts = []string{"no"} }, `no text "no"`},
		{"text of other frames", sampleMultiples(), func(f *viz.Figure) { f.Slider.Texts = []string{"number"} }, `text "number" has shape [13]`},
		{"band turned round", sampleMultiples(), func(f *viz.Figure) { f.Slider.Bands[0].To = 1 }, `band "circuit formation" from 1000 to 1`},
		{"rule without a slider", sampleLines(), func(f *viz.Figure) { f.Lines.Rule = true }, `a rule needs a slider, there is none`},
		{"rule of other frames", sampleMultiples(), func(f *viz.Figure) {
			f.Arrays["x"] = viz.NewArray(nil, 4)
			f.Multiples.Items[0].Lines.X = "x"
		}, `a rule needs a point a frame: 4 x values for 10 frames`},
		{"rule on another axis", sampleMultiples(), func(f *viz.Figure) {
			f.Arrays["x"] = column("x", 10, func(i int) float64 { return float64(i) })
			f.Multiples.Items[0].Lines.X = "x"
		}, `with a rule x is the slider's axis: array "x" holds 0 at 0, "step" holds 1`},
		{"slice of another shape", sampleMultiples(), func(f *viz.Figure) { f.Arrays["norm"] = viz.NewArray(nil, 10, 7) }, `item 1 "Spectrum": series 0 "norm": array "norm" has shape [7], its axes need [6]`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.spoil(c.figure)
			if err := c.figure.Validate(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestSampled finds each kind among the samples, which most tests walk.
func TestSampled(t *testing.T) {
	seen := map[viz.Kind]bool{}
	for _, f := range samples() {
		seen[f.Kind] = true
	}
	for _, k := range viz.Kinds {
		if !seen[k] {
			t.Errorf("no sample of kind %q", k)
		}
	}
}

func TestCSVScatter(t *testing.T) {
	f := oddHelix()
	header, rows := readCSV(t, f)
	if want := strings.Fields("index label helix_x helix_y helix_z plane_x plane_y digit value phase path_in state"); !slices.Equal(strings.Fields(strings.ReplaceAll(strings.Join(header, " "), "path_in order", "path_in")), want) {
		t.Errorf("header %q, want %q", header, want)
	}
	if len(rows) != 100 {
		t.Fatalf("%d rows, want 100", len(rows))
	}
	for i, r := range rows {
		if r["index"] != strconv.Itoa(i) || r["label"] != strconv.Itoa(i) || r["path_in order"] != strconv.Itoa(i) {
			t.Errorf("row %d: %v", i, r)
		}
		for column, name := range map[string]string{"helix_x": "cos", "plane_x": "cos", "helix_y": "sin", "helix_z": "number", "digit": "digit", "phase": "a"} {
			if !same(r[column], f.Arrays[name], i) {
				t.Errorf("row %d %s: %q, want %v", i, column, r[column], f.Arrays[name].Data[i])
			}
		}
	}
}

func TestCSVBars(t *testing.T) {
	f := oddBars()
	_, rows := readCSV(t, f)
	if len(rows) != 22 {
		t.Fatalf("%d rows, want 22", len(rows))
	}
	for i, r := range rows {
		s := f.Bars.Series[i/11]
		if r["series"] != s.Name || r["component"] != f.Bars.Categories.Labels[i%11] || !same(r["y"], f.Arrays[s.Y], i%11) ||
			r["marked"] != strconv.FormatBool(slices.Contains(f.Bars.Marks, i%11)) || r["control"] != strconv.FormatBool(s.Control) {
			t.Errorf("row %d: %v", i, r)
		}
	}
}

func TestCSVDials(t *testing.T) {
	f := oddDials()
	_, rows := readCSV(t, f)
	if len(rows) != 4*103 {
		t.Fatalf("%d rows, want %d", len(rows), 4*103)
	}
	for i, r := range rows {
		d := f.Dials.Items[i/103]
		x, y, at := d.X, d.Y, i%103
		hand := ""
		if at >= 100 {
			h := d.Hands[at-100]
			x, y, at, hand = h.X, h.Y, 0, string(h.Role)
		}
		if r["dial"] != d.Title || r["hand"] != hand || !same(r["x"], f.Arrays[x], at) || !same(r["y"], f.Arrays[y], at) {
			t.Errorf("row %d: %v", i, r)
		}
	}
}

// TestCSVMultiples reads every number of every frame back.
func TestCSVMultiples(t *testing.T) {
	f := oddMultiples()
	header, rows := readCSV(t, f)
	if header[0] != "item" || header[len(header)-1] != "state" {
		t.Errorf("header %q", header)
	}
	count := map[string]int{}
	for _, r := range rows {
		n := count[r["item"]]
		count[r["item"]]++
		switch r["item"] {
		case "Loss":
			if r["checkpoint"] != "" || !same(r["y"], f.Arrays[[]string{"test", "train"}[n/10]], n%10) {
				t.Errorf("loss %d: %v", n, r)
			}
		case "Spectrum":
			if r["checkpoint"] != f.Slider.Labels[n/6] || r["checkpoint_value"] == "" || !same(r["y"], f.Arrays["norm"], n) {
				t.Errorf("spectrum %d: %v", n, r)
			}
		case "Clock":
			if r["checkpoint_index"] != strconv.Itoa(n/13) || !same(r["x"], f.Arrays["cos"], n) || !same(r["colour"], f.Arrays["a"], n%13) {
				t.Errorf("clock %d: %v", n, r)
			}
		case "k = 5 · neuron 212":
			if r["checkpoint_index"] != strconv.Itoa(n/169) || !same(r["value"], f.Arrays["n1"], n) {
				t.Errorf("neuron %d: %v", n, r)
			}
		}
	}
	for item, want := range map[string]int{"Loss": 20, "Spectrum": 60, "Clock": 130, "k = 5 · neuron 212": 1690} {
		if count[item] != want {
			t.Errorf("%s: %d rows, want %d", item, count[item], want)
		}
	}
}
