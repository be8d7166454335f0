package viz_test

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"orrery/viz"
)

// sampleGuides is a curve with guides closer to one another than their labels are
// wide, the last beyond the axis.
func sampleGuides() *viz.Figure {
	x, y := make([]float32, 41), make([]float32, 41)
	for i := range x {
		x[i], y[i] = float32(i), float32(10*(1-math.Exp(-float64(i)/6)))
	}
	return &viz.Figure{
		Kind: viz.KindLines, Title: "Joint effect", Subtitle: "change of logit(r)",
		Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"k"}, 41), "y": viz.Values(y, []string{"k"}, 41)},
		Scales: map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Hi: 40, Label: "heads", Format: "%.0f"}, "y": {Kind: viz.ScaleLinear, Hi: 10, Label: "effect", Format: "%.1f"}},
		Lines: &viz.Lines{X: "x", XScale: "x", YScale: "y", Series: []viz.Series{{Name: "first k", Y: "y"}},
			Guides: []viz.Guide{{X: 8, Label: "70 %"}, {X: 9, Label: "80 %"}, {X: 13, Label: "90 %"}, {X: 40, Label: "95, 99 %"}, {X: 41, Label: "beyond"}}},
	}
}

// TestGuides reads the picture: a label a guide, in their order and apart, none beyond
// the axis; and what stands in words and in the archive.
func TestGuides(t *testing.T) {
	f := sampleGuides()
	svg := string(export(t, f, "svg", viz.Options{}))
	edge := math.Inf(-1)
	for _, g := range f.Lines.Guides[:4] {
		m := regexp.MustCompile(`<text[^>]* x="([0-9.]+)"[^>]*>` + regexp.QuoteMeta(g.Label) + `</text>`).FindStringSubmatch(svg)
		if m == nil {
			t.Fatalf("no label %q in the picture", g.Label)
		}
		left, err := strconv.ParseFloat(m[1], 64)
		if err != nil || !(left >= edge) {
			t.Errorf("the label %q begins at %g, the one before ends at %g (%v)", g.Label, left, edge, err)
		}
		edge = left + 5*float64(len(g.Label)) // no letter of 11 pixels is narrower on average
	}
	if strings.Contains(svg, ">beyond</text>") {
		t.Error("a guide beyond the axis is drawn")
	}
	if want := "Marked: 70 % at 8; 80 % at 9; 90 % at 13; 95, 99 % at 40; beyond at 41."; !strings.Contains(viz.Alt(f), want) {
		t.Errorf("%q does not say %q", viz.Alt(f), want)
	}
	if shape, _ := member(t, f, "guides.x"); shape != "5," {
		t.Errorf("guides.x has the shape %q", shape)
	}
	for _, bad := range [][]viz.Guide{{{X: math.NaN(), Label: "a"}}, {{X: 1}}, {{X: 2, Label: "a"}, {X: 1, Label: "b"}}} {
		f.Lines.Guides = bad
		if err := f.Validate(); err == nil || !strings.Contains(err.Error(), "guide") {
			t.Errorf("%s: %v", fmt.Sprint(bad), err)
		}
	}
}
