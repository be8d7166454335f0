package models

import (
	"fmt"
)

// llamaConfig reads a config.json of Llama 1 to 3: RMSNorm, rotary positions in
// halves, gated MLP, grouped queries (Touvron et al., "LLaMA: Open and Efficient
// Foundation Language Models", 2023, arXiv:2302.13971; Grattafiori et al., "The
// Llama 3 Herd of Models", 2024, arXiv:2407.21783).
func llamaConfig(c *hfConfig) Config {
	d, heads := c.need("hidden_size"), c.need("num_attention_heads")
	k := c.integer("head_dim", d/max(heads, 1))
	bias := c.flag("attention_bias", false)
	c.refuseAny("quantization_config")
	return Config{
		Layers: c.need("num_hidden_layers"), Width: d,
		Heads: heads, KVHeads: c.integer("num_key_value_heads", heads), HeadWidth: k,
		MLPWidth: c.need("intermediate_size"), Vocab: c.need("vocab_size"),
		Context: c.integer("max_position_embeddings", 2048),
		Norm:    RMSNorm, NormEps: c.number("rms_norm_eps", 1e-6),
		Positions: Rotary, Rotary: c.rope(k),
		Activation: c.activation("hidden_act", "silu"), Gated: true,
		Tied:     c.flag("tie_word_embeddings", false),
		AttnBias: bias, OutBias: bias, MLPBias: c.flag("mlp_bias", false),
	}
}

// llamaParams reads Llama's weights, which lie as ours do.
func llamaParams(f *checkpoint, cfg Config) (*Params, error) {
	d, q, kv := cfg.Width, cfg.Heads*cfg.HeadWidth, cfg.KVHeads*cfg.HeadWidth
	r := newReader(f)
	p := &Params{Blocks: make([]BlockParams, cfg.Layers)}
	linear := func(w *LinearParams, name string, bias bool, out, in int) {
		r.want(&w.Weight, name+".weight", out, in)
		if bias {
			r.want(&w.Bias, name+".bias", out)
		}
	}
	r.want(&p.Embed, "model.embed_tokens.weight", cfg.Vocab, d)
	for l := range p.Blocks {
		b, name := &p.Blocks[l], fmt.Sprintf("model.layers.%d.", l)
		r.want(&b.LN1.Weight, name+"input_layernorm.weight", d)
		linear(&b.Q, name+"self_attn.q_proj", cfg.AttnBias, q, d)
		linear(&b.K, name+"self_attn.k_proj", cfg.AttnBias, kv, d)
		linear(&b.V, name+"self_attn.v_proj", cfg.AttnBias, kv, d)
		linear(&b.O, name+"self_attn.o_proj", cfg.OutBias, d, q)
		r.want(&b.LN2.Weight, name+"post_attention_layernorm.weight", d)
		linear(&b.Gate, name+"mlp.gate_proj", cfg.MLPBias, cfg.MLPWidth, d)
		linear(&b.In, name+"mlp.up_proj", cfg.MLPBias, cfg.MLPWidth, d)
		linear(&b.Out, name+"mlp.down_proj", cfg.MLPBias, d, cfg.MLPWidth)
	}
	r.want(&p.Final.Weight, "model.norm.weight", d)
	if !cfg.Tied {
		r.want(&p.Unembed.Weight, "lm_head.weight", cfg.Vocab, d)
	}
	return p, r.read()
}
