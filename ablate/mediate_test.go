package ablate_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
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
}

// golden is one of the reference's models with its pairs.
type golden struct {
	model   *models.Model
	effects *weights.File
	varying []ablate.Pair
	fixed   []ablate.Pair
}

func readGolden(t *testing.T, name, dir string) golden {
	t.Helper()
	open := func(file string) *weights.File {
		f, err := weights.Open(filepath.Join(dir, file))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	data, err := os.ReadFile(filepath.Join(dir, "prompts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var sets map[string]json.RawMessage
	if err := json.Unmarshal(data, &sets); err != nil {
		t.Fatal(err)
	}
	pairs := func(set string) []ablate.Pair {
		var list []struct {
			Clean     []int `json:"clean"`
			Corrupted []int `json:"corrupted"`
			R         int   `json:"r"`
			RPrime    int   `json:"r_prime"`
		}
		if err := json.Unmarshal(sets[set], &list); err != nil {
			t.Fatal(err)
		}
		var out []ablate.Pair
		for _, p := range list {
			// The base run is the clean prompt; the file calls its answer r.
			out = append(out, ablate.Pair{Base: p.Clean, Source: p.Corrupted, BaseAnswer: p.R, SourceAnswer: p.RPrime})
		}
		return out
	}
	return golden{
		model:   modeltest.FromTransformerLens(t, open("model.safetensors"), "", goldenConfigs[name]),
		effects: open("02_mediation.safetensors"),
		varying: pairs("pairs5"), fixed: pairs("pairs_fixed"),
	}
}

func (g golden) mediate(t *testing.T, pairs []ablate.Pair) *ablate.Effects {
	t.Helper()
	e, err := ablate.Mediate(context.Background(), g.model, pairs, ablate.MediateOptions{}, func(ablate.Cell) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestMediateGolden compares every cell and pair with the reference. The
// bound is relative: an indirect effect is a quotient of probabilities, whose
// relative error in float32 is that of the logits, about 1e-5.
func TestMediateGolden(t *testing.T) {
	dirs := map[string]func(*testing.T) string{
		"m1-gpt2":  func(*testing.T) string { return filepath.Join("testdata", "m1-gpt2") },
		"m2-llama": func(t *testing.T) string { return modeltest.Reference(t, "causal", "m2-llama") },
	}
	for name, dir := range dirs {
		t.Run(name, func(t *testing.T) {
			g := readGolden(t, name, dir(t))
			for set, pairs := range map[string][]ablate.Pair{"varying": g.varying, "fixed": g.fixed} {
				e := g.mediate(t, pairs)
				if e.OwnError != 0 || e.SourceError != 0 {
					t.Errorf("%s: own value %g, whole stream %g, want 0 and 0", set, e.OwnError, e.SourceError)
				}
				for _, c := range []ablate.Component{ablate.MLP, ablate.Attention} {
					g.checkCells(t, e, c, set, "ie", ablate.Shift.Indirect)
					g.checkCells(t, e, c, set, "sum_diff", ablate.Shift.Moved)
					g.checkCells(t, e, c, set, "absdiff_rprime", ablate.Shift.Changed)
					g.checkCells(t, e, c, set, "p_r", func(s ablate.Shift) float64 { return s.EditedR })
					g.checkCells(t, e, c, set, "p_rprime", func(s ablate.Shift) float64 { return s.EditedRPrime })
				}
				total := tensor.New(len(pairs))
				for i, s := range e.Total {
					total.Set(float32(s.Indirect()), i)
				}
				modeltest.Close(t, set+" total effect", total, g.read(t, set+".total_effect.ie"), 1e-5, 5e-5)
			}
		})
	}
}

func (g golden) read(t *testing.T, name string) *tensor.Dense {
	t.Helper()
	x, err := g.effects.Float32(name)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// checkCells compares one measure of all cells of a component with
// SET.COMPONENT.NAME [pair,layer,pos], and its mean and standard error where
// the reference has them. The MLP's table starts with the embedding, which is
// no block.
func (g golden) checkCells(t *testing.T, e *ablate.Effects, c ablate.Component, set, name string, measure func(ablate.Shift) float64) {
	t.Helper()
	key := fmt.Sprintf("%s.%s.%s", set, c, name)
	want := g.read(t, key)
	skip := 0
	if c == ablate.MLP {
		skip = 1
	}
	layers, positions := e.Layers, e.Position
	trimmed := tensor.New(len(e.Pairs), layers, positions)
	got := tensor.New(len(e.Pairs), layers, positions)
	mean, sem := tensor.New(layers, positions), tensor.New(layers, positions)
	for _, cell := range e.Cells {
		if cell.Component != c {
			continue
		}
		for i, s := range cell.Shifts {
			got.Set(float32(measure(s)), i, cell.Layer, cell.Position)
			trimmed.Set(want.At(i, cell.Layer+skip, cell.Position), i, cell.Layer, cell.Position)
		}
		s := cell.Summarise(measure)
		mean.Set(float32(s.Mean), cell.Layer, cell.Position)
		sem.Set(float32(s.SEM), cell.Layer, cell.Position)
	}
	modeltest.Close(t, key, got, trimmed, 1e-5, 5e-5)
	if name == "ie" {
		modeltest.Close(t, key+"_mean", mean, rows(g.read(t, key+"_mean"), skip), 1e-5, 5e-5)
		modeltest.Close(t, key+"_sem", sem, rows(g.read(t, key+"_sem"), skip), 1e-5, 5e-5)
	}
}

// rows drops the first rows of a table.
func rows(x *tensor.Dense, skip int) *tensor.Dense { return x.Slice0(skip, x.Dim(0)) }

// TestMediateNull exchanges a prompt with itself: no cell may change anything.
func TestMediateNull(t *testing.T) {
	g := readGolden(t, "m1-gpt2", filepath.Join("testdata", "m1-gpt2"))
	p := g.varying[0]
	p.Source = p.Base
	for _, cell := range g.mediate(t, []ablate.Pair{p}).Cells {
		if s := cell.Shifts[0]; s.BaseR != s.EditedR || s.BaseRPrime != s.EditedRPrime {
			t.Errorf("%s layer %d position %d: %+v, want no change", cell.Component, cell.Layer, cell.Position, s)
		}
	}
}

// TestMediateCausal checks that nothing changes at positions before the first
// one at which the prompts differ.
func TestMediateCausal(t *testing.T) {
	g := readGolden(t, "m1-gpt2", filepath.Join("testdata", "m1-gpt2"))
	for _, cell := range g.mediate(t, g.varying).Cells {
		for i, s := range cell.Shifts {
			p := g.varying[i]
			if cell.Position == 0 || p.Base[1] == p.Source[1] && cell.Position == 1 {
				if s.BaseR != s.EditedR {
					t.Errorf("pair %d %s layer %d position %d changed the answer", i, cell.Component, cell.Layer, cell.Position)
				}
			}
		}
	}
}

func TestMediateStops(t *testing.T) {
	g := readGolden(t, "m1-gpt2", filepath.Join("testdata", "m1-gpt2"))
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	e, err := ablate.Mediate(ctx, g.model, g.varying, ablate.MediateOptions{}, func(ablate.Cell) error {
		if n++; n == 7 {
			cancel()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || e == nil || len(e.Cells) != 7 {
		t.Fatalf("cancelled after 7 cells: error %v, effects %v", err, e)
	}
}

func TestMediateRefuses(t *testing.T) {
	g := readGolden(t, "m1-gpt2", filepath.Join("testdata", "m1-gpt2"))
	for _, test := range []struct {
		name  string
		pairs []ablate.Pair
		opt   ablate.MediateOptions
	}{
		{"no pairs", nil, ablate.MediateOptions{}},
		{"unequal prompts", []ablate.Pair{{Base: []int{1, 2}, Source: []int{1}}}, ablate.MediateOptions{}},
		{"pairs of two lengths", []ablate.Pair{{Base: []int{1}, Source: []int{2}}, {Base: []int{1, 2}, Source: []int{2, 2}}}, ablate.MediateOptions{}},
		{"answer outside the vocabulary", []ablate.Pair{{Base: []int{1}, Source: []int{2}, BaseAnswer: 61}}, ablate.MediateOptions{}},
		{"unknown component", g.varying, ablate.MediateOptions{Components: []ablate.Component{"heads"}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := ablate.Mediate(context.Background(), g.model, test.pairs, test.opt, func(ablate.Cell) error { return nil }); err == nil {
				t.Error("no error")
			}
		})
	}
}
