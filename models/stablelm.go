package models

// stableLMConfig reads a config.json of StableLM: Llama with LayerNorm, rotary
// positions on a part of each head, and in some sizes a parallel block with one
// norm and norms of every head's query and key (Bellagente et al., "Stable LM 2
// 1.6B Technical Report", 2024, arXiv:2402.17834).
func stableLMConfig(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 4096, usualRope.partial(0.25))
	cfg.Norm, cfg.NormEps, cfg.NormBias = LayerNorm, c.number("layer_norm_eps", 1e-5), true
	cfg.AttnBias, cfg.OutBias = c.flag("use_qkv_bias", false), false
	cfg.Parallel = c.flag("use_parallel_residual", false)
	cfg.SharedNorm = cfg.Parallel
	if c.flag("qk_layernorm", false) {
		cfg.QKNorm = QKNormHeads
	}
	return cfg
}

// stableLMParams reads StableLM's weights.
func stableLMParams(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.qNorm, n.kNorm = "self_attn.q_layernorm.norms.%d", "self_attn.k_layernorm.norms.%d"
	return readLlama(f, cfg, n)
}
