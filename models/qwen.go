package models

// qwen2Config reads a config.json of Qwen 2 and 2.5: Llama with a bias on q, k
// and v, and windows in the later layers where use_sliding_window says so (Yang
// et al., "Qwen2 Technical Report", 2024, arXiv:2407.10671). Its weights are
// named as Llama's.
func qwen2Config(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 32_768, usualRope)
	cfg.AttnBias, cfg.OutBias = true, false
	cfg.Windows = qwenWindows(c, cfg.Layers)
	return cfg
}

// qwen3Config reads a config.json of Qwen 3: Llama with norms of each head's
// query and key (Yang et al., "Qwen3 Technical Report", 2025,
// arXiv:2505.09388). Its weights are named as Llama's.
func qwen3Config(c *hfConfig) Config {
	cfg := llamaSizes(c, 128, 32_768, usualRope)
	cfg.QKNorm = QKNormHead
	cfg.Windows = qwenWindows(c, cfg.Layers)
	return cfg
}

// qwenWindows reads the windows, which use_sliding_window switches off. Without
// layer_types the layers from max_window_layers on have them.
func qwenWindows(c *hfConfig, layers int) []int {
	window, first := c.window(4096), c.integer("max_window_layers", 28)
	if !c.flag("use_sliding_window", false) {
		window = 0
	}
	return c.windows(layers, window, true, func(l int) bool { return l >= first })
}
