package models_test

import (
	"context"
	"testing"

	"orrery/models"
	"orrery/models/tensor"
)

// BenchmarkGradient is one training step's gradient of a model of two-operand
// arithmetic: 4 layers, D 128, F 336, 512 prompts of 5 tokens; about 13 GFLOP.
func BenchmarkGradient(b *testing.B) {
	cfg := models.Config{
		Layers: 4, Width: 128, Heads: 4, KVHeads: 4, HeadWidth: 32, MLPWidth: 336, Vocab: 203, Context: 5,
		Norm: models.RMSNorm, NormEps: 1e-5, Positions: models.Rotary,
		Rotary: models.RotaryConfig{Base: 10000, Dim: 32}, Activation: "silu", Gated: true,
	}
	m, err := models.New(cfg, models.InitParams(cfg, 1))
	if err != nil {
		b.Fatal(err)
	}
	in := models.Batch{B: 512, T: 5, IDs: make([]int, 512*5)}
	for i := range in.IDs {
		in.IDs[i] = i * 7919 % cfg.Vocab
	}
	obj := func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
		return float64(logits.Data[0]), logits.Clone(), nil
	}
	for _, last := range []bool{false, true} {
		b.Run(map[bool]string{false: "every position", true: "last position"}[last], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := m.Gradient(context.Background(), in, obj, models.Want{Params: true, Need: models.Need{Last: last}}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
