package kernel

import "orrery/models/tensor"

// MatMulNT is the product with a transposed right side, for weights that are
// stored [out,in]: c[m,n] = a[m,k]·b[n,k]ᵀ, or c += when add is set. It packs
// b in every call; weights that stay are better packed once by PackNT, which
// gives the same bits. c must not overlap a or b.
//
// The loop that it must equal:
//
//	for i < m, j < n:
//		s := 0 (c[i,j] when add is set)
//		for p < k: s += a[i,p]*b[j,p]
//		c[i,j] = s
//
// Every element is this one chain over ascending p, of fused multiply-adds on
// the vector paths and of separate ones on the go path. So the bits of a row of c
// depend on that row of a (and of c) and on b alone, whatever m, n, the number
// of threads and the split of the work.
func MatMulNT(c, a, b []float32, m, k, n int, add bool) {
	check("kernel: matmul nt", c, a, b, m, k, n)
	product{c: c, ldc: n, a: a, ars: k, aks: 1, b: b, bjs: k, bps: 1, m: m, k: k, n: n, add: add}.run()
}

// MatMulNN is the plain product, for input gradients and for weights that are
// stored [in,out]: c[m,n] = a[m,k]·b[k,n], or c += when add is set. c must not
// overlap a or b. The loop that it must equal is that of MatMulNT with b[p,j]
// for b[j,p], and what is said there of its bits holds here.
func MatMulNN(c, a, b []float32, m, k, n int, add bool) {
	check("kernel: matmul nn", c, a, b, m, k, n)
	product{c: c, ldc: n, a: a, ars: k, aks: 1, b: b, bjs: 1, bps: n, m: m, k: k, n: n, add: add}.run()
}

// MatMulTN is the product with a transposed left side, for weight gradients, in
// which k is the number of rows of the batch: c[m,n] = a[k,m]ᵀ·b[k,n], or c +=
// when add is set. c must not overlap a or b. The loop that it must equal is
// that of MatMulNT with a[p,i] for a[i,p] and b[p,j] for b[j,p]. The work is
// split over elements of c and never over k, so the bits do not depend on the
// number of threads.
func MatMulTN(c, a, b []float32, m, k, n int, add bool) {
	check("kernel: matmul tn", c, a, b, m, k, n)
	product{c: c, ldc: n, a: a, ars: 1, aks: m, b: b, bjs: 1, bps: n, m: m, k: k, n: n, add: add}.run()
}

// check panics unless the slices hold the matrices that the sizes say.
func check(op string, c, a, b []float32, m, k, n int) {
	if m < 0 || k < 0 || n < 0 || len(c) < m*n || len(a) < m*k || len(b) < n*k {
		panic(tensor.ShapeError{Op: op + ": sizes m k n, and lengths of c a b",
			Got: []int{m, k, n, len(c), len(a), len(b)}, Want: []int{m, k, n, m * n, m * k, n * k}})
	}
}
