package models

import (
	"fmt"
)

// bloomConfig reads a config.json of BLOOM: ALiBi, a LayerNorm behind the
// embedding, a bias on all but the unembedding, and an MLP of 4·D with the tanh
// form of GELU (Le Scao et al., "BLOOM: A 176B-Parameter Open-Access
// Multilingual Language Model", 2022, arXiv:2211.05100). Any length of prompt is
// possible; seq_length, where it is there, was that of training.
func bloomConfig(c *hfConfig) Config {
	d, heads := c.need("hidden_size"), c.need("n_head")
	c.divides("n_head", heads, "hidden_size", d)
	return Config{
		Layers: c.need("n_layer"), Width: d,
		Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: 4 * d, Vocab: c.need("vocab_size"), Context: c.integer("seq_length", 2048),
		Norm: LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Alibi, Activation: "gelu_tanh",
		Tied:     c.flag("tie_word_embeddings", true),
		AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, EmbedNorm: true,
	}
}

// bloomParams reads BLOOM's weights: one matrix holds q, k and v of head 0,
// then of head 1, and so on. Published files lack the prefix "transformer.".
func bloomParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("word_embeddings.weight", "transformer.", "")
	y.want(&y.p.Embed, prefix+"word_embeddings.weight", cfg.Vocab, d)
	y.norm(&y.p.EmbedNorm, prefix+"word_embeddings_layernorm")
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%sh.%d.", prefix, l)
		y.norm(&b.LN1, name+"input_layernorm")
		y.qkv(b, name+"self_attention.query_key_value", cfg.Heads)
		y.linear(&b.O, name+"self_attention.dense", cfg.OutBias, d, d)
		y.norm(&b.LN2, name+"post_attention_layernorm")
		y.linear(&b.In, name+"mlp.dense_h_to_4h", cfg.MLPBias, cfg.MLPWidth, d)
		y.linear(&b.Out, name+"mlp.dense_4h_to_h", cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.norm(&y.p.Final, prefix+"ln_f")
	y.unembed("lm_head")
	return y.done()
}
