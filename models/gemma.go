package models

import (
	"cmp"
	"maps"
	"math"
	"slices"
)

// gemmaConfig reads a config.json of Gemma: Llama with the embedding times
// sqrt(D), norms whose gain is stored as its distance from 1, a tanh-GELU gate,
// and the embedding as unembedding (Mesnard et al., "Gemma: Open Models Based on
// Gemini Research and Technology", 2024, arXiv:2403.08295). Published files say
// hidden_act "gelu" and mean the tanh form. Some libraries read hidden_act and
// some hidden_activation: where both are there they must be the same.
func gemmaConfig(c *hfConfig) Config {
	cfg := gemmaSizes(c, 8192, usualRope)
	act, other := c.gemmaActivation("hidden_act"), c.gemmaActivation("hidden_activation")
	if act != "" && other != "" && act != other {
		c.fail("hidden_act is %s, and hidden_activation is %s", c.fields["hidden_act"], c.fields["hidden_activation"])
	}
	cfg.Activation = cmp.Or(act, other, "gelu_tanh")
	return cfg
}

// gemmaActivation is activation, with "gelu" for the tanh form; "" when the
// field is not there.
func (c *hfConfig) gemmaActivation(name string) string {
	var v string
	switch c.read(name, &v); v {
	case "":
		return ""
	case "gelu":
		return "gelu_tanh"
	}
	return c.activation(name, v)
}

// gemmaSizes reads what every Gemma has in common.
func gemmaSizes(c *hfConfig, context int, rope ropeReader) Config {
	cfg := llamaSizes(c, 256, context, rope)
	cfg.Tied = c.flag("tie_word_embeddings", true)
	cfg.EmbedScale = math.Sqrt(float64(cfg.Width))
	cfg.Activation = c.activation("hidden_activation", "gelu_pytorch_tanh")
	return cfg
}

// gemma2Config reads a config.json of Gemma 2: norms on both sides, a window in
// every other layer, soft caps, and a scale of scores that does not follow from
// the head's width (Riviere et al., "Gemma 2: Improving Open Language Models at
// a Practical Size", 2024, arXiv:2408.00118).
func gemma2Config(c *hfConfig) Config {
	cfg := gemma2Block(c, gemmaSizes(c, 8192, usualRope), 50, 30)
	cfg.Windows = c.windows(cfg.Layers, c.window(4096), true, func(l int) bool { return l%2 == 0 })
	return cfg
}

// gemma2Block adds what is particular to the blocks of Gemma 2 and 3, with the
// soft caps of scores and logits where config.json has none.
func gemma2Block(c *hfConfig, cfg Config, scores, logits float64) Config {
	cfg.Placement = BothNorm
	cfg.ScoreScale = 1 / math.Sqrt(c.number("query_pre_attn_scalar", 256))
	cfg.ScoreCap = c.cap("attn_logit_softcapping", scores)
	cfg.LogitCap = c.cap("final_logit_softcapping", logits)
	return cfg
}

// gemma3TextConfig reads a config.json of Gemma 3's text models: Gemma 2 with
// norms of each head's query and key, five layers with a window to one without,
// and another base of the rotary positions in those with one (Kamath et al.,
// "Gemma 3 Technical Report", 2025, arXiv:2503.19786).
func gemma3TextConfig(c *hfConfig) Config {
	for name, v := range map[string]int{ // which files of larger models leave out
		"vocab_size": 262_208, "hidden_size": 2304, "intermediate_size": 9216,
		"num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
	} {
		c.unsaid(name, v)
	}
	cfg := gemma2Block(c, gemmaSizes(c, 131_072, ropeReader{}), 0, 0)
	if cfg.QKNorm = QKNormHead; cfg.ScoreCap != 0 {
		c.fail("attn_logit_softcapping is %g, and Gemma 3 has none", cfg.ScoreCap)
	}
	period := c.integer("sliding_window_pattern", 6)
	if period < 1 {
		c.fail("sliding_window_pattern is %d, want at least 1", period)
		return cfg
	}
	cfg.Windows = c.windows(cfg.Layers, c.window(4096), true, func(l int) bool { return (l+1)%period != 0 })
	if v := c.integer("_sliding_window_pattern", period); v != period && c.field("layer_types") == nil {
		c.fail("_sliding_window_pattern is %d, and sliding_window_pattern %d", v, period)
	}
	local := new(RotaryConfig)
	cfg.Rotary, *local = c.gemma3Ropes(cfg.HeadWidth, cfg.Context)
	if cfg.Windows != nil {
		cfg.LocalRotary = local
	}
	return cfg
}

// gemma3Config reads a config.json of a Gemma 3 model that sees pictures as
// well: its decoder of text is in text_config.
func gemma3Config(c *hfConfig) Config {
	text := c.object("text_config")
	if text == nil {
		c.fail("text_config is missing")
		return Config{}
	}
	if raw, ok := c.fields["tie_word_embeddings"]; ok {
		text.fields["tie_word_embeddings"] = raw
	}
	cfg := gemma3TextConfig(text)
	text.guard()
	c.leave(text)
	return cfg
}

// gemma3Ropes reads the rotary positions of layers without and with a window:
// rope_parameters by the kind of layer, or rope_theta with rope_scaling and
// rope_local_base_freq.
func (c *hfConfig) gemma3Ropes(dim, context int) (global, local RotaryConfig) {
	const far = 1_000_000
	near := c.number("rope_local_base_freq", 10_000)
	if nested := c.object("rope_parameters"); nested != nil {
		const whole, windowed = "full_attention", "sliding_attention"
		for _, name := range slices.Sorted(maps.Keys(nested.fields)) {
			if name != whole && name != windowed && nested.field(name) != nil {
				nested.fail("%s is %.60s, want %s and %s", name, nested.fields[name], whole, windowed)
			}
		}
		if beside := c.object("rope_scaling"); beside != nil {
			c.fail("rope_scaling is %.60s beside rope_parameters", c.fields["rope_scaling"])
		}
		global, local = RotaryConfig{Base: c.number("rope_theta", far), Dim: dim}, RotaryConfig{Base: near, Dim: dim}
		for _, of := range []struct {
			name string
			at   *RotaryConfig
		}{{whole, &global}, {windowed, &local}} {
			if s := nested.object(of.name); s != nil {
				*of.at = s.ropeObject(dim, context, of.at.Base, 1, 0, usualRope)
				nested.leave(s)
			}
		}
		c.leave(nested)
		return global, local
	}
	if s := c.object("rope_scaling"); s != nil {
		// Releases of transformers disagree about the older spelling alone: those before 5 scale, 5 puts it beside "default".
		if kind := s.text("type", "default"); kind != "default" && s.field("rope_type") == nil {
			s.fail("type is %q without a rope_type, which some releases of transformers read as no scaling: write rope_type", kind)
		}
		c.leave(s)
	}
	rope := usualRope
	rope.baseOr = far
	return c.rope(dim, context, rope), RotaryConfig{Base: near, Dim: dim}
}

// gemmaParams reads Gemma's weights.
func gemmaParams(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.gain = onePlus
	return readLlama(f, cfg, n)
}

// gemma2Params reads the weights of Gemma 2 and 3.
func gemma2Params(f *checkpoint, cfg Config) (*Params, error) {
	n := llamaNames
	n.gain = onePlus
	n.ln1Post, n.ln2, n.ln2Post = "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"
	return readLlama(f, cfg, n)
}
