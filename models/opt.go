package models

import (
	"fmt"
)

// optConfig reads a config.json of OPT: GPT-2's block with ReLU and a position
// table whose first two rows are not used (Zhang et al., "OPT: Open Pre-trained
// Transformer Language Models", 2022, arXiv:2205.01068).
//
// One size, 350M, is refused: it norms the stream itself behind each half, so that
// the stream is no sum of what the parts of the model wrote. Everything that takes
// it for one, decomposition and attribution, weight processing and re-runs, would
// need another meaning of its own; TransformerLens leaves this size out as well. That
// its embedding has a width of its own, projected, comes with it.
func optConfig(c *hfConfig) Config {
	d, heads := c.need("hidden_size"), c.need("num_attention_heads")
	c.divides("num_attention_heads", heads, "hidden_size", d)
	c.refuseFlag("do_layer_norm_before", true, true)
	c.only("word_embed_proj_dim", d)
	bias, plain := c.flag("enable_bias", true), !c.flag("layer_norm_elementwise_affine", true)
	return Config{
		Layers: c.need("num_hidden_layers"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: c.need("ffn_dim"), Vocab: c.need("vocab_size"), Context: c.integer("max_position_embeddings", 2048),
		Norm: LayerNorm, NormEps: 1e-5,
		Positions: Learned, Activation: c.activation("activation_function", "relu"),
		Tied:     c.flag("tie_word_embeddings", true),
		AttnBias: bias, OutBias: bias, MLPBias: bias, NormBias: !plain, PlainNorm: plain,
	}
}

// optParams reads OPT's weights. A token at position p reads row p+2 of the
// position table.
func optParams(f *checkpoint, cfg Config) (*Params, error) {
	const unused = 2
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("embed_tokens.weight", "model.decoder.", "decoder.")
	y.want(&y.p.Embed, prefix+"embed_tokens.weight", cfg.Vocab, d)
	y.then(&y.p.PosEmbed, prefix+"embed_positions.weight", rowsOf(unused, cfg.Context+unused), cfg.Context+unused, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%slayers.%d.", prefix, l)
		y.norm(&b.LN1, name+"self_attn_layer_norm")
		y.linear(&b.Q, name+"self_attn.q_proj", cfg.AttnBias, d, d)
		y.linear(&b.K, name+"self_attn.k_proj", cfg.AttnBias, d, d)
		y.linear(&b.V, name+"self_attn.v_proj", cfg.AttnBias, d, d)
		y.linear(&b.O, name+"self_attn.out_proj", cfg.OutBias, d, d)
		y.norm(&b.LN2, name+"final_layer_norm")
		y.linear(&b.In, name+"fc1", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"fc2", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"final_layer_norm")
	y.unembed("lm_head")
	return y.done()
}
