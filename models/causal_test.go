package models_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
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
	dla  *modeltest.Values // 09_dla
}

// overCausal runs fn on each of these models.
func overCausal(t *testing.T, fn func(t *testing.T, g causal)) {
	for name, cfg := range causalConfigs() {
		t.Run(name, func(t *testing.T) {
			f := openFile(t, modeltest.Reference(t, "causal", name, "model.safetensors"))
			fn(t, causal{
				Model: modeltest.FromTransformerLens(t, f.File, "", cfg), name: name,
				dla: openFile(t, modeltest.Reference(t, "causal", name, "09_dla.safetensors")),
			})
		})
	}
}

// folded is TransformerLens' own processed model, made from its weights.
func (g causal) folded(t *testing.T) *models.Model {
	t.Helper()
	cfg := g.Config
	cfg.NormBias, cfg.PlainNorm = false, true
	f := openFile(t, modeltest.Reference(t, "causal", g.name, "09_dla_folded_weights.safetensors"))
	return modeltest.FromTransformerLens(t, f.File, "", cfg)
}

// forwards runs fn on the models of the reference folder "causal" with the values
// of their forward passes, 00_forward.
func forwards(t *testing.T, fn func(t *testing.T, m *models.Model, prompts causalPrompts, want *modeltest.Values)) {
	configs := causalConfigs()
	configs["m4-linear"] = models.Config{
		Layers: 2, Width: 16, Heads: 2, KVHeads: 2, HeadWidth: 8, MLPWidth: 24, Vocab: 61, Context: 16,
		Norm: models.NoNorm, Positions: models.Learned, Activation: "relu",
		AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
	}
	for name, cfg := range configs {
		t.Run(name, func(t *testing.T) {
			var prompts causalPrompts
			readJSON(t, &prompts, "causal", name, "prompts.json")
			f := openFile(t, modeltest.Reference(t, "causal", name, "model.safetensors"))
			fn(t, modeltest.FromTransformerLens(t, f.File, "", cfg), prompts, openFile(t, modeltest.Reference(t, "causal", name, "00_forward.safetensors")))
		})
	}
}

// causalPrompts are the pairs that the folder's models were run on.
type causalPrompts struct{ Pairs5, Pairs9 []causalPair }

type causalPair struct {
	Clean, Corrupted []int
	R                int
	RPrime           int `json:"r_prime"`
}

// TestForwardAsElsewhere compares the logits of both sides of all pairs, the
// difference of their two answers' logits, and every activation of the first
// prompt under TransformerLens' name, within the 5e-5·(1+|want|) that the
// reference asks for. There masked scores are 0.
func TestForwardAsElsewhere(t *testing.T) {
	const bound = 5e-5
	forwards(t, func(t *testing.T, m *models.Model, prompts causalPrompts, want *modeltest.Values) {
		for set, pairs := range map[string][]causalPair{"t5": prompts.Pairs5, "t9": prompts.Pairs9} {
			rows := floats(t, want, set+".clean.ld").Len()
			for side := range 2 {
				var ids [][]int
				for _, p := range pairs[:rows] {
					ids = append(ids, [][]int{p.Clean, p.Corrupted}[side])
				}
				in, err := models.Rows(ids)
				if err != nil {
					t.Fatal(err)
				}
				key := set + "." + []string{"clean", "corrupted"}[side]
				cache, logits := withCache(t, m, in)
				modeltest.Close(t, key+" logits", logits, floats(t, want, key+".logits"), bound, bound)
				ld := tensor.New(rows)
				for i, p := range pairs[:rows] {
					last := logits.Sub(i, in.T-1)
					ld.Data[i] = last.At(p.R) - last.At(p.RPrime)
				}
				modeltest.Close(t, key+" ld", ld, floats(t, want, key+".ld"), bound, bound)
				if side == 0 {
					compareCache(t, m, cache, want, set+".pair0.cache.")
				}
			}
		}
	})
}

// compareCache compares row 0 of every recorded site with what is stored under
// TransformerLens' name behind prefix.
func compareCache(t *testing.T, m *models.Model, cache *models.Cache, want *modeltest.Values, prefix string) {
	t.Helper()
	for _, stored := range want.Names() {
		name, ok := strings.CutPrefix(stored, prefix)
		if !ok {
			continue
		}
		x := floats(t, want, stored)
		switch name {
		case "unembed.hook_in":
			name = "ln_final.hook_out"
			if m.Config.Norm == models.NoNorm {
				name = fmt.Sprintf("blocks.%d.hook_resid_post", m.Config.Layers-1)
			}
		case "unembed.hook_out":
			name = "logits"
		}
		got := recorded(t, m, cache, name).Sub(0)
		if strings.HasSuffix(name, "attn_scores") {
			got = got.Clone()
			for i, v := range got.Data {
				if math.IsInf(float64(v), -1) {
					got.Data[i] = 0
				}
			}
		}
		modeltest.Close(t, stored, got.Reshape(x.Shape...), x, 5e-5, 5e-5)
	}
}
