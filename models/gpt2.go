package models

import (
	"fmt"

	"orrery/models/tensor"
)

// gpt2Config reads a config.json of GPT-2: LayerNorm, learned positions, plain
// MLP, a bias on everything but the unembedding (Radford et al., "Language
// Models are Unsupervised Multitask Learners", 2019).
func gpt2Config(c *hfConfig) Config {
	d, heads := c.need("n_embd"), c.need("n_head")
	if heads > 0 && d%heads != 0 {
		c.fail("n_head is %d, which does not divide n_embd %d", heads, d)
	}
	c.refuseFlag("scale_attn_weights", true, true)
	c.refuseFlag("add_cross_attention", false, false)
	c.refuseAny("quantization_config")
	return Config{
		Layers: c.need("n_layer"), Width: d, Heads: heads, KVHeads: heads, HeadWidth: d / max(heads, 1),
		MLPWidth: c.integer("n_inner", 4*d), Vocab: c.need("vocab_size"),
		Context: c.integer("n_positions", c.integer("n_ctx", 1024)),
		Norm:    LayerNorm, NormEps: c.number("layer_norm_epsilon", 1e-5),
		Positions: Learned, Activation: c.activation("activation_function", "gelu_new"),
		Tied:     c.flag("tie_word_embeddings", true),
		AttnBias: true, OutBias: true, MLPBias: true, NormBias: true,
		InverseLayerScale: c.flag("scale_attn_by_inverse_layer_idx", false),
	}
}

// gpt2Params reads GPT-2's weights. Matrices are Conv1D's [in,out], with q, k
// and v side by side in one. The published files lack the prefix "transformer."
// and hold causal masks as h.N.attn.bias, which nothing reads.
func gpt2Params(f *checkpoint, cfg Config) (*Params, error) {
	prefix := "transformer."
	if _, ok := f.Info(prefix + "wte.weight"); !ok {
		if _, bare := f.Info("wte.weight"); bare {
			prefix = ""
		}
	}
	d := cfg.Width
	r := newReader(f)
	p := &Params{Blocks: make([]BlockParams, cfg.Layers)}
	r.want(&p.Embed, prefix+"wte.weight", cfg.Vocab, d)
	r.want(&p.PosEmbed, prefix+"wpe.weight", cfg.Context, d)
	norm := func(n *NormParams, name string) {
		r.want(&n.Weight, name+".weight", d)
		r.want(&n.Bias, name+".bias", d)
	}
	conv := func(w *LinearParams, name string, in, out int) {
		r.then(&w.Weight, name+".weight", columns(0, out), in, out)
		r.want(&w.Bias, name+".bias", out)
	}
	for l := range p.Blocks {
		b, name := &p.Blocks[l], fmt.Sprintf("%sh.%d.", prefix, l)
		norm(&b.LN1, name+"ln_1")
		for i, w := range []*LinearParams{&b.Q, &b.K, &b.V} {
			third := func(x *tensor.Dense) *tensor.Dense { return x.Slice0(i*d, (i+1)*d).Clone() }
			r.then(&w.Weight, name+"attn.c_attn.weight", columns(i*d, (i+1)*d), d, 3*d)
			r.then(&w.Bias, name+"attn.c_attn.bias", third, 3*d)
		}
		conv(&b.O, name+"attn.c_proj", d, d)
		norm(&b.LN2, name+"ln_2")
		conv(&b.In, name+"mlp.c_fc", d, cfg.MLPWidth)
		conv(&b.Out, name+"mlp.c_proj", cfg.MLPWidth, d)
	}
	norm(&p.Final, prefix+"ln_f")
	if !cfg.Tied {
		r.want(&p.Unembed.Weight, "lm_head.weight", cfg.Vocab, d)
	}
	return p, r.read()
}
