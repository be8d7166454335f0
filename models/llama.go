package models

import (
	"fmt"
)

// llamaConfig reads a config.json of Llama 1 to 3: RMSNorm, rotary positions in
// halves, gated MLP, grouped queries (Touvron et al., "LLaMA: Open and Efficient
// Foundation Language Models", 2023, arXiv:2302.13971; Grattafiori et al., "The
// Llama 3 Herd of Models", 2024, arXiv:2407.21783).
func llamaConfig(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 2048, usualRope)
	cfg.MLPBias = c.flag("mlp_bias", false)
	return cfg
}

// llamaSizes reads what Llama and its descendants have in common. The width of
// a head (0 for D/H) and the context are those where config.json has none.
func llamaSizes(c *hfConfig, k, context int, rope ropeReader) Config {
	d, heads := c.need("hidden_size"), c.need("num_attention_heads")
	if k == 0 {
		k = d / max(heads, 1)
	}
	k, context = c.integer("head_dim", k), c.integer("max_position_embeddings", context)
	bias := c.flag("attention_bias", false)
	return Config{
		Layers: c.need("num_hidden_layers"), Width: d,
		Heads: heads, KVHeads: c.integer("num_key_value_heads", heads), HeadWidth: k,
		MLPWidth: c.need("intermediate_size"), Vocab: c.need("vocab_size"), Context: context,
		Norm: RMSNorm, NormEps: c.number("rms_norm_eps", 1e-6),
		Positions: Rotary, Rotary: c.rope(k, context, rope),
		Activation: c.activation("hidden_act", "silu"), Gated: true,
		Tied:     c.flag("tie_word_embeddings", false),
		AttnBias: bias, OutBias: bias,
	}
}

// llamaParams reads Llama's weights, which lie as ours do.
func llamaParams(f *checkpoint, cfg Config) (*Params, error) { return readLlama(f, cfg, llamaNames) }

// llamaLayout is how a descendant of Llama names the weights of a block.
type llamaLayout struct {
	ln1, ln1Post, ln2, ln2Post string
	q, k, v, o                 string
	qkv                        string // all of q, k and v one above the other, instead of the three
	qNorm, kNorm               string
	gate, in, out              string
	gateIn                     string // gate above in, instead of the two
	final                      string
	gain                       transform // what is done to the gain of a norm; nil for nothing
}

// llamaNames are Llama's own, with the names that its descendants added. It is
// never written to.
var llamaNames = llamaLayout{
	ln1: "input_layernorm", ln2: "post_attention_layernorm",
	q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", o: "self_attn.o_proj",
	qNorm: "self_attn.q_norm", kNorm: "self_attn.k_norm",
	gate: "mlp.gate_proj", in: "mlp.up_proj", out: "mlp.down_proj",
	final: "norm",
}

// readLlama reads the weights of Llama and its descendants. Files of the bare
// decoder lack the prefix "model."; those of a model that sees pictures as well
// keep the decoder behind "language_model".
func readLlama(f *checkpoint, cfg Config, n llamaLayout) (*Params, error) {
	y, d, q, kv := newLayout(f, cfg), cfg.Width, cfg.Heads*cfg.HeadWidth, cfg.KVHeads*cfg.HeadWidth
	embed := "embed_tokens.weight"
	prefix := y.prefix(embed, "model.", "", "language_model.model.", "model.language_model.")
	y.want(&y.p.Embed, prefix+embed, cfg.Vocab, d)
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("%slayers.%d.", prefix, l)
		if cfg.before() {
			y.gain(&b.LN1, name+n.ln1, n.gain)
		}
		if n.qkv == "" {
			y.linear(&b.Q, name+n.q, cfg.AttnBias, q, d)
			y.linear(&b.K, name+n.k, cfg.AttnBias, kv, d)
			y.linear(&b.V, name+n.v, cfg.AttnBias, kv, d)
		} else {
			y.qkv(b, name+n.qkv, 1)
		}
		y.headNorm(&b.QNorm, "attn.q_norm", name+n.qNorm, n.gain)
		y.headNorm(&b.KNorm, "attn.k_norm", name+n.kNorm, n.gain)
		y.linear(&b.O, name+n.o, cfg.OutBias, d, q)
		if cfg.behind() {
			y.gain(&b.LN1Post, name+n.ln1Post, n.gain)
			y.gain(&b.LN2Post, name+n.ln2Post, n.gain)
		}
		if cfg.before() && !cfg.SharedNorm {
			y.gain(&b.LN2, name+n.ln2, n.gain)
		}
		switch f := cfg.MLPWidth; {
		case n.gateIn != "":
			y.part(&b.Gate, name+n.gateIn, cfg.MLPBias, 2*f, d, rowsOf(0, f))
			y.part(&b.In, name+n.gateIn, cfg.MLPBias, 2*f, d, rowsOf(f, 2*f))
		case cfg.Gated:
			y.linear(&b.Gate, name+n.gate, cfg.MLPBias, f, d)
			fallthrough
		default:
			y.linear(&b.In, name+n.in, cfg.MLPBias, f, d)
		}
		y.linear(&b.Out, name+n.out, cfg.MLPBias, d, cfg.MLPWidth)
	}
	y.gain(&y.p.Final, prefix+n.final, n.gain)
	y.unembed("lm_head")
	return y.done()
}
