package script

import (
	"fmt"
	"slices"
	"strings"
)

// configName is the field of a model's config that TransformerLens calls name,
// empty for none.
func configName(name string) string {
	return map[string]string{"n_layers": "layers", "d_model": "width", "n_heads": "heads", "d_head": "head_width", "d_mlp": "mlp_width",
		"d_vocab": "vocab", "n_ctx": "context", "n_key_value_heads": "kv_heads", "act_fn": "activation"}[name]
}

// foreignModel returns what to write instead of an attribute that a model has
// in TransformerLens or PyTorch; empty for a name that is unknown there, too.
func foreignModel(name string) string {
	if ours := configName(name); ours != "" {
		return "write m." + ours
	}
	switch {
	case slices.Contains([]string{"eval", "train", "cuda", "cpu", "to", "half", "float", "double", "device", "dtype", "zero_grad", "requires_grad_",
		"set_use_attn_result", "set_use_split_qkv_input", "set_use_hook_mlp_in", "set_use_attn_in", "set_ungroup_grouped_query_attention"}, name):
		return "leave it out: a model computes in float32 on the processor, and every site is there in every run"
	case slices.Contains([]string{"add_hook", "reset_hooks", "hooks", "remove_all_hook_fns", "clear_contexts"}, name):
		return "no run leaves anything behind in a model; give the changes to the run, run_with_cache(m, prompt, edits=[...])"
	case slices.Contains([]string{"hook_dict", "hook_points", "mod_dict"}, name):
		return "write m.sites()"
	case slices.Contains([]string{"fold_layer_norm", "center_unembed", "center_writing_weights", "fold_value_biases", "process_weights_", "refactor_factored_attn_matrices"}, name):
		return "write folded = m.process()"
	case len(name) > 2 && strings.Contains("WbQO", name[:1]) && (name[1] == '_' || name[1] == 'K' || name[1] == 'V') || slices.Contains([]string{"QK", "OV", "blocks", "embed",
		"unembed", "pos_embed", "ln_final", "state_dict", "parameters", "named_parameters"}, name):
		return "weights are no values of a cell; activations are, such as cache[\"z\", 0], and head_detectors and fourier_spectrum read weights"
	}
	return map[string]string{
		"run_with_cache":                "write run_with_cache(m, prompt)",
		"run_with_hooks":                `write run_with_cache(m, prompt, edits=[{"site": "blocks.0.attn.hook_z", "heads": [1], "op": "set", "value": 0}])`,
		"forward":                       "write logits, cache = run_with_cache(m, prompt)",
		"generate":                      "top_tokens(m, prompt) shows what comes next; orrery generate, on the command line, continues a text",
		"tokenizer":                     "write m.to_tokens(text), m.to_str_tokens(text) and m.to_string(ids)",
		"to_single_token":               "write m.to_tokens(text).ids[-1]",
		"to_single_str_token":           "write m.to_string(id)",
		"tokens_to_residual_directions": "write cache.logit_attrs(stack, tokens=...), which projects on them",
		"loss_fn":                       "write -logits.log_softmax(-1) and take the right tokens' elements",
		"from_pretrained":               `write load("mental-2op")`,
	}[name]
}

// foreignArgument returns what to write instead of a keyword argument that a
// function has in TransformerLens or PyTorch; empty for a name that is unknown
// there, too.
func foreignArgument(name string) string {
	return map[string]string{
		"prepend_bos":         "BOS is there where the model's own tokenizer puts it, and tokens(m, prompt) shows it; leave it away with m.to_tokens(prompt).ids[1:], put it in as text",
		"dim":                 `write axis=, with a number or a name such as axis="pos"`,
		"return_type":         "run_with_cache returns (logits, cache)",
		"stop_at_layer":       `name what you need: names_filter="blocks.0.*"`,
		"incl_bwd":            "attribution_patching and integrated_gradients compute gradients; orrery dump --grad, on the command line, writes them",
		"return_cache_object": "leave it out: the cache is one value",
		"fwd_hooks":           "write edits=[...]",
		"device":              "leave it out: everything is computed on the processor",
	}[name]
}

// noAttribute is the error of an attribute that a value does not have, with
// what to write instead.
func noAttribute(of, name, hint string) error {
	return &hinted{fmt.Sprintf("%s has no .%s", of, name), hint}
}
