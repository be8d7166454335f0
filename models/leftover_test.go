package models_test

import (
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"orrery/models/tensor"
)

// TestWeightsWithoutAPlace adds tensors to files that load. What other libraries
// would compute with, or would warn that they do not, is refused by name; masks,
// zeros, and what belongs to other parts is left alone.
func TestWeightsWithoutAPlace(t *testing.T) {
	ones := func(shape ...int) *tensor.Dense {
		x := tensor.New(shape...)
		for i := range x.Data {
			x.Data[i] = 1
		}
		return x
	}
	for _, test := range []struct {
		family, name string
		x            *tensor.Dense
		says         []string // nil when it must load
	}{
		{"llama-yarn", "model.layers.0.self_attn.q_proj.bias", ones(20), []string{"model.layers.0.self_attn.q_proj.bias[0] is 1", "no place"}},
		{"llama-yarn", "model.layers.0.self_attn.q_proj.bias", tensor.New(20), nil},
		{"llama-yarn", "model.layers.1.mlp.down_proj.bias", ones(20), []string{"down_proj.bias"}},
		{"llama-yarn", "model.layers.0.self_attn.q_norm.weight", ones(5), []string{"q_norm.weight", "no place"}},
		{"llama-yarn", "model.layers.0.self_attn.q_proj.lora_A.weight", ones(2, 20), []string{"lora_A.weight"}},
		{"llama-yarn", "model.layers.2.input_layernorm.weight", ones(20), []string{"model.layers.2.input_layernorm.weight", "counts 2 layers"}},
		{"llama-yarn", "model.norm.bias", ones(20), []string{"model.norm.bias[0] is 1"}},
		{"llama-yarn", "lm_head.bias", ones(101), []string{"lm_head.bias[0] is 1"}},
		{"llama-yarn", "model.layers.0.self_attn.rotary_emb.inv_freq", ones(2), nil},
		{"llama-yarn", "score.weight", ones(2, 20), nil},
		{"llama-yarn", "vision_tower.encoder.layers.0.mlp.fc1.bias", ones(3), nil},
		{"gpt2", "transformer.h.0.attn.bias", ones(1, 1, 8, 8), nil},
		{"gpt2", "transformer.h.0.attn.masked_bias", ones(), nil},
		{"gpt2", "lm_head.weight", ones(101, 24), []string{"lm_head.weight[0 0] is 1", "tie_word_embeddings"}},
		{"gpt2", "lm_head.weight", ones(100, 24), []string{"lm_head.weight", "[100 24]", "[101 24]"}},
		{"olmo", "model.layers.0.input_layernorm.weight", ones(24), []string{"input_layernorm.weight", "no place"}},
	} {
		t.Run(test.family+"/"+test.name, func(t *testing.T) {
			all := weightsOf(t, test.family)
			all[test.name] = test.x
			err := loadWith(t, goldenDir(t, test.family), all)
			if test.says == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			mustSay(t, err, test.says...)
		})
	}
	t.Run("an unembedding that is the embedding", func(t *testing.T) {
		all := weightsOf(t, "gpt2")
		all["lm_head.weight"] = all["transformer.wte.weight"]
		if err := loadWith(t, goldenDir(t, "gpt2"), all); err != nil {
			t.Error(err)
		}
	})
	t.Run("more than can be told", func(t *testing.T) {
		all := weightsOf(t, "gpt2")
		for name, x := range maps.Clone(all) {
			if within, ok := cutLayer(name); ok {
				all["transformer.h.7."+within] = x
			}
		}
		mustSay(t, loadWith(t, goldenDir(t, "gpt2"), all), "transformer.h.7.attn.c_attn.bias", "and 7 tensors more")
	})
}

// cutLayer is what stands behind the name of GPT-2's first block.
func cutLayer(name string) (string, bool) { return strings.CutPrefix(name, "transformer.h.0.") }

// weightsOf are all tensors of a family's file.
func weightsOf(t *testing.T, family string) map[string]*tensor.Dense {
	t.Helper()
	file := openFile(t, filepath.Join(goldenDir(t, family), "model.safetensors"))
	all := map[string]*tensor.Dense{}
	for _, name := range file.Names() {
		all[name] = floats(t, file, name)
	}
	return all
}
