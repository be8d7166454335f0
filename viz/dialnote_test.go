package viz_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/viz"
)

// TestDialNoteMoves: the words beside a dial's title are those of the slider's frame,
// in the picture and in what is read aloud.
func TestDialNoteMoves(t *testing.T) {
	f := &viz.Figure{
		Kind: viz.KindDials, Title: "Clock",
		Arrays: map[string]*viz.Array{
			"step": viz.Values([]float32{0, 100}, []string{"checkpoint"}, 2),
			"x":    viz.Values([]float32{1, 0, 1, 0}, []string{"checkpoint", "number"}, 2, 2),
			"y":    viz.Values([]float32{0, 1, 0, 1}, []string{"checkpoint", "number"}, 2, 2),
		},
		Texts:  map[string]*viz.Text{"note": {Shape: []int{2, 1}, Values: []string{"narrow at first", "wide at last"}}},
		Dials:  &viz.Dials{Items: []viz.Dial{{Title: "k = 1", NoteText: "note", Period: 2, X: "x", Y: "y"}}},
		Slider: &viz.Slider{Name: "checkpoint", Labels: []string{"0", "100"}, Values: "step", Show: 1, Arrays: []string{"x", "y"}, Texts: []string{"note"}},
	}
	for show, want := range []string{"narrow at first", "wide at last"} {
		f.Slider.Show = show
		if err := f.Validate(); err != nil {
			t.Fatal(err)
		}
		if alt := viz.Alt(f); !strings.Contains(alt, "k = 1 ("+want+")") {
			t.Errorf("frame %d reads %q", show, alt)
		}
		if svg := export(t, f, "svg", viz.Options{}); !strings.Contains(string(svg), want) {
			t.Errorf("frame %d does not draw %q", show, want)
		}
	}
	f.Dials.Items[0].Note = "still"
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), "one of them") {
		t.Errorf("two notes: %v", err)
	}
	f.Dials.Items[0].Note, f.Dials.Items[0].NoteText = "", "none"
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), `no text "none"`) {
		t.Errorf("a note that is not there: %v", err)
	}
}

// TestNoCircleYet: points in the order of their numbers, whichever way round and
// wherever they begin, are a circle at any radius; a mirrored half of them is not,
// and the picture and what is read aloud say so.
func TestNoCircleYet(t *testing.T) {
	const p = 12
	place := func(of func(n int) (turn, radius float64)) (x, y []float32) {
		for n := range p {
			turn, r := of(n)
			x, y = append(x, float32(r*math.Cos(2*math.Pi*turn))), append(y, float32(r*math.Sin(2*math.Pi*turn)))
		}
		return x, y
	}
	draw := func(of func(n int) (turn, radius float64)) string {
		x, y := place(of)
		f := &viz.Figure{
			Kind: viz.KindDials, Title: "Clock",
			Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"number"}, p), "y": viz.Values(y, []string{"number"}, p)},
			Texts:  map[string]*viz.Text{"number": {Shape: []int{p}}},
			Dials:  &viz.Dials{Items: []viz.Dial{{Title: "T = 12", Period: p, X: "x", Y: "y", Labels: "number"}}},
		}
		for n := range p {
			f.Texts["number"].Values = append(f.Texts["number"].Values, fmt.Sprint(n))
		}
		svg := string(export(t, f, "svg", viz.Options{}))
		if strings.Contains(svg, "no circle") != strings.Contains(viz.Alt(f), "No circle") {
			t.Error("the picture and its words differ")
		}
		return svg
	}
	for name, of := range map[string]func(n int) (float64, float64){
		"turned":     func(n int) (float64, float64) { return float64(n)/p + 0.3, 1 },
		"other way":  func(n int) (float64, float64) { return -float64(n) / p, 0.2 },
		"thrown off": func(n int) (float64, float64) { return float64(n)/p + 0.1*float64(n%2), 1 },
	} {
		if strings.Contains(draw(of), "no circle") {
			t.Errorf("%s: no circle", name)
		}
	}
	// Two turns in one have no order of the period: 0 % of the variance.
	if svg := draw(func(n int) (float64, float64) { return 2 * float64(n) / p, 1 }); !strings.Contains(svg, "no circle: 0 % of the points’ variance is in order") {
		t.Error("two turns are one circle")
	}
	// One turn, and as much of two: half of the variance less a little.
	one := func(n int) (float64, float64) {
		a, b := 2*math.Pi*float64(n)/p, 4*math.Pi*float64(n)/p
		x, y := math.Cos(a)+1.1*math.Cos(b), math.Sin(a)+1.1*math.Sin(b)
		return math.Atan2(y, x) / (2 * math.Pi), math.Hypot(x, y)
	}
	if svg := draw(one); !strings.Contains(svg, "no circle: 45 % of") { // 1/(1+1.21)
		t.Error("45 % is a circle")
	}
}
