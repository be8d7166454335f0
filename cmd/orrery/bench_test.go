package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"orrery/models/bench"
)

// TestBenchTable takes every work of the tiny suite through and compares the
// table with what it should be, measured numbers and the machine masked.
func TestBenchTable(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "cpu.pprof")
	code, out, errOut := call(t, "", "bench", "--size", "tiny", "--runs", "1", "--at-least", "0s", "--profile", profile)
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, errOut)
	}
	if got := masked(out); got != benchTable {
		t.Errorf("the table is\n%s\nwant\n%s", got, benchTable)
	}
	if st, err := os.Stat(profile); err != nil || st.Size() == 0 {
		t.Errorf("the profile: %v", err)
	}
}

// masked is a table with single spaces, # for what is measured and for the
// machine.
func masked(table string) string {
	var out []string
	for i, line := range strings.Split(table, "\n") {
		fields := strings.Fields(line)
		if i == 1 {
			fields = []string{"#"}
		}
		if len(fields) > 11 && fields[9] == "%" {
			fields = append([]string{fields[0], "#"}, fields[12:]...)
		}
		out = append(out, regexp.MustCompile(`\d+\.\d+|^(cache\S+ #) \d+`).ReplaceAllString(strings.Join(fields, " "), "$1#"))
	}
	return strings.Join(out, "\n")
}

const benchTable = `tiny: 3 layers, 3 heads, width 24, 101 tokens, random weights, float32
#

work best median cpu runs others GFLOP/s GB/s of peak base MB peak MB
resid_pre/apart #
resid_pre/demo #
heads/apart #
heads/demo #
heads_by_pos/apart #
heads_by_pos/demo #
cache/1x6 ## values, 0 MB
cache/1x33 ## values, 0 MB
attribution/2x6 # 90 nodes
generate/5+4 # # tokens/s
lens/1x6 # 24 rows
dla/last # 18 values
dla/all # 108 values

sweep cells variants chunks row-layers predicted in full checked different
resid_pre/apart 18 36 2 162 162 648 8 0
resid_pre/demo 18 36 2 24 162 648 8 0
heads/apart 9 18 2 126 126 324 8 0
heads/demo 9 18 2 54 126 324 8 0
heads_by_pos/apart 54 108 3 276 276 1944 8 0
heads_by_pos/demo 54 108 3 72 276 1944 8 0
`

func TestBenchJSON(t *testing.T) {
	code, out, errOut := call(t, "", "bench", "works", "--size", "tiny", "--runs", "1", "--at-least", "0s", "--json", "--filter", "resid_pre/demo,lens")
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, errOut)
	}
	var report bench.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Results) != 2 {
		t.Fatalf("%d results: %s", len(report.Results), out)
	}
	r := report.Results[0]
	if r.Work != "resid_pre/demo" || r.Sweep == nil || r.Sweep.Cells != 18 || r.Sweep.Computed != 24 || r.Sweep.Checked != 8 || r.Sweep.Different != 0 {
		t.Errorf("the first result: %s", out)
	}
}

// TestBenchModel measures a directory of another family.
func TestBenchModel(t *testing.T) {
	config := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(config, []byte(`{"model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_hidden_layers": 2,
		"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "hidden_size": 32, "intermediate_size": 48, "vocab_size": 99,
		"max_position_embeddings": 128, "hidden_act": "silu", "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "tiny-llama")
	if code, _, errOut := call(t, "", "bench", "synth", "--config", config, "--out", dir); code != 0 {
		t.Fatalf("synth: exit status %d: %s", code, errOut)
	}
	code, out, errOut := call(t, "", "bench", "--model", dir, "--runs", "1", "--at-least", "0s")
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, errOut)
	}
	for _, want := range []string{"tiny-llama: ", "load", "GB of weights; peak memory", "lens/1x64", "resid_pre/1x16     32", "tokens/s"} {
		if !strings.Contains(out, want) {
			t.Errorf("the table lacks %q:\n%s", want, out)
		}
	}
}
