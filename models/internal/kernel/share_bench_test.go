package kernel_test

import (
	"fmt"
	"testing"
	"time"

	"orrery/models/internal/kernel"
)

// shapes of the products of GPT-2 small, inputs by outputs.
var shapes = []struct{ k, n int }{{768, 768}, {768, 2304}, {768, 3072}, {3072, 768}}

// BenchmarkShare measures products over packed weights and reports, beside
// GFLOP/s, the share of the peak that the processor reached in the same run.
// Other programs disturb both, so each is the best of what was seen.
func BenchmarkShare(b *testing.B) {
	eachVectorPath(b, func(b *testing.B) {
		for _, threads := range []int{1, 2} {
			for _, s := range shapes {
				for _, m := range []int{2, 4, 8, 15, 16, 64, 120, 960} {
					r := random(1)
					x, y, dw := r.slice(m*s.k), r.slice(m*s.n), make([]float32, s.n*s.k)
					for _, st := range stores(r, s.n, s.k) {
						if st.name != "f32" && st.name != "BF16" {
							continue
						}
						for _, op := range []struct {
							name string
							run  func()
						}{
							{"nt", func() { st.w.MatMul(y, x, m, false) }},
							{"nn", func() { st.w.MatMulNN(x, y, m, false) }},
							{"tn", func() { kernel.MatMulTN(dw, y, x, s.n, m, s.k, false) }},
						} {
							if op.name == "tn" && st.name != "f32" {
								continue
							}
							b.Run(fmt.Sprintf("%s/%s/%dx%dx%d/%d", op.name, st.name, m, s.k, s.n, threads), func(b *testing.B) {
								kernel.WithThreads(threads, func() {
									peak, best := kernel.Peak(threads), least(b, op.run)
									peak = max(peak, kernel.Peak(threads))
									flops := 2 * float64(m*s.k*s.n) / best
									b.ReportMetric(flops/1e9, "GFLOP/s")
									b.ReportMetric(flops/peak, "of-peak")
								})
							})
						}
					}
				}
			}
		}
	})
}

// BenchmarkRow measures products of one row over more weights than the caches
// hold, one matrix after the other as a model does, and reports the share of
// the read bandwidth reached in the same run.
func BenchmarkRow(b *testing.B) {
	memory := make([]float32, 1<<26)
	for i := range memory {
		memory[i] = 1
	}
	eachVectorPath(b, func(b *testing.B) {
		for _, threads := range []int{1, 2} {
			for _, s := range append(shapes, struct{ k, n int }{768, 50257}) {
				for _, kind := range []string{"f32", "BF16", "F16"} {
					var ws []*kernel.Packed
					bytes := 0
					x, y := make([]float32, s.k), make([]float32, s.n)
					for bytes < 200<<20 {
						var w *kernel.Packed
						switch kind {
						case "f32":
							w = kernel.PackNT(memory[:s.k*s.n], s.n, s.k)
						case "BF16":
							w = packHalf(make([]uint16, s.k*s.n), kernel.BF16, s.n, s.k)
						case "F16":
							w = packHalf(make([]uint16, s.k*s.n), kernel.F16, s.n, s.k)
						}
						ws = append(ws, w)
						bytes += w.Bytes()
					}
					b.Run(fmt.Sprintf("%s/1x%dx%d/%d", kind, s.k, s.n, threads), func(b *testing.B) {
						kernel.WithThreads(threads, func() {
							read := kernel.Bandwidth(threads, memory)
							next := 0
							best := least(b, func() {
								ws[next%len(ws)].MatMul(y, x, 1, false)
								next++
							})
							read = max(read, kernel.Bandwidth(threads, memory))
							speed := float64(ws[0].Bytes()) / best
							b.ReportMetric(speed/1e9, "GB/s")
							b.ReportMetric(speed/read, "of-bandwidth")
						})
					})
				}
			}
		}
	})
}

// BenchmarkPack measures packing, which loading a model consists of.
func BenchmarkPack(b *testing.B) {
	const n, k = 3072, 768
	x, h := make([]float32, n*k), make([]uint16, n*k)
	for _, c := range []struct {
		name string
		run  func()
	}{
		{"f32", func() { kernel.PackNT(x, n, k) }},
		{"bf16", func() { packHalf(h, kernel.BF16, n, k) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			kernel.WithThreads(1, func() { b.ReportMetric(n*k/least(b, c.run)/1e9, "Gvalues/s") })
		})
	}
}

// least runs f b.N times and returns the least time in seconds.
func least(b *testing.B, f func()) float64 {
	best := time.Duration(1 << 62)
	for i := 0; b.Loop(); i++ {
		if i%50 == 0 { // keep the team awake where other programs want its processors
			kernel.Do(2, 1, func(lo, hi int) {
				for start := time.Now(); time.Since(start) < 3*time.Millisecond; {
				}
			})
		}
		start := time.Now()
		f()
		best = min(best, time.Since(start))
	}
	return best.Seconds()
}

// eachVectorPath runs f on the vector paths of this processor.
func eachVectorPath(b *testing.B, f func(b *testing.B)) {
	for _, path := range []string{"avx512", "avx2"} {
		kernel.OnPath(path, func() { b.Run(path, f) })
	}
}
