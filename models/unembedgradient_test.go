package models_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestUnembedGradient compares the derivative of a sum of cubes of logits with
// differences, for LayerNorm, RMSNorm and no norm, with and without a cap.
func TestUnembedGradient(t *testing.T) {
	capped := modeltest.Llama(3).Config
	capped.LogitCap = 2
	plain := modeltest.GPT2(1).Config
	plain.Norm, plain.NormBias = models.NoNorm, false
	for name, m := range map[string]*models.Model{
		"LayerNorm": modeltest.GPT2(1), "RMSNorm": modeltest.Llama(3), "capped": modeltest.Random("capped", capped, 4), "no norm": modeltest.Random("plain", plain, 4),
	} {
		x := tensor.New(3, m.Config.Width)
		for i := range x.Data {
			x.Data[i] = float32(math.Sin(float64(7*i + 1)))
		}
		cubes := func(y *tensor.Dense) (float64, *tensor.Dense, error) {
			sum, d := 0.0, tensor.New(y.Shape...)
			for i, v := range y.Data {
				sum += float64(v) * float64(v) * float64(v)
				d.Data[i] = 3 * v * v
			}
			return sum, d, nil
		}
		value, dx, err := m.UnembedGradient(x, cubes)
		if err != nil {
			t.Fatal(err)
		}
		at := func() float64 {
			y, err := m.Unembed(x)
			if err != nil {
				t.Fatal(err)
			}
			v, _, _ := cubes(y)
			return v
		}
		if want := at(); !(math.Abs(value-want) <= 1e-6*math.Abs(want)+1e-9) {
			t.Errorf("%s: %g, want %g", name, value, want)
		}
		size := 0.0
		for _, v := range dx.Data {
			size = max(size, math.Abs(float64(v)))
		}
		for _, i := range []int{0, 5, m.Config.Width + 2, 3*m.Config.Width - 1} {
			const h = 1e-2
			was := x.Data[i]
			x.Data[i] = was + h
			up := at()
			x.Data[i] = was - h
			down := at()
			x.Data[i] = was
			if slope := (up - down) / (2 * h); !(math.Abs(slope-float64(dx.Data[i])) <= 5e-3*size) {
				t.Errorf("%s: slope %g by differences, %g", name, slope, dx.Data[i])
			}
		}
		stop := errors.New("enough")
		if _, _, err := m.UnembedGradient(x, func(*tensor.Dense) (float64, *tensor.Dense, error) { return 0, nil, stop }); !errors.Is(err, stop) {
			t.Errorf("%s: %v", name, err)
		}
		if _, _, err := m.UnembedGradient(x, func(*tensor.Dense) (float64, *tensor.Dense, error) { return 0, tensor.New(1), nil }); err == nil || !strings.Contains(err.Error(), "shape") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
