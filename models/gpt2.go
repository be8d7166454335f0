package models

import (
	"fmt"
)

// gpt2Config reads a config.json of GPT-2: LayerNorm, learned positions, plain
// MLP, a bias on everything but the unembedding (Radford et al., "Language
// Models are Unsupervised Multitask Learners", 2019).
func gpt2Config(c *hfConfig) Config {
	d, heads := c.need("n_embd"), c.need("n_head")
	c.divides("n_head", heads, "n_embd", d)
	scale := 0.0
	if !c.flag("scale_attn_weights", true) {
		scale = 1
	}
	return Config{
		Layers: c.need("n_layer"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: c.integer("n_inner", 4*d), Vocab: c.need("vocab_size"),
		Context: c.integer("n_positions", c.integer("n_ctx", 1024)),
		Norm:    LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Learned, Activation: c.activation("activation_function", "gelu_new"),
		Tied:     c.flag("tie_word_embeddings", true),
		AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
		ScoreScale: scale, InverseLayerScale: c.flag("scale_attn_by_inverse_layer_idx", false),
	}
}

// gpt2Params reads GPT-2's weights. Matrices are Conv1D's [in,out], with q, k
// and v side by side in one. The published files lack the prefix "transformer."
// and hold causal masks as h.N.attn.bias, which nothing reads.
func gpt2Params(f *checkpoint, cfg Config) (*Params, error) {
	y, d := newLayout(f, cfg), cfg.Width
	prefix := y.prefix("wte.weight", "transformer.", "")
	conv := func(w *LinearParams, name string, in, out, lo, hi int) { // columns lo..hi-1
		y.then(&w.Weight, name+".weight", columns(lo, hi), in, out)
		y.then(&w.Bias, name+".bias", rowsOf(lo, hi), out)
	}
	y.want(&y.p.Embed, prefix+"wte.weight", cfg.Vocab, d)
	y.want(&y.p.PosEmbed, prefix+"wpe.weight", cfg.Context, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%sh.%d.", prefix, l)
		y.norm(&b.LN1, name+"ln_1")
		for i, w := range []*LinearParams{&b.Q, &b.K, &b.V} {
			conv(w, name+"attn.c_attn", d, 3*d, i*d, (i+1)*d)
		}
		conv(&b.O, name+"attn.c_proj", d, d, 0, d)
		y.norm(&b.LN2, name+"ln_2")
		conv(&b.In, name+"mlp.c_fc", d, cfg.MLPWidth, 0, cfg.MLPWidth)
		conv(&b.Out, name+"mlp.c_proj", cfg.MLPWidth, d, 0, d)
	}
	y.norm(&y.p.Final, prefix+"ln_f")
	y.unembed("lm_head")
	return y.done()
}
