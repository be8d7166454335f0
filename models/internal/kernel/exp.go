package kernel

import "math"

// Exp is the exponential of elements; y and x have one length and y may be x.
// Within 1.2e-7 relative of package math (2 ulp); it keeps subnormals, is 0 for
// -Inf and exactly 1 for 0, and keeps NaN. It runs on the caller's thread. The
// loop that it must equal:
//
//	for i := range x { y[i] = exp(x[i]) }
func Exp(y, x []float32) {
	exact("kernel: exp", len(y), len(x))
	if active != nil {
		active.exp(y, x)
		return
	}
	for i, v := range x {
		y[i] = exp(v)
	}
}

// exp is the float32 nearest to e^x, but for rare cases of double rounding.
func exp(x float32) float32 { return float32(math.Exp(float64(x))) }
