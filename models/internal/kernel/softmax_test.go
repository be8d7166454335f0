package kernel_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"orrery/models/internal/kernel"
)

func TestExpAccuracy(t *testing.T) {
	var x []float32
	for i := uint64(0); i < 1<<32; i += 4099 {
		x = append(x, math.Float32frombits(uint32(i)))
	}
	for i := -2000; i <= 2000; i++ {
		x = append(x, float32(i)*0.001, float32(i)*0.044+0.0003, 88.7+float32(i)*1e-4, -104+float32(i)*1e-3)
	}
	inf := float32(math.Inf(1))
	x = append(x, 0, inf, -inf, float32(math.NaN()))
	kernel.EachPath(t, func(t *testing.T) {
		y := make([]float32, len(x))
		kernel.Exp(y, x)
		want, size := make([]float64, len(x)), make([]float64, len(x))
		for i, v := range x {
			want[i] = float64(float32(math.Exp(float64(v))))
			// Below the least normal number the spacing stays that of 2^-149.
			size[i] = want[i] + 0x1p-149/1.2e-7
		}
		near(t, "exp", y, want, size, 1.2e-7)
		if y[len(x)-4] != 1 || y[len(x)-2] != 0 {
			t.Errorf("exp(0) is %v and exp(-Inf) is %v", y[len(x)-4], y[len(x)-2])
		}
	})
}

// softmax is the definition in double precision.
func softmax(x []float64) []float64 {
	y, s := make([]float64, len(x)), 0.0
	top := slices.Max(x)
	for i, v := range x {
		y[i] = math.Exp(v - top)
		s += y[i]
	}
	for i := range y {
		y[i] /= s
	}
	return y
}

func TestSoftmax(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, n := range lengths {
			for _, shift := range []float32{0, 300, -1e4} {
				r := random(uint64(n))
				x := r.slice(n)
				for i := range x {
					x[i] = 4*x[i] + shift
				}
				want := softmax(wide(x))
				y := make([]float32, n)
				kernel.Softmax(y, x)
				near(t, fmt.Sprintf("softmax of %d", n), y, want, want, 3e-6)
				z := slices.Clone(x)
				kernel.Softmax(z, z)
				sameBits(t, "softmax in place", z, y)
			}
		}
	})
}

func TestSoftmaxGradient(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, n := range []int{1, 3, 17, 64, 65} {
			r := random(uint64(n))
			x, w := r.slice(n), r.slice(n)
			y, dx := make([]float32, n), make([]float32, n)
			kernel.Softmax(y, x)
			kernel.SoftmaxBackward(dx, w, y)
			near(t, "softmax gradient", dx, slopes(x, func(x []float64) float64 { return inner(w, softmax(x)) }), nil, 1e-6)
			kernel.SoftmaxBackward(w, w, y)
			sameBits(t, "softmax gradient in place of dy", w, dx)
		}
	})
}

func TestSoftmaxEdges(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	tests := []struct {
		name string
		x    []float32
		want []float64
	}{
		{"one", []float32{-7}, []float64{1}},
		{"masked", []float32{-inf, 2, -inf, 2}, []float64{0, .5, 0, .5}},
		{"huge", []float32{3e38, 3e38}, []float64{.5, .5}},
		{"only masked", []float32{-inf, -inf}, []float64{math.NaN(), math.NaN()}},
		{"nan", []float32{1, nan, 2}, []float64{math.NaN(), math.NaN(), math.NaN()}},
		{"infinite", []float32{1, inf}, []float64{math.NaN(), math.NaN()}},
	}
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range tests {
			t.Run(c.name, func(t *testing.T) {
				y := make([]float32, len(c.x))
				kernel.Softmax(y, c.x)
				near(t, "softmax", y, c.want, nil, 0)
			})
		}
		kernel.Softmax(nil, nil)
	})
}
