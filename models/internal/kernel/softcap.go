package kernel

import "math"

// SoftCap bounds each element smoothly to (-c, c): y = c·tanh(x/c), as Gemma 2
// does to scores and logits (Gemma Team, 2024, arXiv:2408.00118, section 2). y
// and x have one length and y may be x. On the vector paths within 4e-7·|y| of
// the definition, near 0 too. The loop that it must equal:
//
//	for i := range x { y[i] = c*tanh(x[i]/c) }
func SoftCap(y, x []float32, c float32) {
	exact("kernel: soft cap", len(y), len(x))
	if len(x) <= splitElements {
		softCap(y, x, c)
		return
	}
	Do(len(x), splitElements, func(lo, hi int) { softCap(y[lo:hi], x[lo:hi], c) })
}

func softCap(y, x []float32, c float32) {
	if active != nil {
		active.softCap(y, x, c)
		return
	}
	for i, v := range x {
		y[i] = float32(float64(c) * math.Tanh(float64(v)/float64(c)))
	}
}

// SoftCapBackward writes the gradient with respect to x into dx, given dy and x;
// all have one length and dx may be dy or x. The loop that it must equal, with
// d = e^(-2|x/c|), which keeps the precision of 1-tanh² where that vanishes:
//
//	for i := range x { dx[i] = dy[i]*4*d/(1+d)² }
func SoftCapBackward(dx, dy, x []float32, c float32) {
	exact("kernel: soft cap backward", len(dx), len(dy), len(x))
	if len(x) <= splitElements {
		softCapBackward(dx, dy, x, c)
		return
	}
	Do(len(x), splitElements, func(lo, hi int) { softCapBackward(dx[lo:hi], dy[lo:hi], x[lo:hi], c) })
}

func softCapBackward(dx, dy, x []float32, c float32) {
	if active != nil {
		active.softCapBackward(dx, dy, x, c)
		return
	}
	for i, v := range x {
		d := math.Exp(-2 * math.Abs(float64(v)/float64(c)))
		dx[i] = dy[i] * float32(4*d/((1+d)*(1+d)))
	}
}
