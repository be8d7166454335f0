package models_test

import (
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/weights"
)

// causalConfigs are the models of the reference folder "causal" that have
// TransformerLens' cache analyses.
func causalConfigs() map[string]models.Config {
	return map[string]models.Config{
		"m1-gpt2": {
			Layers: 3, Width: 24, Heads: 3, KVHeads: 3, HeadWidth: 8, MLPWidth: 40, Vocab: 61, Context: 16,
			Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
			AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, UnembedBias: true,
		},
		"m2-llama": {
			Layers: 4, Width: 32, Heads: 4, KVHeads: 2, HeadWidth: 8, MLPWidth: 48, Vocab: 61, Context: 16,
			Norm: models.RMSNorm, NormEps: 1e-6, Positions: models.Rotary, Rotary: models.RotaryConfig{Base: 10000, Dim: 8},
			Activation: "silu", Gated: true, AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
		},
		"m3-gptj": {
			Layers: 3, Width: 24, Heads: 3, KVHeads: 3, HeadWidth: 8, MLPWidth: 40, Vocab: 61, Context: 16, Parallel: true,
			Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Rotary, Rotary: models.RotaryConfig{Base: 10000, Dim: 4, Adjacent: true},
			Activation: "gelu_tanh", AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, UnembedBias: true,
		},
	}
}

// causal is one of these models with TransformerLens' cache analyses.
type causal struct {
	*models.Model
	name string
	dla  *weights.File // 09_dla
}

// overCausal runs fn on each of these models.
func overCausal(t *testing.T, fn func(t *testing.T, g causal)) {
	for name, cfg := range causalConfigs() {
		t.Run(name, func(t *testing.T) {
			f := openFile(t, modeltest.Reference(t, "causal", name, "model.safetensors"))
			fn(t, causal{
				Model: modeltest.FromTransformerLens(t, f, "", cfg), name: name,
				dla: openFile(t, modeltest.Reference(t, "causal", name, "09_dla.safetensors")),
			})
		})
	}
}

// folded is TransformerLens' own processed model, made from its weights.
func (g causal) folded(t *testing.T) *models.Model {
	t.Helper()
	cfg := g.Config
	cfg.NormBias = false
	cfg.Basis = "fold_ln+center_writing_weights+center_unembed+fold_value_biases"
	if cfg.Norm == models.RMSNorm {
		cfg.Basis = "fold_ln+center_unembed+fold_value_biases"
	}
	f := openFile(t, modeltest.Reference(t, "causal", g.name, "09_dla_folded_weights.safetensors"))
	return modeltest.FromTransformerLens(t, f, "", cfg)
}
