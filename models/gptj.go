package models

import (
	"fmt"
)

// gptJConfig reads a config.json of GPT-J: a parallel block with one LayerNorm,
// rotary positions on adjacent pairs of the first dimensions of each head, a
// bias on the MLP and the unembedding (Wang and Komatsuzaki, "GPT-J-6B", 2021).
func gptJConfig(c *hfConfig) Config {
	d, heads := c.need("n_embd"), c.need("n_head")
	c.divides("n_head", heads, "n_embd", d)
	k := d / max(heads, 1)
	if raw, ok := c.fields["rotary_dim"]; ok && string(raw) == "null" {
		c.fail("rotary_dim is null, want a number")
	}
	return Config{
		Layers: c.need("n_layer"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: k,
		MLPWidth: c.integer("n_inner", 4*d), Vocab: c.need("vocab_size"), Context: c.integer("n_positions", 2048),
		Norm: LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Rotary, Rotary: RotaryConfig{Base: 10_000, Dim: c.integer("rotary_dim", 64), Adjacent: true},
		Activation: c.activation("activation_function", "gelu_new"), Tied: c.flag("tie_word_embeddings", false),
		MLPBias: true, NormBias: true, UnembedBias: true, Parallel: true, SharedNorm: true,
	}
}

// gptJParams reads GPT-J's weights. Published files hold masks as well, which
// nothing reads.
func gptJParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("wte.weight", "transformer.", "")
	y.want(&y.p.Embed, prefix+"wte.weight", cfg.Vocab, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%sh.%d.", prefix, l)
		y.norm(&b.LN1, name+"ln_1")
		y.linear(&b.Q, name+"attn.q_proj", cfg.AttnBias, d, d)
		y.linear(&b.K, name+"attn.k_proj", cfg.AttnBias, d, d)
		y.linear(&b.V, name+"attn.v_proj", cfg.AttnBias, d, d)
		y.linear(&b.O, name+"attn.out_proj", cfg.OutBias, d, d)
		y.linear(&b.In, name+"mlp.fc_in", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"mlp.fc_out", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"ln_f")
	y.unembed("lm_head")
	return y.done()
}
