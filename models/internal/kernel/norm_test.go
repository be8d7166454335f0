package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"orrery/models/internal/kernel"
)

const eps = 1e-5

// normCase is a norm with its definition in double precision.
type normCase struct {
	name     string
	forward  func(norm, scale, x []float32, rows, d int, eps float32)
	backward func(dx, dnorm, norm, scale []float32, rows, d int)
	centred  bool
}

var norms = []normCase{
	{"layer norm", kernel.LayerNorm, kernel.LayerNormBackward, true},
	{"rms norm", kernel.RMSNorm, kernel.RMSNormBackward, false},
}

// row is the definition on one row.
func (c normCase) row(x []float64) (y []float64, scale float64) {
	mean, square := 0.0, 0.0
	if c.centred {
		for _, v := range x {
			mean += v / float64(len(x))
		}
	}
	for _, v := range x {
		square += (v - mean) * (v - mean) / float64(len(x))
	}
	scale = math.Sqrt(square + eps)
	for _, v := range x {
		y = append(y, (v-mean)/scale)
	}
	return y, scale
}

func TestNormsEqualTheirDefinition(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range norms {
			for _, d := range lengths {
				const rows = 3
				x := random(uint64(d)).slice(rows * d)
				for i := range x {
					x[i] += 2
				}
				norm, scale := make([]float32, rows*d), make([]float32, rows)
				c.forward(norm, scale, x, rows, d, eps)
				for r := range rows {
					want, s := c.row(wide(x[r*d : (r+1)*d]))
					what := fmt.Sprintf("%s of %d", c.name, d)
					near(t, what, norm[r*d:(r+1)*d], want, nil, 5e-6)
					near(t, what+": scale", scale[r:r+1], []float64{s}, nil, 2e-6*s)
				}
				c.forward(x, scale, x, rows, d, eps)
				sameBits(t, c.name+" in place", x, norm)
			}
		}
	})
}

func TestNormGradients(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range norms {
			for _, d := range []int{2, 3, 17, 64, 65} {
				r := random(uint64(d))
				x, w, start := r.slice(d), r.slice(d), r.slice(d)
				norm, scale, dx := make([]float32, d), make([]float32, 1), slices.Clone(start)
				c.forward(norm, scale, x, 1, d, eps)
				c.backward(dx, w, norm, scale, 1, d)
				want := slopes(x, func(x []float64) float64 {
					y, _ := c.row(x)
					return inner(w, y)
				})
				for i := range want {
					want[i] += float64(start[i])
				}
				near(t, fmt.Sprintf("%s gradient of %d", c.name, d), dx, want, nil, 2e-5)
			}
		}
	})
}

// TestRowBits holds that a row's result is the same alone and among others, for
// any number of threads.
func TestRowBits(t *testing.T) {
	const rows, d = 700, 37
	r := random(9)
	x, dy, w, b := r.slice(rows*d), r.slice(rows*d), r.slice(d), r.slice(d)
	scale := r.slice(rows)
	ops := []struct {
		name string
		run  func(y, scale, x, dy []float32, rows int)
	}{
		{"layer norm", func(y, s, x, _ []float32, rows int) { kernel.LayerNorm(y, s, x, rows, d, eps) }},
		{"rms norm", func(y, s, x, _ []float32, rows int) { kernel.RMSNorm(y, s, x, rows, d, eps) }},
		{"layer norm backward", func(y, s, x, dy []float32, rows int) { kernel.LayerNormBackward(y, dy, x, s, rows, d) }},
		{"rms norm backward", func(y, s, x, dy []float32, rows int) { kernel.RMSNormBackward(y, dy, x, s, rows, d) }},
		{"affine", func(y, _, x, _ []float32, rows int) { kernel.Affine(y, x, w, b, rows, d) }},
		{"affine without bias", func(y, _, x, _ []float32, rows int) { kernel.Affine(y, x, w, nil, rows, d) }},
		{"affine backward", func(y, _, x, dy []float32, rows int) { kernel.AffineBackward(y, nil, nil, dy, x, w, rows, d) }},
		{"bias", func(y, _, _, _ []float32, rows int) { kernel.AddBias(y, b, rows, d) }},
		{"gelu", func(y, _, x, _ []float32, rows int) { kernel.Activate(y, x, kernel.GELU) }},
		{"gelu backward", func(y, _, x, dy []float32, rows int) { kernel.ActivateBackward(y, dy, x, kernel.GELU) }},
	}
	kernel.EachPath(t, func(t *testing.T) {
		for _, op := range ops {
			want := make([]float32, rows*d)
			for i := range rows {
				op.run(want[i*d:(i+1)*d], slices.Clone(scale[i:i+1]), x[i*d:(i+1)*d], dy[i*d:(i+1)*d], 1)
			}
			for _, threads := range []int{1, 2, 5} {
				kernel.WithThreads(threads, func() {
					got := make([]float32, rows*d)
					op.run(got, slices.Clone(scale), x, dy, rows)
					sameBits(t, fmt.Sprintf("%s on %d threads", op.name, threads), got, want)
				})
			}
		}
	})
}

func TestAffineGradients(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, d := range []int{1, 3, 17, 64, 65} {
			const rows = 5
			r := random(uint64(d))
			x, w, b, dy := r.slice(rows*d), r.slice(d), r.slice(d), r.slice(rows*d)
			objective := func(x, w, b []float64) float64 {
				s := 0.0
				for i, g := range dy {
					s += float64(g) * (x[i]*w[i%d] + b[i%d])
				}
				return s
			}
			dx, dw, db := make([]float32, rows*d), make([]float32, d), make([]float32, d)
			kernel.AffineBackward(dx, dw, db, dy, x, w, rows, d)
			near(t, "dnorm", dx, slopes(x, func(x []float64) float64 { return objective(x, wide(w), wide(b)) }), nil, 1e-5)
			near(t, "dw", dw, slopes(w, func(w []float64) float64 { return objective(wide(x), w, wide(b)) }), nil, 1e-5)
			near(t, "db", db, slopes(b, func(b []float64) float64 { return objective(wide(x), wide(w), b) }), nil, 1e-5)

			y := make([]float32, rows*d)
			kernel.Affine(y, x, w, b, rows, d)
			want := make([]float64, rows*d)
			for i := range want {
				want[i] = float64(x[i])*float64(w[i%d]) + float64(b[i%d])
			}
			near(t, "affine", y, want, nil, 1e-6)

			again := slices.Clone(dy)
			kernel.AffineBackward(again, dw, db, again, x, w, rows, d)
			sameBits(t, "dnorm in place of dy", again, dx)
			for i := range dw {
				if !(math.Abs(float64(dw[i])) >= 0) {
					t.Fatalf("dw[%d] is %v", i, dw[i])
				}
			}
		}
	})
}

// TestSumsOverRows holds that gradients that sum over rows have one order for
// any number of threads, and add to what is there.
func TestSumsOverRows(t *testing.T) {
	const rows, d = 300, 200
	r := random(11)
	x, dy, start := r.slice(rows*d), r.slice(rows*d), r.slice(d)
	kernel.EachPath(t, func(t *testing.T) {
		var first [3][]float32
		for _, threads := range []int{1, 2, 5} {
			kernel.WithThreads(threads, func() {
				got := [3][]float32{slices.Clone(start), slices.Clone(start), slices.Clone(start)}
				kernel.AffineBackward(nil, got[0], got[1], dy, x, nil, rows, d)
				kernel.BiasBackward(got[2], dy, rows, d)
				if threads == 1 {
					first = got
				}
				for i, name := range []string{"dw", "db", "bias"} {
					sameBits(t, fmt.Sprintf("%s on %d threads", name, threads), got[i], first[i])
				}
			})
		}
		want, gain := wide(start), wide(start)
		for i, g := range dy {
			want[i%d] += float64(g)
			gain[i%d] += float64(g) * float64(x[i])
		}
		near(t, "bias gradient", first[2], want, nil, 1e-4)
		near(t, "gain gradient", first[0], gain, nil, 1e-4)
	})
}
