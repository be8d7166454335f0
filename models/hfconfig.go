package models

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
)

// hfConfig reads the fields of a Hugging Face config.json. The first error
// stays in err, so that a family can read all its fields and look once.
type hfConfig struct {
	fields map[string]json.RawMessage
	err    error
}

// parseHFConfig reads a config.json.
func parseHFConfig(b []byte) (*hfConfig, error) {
	c := &hfConfig{}
	if err := json.Unmarshal(b, &c.fields); err != nil {
		return nil, fmt.Errorf("config.json: %w", err)
	}
	return c, nil
}

// fail keeps the first error.
func (c *hfConfig) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("config.json: "+format, args...)
	}
}

// read decodes a field into v and reports whether it was there and not null.
func (c *hfConfig) read(name string, v any) bool {
	raw, ok := c.fields[name]
	if !ok || string(raw) == "null" {
		return false
	}
	if err := json.Unmarshal(raw, v); err != nil {
		c.fail("%s is %.40s, want %s", name, raw, describe(v))
		return false
	}
	return true
}

// describe says what a field should have been.
func describe(v any) string {
	switch v.(type) {
	case *int:
		return "a whole number"
	case *float64:
		return "a number"
	case *bool:
		return "true or false"
	case *string:
		return "a string"
	}
	return "an object"
}

// need is a whole number that must be there.
func (c *hfConfig) need(name string) int {
	var v int
	if !c.read(name, &v) {
		c.fail("%s is missing", name)
	}
	return v
}

// integer is a whole number with a default.
func (c *hfConfig) integer(name string, or int) int {
	c.read(name, &or)
	return or
}

// number is a number with a default.
func (c *hfConfig) number(name string, or float64) float64 {
	c.read(name, &or)
	return or
}

// flag is a boolean with a default.
func (c *hfConfig) flag(name string, or bool) bool {
	c.read(name, &or)
	return or
}

// refuseFlag refuses a boolean that changes the arithmetic in a way this engine
// does not compute.
func (c *hfConfig) refuseFlag(name string, or, only bool) {
	if v := c.flag(name, or); v != only {
		c.fail("%s is %v, and only %v is supported", name, v, only)
	}
}

// refuseAny refuses fields that are there and not null.
func (c *hfConfig) refuseAny(names ...string) {
	for _, name := range names {
		if raw, ok := c.fields[name]; ok && string(raw) != "null" {
			c.fail("%s is %.60s, which is not supported", name, raw)
		}
	}
}

// activation translates the name of an activation function.
func (c *hfConfig) activation(name, or string) string {
	c.read(name, &or)
	switch or {
	case "gelu", "gelu_python":
		return "gelu"
	case "gelu_new", "gelu_pytorch_tanh", "gelu_fast":
		return "gelu_tanh"
	case "silu", "swish":
		return "silu"
	case "relu":
		return "relu"
	}
	c.fail("%s is %q, want one of gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, silu, swish, relu", name, or)
	return or
}

// rope reads rotary positions in both spellings: rope_parameters, and rope_theta
// beside rope_scaling. dim is the width of a head.
func (c *hfConfig) rope(dim int) RotaryConfig {
	r := RotaryConfig{Base: c.number("rope_theta", 10_000), Dim: dim}
	for _, name := range []string{"rope_parameters", "rope_scaling"} {
		s := &hfConfig{}
		if !c.read(name, &s.fields) {
			continue
		}
		kind := "default"
		if !s.read("rope_type", &kind) {
			s.read("type", &kind)
		}
		r.Base = s.number("rope_theta", r.Base)
		if f := s.number("partial_rotary_factor", 1); f != 1 {
			c.fail("%s: partial_rotary_factor is %g, and only 1 is supported in this family", name, f)
		}
		switch kind {
		case "default":
		case "llama3":
			r.Scaling = &Llama3Scaling{
				Factor: s.number("factor", math.NaN()), LowFactor: s.number("low_freq_factor", math.NaN()),
				HighFactor: s.number("high_freq_factor", math.NaN()),
				Original:   s.integer("original_max_position_embeddings", 0),
			}
		default:
			c.fail("%s: rope_type is %q, want \"default\" or \"llama3\"", name, kind)
		}
		if s.err != nil {
			c.fail("%s: %s", name, strings.TrimPrefix(s.err.Error(), "config.json: "))
		}
		break
	}
	if f := c.number("partial_rotary_factor", 1); f != 1 {
		c.fail("partial_rotary_factor is %g, and only 1 is supported in this family", f)
	}
	return r
}
