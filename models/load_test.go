package models_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// words is a tokenizer of four words that puts <bos> first.
const words = `{"version":"1.0","added_tokens":[{"id":0,"content":"<bos>","special":true}],
"pre_tokenizer":{"type":"WhitespaceSplit"},
"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<bos>","type_id":0}},{"Sequence":{"id":"A","type_id":0}}],
"pair":[],"special_tokens":{"<bos>":{"id":"<bos>","ids":[0],"tokens":["<bos>"]}}},
"model":{"type":"WordLevel","vocab":{"<bos>":0,"one":1,"plus":2,"two":3}}}`

// savedWithTokenizer is a directory with a toy model and the tokenizer of words.
func savedWithTokenizer(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := modeltest.Llama(1).Save(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer.json"), []byte(words), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestLoadedModelsEncode(t *testing.T) {
	m, err := models.Load(savedWithTokenizer(t))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "toy-llama" {
		t.Errorf("the name is %q, want the one it was saved with", m.Name)
	}
	if ids, err := m.Encode("one plus two"); err != nil || !slices.Equal(ids, []int{0, 1, 2, 3}) {
		t.Errorf("encoded as %v, %v", ids, err)
	}
	_, err = m.Encode("one minus two")
	mustSay(t, err, "one minus two", "minus")
	if _, err := modeltest.Llama(1).Encode("one"); !errors.Is(err, models.ErrNoTokenizer) {
		t.Errorf("error %v, want %v", err, models.ErrNoTokenizer)
	}
}

func TestSaveKeepsTheTokenizer(t *testing.T) {
	m, err := models.Load(savedWithTokenizer(t))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "again")
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	again, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := again.Encode("two"); err != nil || !slices.Equal(ids, []int{0, 3}) || again.Hash() != m.Hash() {
		t.Errorf("encoded as %v, %v, hash %s, want that of the model saved, %s", ids, err, again.Hash(), m.Hash())
	}
}

func TestLoadFromAFileSystem(t *testing.T) {
	dir := savedWithTokenizer(t)
	want, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, err := models.LoadFS(os.DirFS(filepath.Dir(dir)), filepath.Base(dir))
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := m.Encode("two"); err != nil || !slices.Equal(ids, []int{0, 3}) || m.Hash() != want.Hash() || m.Name != want.Name {
		t.Errorf("model %q hash %s encodes %v, %v", m.Name, m.Hash(), ids, err)
	}
	_, err = models.LoadFS(fstest.MapFS{}, "absent")
	mustSay(t, err, "absent", "config.json")
	_, err = models.Load(filepath.Join(dir, "absent"))
	mustSay(t, err, "absent", "config.json")
}

func TestOwnConfigsAreStrict(t *testing.T) {
	for change, says := range map[string]string{
		`{"model_type":"orrery","layers":2,"attention":"linear"}`: `"attention"`,
		`{"model_type":"orrery","layers":2}`:                      "width is 0",
		`{"model_type":7}`:                                        "model_type is 7",
		`[]`:                                                      "config.json",
	} {
		dir := savedWithTokenizer(t)
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(change), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := models.Load(dir)
		mustSay(t, err, says)
	}
}

func TestSameModelSameHashInEveryLayout(t *testing.T) {
	hash := func(family string) string { return openGolden(t, family).Hash() }
	if a, b := hash("gpt2"), hash("gpt2-bare"); a != b {
		t.Errorf("gpt2 hashes to %s and gpt2-bare to %s", a, b)
	}
	if a, b := hash("llama3"), hash("llama3-sharded"); a != b {
		t.Errorf("llama3 hashes to %s and its shards to %s", a, b)
	}
	if a, b := hash("llama3"), hash("llama3-bf16"); a == b {
		t.Error("rounded weights hash as the others do")
	}
	m := modeltest.Llama(1)
	cfg := m.Config
	cfg.NormEps *= 2
	other, err := models.New(cfg, m.Params())
	if err != nil {
		t.Fatal(err)
	}
	if other.Hash() == m.Hash() {
		t.Error("another epsilon hashes as the first does")
	}
}

func TestWeightsOfAnotherShapeAreRefused(t *testing.T) {
	m := modeltest.GPT2(1)
	bad := m.Params().Clone()
	bad.Blocks[0].In.Weight = tensor.New(20, 13)
	bad.Blocks[1].Out.Bias = nil
	bad.Unembed.Bias = tensor.New(11)
	_, err := models.New(m.Config, bad)
	mustSay(t, err, "blocks.0.mlp.in.weight has shape [20 13], want [20 12]", "blocks.1.mlp.out.bias is missing", "unembed.bias")
	_, err = m.With(bad)
	mustSay(t, err, "blocks.0.mlp.in.weight")
}

// TestWithTakesOtherWeights holds that With packs what it is given, and that the
// first model keeps its own.
func TestWithTakesOtherWeights(t *testing.T) {
	a, b := modeltest.Llama(1), modeltest.Llama(2)
	before := run(t, a, models.Prompt(1, 2, 3))
	c, err := a.With(b.Params())
	if err != nil {
		t.Fatal(err)
	}
	if !run(t, c, models.Prompt(1, 2, 3)).EqualBits(run(t, b, models.Prompt(1, 2, 3))) {
		t.Error("the new model does not run the new weights")
	}
	if !run(t, a, models.Prompt(1, 2, 3)).EqualBits(before) {
		t.Error("the old model changed")
	}
}

// TestLastPositionOnly compares a gradient that unembeds the last tokens alone
// with one that unembeds all and looks at the last.
func TestLastPositionOnly(t *testing.T) {
	for _, side := range []models.Side{models.Left, models.Right} {
		m := modeltest.GPT2(4)
		in, err := models.Pad([][]int{{1, 5, 2, 7}, {3, 4}}, side, 0)
		if err != nil {
			t.Fatal(err)
		}
		objective := func(full bool) models.Objective {
			return func(logits *tensor.Dense) (float64, *tensor.Dense, error) {
				grad, sum := tensor.New(logits.Shape...), 0.0
				for b := range in.B {
					p := 0
					if full {
						p = in.End[b] - 1
					}
					for v, x := range logits.Sub(b, p).Data {
						sum += float64(x) * float64(v)
						grad.Set(float32(v), b, p, v)
					}
				}
				return sum, grad, nil
			}
		}
		want := gradient(t, m, in, objective(true), models.Want{Params: true, Sites: models.All})
		got := gradient(t, m, in, objective(false), models.Want{Params: true, Sites: models.All, Need: models.Need{Last: true}})
		if got.Value != want.Value || got.Output.Logits.Dim(1) != 1 {
			t.Errorf("%s: value %g of logits %v, want %g", side, got.Value, got.Output.Logits.Shape, want.Value)
		}
		got.Params.Each(func(name string, x *tensor.Dense) {
			y, _ := want.Params.Get(name)
			modeltest.Close(t, name, x, y, 1e-4, 1e-5) // the rows of zeros between change the order of sums
		})
		for _, site := range m.Sites()[:m.Config.Layers] {
			x, _ := got.Sites.Get(site)
			y, _ := want.Sites.Get(site)
			modeltest.Close(t, site.String(), x, y, 1e-5, 1e-5)
		}
	}
}

func TestSuiteOnPublishedFamilies(t *testing.T) {
	eachFamily(t, "blocks.0.hook_resid_pre", func(t *testing.T, g golden) { modeltest.Suite(t, g.Model) })
}

func TestInitialWeights(t *testing.T) {
	cfg := modeltest.Llama(1).Config
	cfg.Width, cfg.MLPWidth = 60, 200
	a, b, c := models.InitParams(cfg, 1), models.InitParams(cfg, 1), models.InitParams(cfg, 2)
	spread := func(p *models.Params, name string) float64 {
		x, _ := p.Get(name)
		sum := 0.0
		for _, v := range x.Data {
			sum += float64(v) * float64(v)
		}
		return sum / float64(x.Len())
	}
	for name, want := range map[string]float64{
		"blocks.0.attn.q.weight": 4e-4, "blocks.1.mlp.out.weight": 4e-4 / 4, "blocks.1.attn.o.weight": 4e-4 / 4, "ln_final.weight": 1,
	} {
		if got := spread(a, name); !(got > want*0.9 && got < want*1.1) {
			t.Errorf("%s has mean square %g, want about %g", name, got, want)
		}
	}
	a.Each(func(name string, x *tensor.Dense) {
		if y, _ := b.Get(name); !x.EqualBits(y) {
			t.Errorf("%s differs between runs of one seed", name)
		}
		if y, _ := c.Get(name); x.Rank() == 2 && x.EqualBits(y) {
			t.Errorf("%s is the same for two seeds", name)
		}
	})
}

func TestConcurrentRunsDoNotMeet(t *testing.T) {
	m := modeltest.Llama(3)
	want := run(t, m, models.Prompt(1, 2, 3))
	hooks, err := m.Edits(models.Edit{Site: "z0", Op: models.Set, Value: models.Number(0)})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for i := range 8 {
		go func() {
			var err error
			for range 20 {
				var out *models.Output
				if out, err = m.Run(context.Background(), models.Prompt(1, 2, 3), hooks[:i%2]...); err != nil {
					break
				}
				if i%2 == 0 && !out.Logits.EqualBits(want) {
					err = errors.New("a run met another's edit or memory")
					break
				}
			}
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestWeightsThatAreNoNumbersAreRefused names the tensor as the checkpoint does,
// with the index in its own layout.
func TestWeightsThatAreNoNumbersAreRefused(t *testing.T) {
	for name, bad := range map[string]float32{"NaN": float32(math.NaN()), "+Inf": float32(math.Inf(1))} {
		from := goldenDir(t, "gpt2")
		f := openFile(t, from)
		var ts []weights.Tensor
		for _, tensor := range f.Names() {
			x := floats(t, f, tensor).Clone()
			if tensor == "transformer.h.1.attn.c_attn.weight" {
				x.Set(bad, 3, 70)
			}
			ts = append(ts, weights.Tensor{Name: tensor, Dense: x})
		}
		dir := t.TempDir()
		if err := weights.WriteFile(filepath.Join(dir, "model.safetensors"), ts, nil); err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(from, "config.json"))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, "config.json"), config, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = models.Load(dir)
		mustSay(t, err, "transformer.h.1.attn.c_attn.weight[3 70] is "+name)
	}
}
