package tokenizer_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/models/modeltest"
)

// TestPublishedVocabularies encodes the 46 strings of llama.cpp's vocabulary tests with GPT-2's and GPT-NeoX's own vocabularies.
func TestPublishedVocabularies(t *testing.T) {
	for _, f := range []struct{ name, file, strings string }{
		{"gpt2", "gpt2-tokenizer.json", "gpt-2"},
		{"neox", "gpt-neox-20B_tokenizer.json", "mpt"},
	} {
		t.Run(f.name, func(t *testing.T) {
			dir := modeltest.Reference(t, "tokenizers")
			tok := parseFile(t, filepath.Join(dir, f.file))
			texts, ids := stringVectors(t, f.strings)
			for i, text := range texts {
				want := ids[i]
				got, err := tok.Encode(text, false)
				if err != nil || !slices.Equal(got.IDs, want) {
					t.Errorf("%+q: %v, %v, want %v", text, got.IDs, err, want)
				}
				if back, err := tok.Decode(want, false); err != nil || back != text {
					t.Errorf("decoded %+q, %v, want %+q", back, err, text)
				}
			}
		})
	}
}

// stringVectors reads the strings of llama.cpp's vocabulary tests and the ids that they become.
func stringVectors(t *testing.T, name string) (texts []string, ids [][]int) {
	t.Helper()
	dir := modeltest.Reference(t, "tokenizers")
	const separator = "\n__ggml_vocab_test__\n"
	texts = strings.Split(strings.TrimSuffix(readText(t, filepath.Join(dir, name+".inp")), separator), separator)
	lines := strings.Split(strings.TrimSuffix(readText(t, filepath.Join(dir, name+".out")), "\n"), "\n")
	if len(texts) != len(lines) || len(texts) < 40 {
		t.Fatalf("%d texts and %d lines of ids", len(texts), len(lines))
	}
	for _, line := range lines {
		row := []int{}
		for _, s := range strings.Fields(line) {
			id, err := strconv.Atoi(s)
			if err != nil {
				t.Fatal(err)
			}
			row = append(row, id)
		}
		ids = append(ids, row)
	}
	return texts, ids
}

func readText(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestStories260K checks llama2.c's vocabulary as a tokenizer.json: encodings by its own encoder, and that the ids of the greedy
// story decode to its text byte for byte.
func TestStories260K(t *testing.T) {
	dir := modeltest.Reference(t, "stories260k")
	tok := load(t, filepath.Join(dir, "hf"))
	var golden struct {
		Greedy struct {
			IDs []int `json:"ids"`
		} `json:"greedy"`
		Tokenizer struct {
			Cases []struct {
				Text    string `json:"text"`
				IDs     []int  `json:"ids"`
				Decoded string `json:"decoded"`
			} `json:"cases"`
		} `json:"tokenizer"`
	}
	readJSON(t, filepath.Join(dir, "hf", "golden.json"), &golden)
	if len(golden.Tokenizer.Cases) < 30 {
		t.Fatalf("%d cases", len(golden.Tokenizer.Cases))
	}
	for _, c := range golden.Tokenizer.Cases {
		got, err := tok.Encode(c.Text, true)
		if err != nil || !slices.Equal(got.IDs, c.IDs) {
			t.Errorf("%+q: %v, %v, want %v", c.Text, got.IDs, err, c.IDs)
		}
		if back, err := tok.Decode(c.IDs, true); err != nil || back != c.Decoded {
			t.Errorf("%v decodes to %+q, %v, want %+q", c.IDs, back, err, c.Decoded)
		}
	}
	story, err := tok.Decode(golden.Greedy.IDs, true)
	want := strings.TrimSuffix(readText(t, filepath.Join(dir, "expected-greedy-200.txt")), "\n")
	if err != nil || story != want {
		t.Errorf("story %+q, %v, want %+q", story, err, want)
	}
	if bos, ok := tok.BOS(); !ok || bos != 1 {
		t.Errorf("BOS %d, %t, want 1", bos, ok)
	}
	if eos, ok := tok.EOS(); !ok || eos != 2 {
		t.Errorf("EOS %d, %t, want 2", eos, ok)
	}
}
