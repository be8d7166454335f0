package analysis_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/tokenizer"
	"orrery/models/zoo"
	"orrery/server/analysis"
)

func keyOf(t *testing.T, a analysis.Analysis, args analysis.Args) string {
	t.Helper()
	bound, err := a.Bind(args)
	if err != nil {
		t.Fatal(err)
	}
	key, err := a.Key(bound)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// rebuilt is a model with the same weights, of which change may change some.
func rebuilt(t *testing.T, m *models.Model, change func(cfg *models.Config, p *models.Params)) *models.Model {
	t.Helper()
	cfg, p := m.Config, *m.Params()
	w := *p.Unembed.Weight
	w.Data = append([]float32(nil), w.Data...)
	p.Unembed.Weight = &w
	change(&cfg, &p)
	n, err := models.New(cfg, &p)
	if err != nil {
		t.Fatal(err)
	}
	n.Name, n.Tokenizer = m.Name, m.Tokenizer
	return n
}

func sameWeights(*models.Config, *models.Params) {}

// vectorEdit sets a head's output to a vector, whose third number is x.
func vectorEdit(x float32) models.Edit {
	return models.Edit{Site: "blocks.0.hook_resid_post", Positions: []int{1}, Op: models.Set, Value: models.Tensor(tensor.From([]float32{1, 2, x}, 3))}
}

// TestKeyIngredients changes one thing of a call at a time: each must change the
// key, and no two changes may give the same.
func TestKeyIngredients(t *testing.T) {
	lens, err := analysis.Find("logit_lens")
	if err != nil {
		t.Fatal(err)
	}
	effects, err := analysis.Find("effects")
	if err != nil {
		t.Fatal(err)
	}
	m := mental(t)
	list := func(change func(p []ablate.Prompt)) analysis.Prompts {
		p := []ablate.Prompt{{Text: "1+2=", IDs: []int{0, 5, 200, 6}, Answer: 3, Other: -1}, {Text: "3+4=", IDs: []int{0, 7, 200, 8}, Answer: 7, Other: -1, Group: "+", Operands: []int{3, 4}}}
		change(p)
		return analysis.PromptsFrom(ablate.PromptFile{Prompts: p}, ablate.KeepAll, 1)
	}
	recipe := func(change func(p *analysis.Prompts)) analysis.Prompts {
		p := analysis.Prompts{Template: ablate.Template{Text: "{a}+{b}=", Operands: []ablate.Range{{Name: "a", Hi: 9}, {Name: "b", Hi: 9}}, Hi: analysis.MaxAnswer},
			Options: ablate.SetOptions{N: 4, Seed: 1, Keep: ablate.KeepAll}}
		change(&p)
		return p
	}
	bound := func(change func(p []ablate.Prompt)) *analysis.BoundPrompts {
		given := list(change)
		for i := range given.List {
			given.List[i].Text = ""
		}
		b, err := given.Bind(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	paired := func(seed uint64) analysis.Prompts {
		return recipe(func(p *analysis.Prompts) {
			p.Pairs = &analysis.Pairing{Change: "operand", Operand: -1, Seed: seed}
		})
	}
	nothing := func([]ablate.Prompt) {}
	renamed := rebuilt(t, m, sameWeights)
	renamed.Name = "another"
	reread := rebuilt(t, m, sameWeights)
	if reread.Tokenizer, err = tokenizer.Load("../../models/zoo/mental-3op"); err != nil {
		t.Fatal(err)
	}
	wordless := rebuilt(t, m, sameWeights)
	wordless.Tokenizer = nil
	processed, err := m.Process(models.Processing{CenterUnembed: true})
	if err != nil {
		t.Fatal(err)
	}
	newer := lens
	newer.Version++
	ids := []int{0, 5, 200, 6}
	with := func(name string, v any) analysis.Args {
		return analysis.Args{"m": m, "prompt": ids, name: v}
	}
	under := func(e ...models.Edit) analysis.Args { return with("edits", e) }
	base := analysis.Args{"m": m, "prompt": ids}
	seen := map[string]string{}
	for _, c := range []struct {
		name string
		a    analysis.Analysis
		args analysis.Args
	}{
		{"base", lens, base},
		{"another analysis", renameAnalysis(lens, "other"), base},
		{"its version", newer, base},
		{"one bit of one weight", lens, with("m", rebuilt(t, m, func(_ *models.Config, p *models.Params) {
			w := p.Unembed.Weight.Data
			w[7] = math.Float32frombits(math.Float32bits(w[7]) ^ 1)
		}))},
		{"a setting of the model", lens, with("m", rebuilt(t, m, func(c *models.Config, _ *models.Params) { c.NormEps *= 2 }))},
		{"the model's name", lens, with("m", renamed)},
		{"its tokenizer", lens, with("m", reread)},
		{"no tokenizer", lens, with("m", wordless)},
		{"its basis", lens, with("m", processed)},
		{"one token", lens, with("prompt", []int{0, 5, 200, 7})},
		{"a token more", lens, with("prompt", []int{0, 5, 200, 6, 6})},
		{"the prompt as text", lens, with("prompt", "1+2=")},
		{"another text", lens, with("prompt", "1+3=")},
		{"a choice of yes or no", lens, with("mid", true)},
		{"an edit", lens, under(vectorEdit(3))},
		{"one bit of an edit's value", lens, under(vectorEdit(math.Nextafter32(3, 4)))},
		{"the shape of its value", lens, under(models.Edit{Site: "blocks.0.hook_resid_post", Positions: []int{1}, Op: models.Set, Value: models.List(1, 2, 3)})},
		{"its operation", lens, under(models.Edit{Site: "blocks.0.hook_resid_post", Positions: []int{1}, Op: models.Add, Value: models.Tensor(tensor.From([]float32{1, 2, 3}, 3))})},
		{"its site", lens, under(models.Edit{Site: "blocks.1.hook_resid_post", Positions: []int{1}, Op: models.Set, Value: models.Tensor(tensor.From([]float32{1, 2, 3}, 3))})},
		{"its position", lens, under(models.Edit{Site: "blocks.0.hook_resid_post", Positions: []int{2}, Op: models.Set, Value: models.Tensor(tensor.From([]float32{1, 2, 3}, 3))})},
		{"a mask of a head", lens, under(models.Edit{Site: "blocks.0.attn.hook_attn_scores", Heads: []int{1}, Queries: []int{3}, Keys: []int{2}, Op: models.Mask})},
		{"of another head", lens, under(models.Edit{Site: "blocks.0.attn.hook_attn_scores", Heads: []int{2}, Queries: []int{3}, Keys: []int{2}, Op: models.Mask})},
		{"queries for keys", lens, under(models.Edit{Site: "blocks.0.attn.hook_attn_scores", Heads: []int{1}, Queries: []int{2}, Keys: []int{3}, Op: models.Mask})},
		{"two edits", lens, under(vectorEdit(3), vectorEdit(4))},
		{"in the other order", lens, under(vectorEdit(4), vectorEdit(3))},

		{"a set from a recipe", effects, analysis.Args{"m": m, "prompts": recipe(func(*analysis.Prompts) {})}},
		{"of another seed", effects, analysis.Args{"m": m, "prompts": recipe(func(p *analysis.Prompts) { p.Options.Seed = 2 })}},
		{"of another number", effects, analysis.Args{"m": m, "prompts": recipe(func(p *analysis.Prompts) { p.Options.N = 5 })}},
		{"of another range", effects, analysis.Args{"m": m, "prompts": recipe(func(p *analysis.Prompts) { p.Template.Operands[1].Hi = 8 })}},
		{"of those that are right", effects, analysis.Args{"m": m, "prompts": recipe(func(p *analysis.Prompts) { p.Options.Keep = ablate.KeepCorrect })}},
		{"with partners", effects, analysis.Args{"m": m, "prompts": paired(1)}},
		{"of another draw", effects, analysis.Args{"m": m, "prompts": paired(2)}},
		{"a list of prompts", effects, analysis.Args{"m": m, "prompts": list(nothing)}},
		{"one token of one prompt", effects, analysis.Args{"m": m, "prompts": list(func(p []ablate.Prompt) { p[1].IDs[3] = 9 })}},
		{"one answer", effects, analysis.Args{"m": m, "prompts": list(func(p []ablate.Prompt) { p[1].Answer = 8 })}},
		{"one group", effects, analysis.Args{"m": m, "prompts": list(func(p []ablate.Prompt) { p[1].Group = "-" })}},
		{"one text", effects, analysis.Args{"m": m, "prompts": list(func(p []ablate.Prompt) { p[0].Text = "" })}},
		{"the order of prompts", effects, analysis.Args{"m": m, "prompts": list(func(p []ablate.Prompt) { p[0], p[1] = p[1], p[0] })}},
		{"a list that a model has read", effects, analysis.Args{"m": m, "prompts": bound(nothing)}},
		{"of which one token is another", effects, analysis.Args{"m": m, "prompts": bound(func(p []ablate.Prompt) { p[1].IDs[3] = 9 })}},
		{"a seed of the call", effects, analysis.Args{"m": m, "seed": 5}},
	} {
		key := keyOf(t, c.a, c.args)
		if other, taken := seen[key]; taken {
			t.Errorf("%s has the key of %s", c.name, other)
		}
		seen[key] = c.name
	}
	// The same content is the same key, whatever holds it.
	again := rebuilt(t, mental(t), sameWeights)
	for name, pair := range map[string][2]analysis.Args{
		"a prompt":    {base, {"m": again, "prompt": analysis.Prompt{IDs: []int{0, 5, 200, 6}}, "mid": false}},
		"an edit":     {under(vectorEdit(3)), {"m": again, "prompt": ids, "edits": []models.Edit{vectorEdit(3)}}},
		"no argument": {base, {"m": m, "prompt": ids, "edits": nil}},
	} {
		if keyOf(t, lens, pair[0]) != keyOf(t, lens, pair[1]) {
			t.Errorf("%s that is made again has another key", name)
		}
	}
	first := keyOf(t, effects, analysis.Args{"m": m, "prompts": bound(nothing)})
	if keyOf(t, effects, analysis.Args{"m": m, "prompts": bound(nothing)}) != first {
		t.Error("a set that is made again has another key")
	}
}

func renameAnalysis(a analysis.Analysis, name string) analysis.Analysis {
	a.Name = name
	return a
}

// TestKeyOfEveryParameter changes each parameter of each analysis that has a
// default: the key must change with it.
func TestKeyOfEveryParameter(t *testing.T) {
	m := modeltest.Llama(1)
	for _, a := range analysis.All() {
		if a.ReadsFiles != nil {
			a.ReadsFiles = nil
		}
		bound := analysis.Args{}
		for _, p := range a.Params {
			if bound[p.Name] = p.Default; p.Type == analysis.TypeModel {
				bound[p.Name] = m
			}
		}
		base, err := a.Key(bound)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range a.Params {
			var other any
			switch v := bound[p.Name].(type) {
			case *models.Model:
				other = modeltest.Llama(2)
			case int:
				other = v + 1
			case float64:
				other = math.Nextafter(v, math.Inf(1))
			case bool:
				other = !v
			case string:
				other = v + " "
			case []string:
				other = append(append([]string{}, v...), "")
			case []int:
				other = append(append([]int{}, v...), 0)
			case []float64:
				other = append(append([]float64{}, v...), 0)
			case analysis.Prompt:
				other = analysis.Prompt{Text: v.Text, IDs: []int{0}}
			case nil, []models.Edit, [][]ablate.Move:
				other = []int{0}
			default:
				t.Fatalf("%s(%s): a default of type %T", a.Name, p.Name, v)
			}
			changed := analysis.Args{}
			for name, v := range bound {
				changed[name] = v
			}
			changed[p.Name] = other
			if key, err := a.Key(changed); err != nil || key == base {
				t.Errorf("%s(%s=%v) has the key of %s=%v (%v)", a.Name, p.Name, other, p.Name, bound[p.Name], err)
			}
		}
	}
}

// TestKeyRefused holds that what is not known by content has no key, with the
// reason.
func TestKeyRefused(t *testing.T) {
	m := mental(t)
	changed, err := m.With(m.Params())
	if err != nil {
		t.Fatal(err)
	}
	adder, err := zoo.Open("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := adder.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	unknown := rebuilt(t, adder, sameWeights)
	unknown.Name = dir
	own := analysis.MetricFunc{Name: "f", Of: func(ablate.Readout, ablate.Contrast) float64 { return 0 }}
	for _, c := range []struct {
		name, analysis, want string
		args                 analysis.Args
	}{
		{"a cell's function", "effects", "metric: analysis.MetricFunc.Of: a func", analysis.Args{"m": m, "metric": own}},
		{"a model in training", "logit_lens", "m: model mental-2op has no hash", analysis.Args{"m": changed, "prompt": []int{0}}},
		{"checkpoints of a directory", "grokking", "reads files", analysis.Args{"m": loaded}},
		{"a name that is a directory", "grokking", "reads files", analysis.Args{"m": unknown}},
	} {
		a, err := analysis.Find(c.analysis)
		if err != nil {
			t.Fatal(err)
		}
		bound, err := a.Bind(c.args)
		if err != nil {
			t.Fatal(err)
		}
		if key, err := a.Key(bound); key != "" || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: key %q, error %v, want %q", c.name, key, err, c.want)
		}
	}
	a, err := analysis.Find("grokking")
	if err != nil {
		t.Fatal(err)
	}
	keyOf(t, a, analysis.Args{"m": adder}) // whose checkpoints are parts of the program
}

// TestRunReadsNothingElse holds that nothing that an analysis calls can look beyond
// its arguments: no files, environment, clock or network. Those files that read
// shipped or saved models are listed, and say so in ReadsFiles.
func TestRunReadsNothingElse(t *testing.T) {
	allowed := map[string]string{"../../server/analysis/grokking.go": "orrery/models/zoo"}
	for _, dir := range []string{"../../server/analysis", "../../probe", "../../ablate"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", dir, len(files), err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range parsed.Imports {
				name := strings.Trim(spec.Path.Value, `"`)
				outside := slices.Contains([]string{"os", "io/fs", "time", "net", "net/http", "math/rand", "crypto/rand", "orrery/models/zoo", "orrery/models/hub", "orrery/models/weights"}, name)
				if outside && allowed[file] != name {
					t.Errorf("%s imports %s: its results would depend on more than Key names", file, name)
				}
			}
		}
	}
}

// TestKeyOfKernel holds that the plain loops, whose sums round otherwise, have
// keys of their own.
func TestKeyOfKernel(t *testing.T) {
	a, err := analysis.Find("logit_lens")
	if err != nil {
		t.Fatal(err)
	}
	key := fmt.Sprintf("key %s %s.", models.BitsPath(), keyOf(t, a, analysis.Args{"m": mental(t), "prompt": []int{0, 5}}))
	if models.KernelPath() == "go" {
		fmt.Println(key)
		return
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestKeyOfKernel$", "-test.v")
	cmd.Env = append(os.Environ(), "ORRERY_KERNEL=go")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "key go ") {
		t.Fatalf("%v: %s", err, out)
	}
	if sum := key[len("key fma "):]; strings.Contains(string(out), sum) {
		t.Errorf("the plain loops give the key of %s", key)
	}
}
