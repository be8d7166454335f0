package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
	"orrery/models/zoo"
	"orrery/server/analysis"
)

// call runs one command line in this process.
func call(t *testing.T, stdin string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Main(context.Background(), args, strings.NewReader(stdin), &o, &e)
	return code, o.String(), e.String()
}

func TestHelpNamesEveryCommand(t *testing.T) {
	code, out, _ := call(t, "", "--help")
	if code != 0 {
		t.Fatalf("exit status %d", code)
	}
	for _, name := range []string{"serve", "run", "train", "models", "pull", "dump", "tokenize", "generate", "bench"} {
		if !strings.Contains(out, "\n  "+name+" ") {
			t.Errorf("help does not list %s:\n%s", name, out)
		}
	}
}

func TestVersion(t *testing.T) {
	if code, out, said := call(t, "", "--version"); code != 0 || out != "orrery "+analysis.Version+"\n" {
		t.Errorf("exit status %d, %q, %q", code, out, said)
	}
}

// TestRefusals checks that what is wrong is named, with what would be right.
func TestRefusals(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.safetensors")
	edits := filepath.Join(t.TempDir(), "edits.json")
	if err := os.WriteFile(edits, []byte(`[{"site":"blocks.9.hook_mlp_out","op":"set","value":0}]`), 0o600); err != nil {
		t.Fatal(err)
	}
	prose := filepath.Join(t.TempDir(), "prose.md")
	if err := os.WriteFile(prose, []byte("# Prose\n\n```python id=1\nx = 1\n```\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name  string
		stdin string
		args  []string
		code  int
		want  []string
	}{
		{"unknown command", "", []string{"sreve"}, 2, []string{`unknown command "sreve"; there is serve, `, "--help"}},
		{"notebook for a command", "", []string{"notes.md", "--check"}, 2, []string{`unknown command "notes.md"`, "run"}},
		{"repository of a known name", "", []string{"generate", "gpt2-small", "--prompt", "1"}, 1, []string{"orrery pull openai-community/gpt2 "}},
		{"unknown work", "", []string{"bench", "--filter", "lense"}, 1, []string{"lense", "lens/1x15"}},
		{"no run", "", []string{"bench", "--runs", "0"}, 1, []string{"--runs is 0"}},
		{"unknown model", "", []string{"generate", "mental-4op", "--prompt", "1+1="}, 1, []string{"mental-4op", "mental-2op"}},
		{"number outside the vocabulary", "", []string{"generate", "mental-2op", "--prompt", "1+1000="}, 1, []string{"1000", "198"}},
		{"id outside the vocabulary", "", []string{"generate", "mental-2op", "--ids", "0,999"}, 1, []string{"999"}},
		{"drawn from nothing", "", []string{"generate", "mental-2op", "--prompt", "1+1=", "--top-k", "3"}, 1, []string{"--temperature 0", "--temperature 1"}},
		{"no id", "", []string{"dump", "mental-2op", "--ids", "1,x", "--out", out}, 1, []string{`"x"`}},
		{"unequal prompts", "", []string{"dump", "mental-2op", "--ids", "1,2;3", "--out", out}, 1, []string{"--pad left"}},
		{"unknown site", "", []string{"dump", "mental-2op", "--ids", "1", "--sites", "blocks.0.hook_resid_pot", "--out", out}, 1, []string{"blocks.0.hook_resid_post"}},
		{"edit of a layer that is not there", "", []string{"dump", "mental-2op", "--ids", "1", "--edits", edits, "--out", out}, 1, []string{"blocks.9"}},
		{"gradient of nothing", "", []string{"dump", "mental-2op", "--ids", "1", "--grad", "logits", "--out", out}, 1, []string{"logit[0,-1,17]"}},
		{"no list of strings", `{"a": 1}`, []string{"tokenize", "mental-2op"}, 1, []string{"JSON list of strings"}},
		{"unknown recipe", "", []string{"train", "mental"}, 1, []string{"mental-2op"}},
		{"notebook without code", "", []string{"run", prose}, 1, []string{"no code cells", "```python"}},
		{"missing notebook", "", []string{"run", "nothing.md", "--out", t.TempDir()}, 2, []string{"nothing.md"}},
		{"address that others can reach", "", []string{"serve", "--addr", "0.0.0.0", "--no-browser", "--dir", t.TempDir()}, 1, []string{"0.0.0.0", "127.0.0.1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, _, said := call(t, test.stdin, test.args...)
			if code != test.code {
				t.Errorf("exit status %d, want %d", code, test.code)
			}
			for _, w := range test.want {
				if !strings.Contains(said, w) {
					t.Errorf("%q does not say %q", said, w)
				}
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a refused dump left a file")
			}
		})
	}
}

func TestModels(t *testing.T) {
	code, out, said := call(t, "", "models", "--json")
	if code != 0 {
		t.Fatal(said)
	}
	var cards []struct {
		Name    string `json:"name"`
		SHA256  string `json:"sha256"`
		HeldOut struct {
			Accuracy float64 `json:"accuracy"`
		} `json:"held_out"`
	}
	if err := json.Unmarshal([]byte(out), &cards); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range cards {
		names = append(names, c.Name)
		if len(c.SHA256) != 64 || !(c.HeldOut.Accuracy >= 0.98) {
			t.Errorf("card %+v", c)
		}
	}
	if !slices.Equal(names, zoo.Names()) {
		t.Errorf("models %q are listed, and %q are shipped", names, zoo.Names())
	}
	// The list for people counts the checkpoints: 19 along the training and its end.
	if code, out, _ := call(t, "", "models"); code != 0 || !regexp.MustCompile(`(?m)^modadd-113 .* 20 `).MatchString(out) {
		t.Errorf("listed:\n%s", out)
	}
}

func TestTokenizeAndGenerate(t *testing.T) {
	code, out, said := call(t, `["34+57=", "34 + 57 ="]`, "tokenize", "mental-2op", "--special")
	var ids [][]int
	if err := json.Unmarshal([]byte(out), &ids); err != nil || code != 0 {
		t.Fatal(err, said)
	}
	if len(ids) != 2 || len(ids[0]) != 5 || len(ids[1]) != 5 || ids[0][1] != ids[1][1] {
		t.Errorf("ids %v: both spellings are one prompt of BOS and four tokens", ids)
	}
	if _, out, _ := call(t, "", "generate", "mental-2op", "--prompt", "34+57=", "--n", "1"); out != "34 + 57 = 91" {
		t.Errorf("generated %q", out)
	}
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--stop", "91"}, "34 + 57 = "},
		{[]string{"--stop", "9"}, "34 + 57 = "},
		{[]string{"--json", "--n", "1"}, `{"ids":[0,38,1,61,3,95],"text":"34 + 57 = 91","reason":"length"}` + "\n"},
		{[]string{"--n", "1", "--temperature", "0.7", "--top-k", "1", "--top-p", "0.5", "--seed", "3"}, "34 + 57 = 91"},
	} {
		code, out, said := call(t, "", append([]string{"generate", "mental-2op", "--prompt", "34+57="}, test.args...)...)
		if out != test.want {
			t.Errorf("%q: exit %d, generated %q, want %q %s", test.args, code, out, test.want, said)
		}
	}
}

// TestGenerateFromNothing stops at a text that begins within the first token.
func TestGenerateFromNothing(t *testing.T) {
	_, whole, said := call(t, "", "generate", "mental-2op", "--prompt", "", "--n", "2")
	if len(whole) < 4 || !strings.Contains(whole, " ") {
		t.Fatalf("generated %q, want two numbers %s", whole, said)
	}
	at := strings.Index(whole, " ")
	if _, out, said := call(t, "", "generate", "mental-2op", "--prompt", "", "--n", "2", "--stop", whole[at-1:at+2]); out != whole[:at-1] {
		t.Errorf("generated %q, want %q %s", out, whole[:at-1], said)
	}
}

// TestDumpWarns goes beyond the context of a model with rotary positions.
func TestDumpWarns(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.safetensors")
	code, _, said := call(t, "", "dump", "mental-2op", "--ids", "1,1,1,1,1,1,1,1,1", "--out", out)
	if code != 0 || !strings.Contains(said, "warning: 9 tokens in a row, and this model was trained on at most 8") {
		t.Errorf("exit %d, said %q", code, said)
	}
}

// TestGenerateWarns goes beyond it token by token: of 5 and 5 tokens 9 are read.
func TestGenerateWarns(t *testing.T) {
	for n, want := range map[string]string{"5": "warning: 9 tokens in a row, and this model was trained on at most 8", "4": ""} {
		code, out, said := call(t, "", "generate", "mental-2op", "--prompt", "34+57=", "--n", n)
		if code != 0 || !strings.HasPrefix(out, "34 + 57 = 91") || !strings.Contains(said, want) || want == "" && said != "" {
			t.Errorf("%s tokens: exit %d, said %q", n, code, said)
		}
	}
	for _, args := range [][]string{{"--n", "20"}, {"--n", "20", "--json"}} {
		code, _, said := call(t, "", append([]string{"generate", "mental-2op", "--ids", "0,38,1,61,3"}, args...)...)
		if code != 0 || !strings.Contains(said, "warning: 24 tokens in a row, and this model was trained on at most 8") {
			t.Errorf("%q: exit %d, said %q", args, code, said)
		}
	}
}

// TestTokenizeRefuses has what would be read as something else.
func TestTokenizeRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"[\"1\xff\"]": "byte 3 is 0xff, which is not UTF-8", `["1\udc00"]`: `\udc00 at byte 3 is the second half`, `["1"] "2"`: "more follows", `[1]`: "want text, not a number", "": "ends too early",
	} {
		code, out, said := call(t, in, "tokenize", "mental-2op")
		if code != 1 || out != "" || !strings.Contains(said, want) {
			t.Errorf("%q: exit %d, %q, said %q, want %q", in, code, out, said, want)
		}
	}
}

// TestDumpSaysTheBasis dumps a model whose weights were processed, and a raw one.
func TestDumpSaysTheBasis(t *testing.T) {
	raw := modeltest.GPT2(1)
	centred, err := raw.Process(models.Processing{CenterUnembed: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*models.Model{raw, centred} {
		dir, out := t.TempDir(), filepath.Join(t.TempDir(), "x.safetensors")
		if err := m.Save(dir); err != nil {
			t.Fatal(err)
		}
		if code, _, said := call(t, "", "dump", dir, "--ids", "1,2", "--sites", "none", "--out", out); code != 0 {
			t.Fatal(said)
		}
		if got := open(t, out).Metadata()["basis"]; got != m.Basis() {
			t.Errorf("the dump says basis %q, want %q", got, m.Basis())
		}
	}
	if centred.Basis() == raw.Basis() {
		t.Errorf("both are of basis %q", raw.Basis())
	}
}

// TestDumpRefusesWhatDoesNotFit asks for squares of 10,001 tokens.
func TestDumpRefusesWhatDoesNotFit(t *testing.T) {
	out := filepath.Join(t.TempDir(), "x.safetensors")
	code, _, said := call(t, "", "dump", "mental-2op", "--prompt", strings.Repeat("34+", 5000)+"57=", "--out", out)
	if code != 1 || !strings.Contains(said, "12.8 GiB") || !strings.Contains(said, "4.0 GiB") || !strings.Contains(said, "--memory") || exists(out) {
		t.Errorf("exit %d, said %q", code, said)
	}
}

// TestGenerateStories compares 200 greedy tokens with another program's text.
func TestGenerateStories(t *testing.T) {
	want, err := os.ReadFile(modeltest.Reference(t, "stories260k", "expected-greedy-200.txt"))
	if err != nil {
		t.Fatal(err)
	}
	_, out, said := call(t, "", "generate", modeltest.Reference(t, "stories260k", "hf"), "--prompt", "", "--n", "200")
	if out != string(want) {
		t.Errorf("generated %q, want %q %s", out, want, said)
	}
}

// TestDump compares the file that any language can read with an independent
// implementation's values of every site and gradient, for every directory of
// the reference data.
func TestDump(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(modeltest.Reference(t, "architectures"), "*", "golden.safetensors"))
	if err != nil || len(dirs) < 17 {
		t.Fatalf("%d directories with goldens, %v", len(dirs), err)
	}
	for _, golden := range dirs {
		dir := filepath.Dir(golden)
		t.Run(filepath.Base(dir), func(t *testing.T) { dumpEquals(t, dir) })
	}
}

func dumpEquals(t *testing.T, dir string) {
	files := map[string]*weights.File{"": open(t, filepath.Join(dir, "golden.safetensors"))}
	ids, shape, err := files[""].Int64s("ids")
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]string, shape[0])
	for b := range rows {
		rows[b] = strings.Trim(strings.ReplaceAll(fmt.Sprint(ids[b*shape[1]:(b+1)*shape[1]]), " ", ","), "[]")
	}
	args := []string{"dump", dir, "--ids", strings.Join(rows, ";")}
	if grads := filepath.Join(dir, "grads.safetensors"); exists(grads) {
		files["_grad"] = open(t, grads)
		metric, _, err := files["_grad"].Int64s("metric.ids")
		if err != nil {
			t.Fatal(err)
		}
		var terms []string
		for b := range rows {
			terms = append(terms, fmt.Sprintf("logit[%d,-1,%d]-logit[%d,-1,%d]", b, metric[2*b], b, metric[2*b+1]))
		}
		args = append(args, "--grad", strings.Join(terms, "+"))
	}
	out := filepath.Join(t.TempDir(), "run.safetensors")
	if code, _, said := call(t, "", append(args, "--out", out)...); code != 0 {
		t.Fatal(said)
	}
	got := open(t, out)
	for suffix, want := range files {
		compared := 0
		for _, name := range want.Names() {
			if _, ok := got.Info(name + suffix); !ok {
				if strings.Contains(name, "hook_") && !strings.HasPrefix(name, "extra.") {
					t.Errorf("the dump lacks %s", name+suffix)
				}
				continue
			}
			tol, x := 1e-5, finite(read(t, want, name))
			abs := tol
			if suffix != "" { // the goldens hold float32 noise of that much of their largest value
				tol = 2e-5
				abs = max(tol, 2e-6*largest(x))
			}
			modeltest.Close(t, name+suffix, finite(read(t, got, name+suffix)), x, abs, tol)
			compared++
		}
		if least := map[string]int{"": 1, "_grad": 20}[suffix]; compared < least {
			t.Errorf("%d tensors%s compared, want at least %d", compared, suffix, least)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func largest(x *tensor.Dense) float64 {
	most := 0.0
	for _, v := range x.Data {
		most = max(most, math.Abs(float64(v)))
	}
	return most
}

func open(t *testing.T, path string) *weights.File {
	t.Helper()
	f, err := weights.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func read(t *testing.T, f *weights.File, name string) *tensor.Dense {
	t.Helper()
	x, err := f.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// finite replaces -Inf, which masked scores are on both sides, by a number
// that a difference can be taken of.
func finite(x *tensor.Dense) *tensor.Dense {
	x = x.Clone()
	for i, v := range x.Data {
		if v < -3e38 {
			x.Data[i] = -1e30
		}
	}
	return x
}

// Every shipped notebook runs headless and leaves what is recorded, within the
// tolerance that each figure states.
func TestRunShippedNotebooks(t *testing.T) {
	notebooks, err := filepath.Glob(filepath.Join("examples", "*.md"))
	if err != nil || len(notebooks) == 0 {
		t.Fatal("no shipped notebooks", err)
	}
	for _, path := range notebooks {
		t.Run(path, func(t *testing.T) {
			code, out, said := call(t, "", "run", path, "--check")
			if code != 0 || !strings.Contains(out, "cells are the recorded ones") {
				t.Fatalf("exit status %d; run go generate ./cmd/orrery\n%s%s", code, out, said)
			}
		})
	}
}

// A run writes every figure in every format, and a check finds a number that
// was tampered with, a notebook that was edited and one that has no record.
func TestRunWritesAndChecks(t *testing.T) {
	dir := t.TempDir()
	text := "# T\n\n```python {#lens}\nlogit_lens(load(\"mental-2op\"), \"34+57=\")\n```\n"
	path, record := filepath.Join(dir, "a.md"), filepath.Join(dir, "a.outputs.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := call(t, "", "run", path, "--check"); code == 0 || !strings.Contains(said, "nothing is recorded") {
		t.Errorf("a check without a record: exit status %d, %s", code, said)
	}
	if code, _, said := call(t, "", "run", path, "--out", filepath.Join(dir, "out"), "--record", record); code != 0 {
		t.Fatal(said)
	}
	files, err := filepath.Glob(filepath.Join(dir, "out", "lens.*"))
	if err != nil || len(files) != 6 {
		t.Errorf("a figure in six formats: %v, %v", files, err)
	}
	if code, out, said := call(t, "", "run", path, "--check"); code != 0 || !strings.Contains(out, "to the last bit") {
		t.Errorf("the same again: exit status %d, %s%s", code, out, said)
	}
	data, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(){
		"DIFFERS  figure \"Logit lens\"": func() {
			os.WriteFile(record, bytes.Replace(data, []byte("top token after"), []byte("best token after"), 1), 0o600)
		},
		"was edited after": func() { os.WriteFile(path, []byte(strings.Replace(text, "57", "58", 1)), 0o600) },
	} {
		if err := os.WriteFile(record, data, 0o600); err != nil {
			t.Fatal(err)
		}
		change()
		if code, out, _ := call(t, "", "run", path, "--check"); code == 0 || !strings.Contains(out, want) {
			t.Errorf("want %q, got exit status %d, %s", want, code, out)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
