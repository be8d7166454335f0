package kernel

import "orrery/models/tensor"

// Rotary turns pairs of values of a head row by angles that depend on the
// position. Su et al.: RoFormer, 2021, arXiv:2104.09864, equation 34 (adjacent
// pairs); GPT-NeoX and Llama in their published form pair the two halves.
type Rotary struct {
	// Dim is the number of rotated values, even, from the first one on; the
	// rest of the row is copied.
	Dim int
	// Adjacent pairs values 2i and 2i+1; otherwise i goes with i+Dim/2.
	Adjacent bool
}

// pair returns the two indices of pair i.
func (r Rotary) pair(i int) (int, int) {
	if r.Adjacent {
		return 2 * i, 2*i + 1
	}
	return i, i + r.Dim/2
}

// Apply turns one head row x[k] by the angles whose cosines and sines are
// cos[Dim/2] and sin[Dim/2], and writes y[k], which may be x. The loop that it
// must equal:
//
//	for pairs (p, q), number i:
//		y[p], y[q] = x[p]*cos[i] - x[q]*sin[i], x[q]*cos[i] + x[p]*sin[i]
func (r Rotary) Apply(y, x []float32, k int, cos, sin []float32) {
	r.check("kernel: rotary", y, x, k, cos, sin)
	copy(y[r.Dim:k], x[r.Dim:k])
	for i := range r.Dim / 2 {
		p, q := r.pair(i)
		u, v := x[p], x[q]
		y[p] = float32(u*cos[i]) - float32(v*sin[i])
		y[q] = float32(v*cos[i]) + float32(u*sin[i])
	}
}

// Backward writes the gradient with respect to x into dx[k], given dy[k]: the
// same turn by the opposite angle. dx may be dy. The loop that it must equal:
//
//	for pairs (p, q), number i:
//		dx[p], dx[q] = dy[p]*cos[i] + dy[q]*sin[i], dy[q]*cos[i] - dy[p]*sin[i]
func (r Rotary) Backward(dx, dy []float32, k int, cos, sin []float32) {
	r.check("kernel: rotary backward", dx, dy, k, cos, sin)
	copy(dx[r.Dim:k], dy[r.Dim:k])
	for i := range r.Dim / 2 {
		p, q := r.pair(i)
		u, v := dy[p], dy[q]
		dx[p] = float32(u*cos[i]) + float32(v*sin[i])
		dx[q] = float32(v*cos[i]) - float32(u*sin[i])
	}
}

// check panics unless the row holds the rotated values and there is an angle
// for each pair.
func (r Rotary) check(op string, y, x []float32, k int, cos, sin []float32) {
	if r.Dim < 0 || r.Dim%2 != 0 || r.Dim > k || len(y) < k || len(x) < k || len(cos) < r.Dim/2 || len(sin) < r.Dim/2 {
		panic(tensor.ShapeError{Op: op + ": dim k, and lengths of y x cos sin",
			Got: []int{r.Dim, k, len(y), len(x), len(cos), len(sin)}, Want: []int{r.Dim, k, k, k, r.Dim / 2, r.Dim / 2}})
	}
}
