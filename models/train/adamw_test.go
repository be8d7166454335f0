package train_test

import (
	"errors"
	"math"
	"testing"

	"orrery/models/tensor"
	"orrery/models/train"
)

// Two steps by hand, from algorithm 2 of arXiv:1711.05101 in 30 decimal digits:
// θ₀ = 1, gradients 0.5 and −0.25, η = 0.1, β = (0.9, 0.999), ε = 1e−8, λ = 0.01.
//
//	1: m̂ = 0.5, √v̂ = 0.5, so θ = 1·0.999 − 0.1·1 = 0.899
//	2: m̂ = 0.02/0.19, √v̂ = √(0.00031225/0.001999), so
//	   θ = 0.899·0.999 − 0.1·0.105263158/0.395225381 = 0.871467298...
func TestAdamWByHand(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int
		want  []float64 // after each step
	}{
		{"matrix decays", []int{1, 1}, []float64{0.899, 0.871467298705}},
		{"vector does not", []int{1}, []float64{0.9, 0.873366298707}},
	} {
		t.Run(c.name, func(t *testing.T) {
			theta := tensor.From([]float32{1}, c.shape...)
			opt := train.NewAdamW([]*tensor.Dense{theta}, 0.9, 0.999, 1e-8, 0.01)
			for i, g := range []float32{0.5, -0.25} {
				opt.Update([]*tensor.Dense{tensor.From([]float32{g}, c.shape...)}, 0.1)
				if d := math.Abs(float64(theta.Data[0]) - c.want[i]); !(d <= 2e-7) {
					t.Errorf("step %d: %v, want %v", i+1, theta.Data[0], c.want[i])
				}
			}
			if opt.Step != 2 {
				t.Errorf("counted %d steps, want 2", opt.Step)
			}
		})
	}
}

// With the same gradient at every step both moments, corrected for their start,
// equal g and g², so that each step moves by the learning rate exactly,
// whatever the gradient's size.
func TestAdamWConstantGradient(t *testing.T) {
	const n, steps, lr = 10_000, 40, 1e-3 // long enough to be split over threads
	theta, grad := tensor.New(n), tensor.New(n)
	for i := range grad.Data {
		grad.Data[i] = float32(math.Pow(10, float64(i%9)-4)) * float32(1-2*(i%2))
	}
	opt := train.NewAdamW([]*tensor.Dense{theta}, 0.9, 0.98, 1e-12, 0.3)
	for range steps {
		opt.Update([]*tensor.Dense{grad}, lr)
	}
	for i, v := range theta.Data {
		want := -steps * lr * float64(1-2*(i%2))
		if d := math.Abs(float64(v) - want); !(d <= 1e-5*steps*lr) {
			t.Fatalf("element %d with gradient %g: %g after %d steps, want %g", i, grad.Data[i], v, steps, want)
		}
	}
}

// Without a gradient a matrix shrinks by (1 − ηλ) a step and a vector stays.
func TestAdamWDecayIsDecoupled(t *testing.T) {
	matrix, vector := tensor.From([]float32{2, -4}, 1, 2), tensor.From([]float32{2, -4}, 2)
	params := []*tensor.Dense{matrix, vector}
	opt := train.NewAdamW(params, 0.9, 0.98, 1e-8, 0.5)
	for range 10 {
		opt.Update([]*tensor.Dense{tensor.New(1, 2), tensor.New(2)}, 0.1)
	}
	want := 2 * math.Pow(0.95, 10)
	if d := math.Abs(float64(matrix.Data[0]) - want); !(d <= 1e-6) || matrix.Data[1] != -2*matrix.Data[0] {
		t.Errorf("matrix %v, want %g and %g", matrix.Data, want, -2*want)
	}
	if vector.Data[0] != 2 || vector.Data[1] != -4 {
		t.Errorf("vector %v, want [2 -4]", vector.Data)
	}
}

func TestAdamWRefusesAnotherShape(t *testing.T) {
	defer func() {
		var se tensor.ShapeError
		if err, _ := recover().(error); !errors.As(err, &se) {
			t.Errorf("got %v, want a ShapeError", err)
		}
	}()
	train.NewAdamW([]*tensor.Dense{tensor.New(2, 3)}, 0.9, 0.98, 1e-8, 0).Update([]*tensor.Dense{tensor.New(3, 2)}, 1)
}

func TestClipNorm(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit float64
		want  []float32 // the gradients 3, 0 | 4 afterwards
	}{
		{"to one", 1, []float32{0.6, 0, 0.8}},
		{"below the limit", 5.5, []float32{3, 0, 4}},
		{"only measured", 0, []float32{3, 0, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := tensor.From([]float32{3, 0}, 2), tensor.From([]float32{4}, 1, 1)
			if norm := train.ClipNorm([]*tensor.Dense{a, b}, c.limit); norm != 5 {
				t.Errorf("norm %g, want 5", norm)
			}
			for i, v := range append(a.Data, b.Data...) {
				if d := math.Abs(float64(v - c.want[i])); !(d <= 1e-7) {
					t.Errorf("element %d is %g, want %g", i, v, c.want[i])
				}
			}
		})
	}
	if norm := train.ClipNorm([]*tensor.Dense{tensor.From([]float32{float32(math.NaN())}, 1)}, 1); !math.IsNaN(norm) {
		t.Errorf("norm of a NaN is %g", norm)
	}
}

// A line up, half a cosine down: the values at the quarters of the cosine are
// (1 ± √½)/2 and ½.
func TestSchedule(t *testing.T) {
	s := train.Schedule{Peak: 1, Floor: 0, Warmup: 10, Steps: 110}
	f := train.Schedule{Peak: 3, Floor: 1, Steps: 4}
	for _, c := range []struct {
		s    train.Schedule
		step int
		want float64
	}{
		{s, 1, 0.1}, {s, 5, 0.5}, {s, 10, 1},
		{s, 35, (1 + math.Sqrt2/2) / 2}, {s, 60, 0.5}, {s, 85, (1 - math.Sqrt2/2) / 2}, {s, 110, 0}, {s, 111, 0},
		{f, 1, 2 + math.Sqrt2/2}, {f, 2, 2}, {f, 4, 1}, {f, 9, 1},
		{train.Schedule{Peak: 2, Warmup: 8, Steps: 4}, 4, 1},
	} {
		if got := c.s.At(c.step); !(math.Abs(got-c.want) <= 1e-12) {
			t.Errorf("%+v at step %d: %g, want %g", c.s, c.step, got, c.want)
		}
	}
}
