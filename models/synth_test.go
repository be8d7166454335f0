package models_test

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/weights"
)

// TestSyntheticLayouts writes random weights for the config of every model of
// the references that we know, and holds that each tensor has name and shape of
// the published layout, that the model runs, and that no site of it blows up.
func TestSyntheticLayouts(t *testing.T) {
	root := modeltest.Reference(t, "architectures")
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, e := range entries {
		dir := filepath.Join(root, e.Name())
		config, err := os.ReadFile(filepath.Join(dir, "config.json"))
		if err != nil {
			continue
		}
		if _, err := models.Load(dir); err != nil {
			continue // an architecture that is not known here
		}
		ran++
		t.Run(e.Name(), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "new")
			if err := models.WriteSynthetic(out, config, weights.BF16, 3); err != nil {
				t.Fatal(err)
			}
			got, want := openFile(t, out), openFile(t, dir)
			for _, name := range got.Names() {
				g, _ := got.Info(name)
				w, ok := want.Info(name)
				if !ok && strings.HasPrefix(name, "transformer.") { // published without
					w, ok = want.Info(strings.TrimPrefix(name, "transformer."))
				}
				if !ok || !slices.Equal(g.Shape, w.Shape) || g.DType != weights.BF16 {
					t.Errorf("%s is %s%v, and in the published layout %v (%v)", name, g.DType, g.Shape, w.Shape, ok)
				}
			}
			m, err := models.Load(out)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Run(context.Background(), models.Prompt(1, 2, 3)); err != nil {
				t.Error(err)
			}
		})
	}
	if ran < 6 {
		t.Errorf("%d of %d references are known", ran, len(entries))
	}
}

func TestSyntheticWeightsAreDeterministic(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(goldenDir(t, "gpt2"), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(dtype weights.DType, seed uint64) []byte {
		dir := t.TempDir()
		if err := models.WriteSynthetic(dir, config, dtype, seed); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Equal(write(weights.F16, 1), write(weights.F16, 1)) {
		t.Error("one seed gives two files")
	}
	if bytes.Equal(write(weights.F16, 1), write(weights.F16, 2)) {
		t.Error("two seeds give one file")
	}
}

// TestSyntheticSpread looks at mean and spread, and holds that the 16-bit files
// are the F32 one rounded.
func TestSyntheticSpread(t *testing.T) {
	config := []byte(`{"model_type":"llama","num_hidden_layers":2,"num_attention_heads":4,"hidden_size":64,
		"intermediate_size":301,"vocab_size":1003,"tie_word_embeddings":false}`)
	files := map[weights.DType]*modeltest.Values{}
	for _, dtype := range []weights.DType{weights.F32, weights.F16, weights.BF16} {
		dir := t.TempDir()
		if err := models.WriteSynthetic(dir, config, dtype, 5); err != nil {
			t.Fatal(err)
		}
		files[dtype] = openFile(t, dir)
	}
	for name, want := range map[string][2]float64{
		"model.embed_tokens.weight":              {0, 0.02},
		"lm_head.weight":                         {0, 0.02},
		"model.layers.1.self_attn.q_proj.weight": {0, 0.02},
		"model.layers.1.mlp.down_proj.weight":    {0, 0.01}, // 0.02/sqrt(2L)
		"model.norm.weight":                      {1, 0.02},
	} {
		x := floats(t, files[weights.F32], name)
		sum, square, n := 0.0, 0.0, float64(x.Len())
		for _, v := range x.Data {
			sum += float64(v)
			square += (float64(v) - want[0]) * (float64(v) - want[0])
		}
		if mean, sd := sum/n, math.Sqrt(square/n); !(math.Abs(mean-want[0]) < 4*want[1]/math.Sqrt(n)) || !(math.Abs(sd/want[1]-1) < 4/math.Sqrt(2*n)) {
			t.Errorf("%s has mean %g and spread %g, want %v", name, mean, sd, want)
		}
		for dtype, bits := range map[weights.DType]int{weights.F16: 11, weights.BF16: 8} {
			y := floats(t, files[dtype], name)
			for i, v := range x.Data {
				// Half a unit in the last place; below 2^-14 a unit of F16 is 2^-24.
				unit := math.Abs(float64(v)) * math.Ldexp(1, -bits)
				if dtype == weights.F16 {
					unit = max(unit, 0x1p-25)
				}
				if d := math.Abs(float64(v) - float64(y.Data[i])); !(d <= unit) {
					t.Fatalf("%s %s[%d] is %g, want %g rounded", dtype, name, i, y.Data[i], v)
				}
			}
		}
	}
}

func TestSyntheticRefuses(t *testing.T) {
	good, err := os.ReadFile(filepath.Join(goldenDir(t, "gpt2"), "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mustSay(t, models.WriteSynthetic(dir, good, "F64", 1), `"F64"`, "BF16")
	mustSay(t, models.WriteSynthetic(dir, []byte(`{"model_type":"lama"}`), weights.F32, 1), `"lama"`, "llama")
	mustSay(t, models.WriteSynthetic(dir, []byte(`{"model_type":"gpt2"}`), weights.F32, 1), "n_embd is missing")
	if err := models.WriteSynthetic(dir, good, weights.F32, 1); err != nil {
		t.Fatal(err)
	}
	mustSay(t, models.WriteSynthetic(dir, good, weights.F32, 1), "model.safetensors exists already")
}
