package models

// phiConfig reads a config.json of Phi-1, 1.5 and 2: a parallel block with one
// LayerNorm, rotary positions on a part of each head, a plain MLP, and a bias
// everywhere (Gunasekar et al., "Textbooks Are All You Need", 2023,
// arXiv:2306.11644).
func phiConfig(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 2048, usualRope.partial(0.5))
	cfg.Norm, cfg.NormEps, cfg.NormBias = LayerNorm, c.number("layer_norm_eps", 1e-5), true
	cfg.Parallel, cfg.SharedNorm = true, true
	cfg.Activation, cfg.Gated = c.activation("hidden_act", "gelu_new"), false
	cfg.AttnBias, cfg.OutBias, cfg.MLPBias, cfg.UnembedBias = true, true, true, true
	if c.flag("qk_layernorm", false) {
		cfg.QKNorm, cfg.QKNormBias = QKNormHead, true
	}
	return cfg
}

// phiParams reads Phi's weights.
func phiParams(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.o, n.in, n.out, n.final = "self_attn.dense", "mlp.fc1", "mlp.fc2", "final_layernorm"
	n.qNorm, n.kNorm = "self_attn.q_layernorm", "self_attn.k_layernorm"
	return readLlama(f, cfg, n)
}
