package kernel

import (
	"slices"
)

// Softmax is the softmax of one row; y and x have one length and y may be x.
// The maximum is subtracted first, so large values do not overflow, and an
// entry of -Inf gives exactly 0; a row of only -Inf, or one that holds NaN or
// +Inf, gives NaN throughout. The order of the sum depends on the length alone.
// It runs on the caller's thread. The loop that it must equal, to rounding:
//
//	top := max(x)
//	for i := range x { y[i] = exp(x[i]-top) }
//	for i := range x { y[i] *= 1 / Σj y[j] }
func Softmax(y, x []float32) {
	exact("kernel: softmax", len(y), len(x))
	if len(x) == 0 {
		return
	}
	if active != nil {
		active.scale(y, y, 1/active.expSum(y, x, active.max(x)))
		return
	}
	top, s := slices.Max(x), float32(0)
	for i, v := range x {
		y[i] = exp(v - top)
		s += y[i]
	}
	for i := range y {
		y[i] *= 1 / s
	}
}

// SoftmaxBackward writes the gradient with respect to x of one row, given dy
// and the probabilities y; all have one length and dx may be dy or y. The loop
// that it must equal, to rounding:
//
//	s := Σj dy[j]*y[j]
//	for i := range y { dx[i] = y[i]*(dy[i]-s) }
func SoftmaxBackward(dx, dy, y []float32) {
	exact("kernel: softmax backward", len(dx), len(dy), len(y))
	s := Dot(dy, y)
	if active != nil {
		active.softmaxBackward(dx, dy, y, s)
		return
	}
	for i, v := range y {
		dx[i] = v * (dy[i] - s)
	}
}
