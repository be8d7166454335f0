package kernel

// Rotary rotates pairs of the first Dim values of a head row by position
// angles: pairs (2i, 2i+1) when Adjacent, else (i, i+Dim/2).
type Rotary struct {
	Dim      int
	Adjacent bool
}

// pair returns the indices of pair i.
func (r Rotary) pair(i int) (int, int) {
	if r.Adjacent {
		return 2 * i, 2*i + 1
	}
	return i, i + r.Dim/2
}

// Apply rotates one head row x of width k into y; y may be x.
func (r Rotary) Apply(y, x []float32, k int, cos, sin []float32) {
	copy(y[r.Dim:k], x[r.Dim:k])
	for i := range r.Dim / 2 {
		p, q := r.pair(i)
		u, v := x[p], x[q]
		y[p] = float32(u*cos[i]) - float32(v*sin[i])
		y[q] = float32(v*cos[i]) + float32(u*sin[i])
	}
}

// Backward rotates dy back into dx, which is written; dx may be dy.
func (r Rotary) Backward(dx, dy []float32, k int, cos, sin []float32) {
	copy(dx[r.Dim:k], dy[r.Dim:k])
	for i := range r.Dim / 2 {
		p, q := r.pair(i)
		u, v := dy[p], dy[q]
		dx[p] = float32(u*cos[i]) + float32(v*sin[i])
		dx[q] = float32(v*cos[i]) - float32(u*sin[i])
	}
}
