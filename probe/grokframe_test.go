package probe_test

import (
	"context"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/weights"
	"orrery/models/zoo"
	"orrery/probe"
)

// ribModel is the reference's adder mod 113 as a model of the engine; it comes
// without a tokenizer.
func ribModel(t testing.TB) *models.Model {
	t.Helper()
	f, err := weights.Open(modeltest.Reference(t, "modadd113-rib", "modadd113_seed0.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m := modeltest.FromTransformerLens(t, f, "", models.Config{
		Layers: 1, Width: 128, Heads: 4, KVHeads: 4, HeadWidth: 32, MLPWidth: 512, Vocab: 114, Context: 3,
		Norm: models.NoNorm, Positions: models.Learned, Activation: "relu",
		AttnBias: true, OutBias: true, MLPBias: true, UnembedBias: true,
	})
	m.Name = "rib"
	return m
}

// TestGrokFrameGolden measures a checkpoint through the engine, in float32, and
// compares with values that NumPy found in float64.
func TestGrokFrameGolden(t *testing.T) {
	m := ribModel(t)
	a, err := probe.FindModularAdder(m)
	if err != nil {
		t.Fatal(err)
	}
	if a.P != 113 || !slices.Equal(a.Prompt(3, 5), []int{3, 5, 113}) {
		t.Fatalf("mod %d, asked by %v", a.P, a.Prompt(3, 5))
	}
	var want progressGolden
	g := probesCase(t, "03-progress", "rib_progress", &want)
	frame, err := probe.MeasureGrok(context.Background(), m, a, probe.GrokOptions{Keys: want.WE.Keys, Train: g.ints("in.subset"), Threshold: 0.85})
	if err != nil {
		t.Fatal(err)
	}
	const rel = 1e-4 // float32 through one layer
	loss := func(what string, got probe.Loss, want goldenLoss) {
		t.Helper()
		within(t, what+" all", got.All, want.All, 1e-7, rel)
		within(t, what+" train", got.Subset, want.Subset, 1e-7, rel)
		within(t, what+" test", got.Rest, want.Rest, 1e-7, rel)
	}
	within(t, "accuracy", frame.Accuracy, want.Accuracy, 1e-12, 0)
	var rows [][]int
	for i := range 113 * 113 {
		rows = append(rows, a.Prompt(i/113, i%113))
	}
	in, err := models.Rows(rows)
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.RunFor(context.Background(), in, models.Need{Last: true})
	if err != nil {
		t.Fatal(err)
	}
	whole := 0.0
	for i := range rows {
		whole -= models.LogProbs(out.Logits.Sub(i, 0).Data)[(i/113+i%113)%113] / float64(len(rows))
	}
	within(t, "loss over all tokens", whole, want.Whole, 1e-7, rel)
	loss("loss", frame.Loss, want.Loss)
	loss("restricted", frame.Restricted, want.Restricted["W_E"])
	loss("excluded", frame.Excluded, want.Excluded["W_E"])
	if keys := must(frame.Embedding.KeysByFrequency(0.25))(t); !slices.Equal(keys, want.WE.Keys) {
		t.Errorf("keys %v, want %v", keys, want.WE.Keys)
	}
	within(t, "gini of W_E", frame.GiniEmbedding, want.Gini["W_E_combined"], 0, progressRel)
	within(t, "gini of W_L", frame.GiniReadout, want.Gini["W_L_combined"], 0, progressRel)
	within(t, "trig share", frame.TrigShare, want.Trig["W_E"], 0, rel)
	allWithin(t, "alpha", frame.Fit.Alpha, want.CosFit["W_E"].Alpha, 1e-5, rel)
	for k, n := range frame.Clusters.Sizes {
		if n != want.Neurons.Clusters[strconv.Itoa(k)] {
			t.Errorf("cluster %d has %d neurons, want %d", k, n, want.Neurons.Clusters[strconv.Itoa(k)])
		}
	}
}

// TestFrequencyPlane: numbers on a circle keep their angles in its plane, and the
// plane of another frequency is refused where there is none.
func TestFrequencyPlane(t *testing.T) {
	const p, k = 13, 3
	f, _ := probe.DFT(p)
	w := gaussian(p, 6, 0, 1)
	for n := range p {
		angle := 2 * math.Pi * k * float64(n) / p
		w.Set(n, 1, 2*math.Cos(angle))
		w.Set(n, 4, 2*math.Sin(angle))
	}
	plane, err := probe.FrequencyPlane(f, w, k)
	if err != nil {
		t.Fatal(err)
	}
	x, y := plane.Place(w)
	for n := range p {
		angle := 2 * math.Pi * k * float64(n) / p
		within(t, "x", x[n], 2*math.Cos(angle), 1e-12, 0)
		within(t, "y", y[n], 2*math.Sin(angle), 1e-12, 0)
	}
	for _, other := range []int{0, 2, 7} {
		if _, err := probe.FrequencyPlane(f, w, other); err == nil || !strings.Contains(err.Error(), "frequency") {
			t.Errorf("plane of frequency %d: %v", other, err)
		}
	}
}

func TestModularAdderRefuses(t *testing.T) {
	m, err := zoo.Open("mental-2op")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := probe.FindModularAdder(m); err == nil || !strings.Contains(err.Error(), `"+"`) {
		t.Errorf("mental-2op as a modular adder: %v", err)
	}
	if _, err := probe.FindModularAdder(modeltest.GPT2(1)); err == nil || !strings.Contains(err.Error(), "odd modulus") {
		t.Errorf("10 numbers: %v", err)
	}
}

// BenchmarkGrokFrame is one stop of the slider at the paper's size.
func BenchmarkGrokFrame(b *testing.B) {
	m := ribModel(b)
	a, err := probe.FindModularAdder(m)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("run", func(b *testing.B) {
		for b.Loop() {
			must(probe.RunModular(context.Background(), m, a))(b)
		}
	})
	b.Run("measure", func(b *testing.B) {
		for b.Loop() {
			must(probe.MeasureGrok(context.Background(), m, a, probe.GrokOptions{Keys: []int{1, 8, 15, 18, 36, 56}, Threshold: 0.85}))(b)
		}
	})
}
