package models

import (
	"fmt"
)

// mptConfig reads a config.json of MPT: ALiBi, LayerNorm without bias, q, k and
// v brought into a range, no bias anywhere (MosaicML, "Introducing MPT-7B",
// 2023). Choices of its training code that no published model makes are refused
// (learned_pos_emb says nothing where there is ALiBi).
func mptConfig(c *hfConfig) Config {
	d, heads, ratio := c.need("d_model"), c.need("n_heads"), c.integer("expansion_ratio", 4)
	c.divides("n_heads", heads, "d_model", d)
	c.refuseFlag("no_bias", true, true)
	c.only("expansion_ratio", 4)
	if kind := c.text("norm_type", "layernorm"); kind != "layernorm" && kind != "low_precision_layernorm" {
		c.fail("norm_type is %q, and only layernorm and low_precision_layernorm are supported", kind)
	}
	cfg := Config{
		Layers: c.need("n_layers"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: ratio * d, Vocab: c.need("vocab_size"), Context: c.integer("max_seq_len", 2048),
		Norm: LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Alibi, Activation: "gelu", Tied: c.flag("tie_word_embeddings", true),
	}
	a := c.object("attn_config")
	if a == nil {
		return cfg
	}
	a.refuseFlag("alibi", true, true)
	a.only("alibi_bias_max", 8)
	a.refuseFlag("prefix_lm", false, false)
	a.refuseFlag("qk_ln", false, false)
	if kind := a.text("attn_type", "multihead_attention"); kind != "multihead_attention" {
		a.fail("attn_type is %q, and only \"multihead_attention\" is supported", kind)
	}
	cfg.ClipQKV, cfg.ScoreScale = a.number("clip_qkv", 0), a.number("softmax_scale", 0)
	a.guard()
	c.leave(a)
	return cfg
}

// mptParams reads MPT's weights: one matrix holds all of q above all of k above
// all of v.
func mptParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("wte.weight", "transformer.", "")
	y.want(&y.p.Embed, prefix+"wte.weight", cfg.Vocab, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%sblocks.%d.", prefix, l)
		y.norm(&b.LN1, name+"norm_1")
		y.qkv(b, name+"attn.Wqkv", 1)
		y.linear(&b.O, name+"attn.out_proj", cfg.OutBias, d, d)
		y.norm(&b.LN2, name+"norm_2")
		y.linear(&b.In, name+"ffn.up_proj", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"ffn.down_proj", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"norm_f")
	y.unembed("lm_head")
	return y.done()
}
