package models_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// mustSay fails the test unless err says every part.
func mustSay(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want one that says %q", parts)
		return
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestImpossibleBatchesAreRefused(t *testing.T) {
	m := modeltest.GPT2(1) // V 11, context 9
	pad := func(rows ...[]int) models.Batch {
		in, err := models.Pad(rows, models.Left, 0)
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	tests := []struct {
		name string
		in   models.Batch
		says []string
	}{
		{"no tokens", models.Prompt(), []string{"1 rows of 0 tokens"}},
		{"no rows", models.Batch{}, []string{"0 rows"}},
		{"an id too large", models.Prompt(1, 2, 11), []string{"id 11", "row 0 at position 2", "0..10"}},
		{"a negative id", models.Prompt(1, -3), []string{"id -3", "0..10"}},
		{"too many tokens", models.Prompt(make([]int, 10)...), []string{"10 tokens", "knows 9 positions"}},
		{"ids that are no rectangle", models.Batch{IDs: []int{1, 2, 3}, B: 2, T: 2}, []string{"3 ids for 2 rows of 2"}},
		{"a row of padding only", pad([]int{1, 2}, nil), []string{"row 1", "at least one token"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := m.Run(context.Background(), test.in)
			mustSay(t, err, test.says...)
		})
	}
	_, err := models.Rows([][]int{{1, 2}, {3}})
	mustSay(t, err, "row 1 has 1 tokens", "padding")
	_, err = models.Pad([][]int{{1}}, "middle", 0)
	mustSay(t, err, `"middle"`, `"left"`, `"right"`)
}

// TestPromptsBeyondTheContext runs prompts of one token more than each kind of
// model was trained on: an error where positions are learned, else a warning with
// both numbers. Padding does not count.
func TestPromptsBeyondTheContext(t *testing.T) {
	for _, m := range modeltest.Kinds(3) {
		t.Run(m.Name, func(t *testing.T) {
			n := m.Config.Context
			long := make([]int, n+1)
			_, err := m.Run(context.Background(), models.Prompt(long[:n]...))
			if err != nil {
				t.Fatal(err)
			}
			out, err := m.Run(context.Background(), models.Prompt(long...))
			if m.Config.Positions == models.Learned {
				mustSay(t, err, fmt.Sprintf("%d tokens", n+1), fmt.Sprintf("%d positions", n))
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(out.Warnings) != 1 || !strings.Contains(out.Warnings[0], fmt.Sprintf("%d tokens", n+1)) || !strings.Contains(out.Warnings[0], fmt.Sprintf("at most %d", n)) {
				t.Errorf("warnings %q, want one with %d and %d", out.Warnings, n+1, n)
			}
			padded := models.Batch{IDs: long, B: 1, T: n + 1, Start: []int{1}, End: []int{n + 1}}
			if out, err = m.Run(context.Background(), padded); err != nil || len(out.Warnings) != 0 {
				t.Errorf("%d tokens and one of padding: %v, error %v", n, out, err)
			}
		})
	}
}

func TestNumbersThatAreNone(t *testing.T) {
	m := modeltest.Llama(1)
	hooks, err := m.Edits(models.Edit{Site: "blocks.1.hook_mlp_out", Positions: []int{1}, Op: models.Scale, Value: models.Number(3e38)},
		models.Edit{Site: "blocks.1.hook_mlp_out", Positions: []int{1}, Op: models.Scale, Value: models.Number(3e38)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Run(context.Background(), models.Prompt(1, 2, 3), hooks...)
	var numeric models.NumericError
	if !errors.As(err, &numeric) || numeric.Site != "logits" || len(numeric.Index) != 3 || numeric.Index[1] != 1 {
		t.Errorf("error %v, want a NumericError at logits, position 1", err)
	}
}

func TestHooksFailTheRun(t *testing.T) {
	m := modeltest.GPT2(1)
	broken := errors.New("no such lens")
	_, err := m.Run(context.Background(), models.Prompt(1, 2), models.Hook{
		Sites: models.Sites(models.Site{Layer: 1, Kind: models.Z}),
		Fn:    func(models.Site, *tensor.Dense) error { return broken },
	})
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want the hook's", err)
	}
	mustSay(t, err, "blocks.1.attn.hook_z")
	_, err = m.Run(context.Background(), models.Prompt(1), models.Hook{})
	mustSay(t, err, "hook 0")
}

// TestConfigsAreHonouredOrRefused changes one field of a config that loads.
func TestConfigsAreHonouredOrRefused(t *testing.T) {
	tests := []struct {
		family, field string
		value         any
		says          []string // nil when it must load
	}{
		{"gpt2", "model_type", "gpt3", []string{`"gpt3"`, "bloom, falcon", "gpt2, ", "transformer_lens, orrery"}},
		{"gpt2", "model_type", nil, []string{`""`, "gpt2, gpt_neo"}},
		{"gpt2", "add_cross_attention", true, []string{"add_cross_attention is true"}},
		{"gpt2", "activation_function", "celu", []string{`"celu"`, "gelu_new"}},
		{"gpt2", "activation_function", "quick_gelu", nil},
		{"gpt2", "activation_function", "relu2", nil},
		{"gpt2", "n_embd", "wide", []string{"n_embd", `"wide"`, "whole number"}},
		{"gpt2", "n_embd", nil, []string{"n_embd is missing"}},
		{"gpt2", "n_embd", 25, []string{"n_head is 3", "n_embd 25"}},
		{"gpt2", "n_embd", -24, []string{"width is -24"}},
		{"gpt2", "n_layer", 1 << 40, []string{"layers is 1099511627776"}},
		{"gpt2", "vocab_size", 100, []string{"wte.weight", "[100 24]", "[101 24]"}},
		{"gpt2", "n_layer", 3, []string{"h.2.", "no such tensor"}},
		{"gpt2", "n_layer", 9999, []string{"h.2.", "and 159922 tensors more"}},
		{"gpt2", "layer_norm_epsilon", -1, []string{"norm_eps is -1"}},
		{"gpt2", "tie_word_embeddings", false, []string{"lm_head.weight"}},
		{"gpt2", "quantization_config", map[string]any{"bits": 4}, []string{"quantization_config"}},
		{"gpt2", "reorder_and_upcast_attn", true, nil}, // other order of the same arithmetic
		{"llama3", "rope_parameters", map[string]any{"rope_type": "quick", "factor": 2}, []string{`"quick"`, "llama3", "rope_parameters"}},
		{"llama3", "rope_parameters", map[string]any{"rope_type": "linear"}, []string{"linear scaling: factor is NaN"}},
		{"llama3", "rope_parameters", map[string]any{"rope_type": "llama3", "factor": 2}, []string{"low_freq_factor is NaN"}},
		{"llama3", "rope_parameters", map[string]any{"rope_type": "default", "spin": 2}, []string{"rope_parameters: spin is 2"}},
		{"llama3", "rope_parameters", map[string]any{"rope_type": "default", "partial_rotary_factor": 1.5}, []string{"partial_rotary_factor is 1.5"}},
		{"llama3", "rope_scaling", map[string]any{"type": "linear", "factor": 2}, nil},
		{"llama3", "num_key_value_heads", 3, []string{"heads is 4", "kv_heads 3"}},
		{"llama3", "attention_bias", true, []string{"self_attn.q_proj.bias"}},
		{"llama3", "mlp_bias", true, []string{"mlp.gate_proj.bias"}},
		{"llama3", "hidden_act", "gelu_new", nil},
	}
	for _, test := range tests {
		b, _ := json.Marshal(test.value)
		t.Run(test.family+"/"+test.field+"="+string(b), func(t *testing.T) {
			from := goldenDir(t, test.family)
			raw, err := os.ReadFile(filepath.Join(from, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			var fields map[string]any
			if err := json.Unmarshal(raw, &fields); err != nil {
				t.Fatal(err)
			}
			if test.field == "rope_scaling" {
				delete(fields, "rope_parameters")
			}
			fields[test.field] = test.value
			if raw, err = json.Marshal(fields); err != nil {
				t.Fatal(err)
			}
			weights, err := os.ReadFile(filepath.Join(from, "model.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			for name, b := range map[string][]byte{"config.json": raw, "model.safetensors": weights} {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err = models.Load(dir)
			if test.says == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			mustSay(t, err, test.says...)
		})
	}
}
