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

// kind is one way to store the two sides of a product.
type kind struct {
	name string
	a, b bool // stored transposed: a as [k,m], b as [n,k]
	run  func(c, a, b []float32, m, k, n int, add bool)
}

var kinds = []kind{
	{"nt", false, true, kernel.MatMulNT},
	{"nn", false, false, kernel.MatMulNN},
	{"tn", true, false, kernel.MatMulTN},
	{"packed", false, true, func(c, a, b []float32, m, k, n int, add bool) {
		kernel.PackNT(b, n, k).MatMul(c, a, m, add)
	}},
}

// transposed returns x[rows,cols] as [cols,rows].
func transposed(x []float32, rows, cols int) []float32 {
	y := make([]float32, len(x))
	for i := range rows {
		for j := range cols {
			y[j*rows+i] = x[i*cols+j]
		}
	}
	return y
}

// apply computes c (+)= a[m,k]·b[k,n], storing a and b as the kind wants.
func (d kind) apply(c, a, b []float32, m, k, n int, add bool) {
	if d.a {
		a = transposed(a, m, k)
	}
	if d.b {
		b = transposed(b, k, n)
	}
	d.run(c, a, b, m, k, n, add)
}

// sizes are edges of tiles, panels, strips and blocks, and none of those.
var sizes = []struct{ m, k, n int }{
	{1, 1, 1}, {1, 3, 17}, {3, 17, 64}, {17, 64, 65}, {64, 65, 3}, {65, 1, 17}, {1, 64, 96},
	{1, 65, 97}, {2, 17, 48}, {2, 3, 111}, {3, 64, 33}, {4, 17, 16}, {5, 17, 31}, {6, 16, 96},
	{7, 257, 17}, {12, 256, 16}, {13, 255, 15}, {23, 8, 130}, {96, 9, 528}, {97, 513, 545}, {200, 100, 300},
}

func TestProductEqualsLoop(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, s := range sizes {
			for _, add := range []bool{false, true} {
				r := random(1)
				a, b, start := r.slice(s.m*s.k), r.slice(s.k*s.n), r.slice(s.m*s.n)
				want, size := make([]float64, s.m*s.n), make([]float64, s.m*s.n)
				for i := range s.m {
					for j := range s.n {
						at := i*s.n + j
						if add {
							want[at] = float64(start[at])
							size[at] = math.Abs(want[at])
						}
						for p := range s.k {
							v := float64(a[i*s.k+p]) * float64(b[p*s.n+j])
							want[at] += v
							size[at] += math.Abs(v)
						}
					}
				}
				for _, d := range kinds {
					c := slices.Clone(start)
					d.apply(c, a, b, s.m, s.k, s.n, add)
					near(t, fmt.Sprintf("%s %v add %v", d.name, s, add), c, want, size, 1e-6)
				}
			}
		}
	})
}

// TestProductBits holds batch invariance: each kind, number of threads, number
// of rows and number of columns gives one and the same chain for an element.
func TestProductBits(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, s := range append(sizes, struct{ m, k, n int }{250, 300, 260}) {
			r := random(2)
			a, b := r.slice(s.m*s.k), r.slice(s.k*s.n)
			want := make([]float32, s.m*s.n)
			kernel.WithThreads(1, func() { kernel.MatMulNN(want, a, b, s.m, s.k, s.n, false) })
			for _, threads := range []int{1, 2, 5} {
				kernel.WithThreads(threads, func() {
					for _, d := range kinds {
						what := fmt.Sprintf("%s %v on %d threads", d.name, s, threads)
						got := make([]float32, s.m*s.n)
						d.apply(got, a, b, s.m, s.k, s.n, false)
						sameBits(t, what, got, want)
						for _, rows := range []int{1, 2, 3, 4, 5, 7} {
							if lo := (s.m - rows) / 2; rows <= s.m {
								d.apply(got[:rows*s.n], a[lo*s.k:(lo+rows)*s.k], b, rows, s.k, s.n, false)
								sameBits(t, fmt.Sprintf("%s, %d rows alone", what, rows), got[:rows*s.n], want[lo*s.n:(lo+rows)*s.n])
							}
						}
					}
				})
			}
		}
	})
}

// TestProductContinues holds that adding goes on with the chain in c, so that
// a product cut over k is the whole product.
func TestProductContinues(t *testing.T) {
	const m, k, n, cut = 13, 700, 37, 311
	r := random(3)
	a, b := r.slice(m*k), r.slice(k*n)
	left, right := make([]float32, 0, m*cut), make([]float32, 0, m*(k-cut))
	for i := range m {
		left = append(left, a[i*k:i*k+cut]...)
		right = append(right, a[i*k+cut:(i+1)*k]...)
	}
	kernel.EachPath(t, func(t *testing.T) {
		for _, d := range kinds {
			want, got := make([]float32, m*n), make([]float32, m*n)
			d.apply(want, a, b, m, k, n, false)
			d.apply(got, left, b[:cut*n], m, cut, n, false)
			d.apply(got, right, b[cut*n:], m, k-cut, n, true)
			sameBits(t, d.name, got, want)
		}
	})
}

func TestProductNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	const m, k, n = 14, 33, 35
	kernel.EachPath(t, func(t *testing.T) {
		for _, d := range kinds {
			for _, bad := range []float32{nan, inf, -inf} {
				a, b := random(4).slice(m*k), random(5).slice(k*n)
				a[7*k+4], b[5*n+20], b[4*n+2] = bad, bad, 0
				c := make([]float32, m*n)
				d.apply(c, a, b, m, k, n, false)
				for i := range m {
					for j := range n {
						v := float64(c[i*n+j])
						if hit := i == 7 || j == 20; hit == (v-v == 0) {
							t.Fatalf("%s with %v: element [%d %d] is %v", d.name, bad, i, j, v)
						}
					}
				}
				if v := c[7*n+2]; v == v {
					t.Fatalf("%s: %v times 0 gave %v, want NaN", d.name, bad, v)
				}
			}
		}
	})
}

func TestProductEmpty(t *testing.T) {
	for _, d := range kinds {
		c := []float32{1, 2, 3, 4}
		d.apply(c, nil, nil, 2, 0, 2, true)
		sameBits(t, d.name+" adding nothing", c, []float32{1, 2, 3, 4})
		d.apply(c, nil, nil, 2, 0, 2, false)
		sameBits(t, d.name+" of no terms", c, make([]float32, 4))
		d.apply(nil, nil, make([]float32, 6), 0, 3, 2, false)
	}
}

func TestProductPanics(t *testing.T) {
	for _, d := range kinds {
		for _, s := range []struct{ c, a, b int }{{3, 6, 6}, {4, 5, 6}, {4, 6, 5}} {
			func() {
				defer func() {
					err, _ := recover().(error)
					var shape tensor.ShapeError
					if !errors.As(err, &shape) {
						t.Errorf("%s with lengths %v: %v, want a ShapeError", d.name, s, err)
					}
				}()
				d.run(make([]float32, s.c), make([]float32, s.a), make([]float32, s.b), 2, 3, 2, false)
			}()
		}
	}
}
