package kernel_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

func TestCrossEntropy(t *testing.T) {
	for _, n := range []int{1, 3, 17, 64, 1000} {
		for _, shift := range []float32{0, 500} {
			for _, target := range []int{0, n / 2, n - 1} {
				r := random(uint64(n))
				x, dx := r.slice(n), make([]float32, n)
				for i := range x {
					x[i] = 3*x[i] + shift
				}
				const rows = 5
				loss := func(x []float64) float64 { return -math.Log(softmax(x)[target]) / rows }
				got := kernel.CrossEntropy(dx, x, target, rows)
				if want := rows * loss(wide(x)); !(math.Abs(got-want) <= 1e-12*(1+math.Abs(float64(shift)))) {
					t.Errorf("target %d of %d logits: loss %.17g, want %.17g", target, n, got, want)
				}
				if n <= 64 {
					near(t, fmt.Sprintf("%d logits: gradient", n), dx, slopes(x, loss), nil, 1e-7)
				}
			}
		}
	}
}

func TestCrossEntropyPanics(t *testing.T) {
	x := make([]float32, 3)
	for name, call := range map[string]func(){
		"target":          func() { kernel.CrossEntropy(x, x, 3, 1) },
		"negative target": func() { kernel.CrossEntropy(x, x, -1, 1) },
		"gradient":        func() { kernel.CrossEntropy(x[:2], x, 0, 1) },
		"rows":            func() { kernel.CrossEntropy(x, x, 0, 0) },
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
