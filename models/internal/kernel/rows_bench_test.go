package kernel_test

import (
	"fmt"
	"testing"

	"orrery/models/internal/kernel"
)

// BenchmarkElements measures everything but products, in nanoseconds an
// element on one thread and two, at the sizes of a training step (2560 rows)
// and, for what attention calls, of a head.
func BenchmarkElements(b *testing.B) {
	const rows, d, f = 2560, 128, 512
	r := random(1)
	x, y, z, w, scale := r.slice(rows*f), r.slice(rows*f), r.slice(rows*f), r.slice(f), r.slice(rows)
	ops := []struct {
		name string
		n    int
		run  func()
	}{
		{"dot32", 32, func() { kernel.Dot(x[:32], y[:32]) }},
		{"axpy32", 32, func() { kernel.Axpy(y[:32], 1e-9, x[:32]) }},
		{"softmax32", 32, func() { kernel.Softmax(y[:32], x[:32]) }},
		{"softmax20000", 20000, func() { kernel.Softmax(y[:20000], x[:20000]) }},
		{"exp", 4096, func() { kernel.Exp(y[:4096], x[:4096]) }},
		{"layernorm", rows * d, func() { kernel.LayerNorm(z[:rows*d], scale, x[:rows*d], rows, d, 1e-5) }},
		{"layernorm-backward", rows * d, func() { kernel.LayerNormBackward(z[:rows*d], x[:rows*d], y[:rows*d], scale, rows, d) }},
		{"rmsnorm", rows * d, func() { kernel.RMSNorm(z[:rows*d], scale, x[:rows*d], rows, d, 1e-5) }},
		{"affine", rows * d, func() { kernel.Affine(z[:rows*d], x[:rows*d], w, w, rows, d) }},
		{"affine-backward", rows * d, func() {
			kernel.AffineBackward(z[:rows*d], scale[:d], scale[d:2*d], x[:rows*d], y[:rows*d], w, rows, d)
		}},
		{"bias", rows * f, func() { kernel.AddBias(z, w, rows, f) }},
		{"bias-backward", rows * f, func() { kernel.BiasBackward(scale[:f], x, rows, f) }},
	}
	for _, act := range []kernel.Act{kernel.ReLU, kernel.GELU, kernel.GELUTanh, kernel.SiLU} {
		ops = append(ops, struct {
			name string
			n    int
			run  func()
		}{act.String(), rows * f, func() { kernel.Activate(z, x, act) }}, struct {
			name string
			n    int
			run  func()
		}{act.String() + "-backward", rows * f, func() { kernel.ActivateBackward(z, y, x, act) }})
	}
	for _, op := range ops {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", op.name, threads), func(b *testing.B) {
				kernel.WithThreads(threads, func() {
					b.ReportAllocs()
					for b.Loop() {
						op.run()
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(op.n), "ns/element")
				})
			})
		}
	}
}
