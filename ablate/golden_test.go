package ablate_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// goldenConfigs are the sizes of the reference's random models.
var goldenConfigs = map[string]models.Config{
	"m1-gpt2": {
		Layers: 3, Width: 24, Heads: 3, KVHeads: 3, HeadWidth: 8, MLPWidth: 40, Vocab: 61, Context: 16,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
		AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, UnembedBias: true,
	},
	"m2-llama": {
		Layers: 4, Width: 32, Heads: 4, KVHeads: 2, HeadWidth: 8, MLPWidth: 48, Vocab: 61, Context: 16,
		Norm: models.RMSNorm, NormEps: 1e-6, Positions: models.Rotary, Rotary: models.RotaryConfig{Base: 10000, Dim: 8},
		Activation: "silu", Gated: true, AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
	},
	"m4-linear": {
		Layers: 2, Width: 16, Heads: 2, KVHeads: 2, HeadWidth: 8, MLPWidth: 24, Vocab: 61, Context: 16,
		Norm: models.NoNorm, Positions: models.Learned, Activation: "relu",
		AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
	},
	"m3-gptj": {
		Layers: 3, Width: 24, Heads: 3, KVHeads: 3, HeadWidth: 8, MLPWidth: 40, Vocab: 61, Context: 16,
		Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Rotary, Rotary: models.RotaryConfig{Base: 10000, Dim: 4, Adjacent: true},
		Activation: "gelu_tanh", Parallel: true, AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, UnembedBias: true,
	},
}

// The bounds of comparisons with the reference, which was computed in float64:
// its own float32 run differs from it by at most 1.3e-5·(1+|want|) in plain
// values and 3e-5·(1+|want|) in ratios, and it asks for these.
const (
	plainBound = 5e-5
	ratioBound = 3e-4
)

// golden is one of the reference's models with its prompts and the values of
// one case, or of a part of it.
type golden struct {
	part    bool
	model   *models.Model
	prompts map[string]json.RawMessage
	values  *modeltest.Values
}

// eachGolden runs a test on the part of the reference that lies in testdata, and
// on all of its models where the reference is there.
func eachGolden(t *testing.T, file string, test func(t *testing.T, g golden)) {
	t.Run("part", func(t *testing.T) { test(t, readPart(t, file)) })
	eachReference(t, file, test)
}

// eachReference is eachGolden for a case of which testdata has no part.
func eachReference(t *testing.T, file string, test func(t *testing.T, g golden)) {
	for _, name := range []string{"m1-gpt2", "m2-llama", "m3-gptj"} {
		t.Run(name, func(t *testing.T) { test(t, readGolden(t, name, modeltest.Reference(t, "causal", name), file)) })
	}
}

// readPart reads the part in testdata.
func readPart(t *testing.T, file string) golden {
	t.Helper()
	g := readGolden(t, "m1-gpt2", filepath.Join("testdata", "m1-gpt2"), file)
	g.part = true
	return g
}

func readGolden(t *testing.T, name, dir, file string) golden {
	t.Helper()
	open := func(file string) *modeltest.Values { return modeltest.OpenValues(t, filepath.Join(dir, file)) }
	data, err := os.ReadFile(filepath.Join(dir, "prompts.json"))
	if err != nil {
		t.Fatal(err)
	}
	g := golden{model: modeltest.FromTransformerLens(t, open("model.safetensors").File, "", goldenConfigs[name]), values: open(file)}
	if err := json.Unmarshal(data, &g.prompts); err != nil {
		t.Fatal(err)
	}
	return g
}

// toy is a small model with its prompts, always there.
func toy(t *testing.T) golden { return readPart(t, "02_mediation.safetensors") }

// has reports whether a value is there. Only parts may lack one.
func (g golden) has(t *testing.T, name string) bool {
	t.Helper()
	_, ok := g.values.Info(name)
	if !ok && !g.part {
		t.Errorf("the reference lacks %s", name)
	}
	return ok
}

func (g golden) read(t *testing.T, name string) *tensor.Dense {
	t.Helper()
	x, err := g.values.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (g golden) ints(t *testing.T, name string) []int {
	t.Helper()
	x, _, err := g.values.Int64s(name)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]int, len(x))
	for i, v := range x {
		out[i] = int(v)
	}
	return out
}

// contrasts reads a set of pairs. The file calls the clean prompt's answer r.
func (g golden) contrasts(t *testing.T, set string) (out []ablate.Contrast) {
	t.Helper()
	var list []struct {
		Clean     []int `json:"clean"`
		Corrupted []int `json:"corrupted"`
		R         int   `json:"r"`
		RPrime    int   `json:"r_prime"`
	}
	if err := json.Unmarshal(g.prompts[set], &list); err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		out = append(out, ablate.Contrast{
			Clean:     ablate.Prompt{IDs: p.Clean, Answer: p.R, Other: p.RPrime},
			Corrupted: ablate.Prompt{IDs: p.Corrupted, Answer: p.RPrime, Other: p.R},
		})
	}
	return out
}

// pairs are a set's contrasts with the clean prompt as the base.
func (g golden) pairs(t *testing.T, set string) (out []ablate.Pair) {
	t.Helper()
	for _, c := range g.contrasts(t, set) {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, p)
	}
	return out
}
