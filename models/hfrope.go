package models

import (
	"math"
	"slices"
)

// ropeReader says how a family spells its rotary positions.
type ropeReader struct {
	base, part     string   // names of the base and of the part of a head that is turned
	baseOr, partOr float64  // when they are not there
	whole          bool     // every head is turned whole: another part is refused
	original       int      // the original context when it is not there; 0 for the context
	longrope       []string // older names of longrope
}

// usualRope is the spelling of most families. It is never written to.
var usualRope = ropeReader{base: "rope_theta", part: "partial_rotary_factor", baseOr: 10_000, partOr: 1, whole: true}

// partial is r where a part of each head is turned, or when config.json says none.
func (r ropeReader) partial(or float64) ropeReader { r.partOr, r.whole = or, false; return r }

// ropeFields are all that rope_parameters may hold.
var ropeFields = []string{
	"rope_type", "type", "rope_theta", "partial_rotary_factor", "factor", "low_freq_factor", "high_freq_factor",
	"original_max_position_embeddings", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate",
	"attention_factor", "short_factor", "long_factor", "finetuned",
}

// rope reads rotary positions in both spellings: rope_parameters, and
// rope_theta beside rope_scaling. dim is the width of a head.
func (c *hfConfig) rope(dim, context int, r ropeReader) RotaryConfig {
	if r.base == "" {
		return RotaryConfig{} // the family reads its own
	}
	base, part := c.number(r.base, r.baseOr), c.number(r.part, r.partOr)
	original := c.integer("original_max_position_embeddings", r.original)
	scaling, parameters := c.object("rope_scaling"), c.object("rope_parameters")
	if scaling == nil || len(scaling.fields) == 0 {
		scaling = parameters
	}
	if scaling == nil {
		return RotaryConfig{Base: base, Dim: c.turned(dim, part, r)}
	}
	rope := scaling.ropeObject(dim, context, base, part, original, r)
	c.leave(scaling)
	return rope
}

// ropeObject reads one set of rope parameters, with defaults for what may stand
// outside it; original is 0 where nothing does.
func (s *hfConfig) ropeObject(dim, context int, base, part float64, original int, r ropeReader) RotaryConfig {
	for name, raw := range s.fields {
		if !slices.Contains(ropeFields, name) && string(raw) != "null" {
			s.fail("%s is %.60s, which is not supported", name, raw)
		}
	}
	kind := "default"
	if !s.read("rope_type", &kind) && !s.read("type", &kind) && s.field("factor") != nil {
		s.fail("factor is %.40s without a rope_type, and how it scales is not said", s.fields["factor"])
	}
	part = s.number("partial_rotary_factor", part)
	rope := RotaryConfig{Base: s.number("rope_theta", base), Dim: s.turned(dim, part, r)}
	if original == 0 {
		original = s.integer("original_max_position_embeddings", context)
	}
	ratio := float64(context) / float64(max(original, 1))
	if slices.Contains(r.longrope, kind) {
		kind = string(LongRopeScaling)
	}
	scaling := &RopeScaling{Kind: ScalingKind(kind)}
	rope.Scaling = scaling
	switch scaling.Kind {
	case "default":
		rope.Scaling = nil
	case LinearScaling:
		scaling.Factor = s.number("factor", math.NaN())
	case DynamicScaling:
		scaling.Original, scaling.Factor = context, s.number("factor", math.NaN())
	case YarnScaling:
		if _, there := s.fields["factor"]; !there { // null stands for the ratio
			ratio = math.NaN()
		}
		scaling.Original, scaling.Factor = original, s.number("factor", ratio)
		scaling.BetaFast, scaling.BetaSlow = s.number("beta_fast", 32), s.number("beta_slow", 1)
		scaling.Whole = s.flag("truncate", true)
		some, all := s.number("mscale", 0), s.number("mscale_all_dim", 0)
		if some == 0 || all == 0 {
			some, all = 1, 0
		}
		scaling.AttnFactor = s.number("attention_factor", yarnFactor(scaling.Factor, some)/yarnFactor(scaling.Factor, all))
	case Llama3Scaling:
		scaling.Original, scaling.Factor = original, s.number("factor", math.NaN())
		scaling.LowFactor, scaling.HighFactor = s.number("low_freq_factor", math.NaN()), s.number("high_freq_factor", math.NaN())
	case LongRopeScaling:
		scaling.Original = original
		s.read("short_factor", &scaling.Short)
		s.read("long_factor", &scaling.Long)
		factor := 1.0
		if ratio = s.number("factor", ratio); ratio > 1 {
			factor = math.Sqrt(1 + math.Log(ratio)/math.Log(float64(original)))
		}
		scaling.AttnFactor = s.number("attention_factor", factor)
	default:
		s.fail("rope_type is %q, want one of default, linear, dynamic, yarn, llama3, longrope", kind)
	}
	return rope
}

// turned is the number of dimensions of a head that are turned.
func (c *hfConfig) turned(dim int, part float64, r ropeReader) int {
	switch {
	case !(part >= 0 && part <= 1):
		c.fail("%s is %g, want a number in 0..1", r.part, part)
		return 0
	case r.whole && part != 1:
		c.fail("%s is %g, and this family turns whole heads", r.part, part)
	}
	return int(float64(dim) * part)
}

// yarnFactor is 0.1·m·ln(factor)+1, yarn's way of keeping the entropy of
// patterns in a longer context.
func yarnFactor(factor, m float64) float64 {
	if factor <= 1 {
		return 1
	}
	return 0.1*m*math.Log(factor) + 1
}

// windows gives the keys that a query of each layer sees, nil when all see all:
// window in the layers that are usually so, or, where the family has
// layer_types and they are there, in those that they name.
func (c *hfConfig) windows(layers, window int, types bool, usual func(l int) bool) []int {
	var kinds []string
	if !types || !c.read("layer_types", &kinds) {
		for l := range min(max(layers, 0), maxLayers) {
			kinds = append(kinds, "full_attention")
			if window != 0 && usual(l) {
				kinds[l] = "sliding_attention"
			}
		}
	}
	if len(kinds) != layers && c.err == nil {
		c.fail("layer_types names %d layers, and the model has %d", len(kinds), layers)
	}
	return c.windowsOf(kinds, "layer_types", "sliding_attention", "full_attention", "sliding_window", window)
}

// windowsOf turns the kinds of the layers into their windows.
func (c *hfConfig) windowsOf(kinds []string, field, local, global, size string, window int) []int {
	out, some := make([]int, len(kinds)), false
	for l, kind := range kinds {
		switch {
		case kind == local && window < 1:
			c.fail("%s is %d, and %s[%d] is %q: want at least 1", size, window, field, l, kind)
		case kind == local:
			out[l], some = window, true
		case kind != global:
			c.fail("%s[%d] is %q, want %q or %q", field, l, kind, global, local)
		}
	}
	if !some {
		return nil
	}
	return out
}
