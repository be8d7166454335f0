package kernel_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// head is one random head: rows lie apart, as in a tensor with more heads.
type head struct {
	q, k, v     kernel.Rows
	spans       []kernel.Span
	keys, width int
}

func newHead(r source, queries, keys, width int, span func(i int) (lo, hi int)) head {
	h := head{keys: keys, width: width}
	h.q = kernel.Rows{Data: r.slice(queries*3*width - 2*width), Stride: 3 * width}
	h.k = kernel.Rows{Data: r.slice(keys * (width + 5)), Stride: width + 5}
	h.v = kernel.Rows{Data: r.slice(keys * 2 * width), Stride: 2 * width}
	for i := range queries {
		lo, hi := span(i)
		h.spans = append(h.spans, kernel.Span{Lo: lo, Hi: hi})
	}
	return h
}

// heads are the ways in which queries see keys.
func heads(r source, width int) map[string]head {
	jumble := func(i int) (int, int) { lo := r.IntN(60); return lo, lo + r.IntN(41) }
	return map[string]head{
		"one query":      newHead(r, 1, 33, width, func(int) (int, int) { return 3, 33 }),
		"few queries":    newHead(r, 5, 20, width, func(i int) (int, int) { return 0, 16 + i }),
		"causal":         newHead(r, 70, 70, width, func(i int) (int, int) { return 0, i + 1 }),
		"padded left":    newHead(r, 70, 70, width, func(i int) (int, int) { return 13, i + 1 }),
		"window":         newHead(r, 100, 100, width, func(i int) (int, int) { return max(0, i-16), i + 1 }),
		"everything":     newHead(r, 50, 600, width, func(int) (int, int) { return 0, 600 }),
		"no two alike":   newHead(r, 90, 100, width, jumble),
		"nothing":        newHead(r, 3, 10, width, func(int) (int, int) { return 0, 0 }),
		"no keys at all": newHead(r, 3, 0, width, func(int) (int, int) { return 0, 0 }),
	}
}

// row returns row i of width values.
func row(x kernel.Rows, i, width int) []float32 { return x.Data[i*x.Stride : i*x.Stride+width] }

// TestAttention compares with the loops in double precision, and holds that a
// query has the same bits alone, that keys outside its span cannot matter, and
// that nothing between the rows is touched.
func TestAttention(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, width := range []int{1, 3, 16, 17, 64, 80, 300} {
			r := random(uint64(width))
			for name, h := range heads(r, width) {
				what := fmt.Sprintf("%s, width %d", name, width)
				n, ld := len(h.spans), h.keys+2
				scale := float32(1 / math.Sqrt(float64(width)))
				nan := float32(math.NaN())

				scores := slices.Repeat([]float32{7}, n*ld)
				kernel.Scores(scores, ld, h.q, h.k, h.spans, h.keys, width, scale)
				p := r.slice(n * ld) // NaN where it must not be read
				for i, s := range h.spans {
					q := row(h.q, i, width)
					for key := range h.keys {
						got := scores[i*ld+key]
						if key < s.Lo || key >= s.Hi {
							p[i*ld+key] = nan
							if !math.IsInf(float64(got), -1) {
								t.Fatalf("%s: score of query %d and key %d is %v, want -Inf", what, i, key, got)
							}
							continue
						}
						want, size := 0.0, 0.0
						for j, v := range row(h.k, key, width) {
							want += float64(q[j]) * float64(v)
							size += math.Abs(float64(q[j]) * float64(v))
						}
						near(t, what+": score", []float32{got}, []float64{want * float64(scale)}, []float64{size}, 1e-6)
					}
					sameBits(t, what+": beyond the keys", scores[i*ld+h.keys:(i+1)*ld], []float32{7, 7})
				}

				z := kernel.Rows{Data: slices.Clone(h.q.Data), Stride: h.q.Stride}
				kernel.Mix(z, p, ld, h.v, h.spans, h.keys, width)
				dv := kernel.Rows{Data: slices.Clone(h.k.Data), Stride: h.k.Stride}
				kernel.MixBackward(dv, p, ld, h.q, h.spans, h.keys, width)
				wantZ, wantV := wide(h.q.Data), wide(h.k.Data)
				for i, s := range h.spans {
					for key := s.Lo; key < s.Hi; key++ {
						for j := range width {
							wantZ[i*z.Stride+j] += float64(p[i*ld+key]) * float64(h.v.Data[key*h.v.Stride+j])
							wantV[key*dv.Stride+j] += float64(p[i*ld+key]) * float64(h.q.Data[i*h.q.Stride+j])
						}
					}
				}
				near(t, what+": mix", z.Data, wantZ, nil, 2e-4)
				near(t, what+": mix backward", dv.Data, wantV, nil, 2e-4)

				for i, s := range h.spans {
					alone, mixed := make([]float32, h.keys), slices.Clone(row(h.q, i, width))
					q := kernel.Rows{Data: row(h.q, i, width), Stride: width}
					kernel.Scores(alone, h.keys, q, h.k, []kernel.Span{s}, h.keys, width, scale)
					sameBits(t, what+": scores of one query", alone, scores[i*ld:i*ld+h.keys])
					// The chain in key order, key by key.
					one := slices.Clone(mixed)
					for key := s.Lo; key < s.Hi; key++ {
						kernel.Axpy(one, p[i*ld+key], row(h.v, key, width))
					}
					sameBits(t, what+": mix against the chain", row(z, i, width), one)
					kernel.Mix(kernel.Rows{Data: mixed, Stride: width}, p[i*ld:], ld, h.v, []kernel.Span{s}, h.keys, width)
					sameBits(t, what+": mix of one query", mixed, one)
				}
				chain := kernel.Rows{Data: slices.Clone(h.k.Data), Stride: h.k.Stride}
				for i, s := range h.spans {
					for key := s.Lo; key < s.Hi; key++ {
						kernel.Axpy(row(chain, key, width), p[i*ld+key], row(h.q, i, width))
					}
				}
				sameBits(t, what+": mix backward against the chain", dv.Data, chain.Data)
			}
		}
	})
}

// TestScoreIsAProduct holds that a score has the bits of the product.
func TestScoreIsAProduct(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, width := range []int{3, 64, 300} {
			const n = 40
			r := random(1)
			q, k := r.slice(n*width), r.slice(n*width)
			spans := slices.Repeat([]kernel.Span{{Lo: 0, Hi: n}}, n)
			got, want := make([]float32, n*n), make([]float32, n*n)
			kernel.Scores(got, n, kernel.Rows{Data: q, Stride: width}, kernel.Rows{Data: k, Stride: width}, spans, n, width, 1)
			kernel.MatMulNT(want, q, k, n, width, n, false)
			sameBits(t, fmt.Sprintf("scores of width %d", width), got, want)
		}
	})
}

func TestAttentionPanics(t *testing.T) {
	x := kernel.Rows{Data: make([]float32, 12), Stride: 4}
	for name, call := range map[string]func(){
		"span beyond keys": func() { kernel.Scores(make([]float32, 9), 3, x, x, []kernel.Span{{Lo: 0, Hi: 4}}, 3, 4, 1) },
		"negative span":    func() { kernel.Mix(x, make([]float32, 9), 3, x, []kernel.Span{{Lo: -1, Hi: 2}}, 3, 4) },
		"short square":     func() { kernel.Mix(x, make([]float32, 2), 3, x, []kernel.Span{{Lo: 0, Hi: 2}}, 3, 4) },
		"short rows":       func() { kernel.MixBackward(x, make([]float32, 16), 4, x, []kernel.Span{{Lo: 0, Hi: 4}}, 4, 4) },
		"narrow rows":      func() { kernel.MixBackward(x, make([]float32, 9), 3, x, []kernel.Span{{Lo: 0, Hi: 2}}, 3, 5) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				err, _ := recover().(error)
				var shape tensor.ShapeError
				if !errors.As(err, &shape) {
					t.Errorf("%v, want a ShapeError", err)
				}
			}()
			call()
		})
	}
}

// BenchmarkAttention measures one causal head of 1,024 tokens and one query at
// the end of them; the share counts the products of visible pairs only.
func BenchmarkAttention(b *testing.B) {
	const T, H, K = 1024, 12, 64
	r := random(1)
	x := kernel.Rows{Data: r.slice(T * H * K), Stride: H * K}
	y := kernel.Rows{Data: r.slice(T * H * K), Stride: H * K}
	square := r.slice(T * T)
	var causal []kernel.Span
	for i := range T {
		causal = append(causal, kernel.Span{Lo: 0, Hi: i + 1})
	}
	eachVectorPath(b, func(b *testing.B) {
		for _, c := range []struct {
			name  string
			pairs int
			run   func()
		}{
			{"scores", T * T / 2, func() { kernel.Scores(square, T, x, y, causal, T, K, 0.125) }},
			{"mix", T * T / 2, func() { kernel.Mix(y, square, T, x, causal, T, K) }},
			{"mix-backward", T * T / 2, func() { kernel.MixBackward(y, square, T, x, causal, T, K) }},
			{"scores-15", 15 * 15, func() { kernel.Scores(square, 15, x, y, causal[:15], 15, K, 0.125) }},
			{"mix-15", 15 * 15, func() { kernel.Mix(y, square, 15, x, causal[:15], 15, K) }},
			{"mix-backward-15", 15 * 15, func() { kernel.MixBackward(y, square, 15, x, causal[:15], 15, K) }},
			{"dots-15", 15 * 15, func() {
				for i := range 15 {
					for s := range i + 1 {
						square[i*15+s] = kernel.Dot(row(x, i, K), row(y, s, K))
					}
				}
			}},
			{"axpys-15", 15 * 15, func() {
				for i := range 15 {
					for s := range i + 1 {
						kernel.Axpy(row(y, i, K), square[i*15+s], row(x, s, K))
					}
				}
			}},
			{"scores-1", T, func() { kernel.Scores(square, T, x, y, causal[T-1:], T, K, 0.125) }},
			{"mix-1", T, func() { kernel.Mix(y, square, T, x, causal[T-1:], T, K) }},
			{"softmax", T * T / 2, func() {
				for i := range T {
					kernel.Softmax(square[i*T:i*T+i+1], square[i*T:i*T+i+1])
				}
			}},
		} {
			b.Run(c.name, func(b *testing.B) {
				clear(square)
				best := least(b, c.run)
				b.ReportMetric(best*1e6, "µs")
				b.ReportMetric(2*float64(c.pairs*K)/best/kernel.Peak(1), "of-peak")
			})
		}
	})
}
