package modeltest

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"orrery/models"
	"orrery/models/weights"
)

// FromTransformerLens loads a model from the tensors of f that have the prefix
// ("in.", often none), a state dict in TransformerLens' layout, as models.Load
// would from a directory with the HookedTransformer's own config. That config is
// written from cfg; what is not in it, or not in that layout, fails the test.
func FromTransformerLens(t testing.TB, f *weights.File, prefix string, cfg models.Config) *models.Model {
	t.Helper()
	config, err := json.Marshal(transformerLensConfig(cfg))
	if err != nil {
		t.Fatal(err)
	}
	var state []weights.Tensor
	for _, name := range f.Names() {
		if short, ok := strings.CutPrefix(name, prefix); ok {
			x, err := f.Float32(name)
			if err != nil {
				t.Fatal(err)
			}
			state = append(state, weights.Tensor{Name: short, Dense: x})
		}
	}
	var file bytes.Buffer
	if err := weights.Write(&file, state, nil); err != nil {
		t.Fatal(err)
	}
	m, err := models.LoadFS(fstest.MapFS{"m/config.json": {Data: config}, "m/model.safetensors": {Data: file.Bytes()}}, "m")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Config, cfg) {
		t.Fatalf("TransformerLens' config has no place for all of\n%+v, it gives\n%+v", cfg, m.Config)
	}
	return m
}

// transformerLensConfig is cfg in the words of HookedTransformerConfig.to_dict().
func transformerLensConfig(cfg models.Config) map[string]any {
	c := map[string]any{
		"model_type": "transformer_lens",
		"n_layers":   cfg.Layers, "d_model": cfg.Width, "n_heads": cfg.Heads, "n_key_value_heads": cfg.KVHeads, "d_head": cfg.HeadWidth,
		"d_mlp": cfg.MLPWidth, "d_vocab": cfg.Vocab, "n_ctx": cfg.Context, "eps": cfg.NormEps,
		"gated_mlp": cfg.Gated, "parallel_attn_mlp": cfg.Parallel, "act_fn": cfg.Activation, "positional_embedding_type": "standard",
	}
	if cfg.Activation == "gelu_tanh" {
		c["act_fn"] = "gelu_new"
	}
	pre := ""
	if cfg.PlainNorm {
		pre = "Pre"
	}
	switch cfg.Norm {
	case models.LayerNorm:
		c["normalization_type"] = "LN" + pre
	case models.RMSNorm:
		c["normalization_type"] = "RMS" + pre
	}
	if cfg.Positions == models.Rotary {
		c["positional_embedding_type"] = "rotary"
		c["rotary_base"], c["rotary_dim"], c["rotary_adjacent_pairs"] = cfg.Rotary.Base, cfg.Rotary.Dim, cfg.Rotary.Adjacent
	}
	return c
}
