package probe_test

import (
	"math/rand/v2"
	"testing"

	"orrery/probe"
)

func TestNumberErrors(t *testing.T) {
	right := []int{91, 91, 91, 91, 91, 91}
	given := []int{91, 81, 93, 191, -9, 7}
	e := must(probe.ClassifyErrors(right, given, []bool{true, true, true, true, true, false}))(t)
	allWithin(t, "shares of all", []float64{e.Accuracy, e.Within2, e.Within10}, []float64{1.0 / 6, 2.0 / 6, 3.0 / 6}, 1e-12, 0)
	allWithin(t, "shares of the wrong", []float64{e.MultipleOf[2], e.MultipleOf[5], e.MultipleOf[10], e.MultipleOf[50], e.MultipleOf[100], e.MeanSize},
		[]float64{1, 0.75, 0.75, 0.5, 0.5, (10 + 2 + 100 + 100) / 4.0}, 1e-12, 0)
	if e.N != 6 || e.Unread != 1 || e.Wrong != 4 || e.Sizes[-10] != 1 || e.Sizes[2] != 1 {
		t.Errorf("%+v", e)
	}
	whole := must(probe.ClassifyErrors(right, right, nil))(t)
	allWithin(t, "no errors", []float64{whole.Accuracy, whole.MultipleOf[10], whole.MeanSize}, []float64{1, 0, 0}, 0, 0)

	// Random answers keep the units one time in ten.
	rng := rand.New(rand.NewPCG(1, 1))
	var a, b []int
	for range 20000 {
		a, b = append(a, rng.IntN(1000)), append(b, rng.IntN(1000))
	}
	chance := must(probe.ClassifyErrors(a, b, nil))(t)
	within(t, "units kept by chance", chance.MultipleOf[10], 0.1, 0.01, 0)

	for name, err := range map[string]error{
		"nothing": second(probe.ClassifyErrors(nil, nil, nil)), "lengths": second(probe.ClassifyErrors(right, given[1:], nil)),
		"marks": second(probe.ClassifyErrors(right, given, []bool{true})), "size": second(probe.ClassifyErrors([]int{1}, []int{1 << 40}, nil)),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}
