package kernel_test

import "math/rand/v2"

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
