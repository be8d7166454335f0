package models

import (
	"encoding/json"
	"fmt"
	"slices"
)

// gptNeoConfig reads a config.json of GPT-Neo: GPT-2 with q·k not divided by
// sqrt(K), windows in the layers called local, and no bias on q, k and v (Black
// et al., "GPT-Neo: Large Scale Autoregressive Language Modeling with
// Mesh-Tensorflow", 2021, doi:10.5281/zenodo.5297715).
func gptNeoConfig(c *hfConfig) Config {
	d, heads, layers := c.need("hidden_size"), c.need("num_heads"), c.need("num_layers")
	c.divides("num_heads", heads, "hidden_size", d)
	return Config{
		Layers: layers, Width: d, Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: c.integer("intermediate_size", 4*d), Vocab: c.need("vocab_size"),
		Context: c.integer("max_position_embeddings", 2048),
		Norm:    LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Learned, Activation: c.activation("activation_function", "gelu_new"),
		Tied: c.flag("tie_word_embeddings", true), OutBias: true, MLPBias: true, NormBias: true,
		ScoreScale: 1, Windows: c.gptNeoWindows(layers),
	}
}

// gptNeoWindows reads which layers are local: attention_types, a list of
// patterns with how often each is repeated, or attention_layers.
func (c *hfConfig) gptNeoWindows(layers int) []int {
	kinds, types := []string(nil), [][2]json.RawMessage(nil)
	var listed []string
	both := c.read("attention_layers", &listed)
	if kinds = listed; c.read("attention_types", &types) {
		kinds = nil
		for _, t := range types {
			var pattern []string
			var times int
			if json.Unmarshal(t[0], &pattern) != nil || json.Unmarshal(t[1], &times) != nil || times < 0 || times > maxLayers {
				c.fail("attention_types has %.40s repeated %.40s times, want a list of kinds and how often it is repeated", t[0], t[1])
				return nil
			}
			for range times {
				if kinds = append(kinds, pattern...); len(kinds) > maxLayers {
					c.fail("attention_types names more than %d layers", maxLayers)
					return nil
				}
			}
		}
	}
	if len(kinds) != layers {
		c.fail("attention_types names %d layers, and num_layers is %d", len(kinds), layers)
		return nil
	}
	windows := c.windowsOf(kinds, "attention_types", "local", "global", "window_size", c.integer("window_size", 256))
	if both && !slices.Equal(kinds, listed) {
		c.fail("attention_layers is %.60q, and attention_types says %.60q", listed, kinds)
	}
	return windows
}

// gptNeoParams reads GPT-Neo's weights.
func gptNeoParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("wte.weight", "transformer.", "")
	y.want(&y.p.Embed, prefix+"wte.weight", cfg.Vocab, d)
	y.want(&y.p.PosEmbed, prefix+"wpe.weight", cfg.Context, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%sh.%d.", prefix, l)
		y.norm(&b.LN1, name+"ln_1")
		y.linear(&b.Q, name+"attn.attention.q_proj", cfg.AttnBias, d, d)
		y.linear(&b.K, name+"attn.attention.k_proj", cfg.AttnBias, d, d)
		y.linear(&b.V, name+"attn.attention.v_proj", cfg.AttnBias, d, d)
		y.linear(&b.O, name+"attn.attention.out_proj", cfg.OutBias, d, d)
		y.norm(&b.LN2, name+"ln_2")
		y.linear(&b.In, name+"mlp.c_fc", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"mlp.c_proj", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"ln_f")
	y.unembed("lm_head")
	return y.done()
}
