package kernel_test

import (
	"math"
	"math/rand/v2"
	"testing"
)

// source makes reproducible test data.
type source struct{ *rand.Rand }

func random(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 7))} }

// slice returns n normally distributed values.
func (r source) slice(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// near fails unless every got[i] is within tol*size[i] of want[i], or both are
// NaN, or both are the same infinity; a nil size is 1 everywhere.
func near(t *testing.T, what string, got []float32, want, size []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		g, s := float64(got[i]), 1.0
		if size != nil {
			s = size[i]
		}
		if math.IsNaN(w) && math.IsNaN(g) || g == w {
			continue
		}
		if !(math.Abs(g-w) <= tol*s) || math.IsInf(w, 0) {
			t.Fatalf("%s: element %d of %d is %v, want %v within %g", what, i, len(got), g, w, tol*s)
		}
	}
}

// sameBits fails unless got and want are equal bit for bit.
func sameBits(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Float32bits(got[i]) != math.Float32bits(want[i]) {
			t.Fatalf("%s: element %d of %d is %v (%08x), want the bits of %v (%08x)", what, i, len(got),
				got[i], math.Float32bits(got[i]), want[i], math.Float32bits(want[i]))
		}
	}
}

// wide converts to double precision.
func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// slopes returns the derivative of f by each x[i], by central differences.
func slopes(x []float32, f func(x []float64) float64) []float64 {
	const h = 1e-5
	v, d := wide(x), make([]float64, len(x))
	for i, at := range v {
		v[i] = at + h
		up := f(v)
		v[i] = at - h
		d[i] = (up - f(v)) / (2 * h)
		v[i] = at
	}
	return d
}

// inner is Σ w[i]*y[i], the objective whose gradient by y is w.
func inner(w []float32, y []float64) float64 {
	s := 0.0
	for i, v := range w {
		s += float64(v) * y[i]
	}
	return s
}

// lengths are those at which vector loops change their course.
var lengths = []int{1, 3, 6, 7, 8, 9, 16, 17, 31, 32, 33, 64, 65, 96, 257}
