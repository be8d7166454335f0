package models

// starCoder2Config reads a config.json of StarCoder 2: Llama's attention with a
// window, LayerNorm, a plain MLP, and a bias on everything but the unembedding
// (Lozhkov et al., "StarCoder 2 and The Stack v2: The Next Generation", 2024,
// arXiv:2402.19173).
func starCoder2Config(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 4096, usualRope)
	bias := c.flag("use_bias", true)
	cfg.Norm, cfg.NormEps, cfg.NormBias = LayerNorm, c.number("norm_epsilon", 1e-5), true
	cfg.Activation, cfg.Gated = c.activation("hidden_act", "gelu_pytorch_tanh"), false
	cfg.AttnBias, cfg.OutBias, cfg.MLPBias = bias, bias, bias
	cfg.Tied = c.flag("tie_word_embeddings", true)
	cfg.Windows = c.windows(cfg.Layers, c.window(0), false, everyLayer)
	return cfg
}

// starCoder2Params reads StarCoder 2's weights.
func starCoder2Params(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.in, n.out = "mlp.c_fc", "mlp.c_proj"
	return readLlama(f, cfg, n)
}
