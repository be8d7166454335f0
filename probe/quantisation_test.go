package probe_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// TestQuantisationGolden compares with NumPy in float64: 1e-9 of the value. Values
// that lie on the middle between two steps would round by the last bit of a
// product; none does here.
func TestQuantisationGolden(t *testing.T) {
	var want struct {
		Expect struct {
			Quantisation map[string]any `json:"quantisation"`
		} `json:"expect"`
	}
	g := readGolden(t, "testdata", "clouds", &want)
	x, w := g.matrix("in.Z"), g.matrix("in.W")
	value := func(key string) float64 {
		v, ok := want.Expect.Quantisation[key].(float64)
		if !ok {
			t.Fatalf("the golden lacks %s", key)
		}
		return v
	}
	within(t, "difficulty", must(probe.ChannelDifficulty(x))(t), value("difficulty"), 0, 1e-9)
	before := mat.DenseCopyOf(x)
	for _, how := range probe.Smoothings {
		within(t, string(how), must(probe.QuantisationError(x, w, 4, how))(t), value("error_"+string(how)), 0, 1e-9)
	}
	if !mat.Equal(before, x) {
		t.Error("the activations were changed")
	}
	coarse, fine := must(probe.QuantisationError(x, w, 4, probe.Unsmoothed))(t), must(probe.QuantisationError(x, w, 12, probe.Unsmoothed))(t)
	if !(fine < coarse/1e4) {
		t.Errorf("12 bits leave %g of %g", fine, coarse)
	}
	// Whole numbers that the grid holds are rounded to themselves.
	if e := must(probe.QuantisationError(mat.NewDense(1, 2, []float64{7, -3}), mat.NewDense(1, 2, []float64{7, 2}), 4, probe.Unsmoothed))(t); e != 0 {
		t.Errorf("numbers of the grid leave %g", e)
	}
}

func TestQuantisationRefuses(t *testing.T) {
	x, w := mat.NewDense(2, 3, []float64{1, 2, 0, 3, 4, 0}), mat.NewDense(1, 3, []float64{1, 1, 1})
	bad := mat.NewDense(1, 3, []float64{1, math.Inf(1), 0})
	refused := func(_ float64, err error) error { return err }
	for says, err := range map[string]error{
		"smoothing is":   refused(probe.QuantisationError(x, w, 4, "hard")),
		"weights 2":      refused(probe.QuantisationError(x, mat.NewDense(1, 2, nil), 4, probe.Unsmoothed)),
		"1 bits":         refused(probe.QuantisationError(x, w, 1, probe.Unsmoothed)),
		"channel 2":      refused(probe.QuantisationError(x, w, 4, probe.Smoothed)),
		"power of two":   refused(probe.QuantisationError(x, w, 4, probe.Rotated)),
		"channel 1 is":   refused(probe.QuantisationError(bad, w, 4, probe.Unsmoothed)),
		"channel 1 has":  refused(probe.ChannelDifficulty(bad)),
		"to be compared": refused(probe.ChannelDifficulty(mat.NewDense(2, 1, nil))),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
}
