package tokenizer_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models/modeltest"
	"orrery/models/tokenizer"
)

// gpt2Files takes a tokenizer.json apart into GPT-2's own format, with a configuration beside it.
func gpt2Files(t *testing.T, path string, config map[string]any) string {
	t.Helper()
	var d struct {
		Model struct {
			Vocab  json.RawMessage `json:"vocab"`
			Merges []any           `json:"merges"`
		} `json:"model"`
		Added []struct {
			ID      int    `json:"id"`
			Content string `json:"content"`
		} `json:"added_tokens"`
	}
	readJSON(t, path, &d)
	merges := "#version: 0.2\n"
	for _, m := range d.Model.Merges {
		if pair, ok := m.([]any); ok {
			m = pair[0].(string) + " " + pair[1].(string)
		}
		merges += m.(string) + "\n"
	}
	added := map[string]int{}
	for _, tok := range d.Added {
		added[tok.Content] = tok.ID
	}
	dir := t.TempDir()
	write := func(name string, x any) {
		raw, ok := x.([]byte)
		if !ok {
			var err error
			if raw, err = json.Marshal(x); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("vocab.json", d.Model.Vocab)
	write("merges.txt", []byte(merges))
	write("added_tokens.json", added)
	write("tokenizer_config.json", config)
	return dir
}

// TestGPT2Files holds that the tokenizers of that format are those of their tokenizer.json, by the vectors of the library.
func TestGPT2Files(t *testing.T) {
	for _, c := range []struct {
		family string
		config map[string]any
	}{
		{"gpt2", map[string]any{"tokenizer_class": "GPT2Tokenizer"}},
		{"opt", map[string]any{
			"tokenizer_class": "GPT2Tokenizer", "add_bos_token": true, "bos_token": map[string]any{"content": "</s>"}, "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
			"additional_special_tokens": []string{"<s>"},
			"added_tokens_decoder":      map[string]any{"540": map[string]any{"content": "<mask>", "lstrip": true, "normalized": true, "special": true}},
		}},
	} {
		t.Run(c.family, func(t *testing.T) {
			from := filepath.Join("testdata", c.family)
			if _, err := os.Stat(from); err != nil {
				from = modeltest.Reference(t, "tokenizers", "families", c.family)
			}
			dir := gpt2Files(t, filepath.Join(from, "tokenizer.json"), c.config)
			vectors, err := os.ReadFile(filepath.Join(from, "vectors.json"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "vectors.json"), vectors, 0o644); err != nil {
				t.Fatal(err)
			}
			checkFamily(t, dir, false)
			got, want := load(t, dir), load(t, from)
			for what, role := range map[string]func(*tokenizer.Tokenizer) (int, bool){
				"bos": (*tokenizer.Tokenizer).BOS, "eos": (*tokenizer.Tokenizer).EOS, "pad": (*tokenizer.Tokenizer).Pad,
			} {
				g, _ := role(got)
				if w, _ := role(want); g != w {
					t.Errorf("%s is %d, want %d", what, g, w)
				}
			}
		})
	}
}

// TestGPT2FilesPublished compares with GPT-2's published tokenizer.json on prose, without a configuration.
func TestGPT2FilesPublished(t *testing.T) {
	path := modeltest.Reference(t, "tokenizers", "gpt2-tokenizer.json")
	dir := gpt2Files(t, path, nil)
	for _, name := range []string{"added_tokens.json", "tokenizer_config.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	text := prose(1<<14) + "<|endoftext|>" + sums(1<<10)
	got, err := load(t, dir).Encode(text, true)
	if err != nil {
		t.Fatal(err)
	}
	want, err := parseFile(t, path).Encode(text, true)
	if err != nil || !slices.Equal(got.IDs, want.IDs) || !slices.Equal(got.Offsets, want.Offsets) || !slices.Equal(got.Tokens, want.Tokens) {
		t.Errorf("%d tokens differ from %d of tokenizer.json (%v)", len(got.IDs), len(want.IDs), err)
	}
}

func TestGPT2FilesErrors(t *testing.T) {
	for what, c := range map[string]struct{ name, text, says string }{
		"another class":   {"tokenizer_config.json", `{"tokenizer_class": "RobertaTokenizer"}`, `tokenizer_class "RobertaTokenizer"`},
		"vocabulary":      {"vocab.json", `["a"]`, "vocab.json: line 1"},
		"merge":           {"merges.txt", "#version: 0.2\na b c\n", `merge "a b c"`},
		"unknown merge":   {"merges.txt", "x yz\n", `"yz" of the merge "x" with "yz"`},
		"added":           {"added_tokens.json", `{"x": "y"}`, "added_tokens.json"},
		"id out of range": {"added_tokens.json", `{"x": 4611686018427387904}`, "4611686018427387904"},
	} {
		t.Run(what, func(t *testing.T) {
			dir := gpt2Files(t, filepath.Join("testdata", "gpt2", "tokenizer.json"), nil)
			if err := os.WriteFile(filepath.Join(dir, c.name), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := tokenizer.Load(dir); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %s in it", err, c.says)
			}
		})
	}
}
