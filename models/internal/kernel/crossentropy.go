package kernel

import (
	"math"

	"orrery/models/tensor"
)

// CrossEntropy returns -log softmax(x)[target] of one row of logits, in nats, and
// writes its derivative by x, over n, the number of rows that a mean is taken of.
// It runs in double precision on the caller's thread, the same on every path:
// what is left of a loss near zero is a difference of nearly equal numbers. dx
// and x have one length, and dx may not be x. The loop that it must equal, with
// l = log Σj exp(x[j]):
//
//	for i := range x { dx[i] = (exp(x[i]-l) - (1 if i == target)) / n }
//	return l - x[target]
func CrossEntropy(dx, x []float32, target, n int) float64 {
	exact("kernel: cross-entropy", len(x), len(dx))
	if target < 0 || target >= len(x) || n < 1 {
		panic(tensor.ShapeError{Op: "kernel: cross-entropy: target, number of logits and of rows", Got: []int{target, len(x), n}, Want: []int{len(x) - 1, len(x), 1}})
	}
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, float64(v)) // max hands on a NaN, and the loss becomes one
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(float64(v) - top)
	}
	l := top + math.Log(sum)
	for i, v := range x {
		dx[i] = float32(math.Exp(float64(v)-l) / float64(n))
	}
	dx[target] = float32((math.Exp(float64(x[target])-l) - 1) / float64(n))
	return l - float64(x[target])
}
