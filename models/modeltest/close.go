package modeltest

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/models/tensor"
)

// Close fails the test unless got and want have one shape and every element of
// got is within abs + rel·|want| of want's. Equal infinities are close; a NaN is
// close to nothing, not even to a NaN. The failure names the site, the largest
// difference and its index, how many elements are off, and the first five.
func Close(t testing.TB, site string, got, want *tensor.Dense, abs, rel float64) {
	t.Helper()
	if msg := compare(got, want, abs, rel); msg != "" {
		t.Errorf("%s: %s", site, msg)
	}
}

// compare describes how got is off, "" when it is not.
func compare(got, want *tensor.Dense, abs, rel float64) string {
	if got == nil || want == nil {
		return fmt.Sprintf("got %v, want %v: a tensor is missing", got, want)
	}
	if !tensor.SameShape(got.Shape, want.Shape) {
		return fmt.Sprintf("shape %v, want %v", got.Shape, want.Shape)
	}
	const shown = 5
	var first []string
	off, worst, at := 0, math.Inf(-1), 0
	for i, w := range want.Data {
		g := got.Data[i]
		diff := math.Abs(float64(g) - float64(w))
		allowed := abs + rel*math.Abs(float64(w))
		if g == w {
			diff = 0 // equal infinities as well
		} else if math.IsInf(allowed, 0) {
			allowed = 0 // an infinity is close to itself alone
		}
		if diff > worst || diff != diff && worst == worst {
			worst, at = diff, i
		}
		if diff <= allowed {
			continue
		}
		if off++; off <= shown {
			first = append(first, fmt.Sprintf("%v got %v want %v", index(i, want.Shape), g, w))
		}
	}
	if off == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d elements off by more than %g + %g·|want|, the largest difference %g at %v; first: %s",
		off, len(want.Data), abs, rel, worst, index(at, want.Shape), strings.Join(first, "; "))
}

// index turns a row-major position into an index for each axis.
func index(i int, shape []int) []int {
	out := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		out[a] = i % shape[a]
		i /= shape[a]
	}
	return out
}
