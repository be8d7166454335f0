package viz_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"

	"orrery/viz"
)

// TestChoices draws what a reader may choose: each picture is another one,
// the figure stays as it is, and the words follow.
func TestChoices(t *testing.T) {
	frame := func(i int) *int { return &i }
	for _, c := range []struct {
		name   string
		figure *viz.Figure
		o      viz.Options
		says   string
	}{
		{"view", sampleHelix(), viz.Options{Show: "plane"}, "100 points in a plane"},
		{"words of the view", sampleHelix(), viz.Options{Show: "plane"}, ">" + sampleHelix().Scatter.Views[1].Help + "</text>"},
		{"colour", sampleHelix(), viz.Options{Colour: "value"}, "Colour is number from 0 to 99"},
		{"phase", sampleHelix(), viz.Options{Colour: "phase"}, "cyclic"},
		{"turn", sampleHelix(), viz.Options{Turn: &[2]float64{-45, 60}}, "azimuth -45 and elevation 60 degrees"},
		{"frame", sampleMultiples(), viz.Options{Frame: frame(0)}, "Shown at checkpoint 1, 1 of 10"},
		{"axes of a panel", sampleMultiples(), viz.Options{Items: map[int]viz.ItemOptions{0: {Show: "linear"}}}, "over epoch from 0 to"},
		{"axes", onlyLines(sampleMultiples()), viz.Options{Show: "linear"}, "over epoch from 0 to"},
		{"order by phase", sampleWave(), viz.Options{Show: viz.ByPhase}, "a, by 3·a mod 7"},
		{"last frame", sampleMultiples(), viz.Options{Frame: frame(9)}, "Shown at checkpoint 20,000, 10 of 10"},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := export(t, c.figure, "json", viz.Options{})
			own := export(t, c.figure, "svg", viz.Options{})
			svg := string(export(t, c.figure, "svg", c.o))
			if svg == string(own) {
				t.Error("the choice changes nothing")
			}
			if !strings.Contains(svg, c.says) {
				t.Errorf("does not say %q", c.says)
			}
			if !bytes.Equal(before, export(t, c.figure, "json", viz.Options{})) {
				t.Error("drawing changed the figure")
			}
		})
	}
	for _, c := range []struct {
		name   string
		figure *viz.Figure
		o      viz.Options
		want   string
	}{
		{"view", sampleHelix(), viz.Options{Show: "pca"}, `unknown view "pca" (views are ["helix" "plane"])`},
		{"colour", sampleHelix(), viz.Options{Colour: "red"}, `unknown colour "red" (colours are ["digit" "value" "phase"])`},
		{"turn", sampleHelix(), viz.Options{Turn: &[2]float64{0, 100}}, `turn [0 100]`},
		{"frame", sampleMultiples(), viz.Options{Frame: frame(10)}, `frame 10 is not one of 10 (0 to 9)`},
		{"frame before", sampleMultiples(), viz.Options{Frame: frame(-1)}, `frame -1 is not one of 10`},
		{"frame of none", sampleHelix(), viz.Options{Frame: frame(0)}, `frame 0: the figure has no slider`},
		{"axes", onlyLines(sampleMultiples()), viz.Options{Show: "loglin"}, `unknown view "loglin" (views are ["loglog" "linear"])`},
		{"axes of none", sampleLines(), viz.Options{Show: "linear"}, `unknown view "linear" (views are [])`},
		{"panel", sampleMultiples(), viz.Options{Items: map[int]viz.ItemOptions{9: {Show: "linear"}}}, `panel 9 is not one of`},
		{"view of a panel", sampleMultiples(), viz.Options{Items: map[int]viz.ItemOptions{0: {Show: "x"}}}, `panel 0 "Loss": unknown view "x"`},
		{"colour of lines", sampleMultiples(), viz.Options{Items: map[int]viz.ItemOptions{0: {Colour: "x"}}}, `colour and turn are for scatters`},
		{"panel of lines", sampleLines(), viz.Options{Items: map[int]viz.ItemOptions{0: {}}}, `choices of panels are for multiples`},
		{"order", sampleHeatmap(), viz.Options{Show: viz.ByPhase}, `unknown order "phase"`},
		{"other order", sampleWave(), viz.Options{Show: "size"}, `unknown order "size"`},
		{"turn of lines", sampleLines(), viz.Options{Turn: &[2]float64{}}, `colour and turn are for scatters; this figure is of kind "lines"`},
	} {
		t.Run("no "+c.name, func(t *testing.T) {
			err := viz.Export(io.Discard, c.figure, "svg", c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// onlyLines is the first panel of multiples as a figure of its own.
func onlyLines(f *viz.Figure) *viz.Figure {
	f.Kind, f.Lines, f.Multiples = viz.KindLines, f.Multiples.Items[0].Lines, nil
	return f
}

// sampleWave is a map over residues that follows a wave of 3 turns, at two frames.
func sampleWave() *viz.Figure {
	const p = 7
	axis := viz.Axis{Name: "a"}
	v := make([]float32, 2*p*p)
	for i := range v {
		v[i] = float32(3*(i/p)%p) + float32(i/p/p)
	}
	for i := range p {
		axis.Labels = append(axis.Labels, fmt.Sprint(i))
	}
	return &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Neuron",
		Heatmap: &viz.Heatmap{Scale: "v", Panels: []viz.Panel{{Title: "k = 3", Rows: axis, Columns: axis, Values: "v", Frequency: 3}}},
		Slider:  &viz.Slider{Name: "step", Labels: []string{"a", "b"}, Values: "step", Arrays: []string{"v"}},
		Arrays:  map[string]*viz.Array{"v": viz.Values(v, []string{"step", "a", "b"}, 2, p, p), "step": column("step", 2, func(i int) float64 { return float64(i) })},
		Scales:  map[string]viz.Scale{"v": {Kind: viz.ScaleSequential, Lo: 0, Hi: 7, Label: "v", Format: "%.0f"}},
	}
}

// TestByPhase: the rows of a wave of 3 turns, sorted by phase, rise once.
func TestByPhase(t *testing.T) {
	f := sampleWave()
	svg := string(export(t, f, "svg", viz.Options{Show: viz.ByPhase}))
	if !strings.Contains(svg, "a, by 3·a mod 7") {
		t.Error("the axis does not say its order")
	}
	var rows []string
	for _, m := range regexp.MustCompile(`>([0-6])</text>`).FindAllStringSubmatch(svg, -1) {
		rows = append(rows, m[1])
	}
	if all := strings.Join(rows, ""); !strings.Contains(all, "0531642") && !strings.Contains(all, "2461350") { // 3·5 ≡ 1, 3·3 ≡ 2, ...
		t.Errorf("labels stand in the order %s", all)
	}
}

// TestZeroOnLogAxis: step 0 stands at the end of a logarithmic axis, with a tick, and
// moves nothing else.
func TestZeroOnLogAxis(t *testing.T) {
	f := onlyLines(sampleMultiples())
	without := string(export(t, f, "svg", viz.Options{}))
	f.Arrays["step"].Data[0] = 0
	with := string(export(t, f, "svg", viz.Options{}))
	if tick := regexp.MustCompile(`>0</text>`); tick.MatchString(without) || !tick.MatchString(with) {
		t.Error("no tick of 0 on the axis")
	}
}

// TestMarginCounts spoils points one by one: each shows a sign and is counted,
// whatever keeps it from its place.
func TestMarginCounts(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(f *viz.Figure)
		want  string
	}{
		{"one NaN", func(f *viz.Figure) { f.Arrays["cos"].Data[3] = nan }, "1 point with no finite place, at the margin"},
		{"two", func(f *viz.Figure) { f.Arrays["sin"].Data[3], f.Arrays["number"].Data[4] = inf, -inf }, "2 points with no finite place, at the margin"},
		{"beyond", func(f *viz.Figure) { f.Arrays["cos"].Data[3] = 9 }, "1 point beyond the limits, on the box"},
		{"pending", func(f *viz.Figure) { some(f.Arrays["sin"], 90) }, "10 of 100 points not yet computed"},
		{"blank", func(f *viz.Figure) {
			some(f.Arrays["sin"], 100)
			f.Arrays["sin"].State[7] = viz.Blank
		}, "1 point blank: cannot exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := sampleHelix()
			c.spoil(f)
			svg := string(export(t, f, "svg", viz.Options{}))
			if strings.Count(svg, c.want) != 2 { // in the foot and in the description
				t.Errorf("says %q %d times, want 2", c.want, strings.Count(svg, c.want))
			}
		})
	}
}

var svgText = regexp.MustCompile(`(?s)<text.*?</text>`)

// TestSliderStays moves a slider: the axes' labels and the keys do not change.
func TestSliderStays(t *testing.T) {
	texts := func(frame int) []string {
		var out []string
		for _, line := range svgText.FindAllString(string(export(t, sampleSliderBars(), "svg", viz.Options{Frame: &frame})), -1) {
			if !strings.Contains(line, "of 4<") {
				out = append(out, line)
			}
		}
		return out
	}
	first, last := texts(0), texts(3)
	if len(first) != len(last) || len(first) < 10 {
		t.Fatalf("%d texts at the first frame, %d at the last", len(first), len(last))
	}
	changed := 0
	for i := range first {
		if first[i] != last[i] {
			changed++
		}
	}
	if changed != 1 { // the strip's label of the frame
		t.Errorf("%d texts change, want 1: %q %q", changed, first, last)
	}
}

// sampleSliderBars is bars without marks over four frames.
func sampleSliderBars() *viz.Figure {
	return &viz.Figure{
		Kind: viz.KindBars, Title: "Spectrum",
		Bars:   &viz.Bars{Categories: viz.Axis{Name: "k", Labels: []string{"1", "2", "3"}}, Series: []viz.Series{{Name: "norm", Y: "norm"}}, YScale: "norm"},
		Slider: &viz.Slider{Name: "step", Labels: []string{"a", "b", "c", "d"}, Values: "step", Arrays: []string{"norm"}},
		Arrays: map[string]*viz.Array{
			"step": column("step", 4, func(i int) float64 { return float64(i) }),
			"norm": viz.Values([]float32{1, 2, 3, 2, 2, 2, 3, 2, 1, 3, 3, 3}, []string{"step", "k"}, 4, 3),
		},
		Scales: map[string]viz.Scale{"norm": {Kind: viz.ScaleLinear, Lo: 0, Hi: 4, Label: "norm", Format: "%.1f"}},
	}
}
