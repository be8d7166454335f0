package kernel

import (
	"runtime"

	"orrery/models/tensor"
)

// Part is a block of a packed matrix: some neighbouring outputs and some
// neighbouring inputs, such as one head of the query weights (a range of n) or
// of the output weights (a range of k). Bounds need not be at panels.
type Part struct {
	w     *Packed
	n0, n int // first output, number of outputs
	k0, k int // first input, number of inputs
}

// Part returns the block of outputs nlo to nhi and inputs klo to khi.
func (p *Packed) Part(nlo, nhi, klo, khi int) Part {
	if nlo < 0 || nhi < nlo || nhi > p.n || klo < 0 || khi < klo || khi > p.k {
		panic(tensor.ShapeError{Op: "kernel: part: bounds of outputs and inputs",
			Got: []int{nlo, nhi, klo, khi}, Want: []int{0, p.n, 0, p.k}})
	}
	return Part{w: p, n0: nlo, n: nhi - nlo, k0: klo, k: khi - klo}
}

// whole is the part that leaves nothing out.
func (p *Packed) whole() Part { return Part{w: p, n: p.n, k: p.k} }

// MatMul is c[m,n] = a[m,k]·Wᵀ with the block as W, or c += when add is set.
// Row i of c starts at i*ldc and row i of a at i*lda, so that one head's rows
// need not be copied out of those of all heads. Every element is one chain over
// ascending inputs, as in MatMulNT: over all inputs it has the bits of
// Packed.MatMul, and parts of the inputs added one after the other too. c must
// not overlap a.
func (b Part) MatMul(c []float32, ldc int, a []float32, lda, m int, add bool) {
	checkRows("kernel: packed matmul", c, ldc, b.n, a, lda, b.k, m)
	product{c: c, ldc: ldc, a: a, ars: lda, aks: 1, w: b.w, n0: b.n0, k0: b.k0, m: m, k: b.k, n: b.n, add: add}.run()
	runtime.KeepAlive(b.w) // its panels may lie outside of the collector's sight
}

// MatMulNN is the backward product dx[m,k] = dy[m,n]·W with the block as W, or
// dx += when add is set. Row i of dx starts at i*ldx and row i of dy at i*ldy.
// Every element is one chain over ascending outputs, as in the function
// MatMulNN. dx must not overlap dy.
func (b Part) MatMulNN(dx []float32, ldx int, dy []float32, ldy, m int, add bool) {
	checkRows("kernel: packed matmul nn", dx, ldx, b.k, dy, ldy, b.n, m)
	product{c: dx, ldc: ldx, a: dy, ars: ldy, aks: 1, w: b.w, back: true, n0: b.n0, k0: b.k0, m: m, k: b.n, n: b.k, add: add}.run()
	runtime.KeepAlive(b.w) // its panels may lie outside of the collector's sight
}

// checkRows panics unless c holds m rows of n at distance ldc and a holds m
// rows of k at distance lda.
func checkRows(op string, c []float32, ldc, n int, a []float32, lda, k, m int) {
	if m < 0 || m > 0 && (ldc < n || lda < k || len(c) < (m-1)*ldc+n || len(a) < (m-1)*lda+k) {
		panic(tensor.ShapeError{Op: op + ": rows, distances of rows and lengths of c a",
			Got: []int{m, ldc, lda, len(c), len(a)}, Want: []int{m, n, k, (m-1)*ldc + n, (m-1)*lda + k}})
	}
}
