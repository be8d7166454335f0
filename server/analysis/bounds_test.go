package analysis_test

import (
	"math"
	"strings"
	"testing"

	"orrery/server/analysis"
)

// TestBounds checks that every default is within its bounds and that the first
// number outside is refused by name, with the bounds and the default as the way out.
func TestBounds(t *testing.T) {
	bounded := 0
	for _, a := range analysis.All() {
		for _, p := range a.Params {
			if p.Default != nil {
				if _, err := p.Take(p.Default); err != nil {
					t.Errorf("%s: the default is refused: %v", a.Name, err)
				}
			}
			number := p.Type == analysis.TypeInt || p.Type == analysis.TypeFloat || p.Type == analysis.TypeFloats
			if p.Bounds == nil {
				index := p.Name == "layer" || p.Name == "head" || p.Name == "position"
				if number && !index {
					t.Errorf("%s: %s is a number without bounds", a.Name, p.Name)
				}
				continue
			}
			bounded++
			for _, x := range []float64{p.Bounds.Min - 1, p.Bounds.Max + 1} {
				if math.IsInf(x, 0) {
					continue
				}
				var v any = int(x)
				switch p.Type {
				case analysis.TypeFloat:
					v = x
				case analysis.TypeFloats:
					v = []float64{x}
				}
				_, err := p.Take(v)
				if err == nil {
					t.Errorf("%s: %s takes %v, which is not %s", a.Name, p.Name, x, p.Bounds)
					continue
				}
				hint := err.(interface{ Hint() string }).Hint()
				if !strings.Contains(err.Error(), p.Name) || !strings.Contains(hint, p.Bounds.String()) {
					t.Errorf("%s: %s=%v: %q, %q do not say which and how many", a.Name, p.Name, x, err, hint)
				}
			}
		}
	}
	if bounded < 30 {
		t.Errorf("%d parameters have bounds", bounded)
	}
}

func TestBoundsOfLists(t *testing.T) {
	a, err := analysis.Find("helix")
	if err != nil {
		t.Fatal(err)
	}
	var periods analysis.Param
	for _, p := range a.Params {
		if p.Name == "periods" {
			periods = p
		}
	}
	for _, test := range []struct {
		v    any
		want string
	}{
		{[]float64{2, 5, 10, 100}, ""},
		{[]int{2, 5}, ""},
		{[]float64{2, math.NaN()}, "NaN is no number"},
		{[]float64{2, 1.5}, "1.5 is below 2"},
		{[]float64{2, 3, 4, 5, 6, 7, 8, 9, 10}, "9 are given"},
		{"10", "want numbers"},
	} {
		if _, err := periods.Take(test.v); (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("periods=%v: %v, want %q", test.v, err, test.want)
		}
	}
}
