package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSynthWritesAModel writes a tiny checkpoint and dumps a run of it.
func TestSynthWritesAModel(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.json")
	text := `{"model_type":"gpt2","n_layer":2,"n_head":2,"n_embd":8,"n_positions":16,"vocab_size":11}`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(dir, "model")
	args := []string{"bench", "synth", "--config", config, "--dtype", "f16", "--out", model}
	if code, out, errOut := call(t, "", args...); code != 0 || !strings.Contains(out, "GB of weights in f16") {
		t.Fatalf("status %d: %s%s", code, out, errOut)
	}
	if code, _, errOut := call(t, "", "dump", model, "--ids", "1,2,3", "--out", filepath.Join(dir, "run.safetensors")); code != 0 {
		t.Errorf("status %d: %s", code, errOut)
	}
	if code, _, errOut := call(t, "", args...); code != 1 || !strings.Contains(errOut, "exists already") {
		t.Errorf("written twice: status %d: %s", code, errOut)
	}
}

func TestSynthRefuses(t *testing.T) {
	out := filepath.Join(t.TempDir(), "model")
	for says, args := range map[string][]string{
		"gpt2, llama":    {"lama"},
		"3.1-8b, 3.2-1b": {"llama", "--size", "7b"},
		"not both":       {"llama", "--config", os.Args[0]},
	} {
		if code, _, errOut := call(t, "", append([]string{"bench", "synth", "--out", out}, args...)...); code != 1 || !strings.Contains(errOut, says) {
			t.Errorf("%v: status %d, %q, want %q", args, code, errOut, says)
		}
	}
}

// TestSynthSizesAreKnown reads every named size as WriteSynthetic would, without
// writing it.
func TestSynthSizesAreKnown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for family, sizes := range synthSizes() {
		for size := range sizes { // a directory below a file cannot be made: the config was read by then
			_, _, errOut := call(t, "", "bench", "synth", family, "--size", size, "--out", filepath.Join(file, "model"))
			if !strings.Contains(errOut, "not a directory") {
				t.Errorf("%s %s: %s", family, size, errOut)
			}
		}
	}
}
