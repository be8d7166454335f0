package models_test

import (
	"math"
	"testing"

	"orrery/models"
)

// TestYarnFrequencies compares with what transformers 5.24.0 computes for heads of
// width 8 (ROPE_INIT_FUNCTIONS["yarn"] of a LlamaConfig): blends that end within
// the pairs and beyond the last one, at whole pairs and between, and of no width.
func TestYarnFrequencies(t *testing.T) {
	for _, test := range []struct {
		name    string
		base    float64
		scaling models.RopeScaling
		want    []float64
	}{
		{"beyond the last pair", 100, models.RopeScaling{Factor: 4, Original: 400, BetaFast: 32, BetaSlow: 1, Whole: true},
			[]float64{1, 0.25693506, 0.0625, 0.0138349654}},
		{"between pairs", 100, models.RopeScaling{Factor: 4, Original: 400, BetaFast: 32, BetaSlow: 0.05},
			[]float64{1, 0.299216986, 0.0812573582, 0.0214699674}},
		{"of a pair", 10_000, models.RopeScaling{Factor: 4, Original: 8, BetaFast: 4, BetaSlow: 0.5, Whole: true},
			[]float64{1, 0.0250000004, 0.00249999994, 0.000250000012}},
		{"behind all pairs", 10, models.RopeScaling{Factor: 4, Original: 100_000, BetaFast: 32, BetaSlow: 0.001, Whole: true},
			[]float64{0.25, 0.140585333, 0.079056941, 0.0444569848}},
		{"before all pairs", 10, models.RopeScaling{Factor: 8, Original: 2, BetaFast: 32, BetaSlow: 1, Whole: true},
			[]float64{1, 0.562341332, 0.316227764, 0.177827939}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.scaling.Kind = models.YarnScaling
			got, _ := models.RotaryConfig{Base: test.base, Dim: 8, Scaling: &test.scaling}.Frequencies(4)
			for i, want := range test.want {
				if d := math.Abs(got[i] - want); !(d <= 1e-6*want) {
					t.Errorf("pair %d turns by %.9g, want %.9g", i, got[i], want)
				}
			}
		})
	}
}

// TestLongRopeBegins runs as many tokens as the original context has, which the
// short factors turn, and one more: the long factors are other ones from there on.
func TestLongRopeBegins(t *testing.T) {
	m, err := changed(t, "phi3-longrope", nil)
	if err != nil {
		t.Fatal(err)
	}
	s := m.Config.Rotary.Scaling
	short, err := changed(t, "phi3-longrope", map[string]any{"rope_scaling": nil, "rope_parameters": map[string]any{
		"rope_type": "longrope", "rope_theta": m.Config.Rotary.Base, "short_factor": s.Short, "long_factor": s.Short,
		"partial_rotary_factor": float64(m.Config.Rotary.Dim) / float64(m.Config.HeadWidth), "attention_factor": s.AttnFactor,
	}})
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]bool{s.Original: true, s.Original + 1: false} {
		in := models.Prompt(make([]int, n)...)
		for i := range in.IDs {
			in.IDs[i] = (3*i*i + 1) % m.Config.Vocab
		}
		if same := run(t, m, in).EqualBits(run(t, short, in)); same != want {
			t.Errorf("%d tokens of an original context of %d: as with short factors alone: %v", n, s.Original, same)
		}
	}
}
