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

func TestVectors(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, n := range append([]int{0}, lengths...) {
			r := random(uint64(n))
			a, b := r.slice(n+1), r.slice(n+1) // one more, which must stay
			mul, sum, axpy := make([]float64, n), make([]float64, n), make([]float64, n)
			dot, size := 0.0, 0.0
			const s = 0.7
			for i := range n {
				u, v := float64(a[i]), float64(b[i])
				mul[i], sum[i], axpy[i] = u*v, u+v, u+float64(float32(s))*v
				dot += u * v
				size += math.Abs(u * v)
			}
			ops := []struct {
				name string
				want []float64
				run  func(y []float32)
			}{
				{"mul", mul, func(y []float32) { kernel.Mul(y, y, b[:n]) }},
				{"add", sum, func(y []float32) { kernel.Add(y, b[:n]) }},
				{"axpy", axpy, func(y []float32) { kernel.Axpy(y, s, b[:n]) }},
			}
			for _, op := range ops {
				y := slices.Clone(a)
				op.run(y[:n])
				near(t, fmt.Sprintf("%s of %d", op.name, n), y[:n], op.want, nil, 1e-6)
				sameBits(t, op.name+" beyond the end", y[n:], a[n:])
			}
			got := kernel.Dot(a[:n], b[:n])
			near(t, fmt.Sprintf("dot of %d", n), []float32{got}, []float64{dot}, []float64{size}, 1e-6)
			sameBits(t, "dot elsewhere", []float32{kernel.Dot(slices.Clone(a[:n]), slices.Clone(b[:n]))}, []float32{got})
		}
	})
}

func TestVectorPanics(t *testing.T) {
	x, y := make([]float32, 4), make([]float32, 5)
	calls := map[string]func(){
		"mul":              func() { kernel.Mul(x, x, y) },
		"add":              func() { kernel.Add(y, x) },
		"axpy":             func() { kernel.Axpy(x, 1, y) },
		"dot":              func() { kernel.Dot(x, y) },
		"exp":              func() { kernel.Exp(x, y) },
		"softmax":          func() { kernel.Softmax(x, y) },
		"softmax backward": func() { kernel.SoftmaxBackward(x, y, x) },
		"activate":         func() { kernel.Activate(x, y, kernel.GELU) },
		"activate back":    func() { kernel.ActivateBackward(x, x, y, kernel.GELU) },
		"layer norm":       func() { kernel.LayerNorm(x, x, y, 1, 5, 1) },
		"layer norm back":  func() { kernel.LayerNormBackward(x, y, y, y, 1, 5) },
		"rms norm":         func() { kernel.RMSNorm(y, nil, y, 1, 5, 1) },
		"rms norm back":    func() { kernel.RMSNormBackward(y, y, x, y, 1, 5) },
		"affine":           func() { kernel.Affine(y, y, y, x, 1, 5) },
		"affine back":      func() { kernel.AffineBackward(y, x, nil, y, y, y, 1, 5) },
		"add bias":         func() { kernel.AddBias(y, x, 1, 5) },
		"bias back":        func() { kernel.BiasBackward(x, y, 1, 5) },
		"rotary":           func() { kernel.Rotary{Dim: 4}.Apply(x, x, 4, y[:1], y) },
		"rotary back":      func() { kernel.Rotary{Dim: 3}.Backward(x, x, 4, y, y) },
	}
	for name, call := range calls {
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

func TestRotary(t *testing.T) {
	const k = 10
	x := random(1).slice(k)
	for _, r := range []kernel.Rotary{{Dim: 10}, {Dim: 6}, {Dim: 6, Adjacent: true}, {Dim: 10, Adjacent: true}, {}} {
		t.Run(fmt.Sprintf("%+v", r), func(t *testing.T) {
			cos, sin := make([]float32, r.Dim/2), make([]float32, r.Dim/2)
			// The oracle is the product of complex numbers z·e^(iθ).
			want := wide(x)
			for i := range cos {
				θ := 0.3 + 0.9*float64(i)
				cos[i], sin[i] = float32(math.Cos(θ)), float32(math.Sin(θ))
				p, q := i, i+r.Dim/2
				if r.Adjacent {
					p, q = 2*i, 2*i+1
				}
				z := complex(want[p], want[q]) * complex(math.Cos(θ), math.Sin(θ))
				want[p], want[q] = real(z), imag(z)
			}
			y := make([]float32, k)
			r.Apply(y, x, k, cos, sin)
			near(t, "apply", y, want, nil, 1e-6)
			z := slices.Clone(x)
			r.Apply(z, z, k, cos, sin)
			sameBits(t, "in place", z, y)

			w := random(2).slice(k)
			dx := make([]float32, k)
			r.Backward(dx, w, k, cos, sin)
			// The turn is linear: <w, turn(e_i)> is the gradient by x[i].
			grad, unit := make([]float64, k), make([]float32, k)
			for i := range grad {
				clear(unit)
				unit[i] = 1
				r.Apply(y, unit, k, cos, sin)
				grad[i] = inner(w, wide(y))
			}
			near(t, "gradient", dx, grad, nil, 1e-6)
			r.Backward(w, w, k, cos, sin)
			sameBits(t, "gradient in place", w, dx)
		})
	}
}
