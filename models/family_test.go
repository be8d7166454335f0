package models_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// changed loads a family's model with fields of its config.json changed; a nil
// value removes the field.
func changed(t *testing.T, family string, fields map[string]any) (*models.Model, error) {
	t.Helper()
	dir := goldenDir(t, family)
	raw, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var config map[string]any
	if err := json.Unmarshal(raw, &config); err != nil {
		t.Fatal(err)
	}
	for name, v := range fields {
		if config[name] = v; v == nil {
			delete(config, name)
		}
	}
	if raw, err = json.Marshal(config); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return models.LoadFS(fstest.MapFS{"m/config.json": {Data: raw}, "m/model.safetensors": {Data: file}}, "m")
}

// TestConditionsOfEveryFamily changes fields of configs that load. A field that
// changes the arithmetic is honoured, which another hash of the config shows, or
// refused by name and value; the others are ignored.
func TestConditionsOfEveryFamily(t *testing.T) {
	type fields = map[string]any
	nested := func(name string, v any) fields { return fields{name: v} }
	refused := []struct {
		family string
		fields fields
		says   []string
	}{
		{"gpt2", fields{"is_causal": false}, []string{"is_causal is false"}},
		{"llama2", fields{"is_causal": json.RawMessage("null")}, []string{"is_causal is null"}}, // read as false elsewhere
		{"gpt2", fields{"scale_attn_weights": json.RawMessage("null")}, []string{"scale_attn_weights is null", "true or false"}},
		{"gpt2", fields{"num_hidden_layers": 1}, []string{"n_layer is 2", "num_hidden_layers is 1"}},
		{"bloom", fields{"n_embed": 12}, []string{"hidden_size is 24", "n_embed is 12"}},
		{"bloom", fields{"n_head": nil}, []string{"n_head is missing"}},
		{"mpt", fields{"num_attention_heads": 2}, []string{"n_heads is 3", "num_attention_heads is 2"}},
		{"gpt_neo", fields{"attention_types": []any{[]any{[]string{"global", "sparse"}, 1}, []any{[]string{"global"}, 1}}}, []string{`attention_types[1] is "sparse"`, "local"}},
		{"gpt_neo", fields{"attention_types": []any{[]any{[]string{"global"}, 2}}}, []string{"names 2 layers", "num_layers is 3"}},
		{"gpt_neo", fields{"attention_types": []any{[]any{[]string{"global"}, 1 << 40}}}, []string{"attention_types", "1099511627776"}},
		{"gpt_neo", fields{"attention_layers": []string{"local", "local", "local"}}, []string{`attention_layers is ["local" "local" "local"]`, `["global" "local" "global"]`}},
		{"gpt_neo", fields{"window_size": 0}, []string{"window_size is 0", `"local"`}},
		{"gpt_neox", fields{"num_attention_heads": 3}, []string{"num_attention_heads is 3", "hidden_size 32"}},
		{"gpt_neox", fields{"attention_bias": false, "rope_parameters": fields{"rope_type": "spiral"}}, []string{`rope_type is "spiral"`, "longrope"}},
		{"gpt_neox", fields{"rope_parameters": fields{"partial_rotary_factor": 0.1}}, []string{"rotary: dim is 1"}},
		{"gptj", fields{"rotary_dim": 12}, []string{"dim is 12", "2..10"}},
		{"llama2", fields{"sliding_window": 4}, []string{"sliding_window is 4"}},
		{"llama2", fields{"partial_rotary_factor": 0.5}, []string{"partial_rotary_factor is 0.5", "whole heads"}},
		{"llama2", fields{"rope_parameters": fields{"rope_type": "linear", "factor": 2, "partial_rotary_factor": 0.5}}, []string{"rope_parameters: partial_rotary_factor is 0.5"}},
		{"llama2", fields{"num_local_experts": 8}, []string{"num_local_experts is 8"}},
		{"llama2", fields{"attn_logit_softcapping": 30}, []string{"attn_logit_softcapping is 30"}},
		{"llama2", fields{"rope_parameters": fields{"rope_type": "yarn", "factor": -2}}, []string{"yarn scaling: factor is -2"}},
		{"llama2", fields{"rope_parameters": fields{"rope_type": "longrope", "short_factor": []float64{1}, "long_factor": []float64{1, 2, 0, 4}}}, []string{"short has 1 factors, want 4", "long[2] is 0"}},
		{"mistral", fields{"sliding_window": -1}, []string{"sliding_window is -1"}},
		{"mistral", fields{"layer_types": []string{"full_attention", "sliding_attention"}}, []string{"layer_types is"}},
		{"qwen2", fields{"layer_types": []string{"full_attention", "chunked_attention"}}, []string{`layer_types[1] is "chunked_attention"`}},
		{"qwen2", fields{"layer_types": []string{"full_attention", "sliding_attention"}}, []string{"sliding_window is 0"}},
		{"qwen2", fields{"layer_types": []string{"full_attention"}}, []string{"layer_types names 1 layers", "2"}},
		{"qwen3", fields{"num_experts": 64}, []string{"num_experts is 64"}},
		{"gemma", fields{"hidden_act": "silu"}, []string{`hidden_act is "silu"`, `hidden_activation is "gelu_pytorch_tanh"`}},
		{"gemma", fields{"hidden_act": "celu", "hidden_activation": nil}, []string{`hidden_act is "celu"`}},
		{"gemma2", fields{"attn_logit_softcapping": 0}, []string{"attn_logit_softcapping is 0", "null for none"}},
		{"gemma2", fields{"final_logit_softcapping": 0.0}, []string{"final_logit_softcapping is 0"}},
		{"gemma2", fields{"use_bidirectional_attention": true}, []string{"use_bidirectional_attention is true"}},
		{"gemma2", fields{"query_pre_attn_scalar": -3}, []string{"score_scale is NaN"}},
		{"gemma2", fields{"attn_logit_softcapping": -3}, []string{"score_cap is -3"}},
		{"gemma3", fields{"attn_logit_softcapping": 20}, []string{"attn_logit_softcapping is 20"}},
		{"gemma3", fields{"rope_parameters": fields{"sliding_attention": fields{"rope_theta": -1}}}, []string{"local_rotary: base is -1"}},
		{"gemma3", fields{"rope_parameters": fields{"rope_type": "linear", "factor": 2}}, []string{"rope_parameters: factor is 2", "full_attention and sliding_attention"}},
		{"gemma3", fields{"rope_scaling": fields{"rope_type": "linear", "factor": 2}}, []string{"rope_scaling is", "beside rope_parameters"}},
		{"gemma3", fields{"rope_parameters": nil, "rope_scaling": fields{"type": "linear", "factor": 2}}, []string{`rope_scaling: type is "linear"`, "write rope_type"}},
		{"llama3", fields{"rope_parameters": nil, "rope_scaling": fields{"factor": 2}}, []string{"rope_scaling: factor is 2", "rope_type"}},
		{"gemma3", fields{"layer_types": nil, "_sliding_window_pattern": 3}, []string{"_sliding_window_pattern is 3", "sliding_window_pattern 6"}},
		{"gemma3", fields{"layer_types": nil, "sliding_window_pattern": 0}, []string{"sliding_window_pattern is 0"}},
		{"gemma3", fields{"num_attention_heads": nil, "num_key_value_heads": nil}, []string{"self_attn.q_proj.weight", "[64 20]", "self_attn.k_proj.weight", "[32 20]"}},
		{"gemma3-nested", nested("text_config", nil), []string{"text_config is missing"}},
		{"phi", fields{"qk_layernorm": true}, []string{"self_attn.q_layernorm.weight"}},
		{"phi3", fields{"rope_parameters": fields{"rope_type": "su"}}, []string{"longrope scaling: short has 0"}},
		{"opt", fields{"do_layer_norm_before": false}, []string{"do_layer_norm_before is false"}},
		{"opt", fields{"do_layer_norm_before": false, "word_embed_proj_dim": 12}, []string{"do_layer_norm_before is false"}}, // 350M
		{"opt", fields{"word_embed_proj_dim": 12}, []string{"word_embed_proj_dim is 12", "24"}},
		{"opt", fields{"_remove_final_layer_norm": true}, []string{"_remove_final_layer_norm is true"}},
		{"opt", fields{"max_position_embeddings": 60}, []string{"embed_positions.weight", "[62 24]", "[66 24]"}},
		{"bloom", fields{"apply_residual_connection_post_layernorm": true}, []string{"apply_residual_connection_post_layernorm is true"}},
		{"olmo", fields{"clip_qkv": -1}, []string{"clip_qkv is -1"}},
		{"stablelm", fields{"hidden_act": "relu6"}, []string{`"relu6"`}},
		{"starcoder2", fields{"use_bias": false, "attention_bias": "no"}, []string{`attention_bias is "no"`, "true or false"}},
		{"falcon-new", fields{"num_ln_in_parallel_attn": 3}, []string{"num_ln_in_parallel_attn is 3", "1 or 2"}},
		{"llama2", fields{"rope_parameters": fields{"type": "yarn", "short_factor": []float64{1, 1, 1, 1}}}, []string{"yarn scaling: factor is NaN"}},
		{"falcon-new", fields{"num_kv_heads": 3}, []string{"kv_heads 3"}},
		{"mpt", fields{"no_bias": false}, []string{"no_bias is false"}},
		{"mpt", fields{"expansion_ratio": 2}, []string{"expansion_ratio is 2", "4"}},
		{"mpt", fields{"norm_type": "rmsnorm"}, []string{`norm_type is "rmsnorm"`}},
		{"mpt", fields{"logit_scale": 0.5}, []string{"logit_scale is 0.5"}},
		{"mpt", nested("attn_config", fields{"alibi": false}), []string{"attn_config: alibi is false"}},
		{"mpt", nested("attn_config", fields{"alibi_bias_max": 4}), []string{"attn_config: alibi_bias_max is 4"}},
		{"mpt", nested("attn_config", fields{"qk_ln": true}), []string{"attn_config: qk_ln is true"}},
		{"mpt", nested("attn_config", fields{"prefix_lm": true}), []string{"prefix_lm is true"}},
		{"mpt", nested("attn_config", fields{"attn_type": "multiquery_attention"}), []string{`"multiquery_attention"`}},
	}
	for _, test := range refused {
		b, _ := json.Marshal(test.fields)
		t.Run(test.family+"/"+string(b), func(t *testing.T) {
			_, err := changed(t, test.family, test.fields)
			mustSay(t, err, test.says...)
		})
	}
	honoured := []struct {
		family string
		fields fields
	}{
		{"gpt2", fields{"scale_attn_weights": false}},
		{"gpt2", fields{"scale_attn_by_inverse_layer_idx": true}},
		{"gpt_neo", fields{"window_size": 3}},
		{"gpt_neox", fields{"use_parallel_residual": false}},
		{"gptj", fields{"rotary_dim": 4}},
		{"llama3", fields{"rope_parameters": fields{"rope_type": "dynamic", "factor": 2}}},
		{"llama3", fields{"rope_parameters": nil, "rope_theta": 500, "rope_scaling": fields{"type": "yarn", "factor": 2}}},
		{"llama3", fields{"rope_parameters": fields{"rope_type": "yarn", "factor": nil, "original_max_position_embeddings": 8}}}, // null: the contexts' ratio
		{"mistral", fields{"sliding_window": 3}},
		{"mistral", fields{"sliding_window": json.RawMessage("null")}},
		{"qwen2", fields{"use_sliding_window": true, "sliding_window": 4, "max_window_layers": 1, "layer_types": nil}},
		{"gemma2", fields{"layer_types": nil, "sliding_window": 4}},
		{"gemma2", fields{"attn_logit_softcapping": json.RawMessage("null")}},
		{"gemma2", fields{"final_logit_softcapping": 10}},
		{"gemma2", fields{"query_pre_attn_scalar": 16}},
		{"gemma3", fields{"rope_theta": 500, "rope_parameters": fields{"full_attention": fields{"rope_type": "default"}}}},
		{"phi", fields{"rope_parameters": fields{"partial_rotary_factor": 0.25}}},
		{"falcon-alibi", fields{"alibi": false}},
		{"olmo", fields{"clip_qkv": 3}},
		{"mpt", nested("attn_config", fields{"softmax_scale": 0.5, "clip_qkv": 2})},
		{"opt", fields{"activation_function": "gelu"}},
	}
	for _, test := range honoured {
		b, _ := json.Marshal(test.fields)
		t.Run(test.family+"/"+string(b), func(t *testing.T) {
			m, err := changed(t, test.family, test.fields)
			if err != nil {
				t.Fatal(err)
			}
			if plain := openGolden(t, test.family); m.Hash() == plain.Hash() {
				t.Errorf("the config stays %+v", m.Config)
			}
		})
	}
	same := []struct {
		family string
		fields fields
	}{
		{"gpt2", fields{"n_head": nil, "num_attention_heads": 3, "n_layer": nil, "num_hidden_layers": 2, "n_embd": nil, "hidden_size": 24}},
		{"gpt_neo", fields{"num_heads": json.RawMessage("null"), "num_attention_heads": 3, "num_hidden_layers": 3}},
		{"bloom", fields{"hidden_size": nil, "n_embed": 24}},
		{"gemma", fields{"hidden_act": "gelu", "hidden_activation": nil}}, // as published: it means the tanh form
		{"gemma", fields{"hidden_act": nil}},
		{"llama2", fields{"partial_rotary_factor": 1.0, "is_causal": true}},
	}
	for _, test := range same {
		b, _ := json.Marshal(test.fields)
		t.Run(test.family+"/same/"+string(b), func(t *testing.T) {
			m, err := changed(t, test.family, test.fields)
			if err != nil {
				t.Fatal(err)
			}
			if plain := openGolden(t, test.family); m.Hash() != plain.Hash() {
				t.Errorf("config %+v, want %+v", m.Config, plain.Config)
			}
		})
	}
	ignored := fields{
		"attention_dropout": 0.5, "attn_pdrop": 0.5, "resid_pdrop": 0.3, "hidden_dropout": 0.1, "initializer_range": 7, "use_cache": false,
		"bos_token_id": 3, "torch_dtype": "bfloat16", "pretraining_tp": 4, "layerdrop": 0.1, "transformers_version": "0", "unheard_of": 1,
	}
	for _, family := range families(t) {
		t.Run(family+"/ignored", func(t *testing.T) {
			if _, err := os.Stat(filepath.Join(goldenDir(t, family), "model.safetensors")); err != nil {
				t.Skip("its weights are sharded: the one-file copy of the same model is a family of its own")
			}
			m, err := changed(t, family, ignored)
			if err != nil {
				t.Fatal(err)
			}
			if plain := openGolden(t, family); m.Hash() != plain.Hash() {
				t.Errorf("config %+v, want %+v", m.Config, plain.Config)
			}
		})
	}
}

// buffers are tensors of published files that are no weights.
var buffers = []string{".attn.bias", ".attn.masked_bias", "vision_tower", "multi_modal_projector"}

// TestEveryWeightIsNeeded takes each tensor of the first block, and each outside
// the blocks, away in turn, and gives it another shape.
func TestEveryWeightIsNeeded(t *testing.T) {
	for _, family := range families(t) {
		dir := goldenDir(t, family)
		if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err != nil {
			continue
		}
		t.Run(family, func(t *testing.T) {
			all := weightsOf(t, family)
			load := func(change func(ts map[string]*tensor.Dense)) error {
				ts := maps.Clone(all)
				change(ts)
				return loadWith(t, dir, ts)
			}
			if err := load(func(map[string]*tensor.Dense) {}); err != nil {
				t.Fatal(err)
			}
			for name, x := range all {
				if slices.ContainsFunc(buffers, func(b string) bool { return strings.Contains(name, b) }) || strings.Contains(name, ".1.") {
					continue
				}
				short := strings.TrimPrefix(name, "language_model.model.") // which the embedding's name shows
				mustSay(t, load(func(ts map[string]*tensor.Dense) { delete(ts, name) }), short)
				mustSay(t, load(func(ts map[string]*tensor.Dense) {
					ts[name] = tensor.New(append([]int{x.Dim(0) + 1}, x.Shape[1:]...)...)
				}), name)
			}
		})
	}
}

// loadWith loads the config of dir with these weights.
func loadWith(t *testing.T, dir string, all map[string]*tensor.Dense) error {
	t.Helper()
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ts []weights.Tensor
	for _, name := range slices.Sorted(maps.Keys(all)) {
		ts = append(ts, weights.Tensor{Name: name, Dense: all[name]})
	}
	var file strings.Builder
	if err := weights.Write(&file, ts, nil); err != nil {
		t.Fatal(err)
	}
	_, err = models.LoadFS(fstest.MapFS{"m/config.json": {Data: config}, "m/model.safetensors": {Data: []byte(file.String())}}, "m")
	return err
}

// TestNamesByKindOfBlock holds names whose value depends on the block, and what
// is said of those that are not there.
func TestNamesByKindOfBlock(t *testing.T) {
	kinds := map[string]*models.Model{}
	for _, m := range modeltest.Kinds(1) {
		kinds[m.Name] = m
	}
	for _, test := range []struct{ kind, name, site, says string }{
		{"toy-gpt2", "blocks.1.attn.o.hook_out", "blocks.1.hook_attn_out", ""},
		{"toy-both", "blocks.1.attn.o.hook_out", "", "has no site"},
		{"toy-behind", "blocks.0.mlp.hook_out", "", "has no site"},
		{"toy-both", "blocks.1.ln1_post.hook_out", "blocks.1.ln1_post.hook_out", ""},
		{"toy-behind", "blocks.1.ln1.hook_scale", "", "none there"},
		{"toy-gpt2", "blocks.1.ln2_post.hook_scale", "", "stand before"},
		{"toy-parallel", "resid_mid1", "", "read the same stream"},
		{"toy-heads", "mlp_out0", "", "have none"},
		{"toy-heads", "resid_mid0", "", "have none"},
		{"toy-llama", "blocks.0.attn.q_norm.hook_scale", "", "are not"},
		{"toy-alibi", "blocks.0.attn.hook_rot_q", "", "this model's are alibi"},
		{"toy-bare", "ln_final.hook_scale", "", "none there"},
		{"toy-gpt2", "embed.ln.hook_out", "", "embedding is normed"},
	} {
		site, err := kinds[test.kind].Site(test.name)
		if test.says != "" {
			mustSay(t, err, test.says)
		} else if err != nil || site.String() != test.site {
			t.Errorf("%s of %s is %s, %v, want %s", test.name, test.kind, site, err, test.site)
		}
	}
}

// TestHalvesOfAParallelBlockReadOnTheirOwn edits the one norm of both halves
// where one of them reads it.
func TestHalvesOfAParallelBlockReadOnTheirOwn(t *testing.T) {
	for _, m := range modeltest.Kinds(1) {
		if !m.Config.SharedNorm {
			continue
		}
		at := func(c *models.Cache, name string) *tensor.Dense {
			site, err := m.Site(name)
			if err != nil {
				t.Fatal(err)
			}
			x, _ := c.Get(site)
			return x
		}
		record := func(edits ...models.Edit) *models.Cache {
			hooks, err := m.Edits(edits...)
			if err != nil {
				t.Fatal(err)
			}
			c := models.NewCache()
			run(t, m, models.Prompt(1, 2, 3), append(hooks, models.Record(c, models.All))...)
			return c
		}
		plain := record()
		if !at(plain, "blocks.0.ln1.hook_out").EqualBits(at(plain, "blocks.0.ln2.hook_out")) {
			t.Error("the halves read different norms")
		}
		for edited, other := range map[string]string{"ln1": "mlp.hook_pre", "ln2": "attn.hook_q"} {
			c := record(models.Edit{Site: "blocks.0." + edited + ".hook_out", Op: models.Scale, Value: models.Number(2)})
			if !at(c, "blocks.0."+other).EqualBits(at(plain, "blocks.0."+other)) {
				t.Errorf("an edit of %s changed %s", edited, other)
			}
			if at(c, "blocks.0.hook_resid_post").EqualBits(at(plain, "blocks.0.hook_resid_post")) {
				t.Errorf("an edit of %s changed nothing", edited)
			}
		}
	}
}
