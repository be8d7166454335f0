package viz_test

import (
	"math"
	"testing"

	"orrery/viz"
)

// TestIntervals compares with published ends: Wilson's of Newcombe, "Two-sided
// confidence intervals for the single proportion", Statistics in Medicine 17,
// 1998, table I, and Student's quantiles of any table.
func TestIntervals(t *testing.T) {
	for _, c := range []struct {
		right, n int
		lo, hi   float64
	}{{81, 263, 0.2553, 0.3662}, {15, 148, 0.0624, 0.1605}, {0, 20, 0, 0.1611}, {1, 29, 0.0061, 0.1718}, {29, 29, 0.8830, 1}} {
		lo, hi := viz.Wilson(c.n).Ends(float64(c.right)/float64(c.n), math.NaN())
		if !(math.Abs(lo-c.lo) <= 5e-5) || !(math.Abs(hi-c.hi) <= 5e-5) {
			t.Errorf("Wilson's interval of %d of %d is %.4f to %.4f, want %.4f to %.4f", c.right, c.n, lo, hi, c.lo, c.hi)
		}
	}
	for n, want := range map[int]float64{2: 12.706, 5: 2.776, 21: 2.086, 41: 2.021} {
		lo, hi := viz.Student(n).Ends(1, 0.5)
		if !(math.Abs(lo-(1-0.5*want)) <= 5e-4) || !(math.Abs(hi-(1+0.5*want)) <= 5e-4) {
			t.Errorf("the interval of 1 ± 0.5 over %d is %.4f to %.4f, want ± %.4f", n, lo, hi, 0.5*want)
		}
	}
	var none *viz.Interval
	if lo, hi := none.Ends(1, 0.5); lo != 0.5 || hi != 1.5 {
		t.Errorf("without an interval a mean of 1 ± 0.5 is %v to %v", lo, hi)
	}
}
