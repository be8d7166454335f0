package models

// mistralConfig reads a config.json of Mistral: Llama with a window in every
// layer (Jiang et al., "Mistral 7B", 2023, arXiv:2310.06825). Its weights are
// named as Llama's.
func mistralConfig(c *hfConfig) Config {
	cfg := llamaSizes(c, 0, 131_072, usualRope)
	cfg.Windows = c.windows(cfg.Layers, c.window(4096), false, everyLayer)
	return cfg
}

func everyLayer(int) bool { return true }
