package models

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// hfConfig reads the fields of a Hugging Face config.json. The first error
// stays in err, so that a family can read all its fields and look once.
//
// Fields that no family reads are ignored unless they are in neutral: those of
// training (dropouts, initializer_range, layerdrop), of other tasks' heads
// (summary_*, classifier_*, num_labels), of the tokenizer (bos_token_id and the
// like), of memory and speed (use_cache, dtype and torch_dtype, pretraining_tp,
// slow_but_exact, chunk_size_feed_forward, attn_impl, reorder_and_upcast_attn),
// MPT's learned_pos_emb and embedding_fraction and GPT-NeoX's is_decoder, which
// transformers reads nowhere in a run, and names and versions. Weights are read in
// the type of their file, and runs compute in float32.
type hfConfig struct {
	where  string // what the fields belong to, for messages
	fields map[string]json.RawMessage
	asked  map[string]bool // fields that the family reads
	err    error
}

// parseHFConfig reads a config.json.
func parseHFConfig(b []byte) (*hfConfig, error) {
	c := &hfConfig{where: configFile, asked: make(map[string]bool)}
	if err := json.Unmarshal(b, &c.fields); err != nil {
		return nil, fmt.Errorf("%s: %w", configFile, err)
	}
	return c, nil
}

// fail keeps the first error.
func (c *hfConfig) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(c.where+": "+format, args...)
	}
}

// synonyms are the names of sizes with another that means the same where a family
// reads the first. It is never written to.
var synonyms = map[string]string{
	"n_layer": "num_hidden_layers", "num_layers": "num_hidden_layers", "n_layers": "num_hidden_layers",
	"n_head": "num_attention_heads", "num_heads": "num_attention_heads", "n_heads": "num_attention_heads",
	"n_embd": "hidden_size", "d_model": "hidden_size", "hidden_size": "n_embed",
	"n_positions": "max_position_embeddings",
}

// field is what stands under a name or its synonym, nil for nothing and for
// null. Both must say the same.
func (c *hfConfig) field(name string) json.RawMessage {
	raw := c.fields[name]
	if string(raw) == "null" {
		raw = nil
	}
	other := c.fields[synonyms[name]]
	switch {
	case other == nil || string(other) == "null":
		return raw
	case raw == nil:
		return other
	case !bytes.Equal(raw, other):
		c.fail("%s is %.40s, and %s is %.40s", name, raw, synonyms[name], other)
	}
	return raw
}

// read decodes a field into v and reports whether it was there and not null.
func (c *hfConfig) read(name string, v any) bool {
	c.asked[name] = true
	raw := c.field(name)
	if raw == nil {
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
	case *[]string:
		return "a list of strings"
	case *[]float64:
		return "a list of numbers"
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

// text is a string with a default.
func (c *hfConfig) text(name, or string) string {
	c.read(name, &or)
	return or
}

// flag is a boolean with a default. A null where the default is true is refused:
// libraries read it as false.
func (c *hfConfig) flag(name string, or bool) bool {
	if raw, there := c.fields[name]; there && string(raw) == "null" && or {
		c.fail("%s is null, want true or false", name)
	}
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

// object is a field that holds fields of its own, nil when it is not there.
// Its errors come back to c by leave.
func (c *hfConfig) object(name string) *hfConfig {
	o := &hfConfig{where: c.where + ": " + name, asked: make(map[string]bool)}
	if !c.read(name, &o.fields) {
		return nil
	}
	return o
}

// leave takes the error of an object over.
func (c *hfConfig) leave(o *hfConfig) {
	if c.err == nil {
		c.err = o.err
	}
}

// neutral are the fields that change the arithmetic in some family, with the
// values that leave it alone; null always does. A family that reads such a
// field honours it, and in the others any other value is refused. It is never
// written to.
var neutral = map[string][]string{
	"quantization_config": nil, "compression_config": nil, "sparsity_config": nil,
	"is_causal": {"true"}, "is_encoder_decoder": {"false"}, "add_cross_attention": {"false"}, "use_bidirectional_attention": {"false"},
	"scale_attn_weights": {"true"}, "scale_attn_by_inverse_layer_idx": {"false"},
	"attn_logit_softcapping": {"0", "0.0"}, "final_logit_softcapping": {"0", "0.0"}, "query_pre_attn_scalar": nil,
	"logit_scale": {"1", "1.0"}, "logits_scaling": {"1", "1.0"}, "embedding_multiplier": {"1", "1.0"},
	"residual_multiplier": {"1", "1.0"}, "attention_multiplier": nil, "mup_width_scale": {"1", "1.0"},
	"clip_qkv": nil, "qk_layernorm": {"false"}, "use_qk_norm": {"false"}, "use_parallel_residual": {"false"},
	"parallel_attn": {"false"}, "alibi": {"false"}, "apply_residual_connection_post_layernorm": {"false"},
	"rope_scaling": nil, "rope_parameters": nil, "partial_rotary_factor": {"1", "1.0"}, "rotary_pct": {"1", "1.0"},
	"no_rope_layers": {"[]"}, "no_rope_layer_interval": nil, "sliding_window": nil, "sliding_window_pattern": nil,
	"layer_types": nil, "attention_layers": nil, "attention_types": nil, "attention_chunk_size": nil,
	"use_sliding_window": {"false"}, "attention_bias": {"false"}, "mlp_bias": {"false"}, "use_bias": {"false"},
	"use_qkv_bias": {"false"}, "num_key_value_heads": nil, "num_kv_heads": nil, "head_dim": nil, "v_head_dim": nil,
	"num_experts": {"0", "1"}, "num_local_experts": {"0", "1"}, "n_routed_experts": {"0"}, "moe_intermediate_size": nil,
	"num_kv_shared_layers": {"0"}, "hidden_size_per_layer_input": {"0"}, "final_rms": {"false"},
	"word_embed_proj_dim": nil, "do_layer_norm_before": {"true"}, "_remove_final_layer_norm": {"false"},
}

// divides refuses a number of heads that does not divide the width.
func (c *hfConfig) divides(heads string, h int, width string, d int) {
	if h > 0 && d%h != 0 {
		c.fail("%s is %d, which does not divide %s %d", heads, h, width, d)
	}
}

// cap is a soft cap: or when the field is not there at all, and 0, for none,
// when it is null.
func (c *hfConfig) cap(name string, or float64) float64 {
	if _, there := c.fields[name]; !there {
		return or
	}
	v := 0.0
	if c.read(name, &v) && v == 0 {
		c.fail("%s is 0, want a number above 0, or null for none", name)
	}
	return v
}

// unsaid sets a field that is not there.
func (c *hfConfig) unsaid(name string, v int) {
	if _, there := c.fields[name]; !there {
		c.fields[name] = json.RawMessage(strconv.Itoa(v))
	}
}

// window is sliding_window, 0 for none; or when it is not there.
func (c *hfConfig) window(or int) int {
	if _, there := c.fields["sliding_window"]; there {
		or = 0
	}
	return c.integer("sliding_window", or)
}

// guard refuses every field that changes the arithmetic and that nothing read.
func (c *hfConfig) guard() {
	for _, name := range slices.Sorted(maps.Keys(c.fields)) {
		raw := string(c.fields[name])
		values, known := neutral[name]
		if raw == "null" && name != "is_causal" { // where null counts as false
			continue
		}
		if known && !c.asked[name] && !slices.Contains(values, raw) {
			c.fail("%s is %.60s, which this family does not have", name, raw)
		}
	}
}

// only refuses a whole number other than the one this engine computes with.
func (c *hfConfig) only(name string, want int) {
	if v := c.integer(name, want); v != want {
		c.fail("%s is %d, and only %d is supported", name, v, want)
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
	case "relu", "quick_gelu", "relu2":
		return or
	}
	c.fail("%s is %q, want one of gelu, gelu_new, gelu_pytorch_tanh, gelu_fast, quick_gelu, silu, swish, relu, relu2", name, or)
	return or
}
