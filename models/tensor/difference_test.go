package tensor_test

import (
	"math"
	"testing"

	"orrery/models/tensor"
)

func TestMaxDifference(t *testing.T) {
	nan := float32(math.NaN())
	for _, test := range []struct {
		name string
		a, b []float32
		want float64
	}{
		{"equal", []float32{1, -2}, []float32{1, -2}, 0},
		{"largest of either sign", []float32{1, 5, 2}, []float32{2, 2, 2}, 3},
		{"NaN wins over what follows", []float32{nan, 9}, []float32{0, 0}, math.NaN()},
		{"infinity against itself is NaN", []float32{float32(math.Inf(1))}, []float32{float32(math.Inf(1))}, math.NaN()},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := tensor.From(test.a, len(test.a)).MaxDifference(tensor.From(test.b, len(test.b)))
			if got != test.want && !(math.IsNaN(got) && math.IsNaN(test.want)) {
				t.Errorf("got %g, want %g", got, test.want)
			}
		})
	}
}
