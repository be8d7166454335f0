package models

// olmoConfig reads a config.json of OLMo 1: Llama with LayerNorm that has
// neither gain nor bias, and q, k and v brought into a range (Groeneveld et al.,
// "OLMo: Accelerating the Science of Language Models", 2024, arXiv:2402.00838).
// Its weights are named as Llama's.
func olmoConfig(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 2048, usualRope)
	cfg.Norm, cfg.NormEps, cfg.PlainNorm = LayerNorm, 1e-5, true
	cfg.ClipQKV = c.number("clip_qkv", 0)
	return cfg
}

// olmo2Config reads a config.json of OLMo 2: Llama with its norms behind
// attention and MLP instead of before them, and norms of q and of k over all
// heads together (Walsh et al., "2 OLMo 2 Furious", 2025, arXiv:2501.00656).
func olmo2Config(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 2048, usualRope)
	cfg.NormEps = c.number("rms_norm_eps", 1e-5)
	cfg.Placement, cfg.QKNorm = PostNorm, QKNormFull
	return cfg
}

// olmo2Params reads OLMo 2's weights.
func olmo2Params(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.ln1Post, n.ln2Post = "post_attention_layernorm", "post_feedforward_layernorm"
	return readLlama(f, cfg, n)
}
