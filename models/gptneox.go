package models

import (
	"fmt"
)

// gptNeoXConfig reads a config.json of GPT-NeoX and Pythia: a parallel block
// with two LayerNorms, or a serial one, rotary positions on a part of each head,
// a bias on all but the unembedding (Black et al., "GPT-NeoX-20B: An Open-Source
// Autoregressive Language Model", 2022, arXiv:2204.06745; Biderman et al.,
// "Pythia", 2023, arXiv:2304.01373).
func gptNeoXConfig(c *hfConfig) Config {
	d, heads, context := c.need("hidden_size"), c.need("num_attention_heads"), c.integer("max_position_embeddings", 2048)
	c.divides("num_attention_heads", heads, "hidden_size", d)
	k, bias := d/max(heads, 1), c.flag("attention_bias", true)
	rope := ropeReader{base: "rotary_emb_base", part: "rotary_pct", baseOr: 10_000, partOr: 0.25}
	return Config{
		Layers: c.need("num_hidden_layers"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: k,
		MLPWidth: c.need("intermediate_size"), Vocab: c.need("vocab_size"), Context: context,
		Norm: LayerNorm, NormEps: c.number("layer_norm_eps", 1e-5),
		Positions: Rotary, Rotary: c.rope(k, context, rope), Activation: c.activation("hidden_act", "gelu"),
		Tied:     c.flag("tie_word_embeddings", false),
		AttnBias: bias, OutBias: bias, MLPBias: true, NormBias: true,
		Parallel: c.flag("use_parallel_residual", true),
	}
}

// gptNeoXParams reads GPT-NeoX's weights: one matrix holds q, k and v of head
// 0, then of head 1, and so on. Published files hold masks and frequencies as
// well, which nothing reads.
func gptNeoXParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("embed_in.weight", "gpt_neox.", "")
	y.want(&y.p.Embed, prefix+"embed_in.weight", cfg.Vocab, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%slayers.%d.", prefix, l)
		y.norm(&b.LN1, name+"input_layernorm")
		y.norm(&b.LN2, name+"post_attention_layernorm")
		y.qkv(b, name+"attention.query_key_value", cfg.Heads)
		y.linear(&b.O, name+"attention.dense", cfg.OutBias, d, d)
		y.linear(&b.In, name+"mlp.dense_h_to_4h", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"mlp.dense_4h_to_h", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"final_layer_norm")
	y.unembed(y.prefix(".weight", "embed_out", "lm_head")) // the latter as the newest library holds it in memory
	return y.done()
}
