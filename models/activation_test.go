package models_test

import (
	"math"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestActivations holds that the function which a config names is the one that
// an MLP applies.
func TestActivations(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	for name, act := range map[string]func(x float64) float64{
		"gelu":       func(x float64) float64 { return x * 0.5 * (1 + math.Erf(x/math.Sqrt2)) },
		"gelu_tanh":  func(x float64) float64 { return x * sigmoid(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)) },
		"quick_gelu": func(x float64) float64 { return x * sigmoid(1.702*x) },
		"silu":       func(x float64) float64 { return x * sigmoid(x) },
		"relu":       func(x float64) float64 { return max(x, 0) },
		"relu2":      func(x float64) float64 { return max(x, 0) * max(x, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := modeltest.GPT2(1).Config
			cfg.Activation = name
			cache := models.NewCache()
			if _, err := modeltest.Random(name, cfg, 3).Run(t.Context(), models.Prompt(1, 4, 2, 9), models.Record(cache, models.All)); err != nil {
				t.Fatal(err)
			}
			for l := range cfg.Layers {
				pre, _ := cache.Get(models.Site{Layer: l, Kind: models.Pre})
				post, _ := cache.Get(models.Site{Layer: l, Kind: models.Post})
				want := tensor.New(pre.Shape...)
				for i, x := range pre.Data {
					want.Data[i] = float32(act(float64(x)))
				}
				modeltest.Close(t, models.Site{Layer: l, Kind: models.Post}.String(), post, want, 1e-6, 1e-5)
			}
		})
	}
}
