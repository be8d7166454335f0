package models

// phi3Config reads a config.json of Phi-3, 3.5 and 4: Llama with a window in
// every layer or none, and frequencies for long contexts of its own (Abdin et
// al., "Phi-3 Technical Report", 2024, arXiv:2404.14219). "su" and "yarn" are
// older names of longrope here.
func phi3Config(c *hfConfig) Config {
	rope := usualRope.partial(1)
	rope.original, rope.longrope = 4096, []string{"su", "yarn"}
	cfg := llamaSizes(c, 0, 4096, rope)
	cfg.NormEps = c.number("rms_norm_eps", 1e-5)
	cfg.Windows = c.windows(cfg.Layers, c.window(0), false, everyLayer)
	return cfg
}

// phi3Params reads Phi-3's weights: q, k and v lie in one matrix, and so do
// the gate and the projection that it multiplies.
func phi3Params(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.qkv, n.gateIn = "self_attn.qkv_proj", "mlp.gate_up_proj"
	return readLlama(f, cfg, n)
}
