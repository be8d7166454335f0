package probe_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
	"orrery/probe"
)

// lensGolden is what the reference's json says of a lens case; the numbers
// stand in the safetensors file beside it. testdata/README.md has the source.
type lensGolden struct {
	IDs    []int    `json:"ids"`
	States []string `json:"states"`
	Gap    float64  `json:"smallest_gap_between_neighbours_in_top5"`
	Depth  []int    `json:"decision_depth"`
}

func readLensGolden(t *testing.T, dir, name string) (lensGolden, *weights.File) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	var g lensGolden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	f, err := weights.Open(filepath.Join(dir, name+".safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return g, f
}

// toyConfig is the GPT-2-like model whose weights are in the toy case.
var toyConfig = models.Config{
	Layers: 3, Width: 24, Heads: 4, KVHeads: 4, HeadWidth: 6, MLPWidth: 60, Vocab: 40, Context: 20,
	Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
	AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, UnembedBias: true,
}

func toy(t *testing.T) (*models.Model, lensGolden, *weights.File) {
	g, f := readLensGolden(t, "testdata", "toy")
	return modeltest.FromTransformerLens(t, f, "in.", toyConfig), g, f
}

func TestLensToy(t *testing.T) {
	m, g, f := toy(t)
	checkLens(t, m, g, f, 1e-5)
}

func TestLensStories(t *testing.T) {
	m, err := models.Load(modeltest.Reference(t, "stories260k", "hf"))
	if err != nil {
		t.Fatal(err)
	}
	g, f := readLensGolden(t, modeltest.Reference(t, "probes", "05-lens"), "stories260k")
	checkLens(t, m, g, f, 3e-5)
}

func TestLensTinyRandomGPT2(t *testing.T) {
	g, f := readLensGolden(t, modeltest.Reference(t, "probes", "05-lens"), "tiny-random-gpt2")
	dir := t.TempDir()
	config := `{"model_type":"gpt2","n_layer":5,"n_head":4,"n_embd":32,"vocab_size":1000,"n_positions":512,"activation_function":"gelu_new","layer_norm_epsilon":1e-05}`
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modeltest.Reference(t, "tiny-random-gpt2", "model.safetensors"), filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	checkLens(t, m, g, f, 1e-5)
}

// checkLens compares every metric of every state with the reference, within
// tol absolute and relative: the reference is float64, the reference's own
// note allows a float32 run 3e-5.
func checkLens(t *testing.T, m *models.Model, g lensGolden, f *weights.File, tol float64) {
	t.Helper()
	emitted := 0
	lens, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{Mid: true, TopK: 5}, func(r probe.LensRow) error {
		if r.State != g.States[emitted] {
			t.Errorf("row %d is %s, want %s", emitted, r.State, g.States[emitted])
		}
		emitted++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if emitted != len(g.States) || len(lens.Rows) != emitted {
		t.Fatalf("%d rows emitted, %d kept, want %d", emitted, len(lens.Rows), len(g.States))
	}
	if lens.LastRowError != 0 {
		t.Errorf("the last row differs from the logits by %g", lens.LastRowError)
	}
	want := map[string]func(probe.LensRow, int) float64{
		"out.lens.logprob_final_top1": func(r probe.LensRow, p int) float64 { return math.Log(r.Values[probe.Probability][p]) },
		"out.lens.logit_final_top1":   func(r probe.LensRow, p int) float64 { return r.Values[probe.Logit][p] },
		"out.lens.entropy":            func(r probe.LensRow, p int) float64 { return r.Values[probe.Entropy][p] },
		"out.lens.kl_final_layer":     func(r probe.LensRow, p int) float64 { return r.Values[probe.KL][p] },
		"out.lens.max_prob":           func(r probe.LensRow, p int) float64 { return r.TopProbs[p][0] },
	}
	for name, read := range want {
		golden, err := f.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		got := tensor.New(golden.Shape...)
		for i, r := range lens.Rows {
			for p := range g.IDs {
				got.Set(float32(read(r, p)), i, p)
			}
		}
		modeltest.Close(t, name, got, golden, tol, tol)
	}
	if g.Gap < tol/10 {
		return // neighbours too close for float32 to order
	}
	ids, _, err := f.Int64s("out.lens.top_ids")
	if err != nil {
		t.Fatal(err)
	}
	ranks, _, err := f.Int64s("out.lens.rank_final_top1")
	if err != nil {
		t.Fatal(err)
	}
	logits, err := f.Float32("out.lens.top_logits")
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range lens.Rows {
		for p := range g.IDs {
			at := i*len(g.IDs) + p
			if got := r.Values[probe.Rank][p]; math.Abs(got-float64(ranks[at])) > 0 {
				t.Errorf("%s position %d: rank %v, want %d", r.State, p, got, ranks[at])
			}
			for k, id := range r.TopIDs[p] {
				if int64(id) != ids[at*5+k] && !near(logits, i, p, k, tol) {
					t.Errorf("%s position %d: top %d is %d, want %d", r.State, p, k, id, ids[at*5+k])
				}
			}
		}
	}
}

// near says whether the k-th best logit is too close to a neighbour to order.
func near(logits *tensor.Dense, i, p, k int, tol float64) bool {
	v := logits.At(i, p, k)
	for _, n := range []int{k - 1, k + 1} {
		if n >= 0 && n < logits.Dim(2) && math.Abs(float64(logits.At(i, p, n)-v)) <= 2*tol*math.Max(1, math.Abs(float64(v))) {
			return true
		}
	}
	return k == logits.Dim(2)-1 // the sixth best is not stored
}

// TestLensFollows plants a target and reads it back: the log-prob difference
// of a token with itself is 0, with another its difference of logits.
func TestLensFollows(t *testing.T) {
	m, g, _ := toy(t)
	target, anti := make([]int, len(g.IDs)), make([]int, len(g.IDs))
	for p := range target {
		target[p], anti[p] = 7, 7
	}
	anti[3] = 11
	lens, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{Target: target, AntiTarget: anti}, func(probe.LensRow) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if len(lens.Rows) != m.Config.Layers+1 {
		t.Fatalf("%d rows, want %d", len(lens.Rows), m.Config.Layers+1)
	}
	for _, r := range lens.Rows {
		for p := range g.IDs {
			want := float64(r.Logits.At(p, 7)) - float64(r.Logits.At(p, anti[p]))
			if got := r.Values[probe.LogProbDiff][p]; !(math.Abs(got-want) <= 1e-5) {
				t.Errorf("%s position %d: log-prob difference %g, want %g", r.State, p, got, want)
			}
		}
	}
}

func TestLensStops(t *testing.T) {
	m, g, _ := toy(t)
	stop := errors.New("enough")
	rows := 0
	lens, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{}, func(probe.LensRow) error {
		if rows++; rows == 2 {
			return stop
		}
		return nil
	})
	if !errors.Is(err, stop) || len(lens.Rows) != 2 {
		t.Errorf("stopped with %v and %d rows, want %v and 2", err, len(lens.Rows), stop)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := probe.LogitLens(ctx, m, g.IDs, probe.LensOptions{}, func(probe.LensRow) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context gives %v", err)
	}
}

func TestLensRefuses(t *testing.T) {
	m, g, _ := toy(t)
	for _, test := range []struct {
		name string
		ids  []int
		opt  probe.LensOptions
	}{
		{"no tokens", nil, probe.LensOptions{}},
		{"id outside the vocabulary", []int{40}, probe.LensOptions{}},
		{"too few targets", g.IDs, probe.LensOptions{Target: []int{1}}},
		{"target outside the vocabulary", []int{1}, probe.LensOptions{Target: []int{40}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := probe.LogitLens(context.Background(), m, test.ids, test.opt, func(probe.LensRow) error { return nil }); err == nil {
				t.Error("no error")
			}
		})
	}
}
