package models

import (
	"fmt"
)

// falconConfig reads a config.json of Falcon: rotary positions or ALiBi, a block
// that is parallel with one norm, parallel with two (new_decoder_architecture)
// or serial, and one key-value head, one for each group, or one for each head
// (Almazrouei et al., "The Falcon Series of Open Language Models", 2023,
// arXiv:2311.16867).
func falconConfig(c *hfConfig) Config {
	d, heads, context := c.need("hidden_size"), c.need("num_attention_heads"), c.integer("max_position_embeddings", 2048)
	c.divides("num_attention_heads", heads, "hidden_size", d)
	k, groups, bias := d/max(heads, 1), c.integer("num_kv_heads", heads), c.flag("bias", false)
	fresh, parallel := c.flag("new_decoder_architecture", false), c.flag("parallel_attn", true)
	switch {
	case fresh:
		parallel = true
	case c.flag("multi_query", true):
		groups = 1
	default:
		groups = heads
	}
	norms := c.integer("num_ln_in_parallel_attn", 2)
	if fresh && norms != 1 && norms != 2 {
		c.fail("num_ln_in_parallel_attn is %d, want 1 or 2", norms)
	}
	cfg := Config{
		Layers: c.need("num_hidden_layers"), Width: d, Heads: heads, KVHeads: groups, HeadWidth: k,
		MLPWidth: c.integer("ffn_hidden_size", 4*d), Vocab: c.need("vocab_size"), Context: context,
		Norm: LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Rotary, Rotary: c.rope(k, context, usualRope), Activation: c.activation("activation", "gelu"),
		Tied:     c.flag("tie_word_embeddings", true),
		AttnBias: bias, OutBias: bias, MLPBias: bias, NormBias: true,
		Parallel: parallel, SharedNorm: parallel && !(fresh && norms == 2),
	}
	if c.flag("alibi", false) {
		cfg.Positions, cfg.Rotary, cfg.FalconAlibi = Alibi, RotaryConfig{}, true
	}
	return cfg
}

// falconParams reads Falcon's weights: one matrix holds, for each key-value
// head, the queries of its group, the key and the value.
func falconParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("word_embeddings.weight", "transformer.", "")
	y.want(&y.p.Embed, prefix+"word_embeddings.weight", cfg.Vocab, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%sh.%d.", prefix, l)
		switch {
		case cfg.SharedNorm:
			y.norm(&b.LN1, name+"input_layernorm")
		case cfg.Parallel:
			y.norm(&b.LN1, name+"ln_attn")
			y.norm(&b.LN2, name+"ln_mlp")
		default:
			y.norm(&b.LN1, name+"input_layernorm")
			y.norm(&b.LN2, name+"post_attention_layernorm")
		}
		y.qkv(b, name+"self_attention.query_key_value", cfg.KVHeads)
		y.linear(&b.O, name+"self_attention.dense", cfg.OutBias, d, d)
		y.linear(&b.In, name+"mlp.dense_h_to_4h", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"mlp.dense_4h_to_h", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"ln_f")
	y.unembed("lm_head")
	return y.done()
}
