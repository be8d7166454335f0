package models

// stableLMConfig reads a config.json of StableLM: Llama with LayerNorm, rotary
// positions on a part of each head, and in some sizes a parallel block with one
// norm (Bellagente et al., "Stable LM 2
// 1.6B Technical Report", 2024, arXiv:2402.17834). Its weights are named as Llama's. A qk_layernorm, which has
// weights for each head, is refused.
func stableLMConfig(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 4096, usualRope.partial(0.25))
	cfg.Norm, cfg.NormEps, cfg.NormBias = LayerNorm, c.number("layer_norm_eps", 1e-5), true
	cfg.AttnBias, cfg.OutBias = c.flag("use_qkv_bias", false), false
	cfg.Parallel = c.flag("use_parallel_residual", false)
	cfg.SharedNorm = cfg.Parallel
	return cfg
}
