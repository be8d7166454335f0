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

func TestCrossEntropy(t *testing.T) {
	kernel.EachPath(t, func(t *testing.T) {
		for _, n := range []int{1, 3, 15, 16, 17, 64, 65, 1000} {
			for _, shift := range []float32{0, 500} {
				const rows = 5
				r := random(uint64(n))
				x, dloss := r.slice(rows*n), r.slice(rows)
				target := []int{0, n - 1, -1, n / 2, n / 3}
				for i := range x {
					x[i] = 3*x[i] + shift
				}
				loss, top, sum := make([]float32, rows), make([]float32, rows), make([]float32, rows)
				kernel.CrossEntropy(loss, top, sum, x, target, rows, n)
				want := make([]float64, rows)
				objective := func(x []float64) float64 {
					total := 0.0
					for i, at := range target {
						if at < 0 {
							continue
						}
						want[i] = -math.Log(softmax(x[i*n : (i+1)*n])[at])
						total += float64(dloss[i]) * want[i]
					}
					return total
				}
				objective(wide(x))
				what := fmt.Sprintf("%d logits", n)
				near(t, what, loss, want, nil, 5e-6)
				dx := make([]float32, rows*n)
				kernel.CrossEntropyBackward(dx, dloss, x, top, sum, target, rows, n)
				if n <= 65 {
					near(t, what+": gradient", dx, slopes(x, objective), nil, 2e-6)
				}
				for i := range rows { // the same alone
					var l, tp, sm [1]float32
					row, d := x[i*n:(i+1)*n], make([]float32, n)
					kernel.CrossEntropy(l[:], tp[:], sm[:], row, target[i:], 1, n)
					kernel.CrossEntropyBackward(d, dloss[i:], row, tp[:], sm[:], target[i:], 1, n)
					sameBits(t, what+": one row", append(d, l[0]), append(slices.Clone(dx[i*n:(i+1)*n]), loss[i]))
				}
				kernel.CrossEntropyBackward(x, dloss, x, top, sum, target, rows, n)
				sameBits(t, what+": in place", x, dx)
			}
		}
	})
}

func TestCrossEntropyPanics(t *testing.T) {
	x := make([]float32, 6)
	for name, call := range map[string]func(){
		"target":       func() { kernel.CrossEntropy(x, x, x, x, []int{0, 3}, 2, 3) },
		"few targets":  func() { kernel.CrossEntropy(x, x, x, x, []int{0}, 2, 3) },
		"short logits": func() { kernel.CrossEntropyBackward(x, x, x[:5], x, x, []int{0, 1}, 2, 3) },
		"short losses": func() { kernel.CrossEntropy(x[:1], x, x, x, []int{0, 1}, 2, 3) },
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
