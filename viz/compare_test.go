package viz

import (
	"math"
	"strings"
	"testing"
)

func compared() *Figure {
	return &Figure{
		Kind: KindHeatmap, Title: "t", Subtitle: "s", Caption: "the largest is 4",
		Heatmap: &Heatmap{Scale: "effect", Panels: []Panel{{Title: "p", Rows: Axis{Name: "layer", Labels: []string{"0", "1"}},
			Columns: Axis{Name: "position", Labels: []string{"a", "b"}}, Values: "v"}}},
		Arrays:     map[string]*Array{"v": Values([]float32{1, -4, float32(math.NaN()), 0}, []string{"layer", "position"}, 2, 2)},
		Scales:     map[string]Scale{"effect": {Kind: ScaleDiverging, Lo: -4, Hi: 4, Label: "effect", Format: "%.2f"}},
		Badges:     []Badge{{Text: "holds", OK: true, Value: 1e-6, Bound: 1e-5}},
		Provenance: Provenance{Model: "m", Hash: "h", Tolerance: 1e-3, Program: "1", Kernel: "fma"},
	}
}

// A figure equals a recorded one when only the program's name changed, and
// within the stated tolerance also when what is made from moved numbers did.
func TestCompareWithinTolerance(t *testing.T) {
	same := compared()
	same.Provenance.Program, same.Provenance.Kernel = "2", "go"
	c, err := Compare(compared(), same)
	if err != nil || !c.Exact() || c.Numbers != 4 || c.Largest != 0 {
		t.Errorf("the same figure: %+v, %v", c, err)
	}
	moved := compared()
	moved.Arrays["v"].Data[1] = -4.002
	moved.Caption, moved.Badges[0].Value = "the largest is 4.002", 2e-6
	moved.Scales["effect"] = Scale{Kind: ScaleDiverging, Lo: -4.1, Hi: 4.1, Label: "effect", Format: "%.2f"}
	c, err = Compare(compared(), moved)
	if err != nil || c.Exact() || c.Same != 3 || math.Abs(c.Largest-0.0005) > 1e-6 || c.Array != "v" {
		t.Errorf("0.002 of 4: %+v, %v", c, err)
	}
}

// A figure that went on from an interrupted run tells another cost.
func TestCompareResumed(t *testing.T) {
	resumed := compared()
	resumed.Provenance.Resumed, resumed.Caption, resumed.Badges[0].Help = "3 of 4 edited runs", "other", "other"
	for _, pair := range [][2]*Figure{{compared(), resumed}, {resumed, compared()}, {resumed, resumed}} {
		if c, err := Compare(pair[0], pair[1]); err != nil || !c.Exact() {
			t.Errorf("%+v, %v", c, err)
		}
	}
	resumed.Badges[0].Value++
	if _, err := Compare(compared(), resumed); err == nil || !strings.Contains(err.Error(), "badges differs") {
		t.Errorf("another value of a badge: %v", err)
	}
}

// Everything else is a difference that is named.
func TestCompareNames(t *testing.T) {
	for _, c := range []struct {
		want string
		edit func(f *Figure)
	}{
		{"more than the stated tolerance of 0.001", func(f *Figure) { f.Arrays["v"].Data[0] = 1.01 }},
		{"number 3: NaN was 0", func(f *Figure) { f.Arrays["v"].Data[3] = float32(math.NaN()) }},
		{"number 2: 1 was NaN", func(f *Figure) { f.Arrays["v"].Data[2] = 1 }},
		{"shape [4] was [2 2]", func(f *Figure) { f.Arrays["v"] = Values(make([]float32, 4), nil, 4) }},
		{"state 0 was 1", func(f *Figure) { f.Arrays["v"].State = []State{Done, Pending, Done, Done} }},
		{`array "v" is not there`, func(f *Figure) { f.Arrays = nil }},
		{`title differs: "u" was "t"`, func(f *Figure) { f.Title = "u" }},
		{"caption differs", func(f *Figure) { f.Caption = "other" }},
		{"badges differs", func(f *Figure) { f.Arrays["v"].Data[1] = -4.001; f.Badges[0].OK = false }},
		{"provenance differs", func(f *Figure) { f.Provenance.Hash = "other" }},
		{"texts differs", func(f *Figure) { f.Texts = map[string]*Text{"x": {Shape: []int{1}, Values: []string{"y"}}} }},
	} {
		now := compared()
		c.edit(now)
		if _, err := Compare(compared(), now); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
}

// A ring stands around a cell that is there.
func TestRingsAreWithinThePanel(t *testing.T) {
	f := compared()
	f.Heatmap.Panels[0].Ring = []int{0, 3}
	if err := f.Validate(); err != nil {
		t.Fatal(err)
	}
	f.Heatmap.Panels[0].Ring = []int{4}
	if err := f.Validate(); err == nil || !strings.Contains(err.Error(), "ring around cell 4 of 4") {
		t.Errorf("a ring outside gives %v", err)
	}
}
