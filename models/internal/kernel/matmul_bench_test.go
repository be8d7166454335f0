package kernel_test

import (
	"fmt"
	"testing"

	"orrery/models/internal/kernel"
)

// products are the sizes of a small model's forward pass and training step.
var products = []struct {
	name    string
	m, k, n int
}{
	{"row", 1, 768, 3072},
	{"unembed", 1, 768, 50257},
	{"few", 16, 768, 768},
	{"prompt", 128, 768, 3072},
	{"square", 1024, 1024, 1024},
	{"train128", 2560, 128, 512},
	{"train512", 3840, 512, 128},
}

// BenchmarkProduct measures each kind of product; GFLOP/s counts two
// operations a multiply-add.
func BenchmarkProduct(b *testing.B) {
	kinds := []struct {
		name string
		run  func(c, x, y []float32, m, k, n int)
	}{
		{"nt", func(c, x, y []float32, m, k, n int) { kernel.MatMulNT(c, x, y, m, k, n, false) }},
		{"nn", func(c, x, y []float32, m, k, n int) { kernel.MatMulNN(c, x, y, m, k, n, false) }},
		{"tn", func(c, x, y []float32, m, k, n int) { kernel.MatMulTN(c, x, y, k, m, n, false) }},
	}
	for _, p := range products {
		r := random(1)
		x, y := r.slice(p.m*p.k), r.slice(p.k*p.n)
		for _, kind := range kinds {
			for _, threads := range []int{1, 2} {
				b.Run(fmt.Sprintf("%s/%s/%d", kind.name, p.name, threads), func(b *testing.B) {
					// A weight gradient sums over the rows of the batch.
					c := make([]float32, max(p.m*p.n, p.k*p.n))
					z := y
					if kind.name == "tn" {
						z = r.slice(p.m * p.n)
					}
					kernel.WithThreads(threads, func() { measure(b, p.m*p.k*p.n, func() { kind.run(c, x, z, p.m, p.k, p.n) }) })
				})
			}
		}
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("packed/%s/%d", p.name, threads), func(b *testing.B) {
				c, w := make([]float32, p.m*p.n), kernel.PackNT(y, p.n, p.k)
				kernel.WithThreads(threads, func() { measure(b, p.m*p.k*p.n, func() { w.MatMul(c, x, p.m, false) }) })
			})
		}
	}
}

// measure times f, which does work multiply-adds.
func measure(b *testing.B, work int, f func()) {
	b.ReportAllocs()
	for b.Loop() {
		f()
	}
	b.ReportMetric(2*float64(work)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
