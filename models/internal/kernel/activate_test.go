package kernel_test

import (
	"fmt"
	"math"
	"testing"

	"orrery/models/internal/kernel"
)

// acts are the activation functions by their definitions in double precision.
var acts = []struct {
	act kernel.Act
	f   func(x float64) float64
}{
	{kernel.Identity, func(x float64) float64 { return x }},
	{kernel.ReLU, func(x float64) float64 { return max(x, 0) }},
	{kernel.GELU, func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) }},
	{kernel.GELUTanh, func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	}},
	{kernel.SiLU, func(x float64) float64 { return x / (1 + math.Exp(-x)) }},
	{kernel.QuickGELU, func(x float64) float64 { return x / (1 + math.Exp(-1.702*x)) }},
	{kernel.ReLU2, func(x float64) float64 { return max(x, 0) * max(x, 0) }},
}

func TestActivateAccuracy(t *testing.T) {
	var x []float32
	for i := -20000; i <= 20000; i++ {
		x = append(x, float32(i)*0.001)
	}
	for _, v := range []float64{0, math.Copysign(0, -1), 1e-38, -1e-38, 1e-20, -1e-20, 1e-6, -1e-6, 88, -88, 1e4, -1e4, 1e18} {
		x = append(x, float32(v))
	}
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range acts {
			y := make([]float32, len(x))
			kernel.Activate(y, x, c.act)
			want, size := make([]float64, len(x)), make([]float64, len(x))
			worst := 0.0
			for i, v := range x {
				want[i] = float64(float32(c.f(float64(v))))
				size[i] = math.Abs(want[i])
				if v < -4 {
					size[i] += 0.005 // 1e-8 in all
				}
				if size[i] > 0 {
					worst = max(worst, math.Abs(float64(y[i])-want[i])/size[i])
				}
			}
			t.Logf("%s: largest error %.2g", c.act, worst)
			near(t, c.act.String(), y, want, size, 2e-6)
			kernel.Activate(x[:0], x[:0], c.act)
		}
	})
}

func TestActivateGradients(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range acts {
			for _, n := range lengths {
				r := random(uint64(n))
				x, dy := r.slice(n), r.slice(n)
				for i := range x {
					x[i] *= 3
				}
				want := slopes(x, func(x []float64) float64 {
					s := 0.0
					for i, v := range x {
						s += float64(dy[i]) * c.f(v)
					}
					return s
				})
				dx := make([]float32, n)
				kernel.ActivateBackward(dx, dy, x, c.act)
				near(t, fmt.Sprintf("%s gradient of %d", c.act, n), dx, want, nil, 5e-6)
				kernel.ActivateBackward(dy, dy, x, c.act)
				sameBits(t, c.act.String()+" gradient in place of dy", dy, dx)
			}
		}
	})
}

// TestActivatePlace holds that a value's bits depend neither on its place in
// the slice nor on threads, and that y may be x.
func TestActivatePlace(t *testing.T) {
	const n = 20011
	x := random(5).slice(n)
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range acts {
			want, got := make([]float32, n), make([]float32, n)
			kernel.Activate(want, x, c.act)
			for i := range x {
				kernel.Activate(got[i:i+1], x[i:i+1], c.act)
			}
			sameBits(t, c.act.String()+" one by one", got, want)
			kernel.WithThreads(5, func() {
				copy(got, x)
				kernel.Activate(got, got, c.act)
				sameBits(t, c.act.String()+" in place on 5 threads", got, want)
			})
		}
	})
}

func TestActivateNonFinite(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range acts {
			x := []float32{nan, inf, 1, 2, 3, 4, 5, 6, 7, nan, inf}
			y, dx := make([]float32, len(x)), make([]float32, len(x))
			kernel.Activate(y, x, c.act)
			kernel.ActivateBackward(dx, []float32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, x, c.act)
			for _, i := range []int{0, 9} {
				if y[i] == y[i] {
					t.Errorf("%s of NaN is %v", c.act, y[i])
				}
				if smooth := c.act > kernel.ReLU; smooth && dx[i] == dx[i] {
					t.Errorf("slope of %s at NaN is %v", c.act, dx[i])
				}
			}
			if y[1] != inf || y[10] != inf {
				t.Errorf("%s of +Inf is %v and %v", c.act, y[1], y[10])
			}
		}
	})
}

// TestSoftCapAccuracy holds the stated bound from the smallest values to those
// where the cap is reached.
func TestSoftCapAccuracy(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, c := range []float32{1, 30, 50} {
			var x []float32
			for i := -30000; i <= 30000; i++ {
				x = append(x, c*float32(i)*3e-4)
			}
			for v := float32(1e-30); v < 1e30; v *= 1.7 {
				x = append(x, v, -v)
			}
			x = append(x, 0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()))
			y, dx, ones := make([]float32, len(x)), make([]float32, len(x)), make([]float32, len(x))
			want, slope, size, steep := make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x)), make([]float64, len(x))
			for i, v := range x {
				at := float64(v) / float64(c)
				want[i] = float64(c) * math.Tanh(at)
				slope[i] = 1 / (math.Cosh(at) * math.Cosh(at))
				size[i] = math.Abs(want[i])
				steep[i] = slope[i]*(1+math.Abs(at)) + 1e-36
				ones[i] = 1
			}
			kernel.SoftCap(y, x, c)
			near(t, "soft cap", y, want, size, 4e-7)
			kernel.SoftCapBackward(dx, ones, x, c)
			near(t, "slope of soft cap", dx, slope, steep, 1e-6)
			kernel.SoftCapBackward(ones, ones, x, c)
			sameBits(t, "slope in place", ones, dx)
			kernel.SoftCap(x, x, c)
			sameBits(t, "soft cap in place", x, y)
		}
	})
}
