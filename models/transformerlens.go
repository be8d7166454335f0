package models

import (
	"fmt"
	"strings"

	"orrery/models/tensor"
)

// transformerLensConfig reads the config of a HookedTransformer (TransformerLens
// up to 3): cfg.to_dict() without what JSON does not know. What its state dict
// holds is what it computes with, so a model that folded its norms
// (normalization_type "LNPre" or "RMSPre") has none of their weights.
func transformerLensConfig(c *hfConfig) Config {
	layers, heads, k, vocab := c.need("n_layers"), c.need("n_heads"), c.need("d_head"), c.need("d_vocab")
	gated := c.flag("gated_mlp", false)
	cfg := Config{
		Layers: layers, Width: c.need("d_model"), Heads: heads, KVHeads: c.integer("n_key_value_heads", heads), HeadWidth: k,
		MLPWidth: c.integer("d_mlp", 4*c.need("d_model")), Vocab: vocab, Context: c.need("n_ctx"),
		NormEps: c.number("eps", 1e-5), Gated: gated, AttnOnly: c.flag("attn_only", false),
		AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
		Parallel: c.flag("parallel_attn_mlp", false), EmbedNorm: c.flag("post_embedding_ln", false),
		ScoreCap: max(c.number("attn_scores_soft_cap", 0), 0), LogitCap: max(c.number("output_logits_soft_cap", 0), 0),
		InverseLayerScale: c.flag("scale_attn_by_inverse_layer_idx", false),
	}
	if out := c.integer("d_vocab_out", -1); out != -1 && out != vocab {
		cfg.OutVocab = out
	}
	if cfg.AttnOnly {
		cfg.MLPBias = false
	} else {
		cfg.Activation = c.activation("act_fn", "null")
	}
	switch kind := c.text("normalization_type", "none"); kind {
	case "LN", "LNPre":
		cfg.Norm, cfg.NormBias, cfg.PlainNorm = LayerNorm, kind == "LN", kind == "LNPre"
	case "RMS", "RMSPre":
		cfg.Norm, cfg.PlainNorm = RMSNorm, kind == "RMSPre"
	case "none":
		cfg.Norm = NoNorm
	default:
		c.fail("normalization_type is %q, want LN, LNPre, RMS, RMSPre or null", kind)
	}
	if c.flag("use_normalization_before_and_after", false) {
		cfg.Placement = BothNorm
	}
	if c.flag("use_qk_norm", false) {
		cfg.QKNorm = QKNormHead
	}
	if scale := c.number("attn_scale", -1); scale > 0 {
		cfg.ScoreScale = 1 / scale
	}
	if !c.flag("use_attn_scale", true) {
		cfg.ScoreScale = 1
	}
	if c.flag("final_rms", false) && cfg.Norm == LayerNorm {
		c.fail("final_rms is true, and the other norms are %s", cfg.Norm)
	}
	if dir := c.text("attention_dir", "causal"); dir != "causal" {
		c.fail("attention_dir is %q, and only \"causal\" is supported", dir)
	}
	if made := c.text("original_architecture", ""); strings.HasPrefix(made, "Olmo2") || strings.HasPrefix(made, "Olmo3") {
		c.fail("original_architecture is %q, whose norms stand elsewhere than its config says", made)
	}
	if c.flag("use_local_attn", false) {
		var kinds []string
		if c.read("attn_types", &kinds); len(kinds) != layers {
			c.fail("attn_types names %d layers, and n_layers is %d", len(kinds), layers)
		}
		cfg.Windows = c.windowsOf(kinds, "attn_types", "local", "global", "window_size", c.integer("window_size", 0))
	}
	c.transformerLensPositions(&cfg)
	return cfg
}

// transformerLensPositions reads how a HookedTransformer knows positions.
func (c *hfConfig) transformerLensPositions(cfg *Config) {
	switch kind := c.text("positional_embedding_type", "standard"); kind {
	case "standard":
		cfg.Positions = Learned
	case "rotary":
		cfg.Positions = Rotary
		cfg.Rotary = RotaryConfig{
			Base: c.number("rotary_base", 10_000), Dim: c.integer("rotary_dim", cfg.HeadWidth),
			Adjacent: c.flag("rotary_adjacent_pairs", false),
		}
		switch {
		case c.flag("use_NTK_by_parts_rope", false):
			cfg.Rotary.Scaling = &RopeScaling{
				Kind: Llama3Scaling, Factor: c.number("NTK_by_parts_factor", 8), Original: c.integer("NTK_original_ctx_len", 8192),
				LowFactor: c.number("NTK_by_parts_low_freq_factor", 1), HighFactor: c.number("NTK_by_parts_high_freq_factor", 4),
			}
		case c.flag("use_yarn_rope", false):
			cfg.Rotary.Scaling = &RopeScaling{
				Kind: YarnScaling, Factor: c.number("yarn_factor", 1), Original: c.integer("yarn_original_max_position_embeddings", 4096),
				BetaFast: c.number("yarn_beta_fast", 32), BetaSlow: c.number("yarn_beta_slow", 1), Whole: true,
				AttnFactor: c.number("yarn_attention_factor", 1),
			}
		}
		if f := c.number("rotary_scaling_factor", 1); f != 1 {
			c.fail("rotary_scaling_factor is %g, and only 1 is supported", f)
		}
		if base := c.number("rotary_base_local", 0); base != 0 && cfg.Windows != nil {
			local := cfg.Rotary
			local.Base, cfg.LocalRotary = base, &local
		}
	case "alibi":
		cfg.Positions = Alibi
		if h := cfg.Heads; h&(h-1) != 0 {
			c.fail("positional_embedding_type is \"alibi\" with n_heads %d: TransformerLens' slopes are ALiBi's only for powers of two", h)
		}
	default:
		c.fail("positional_embedding_type is %q, want standard, rotary or alibi", kind)
	}
}

// transformerLensParams reads the state dict of a HookedTransformer: matrices
// [in,out], split by heads, with every bias.
func transformerLensParams(f *checkpoint, cfg Config) (*Params, error) {
	y, d, k, h, g := newLayout(f, cfg), cfg.Width, cfg.HeadWidth, cfg.Heads, cfg.KVHeads
	norm := func(n *NormParams, name string, width int) {
		y.want(&n.Weight, name+".w", width)
		if cfg.NormBias {
			y.want(&n.Bias, name+".b", width)
		}
	}
	parts := func(name string) bool { _, have := cfg.normWidth(name); return have && !cfg.PlainNorm }
	linear := func(w *LinearParams, weight, bias string, in, out int) {
		y.then(&w.Weight, weight, columns(0, out), in, out)
		y.want(&w.Bias, bias, out)
	}
	heads := func(w *LinearParams, name, part string, n int) {
		kept := "" // the state dict marks heads that several queries share
		if n != h {
			kept = "_"
		}
		y.then(&w.Weight, name+kept+"W_"+part, headRows, n, d, k)
		y.then(&w.Bias, name+kept+"b_"+part, flat(n*k), n, k)
	}
	y.want(&y.p.Embed, "embed.W_E", cfg.Vocab, d)
	if parts("embed.ln") {
		norm(&y.p.EmbedNorm, "embed.ln", d)
	}
	if cfg.Positions == Learned {
		y.want(&y.p.PosEmbed, "pos_embed.W_pos", cfg.Context, d)
	}
	for l := range y.p.Blocks {
		b, name := &y.p.Blocks[l], fmt.Sprintf("blocks.%d.", l)
		for _, n := range []struct {
			name string
			at   *NormParams
		}{{"ln1", &b.LN1}, {"ln1_post", &b.LN1Post}, {"ln2", &b.LN2}, {"ln2_post", &b.LN2Post}} {
			if parts(n.name) {
				norm(n.at, name+n.name, d)
			}
		}
		heads(&b.Q, name+"attn.", "Q", h)
		heads(&b.K, name+"attn.", "K", g)
		heads(&b.V, name+"attn.", "V", g)
		if cfg.QKNorm != NoQKNorm {
			y.want(&b.QNorm.Weight, name+"attn.q_norm.w", k)
			y.want(&b.KNorm.Weight, name+"attn.k_norm.w", k)
		}
		y.then(&b.O.Weight, name+"attn.W_O", outRows, h, k, d)
		y.want(&b.O.Bias, name+"attn.b_O", d)
		if cfg.AttnOnly {
			continue
		}
		if cfg.Gated {
			y.then(&b.Gate.Weight, name+"mlp.W_gate", columns(0, cfg.MLPWidth), d, cfg.MLPWidth)
			b.Gate.Bias = tensor.New(cfg.MLPWidth) // the layout has none
			y.zero(name+"mlp.b_in", "which its own code adds behind the gate", cfg.MLPWidth)
		}
		linear(&b.In, name+"mlp.W_in", name+"mlp.b_in", d, cfg.MLPWidth)
		linear(&b.Out, name+"mlp.W_out", name+"mlp.b_out", cfg.MLPWidth, d)
	}
	if parts("ln_final") {
		norm(&y.p.Final, "ln_final", d)
	}
	linear(&y.p.Unembed, "unembed.W_U", "unembed.b_U", d, cfg.Outputs())
	return y.done()
}
