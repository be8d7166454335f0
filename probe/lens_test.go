package probe_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/probe"
)

// lensGolden is what the reference's json says of a lens case; the numbers
// stand in the safetensors file beside it. testdata/README.md has the source.
type lensGolden struct {
	IDs        []int     `json:"ids"`
	Next       []int     `json:"next"` // -1 behind the last
	States     []string  `json:"states"`
	Components []string  `json:"components"`
	Frozen     []string  `json:"frozen_order"`
	V          int       `json:"V"`
	Columns    []int     `json:"stored_columns"`
	Depth      []int     `json:"decision_depth"`
	Agreement  []float64 `json:"agreement_with_final"`
}

func readLensGolden(t *testing.T, dir, name string) (lensGolden, *modeltest.Values) {
	t.Helper()
	var g lensGolden
	modeltest.ReadJSON(t, filepath.Join(dir, name+".json"), &g)
	return g, modeltest.OpenValues(t, filepath.Join(dir, name+".safetensors"))
}

// toyConfig is the GPT-2-like model whose weights are in the toy case.
var toyConfig = models.Config{
	Layers: 3, Width: 24, Heads: 4, KVHeads: 4, HeadWidth: 6, MLPWidth: 60, Vocab: 40, Context: 20,
	Norm: models.LayerNorm, NormEps: 1e-5, Positions: models.Learned, Activation: "gelu_tanh",
	AttnBias: true, OutBias: true, MLPBias: true, NormBias: true, UnembedBias: true,
}

func toy(t *testing.T) (*models.Model, lensGolden, *modeltest.Values) {
	g, f := readLensGolden(t, "testdata", "toy")
	return modeltest.FromTransformerLens(t, f.File, "in.", toyConfig), g, f
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
	var hf struct {
		Lens struct {
			Rows []struct {
				State string
				Top1  []int
				Text  []string `json:"top1_text"`
			}
		} `json:"logit_lens"`
		Prompt struct{ IDs []int }
	}
	modeltest.ReadJSON(t, modeltest.Reference(t, "stories260k", "hf", "golden.json"), &hf)
	lens, err := probe.LogitLens(context.Background(), m, hf.Prompt.IDs, probe.LensOptions{Mid: true, TopK: 1}, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	if len(hf.Lens.Rows) != len(lens.Rows) {
		t.Fatalf("%d rows, the reference has %d", len(lens.Rows), len(hf.Lens.Rows))
	}
	for i, want := range hf.Lens.Rows { // of which no two best are closer than 1e-4
		r := lens.Rows[i]
		if r.State != want.State {
			t.Errorf("row %d is %s, want %s", i, r.State, want.State)
		}
		for p, id := range want.Top1 {
			if text, _ := m.Tokenizer.Token(id); r.TopIDs[p][0] != id || text != want.Text[p] {
				t.Errorf("%s position %d: best is %d, want %d, which is %q, want %q", r.State, p, r.TopIDs[p][0], id, text, want.Text[p])
			}
		}
	}
}

// nanosort, in minGPT's layout, has three tokens.
func TestLensNanosort(t *testing.T) {
	g, f := readLensGolden(t, modeltest.Reference(t, "probes", "05-lens"), "nanosort")
	checkLens(t, loadAs(t, `{"model_type":"mingpt","n_layer":3,"n_head":3,"n_embd":48,"vocab_size":3,"block_size":11}`, "nanosort"), g, f, 1e-5)
}

// loadAs loads the weights in a folder of the reference with a config.json.
func loadAs(t *testing.T, config, folder string) *models.Model {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(modeltest.Reference(t, folder, "model.safetensors"), filepath.Join(dir, "model.safetensors")); err != nil {
		t.Fatal(err)
	}
	m, err := models.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestLensTinyRandomGPT2(t *testing.T) {
	g, f := readLensGolden(t, modeltest.Reference(t, "probes", "05-lens"), "tiny-random-gpt2")
	config := `{"model_type":"gpt2","n_layer":5,"n_head":4,"n_embd":32,"vocab_size":1000,"n_positions":512,"activation_function":"gelu_new","layer_norm_epsilon":1e-05}`
	checkLens(t, loadAs(t, config, "tiny-random-gpt2"), g, f, 1e-5)
}

// checkLens compares every metric of every state and component with the
// reference, within tol absolute and relative: the reference is float64, its own
// note allows a float32 run 3e-5.
func checkLens(t *testing.T, m *models.Model, g lensGolden, f *modeltest.Values, tol float64) {
	t.Helper()
	emitted, opt := 0, probe.LensOptions{Mid: true, TopK: 5, Divergences: true}
	lens, err := probe.LogitLens(context.Background(), m, g.IDs, opt, func(r probe.LensRow) error {
		if r.State != g.States[emitted] {
			t.Errorf("row %d is %s, want %s", emitted, r.State, g.States[emitted])
		}
		emitted++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if emitted != len(g.States) || len(lens.Rows) != emitted || m.Config.Vocab != g.V {
		t.Fatalf("%d rows emitted, %d kept, want %d; the vocabulary has %d, want %d", emitted, len(lens.Rows), len(g.States), m.Config.Vocab, g.V)
	}
	if lens.LastRowError != 0 {
		t.Errorf("the last row differs from the logits by %g", lens.LastRowError)
	}
	checkRows(t, lens.Rows, g, f, "out.lens", tol)
	parts, err := probe.ComponentLens(context.Background(), m, g.IDs, probe.LensComponents, opt, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range g.Components {
		if got := parts.Rows[1+i].State; got != name {
			t.Errorf("component %d is %s, want %s", i, got, name)
		}
	}
	checkRows(t, parts.Rows[1:], g, f, "out.component", tol) // the golden leaves the embedding out
	opt.Target = append([]int(nil), g.Next...)
	opt.Target[len(opt.Target)-1] = 0 // nothing follows, and nothing is compared
	if lens, err = probe.LogitLens(context.Background(), m, g.IDs, opt, keepRow); err != nil {
		t.Fatal(err)
	}
	if parts, err = probe.ComponentLens(context.Background(), m, g.IDs, probe.LensComponents, opt, keepRow); err != nil {
		t.Fatal(err)
	}
	checkTarget(t, lens.Rows, f, "out.lens", "next", len(g.IDs)-1, tol)
	checkTarget(t, parts.Rows[1:], f, "out.component", "next", len(g.IDs)-1, tol)
	checkFrozen(t, m, g, f, tol)

	if got := lens.DecisionDepth(); !slices.Equal(got, g.Depth) {
		t.Errorf("decision depth %v, want %v", got, g.Depth)
	}
	for i, r := range lens.Rows {
		same := 0
		for p := range g.IDs {
			if r.TopIDs[p][0] == lens.Rows[len(lens.Rows)-1].TopIDs[p][0] {
				same++
			}
		}
		if got := float64(same) / float64(len(g.IDs)); !(math.Abs(got-g.Agreement[i]) <= 1e-12) {
			t.Errorf("%s agrees with the end at %g of the positions, want %g", r.State, got, g.Agreement[i])
		}
	}
}

// grid lays one number of every row and position out.
func grid(rows []probe.LensRow, positions int, read func(probe.LensRow, int) float64) *tensor.Dense {
	x := tensor.New(len(rows), positions)
	for i, r := range rows {
		for p := range positions {
			x.Set(float32(read(r, p)), i, p)
		}
	}
	return x
}

// checkRows compares what rows say of their own best tokens and of the final one.
func checkRows(t *testing.T, rows []probe.LensRow, g lensGolden, f *modeltest.Values, key string, tol float64) {
	t.Helper()
	for name, read := range map[string]func(probe.LensRow, int) float64{
		"logit_final_top1": func(r probe.LensRow, p int) float64 { return r.Values[probe.Logit][p] },
		"entropy":          func(r probe.LensRow, p int) float64 { return r.Values[probe.Entropy][p] },
		"kl_final_layer":   func(r probe.LensRow, p int) float64 { return r.Values[probe.KL][p] },
		"kl_layer_final":   func(r probe.LensRow, p int) float64 { return r.Values[probe.KLReverse][p] },
		"js":               func(r probe.LensRow, p int) float64 { return r.Values[probe.JS][p] },
		"max_prob":         func(r probe.LensRow, p int) float64 { return r.TopProbs[p][0] },
	} {
		want := stored(t, f, key+"."+name)
		modeltest.Close(t, key+"."+name, grid(rows, len(g.IDs), read), want, tol, tol)
	}
	checkTarget(t, rows, f, key, "final_top1", len(g.IDs), tol)
	ids, shape, err := f.Int64s(key + ".top_ids")
	if err != nil {
		t.Fatal(err)
	}
	top := stored(t, f, key+".top_logits")
	for i, r := range rows {
		for p := range g.IDs {
			for k := range shape[2] {
				want, z := int(ids[(i*len(g.IDs)+p)*shape[2]+k]), r.Logits.Sub(p).Data
				// Within the bound, near ties may stand the other way round.
				bound := tol * (1 + math.Abs(float64(top.At(i, p, k))))
				if ours := z[r.TopIDs[p][k]]; !(math.Abs(float64(z[want]-top.At(i, p, k))) <= bound && math.Abs(float64(z[want]-ours)) <= 2*bound) {
					t.Errorf("%s position %d: top %d is %d with %g, want %d with %g", r.State, p, k, r.TopIDs[p][k], ours, want, top.At(i, p, k))
				}
			}
		}
	}
}

// checkTarget compares the rank and the log-probability of the token followed.
func checkTarget(t *testing.T, rows []probe.LensRow, f *modeltest.Values, key, target string, positions int, tol float64) {
	t.Helper()
	name := key + ".logprob_" + target
	modeltest.Close(t, name, grid(rows, positions, func(r probe.LensRow, p int) float64 { return math.Log(r.Values[probe.Probability][p]) }), stored(t, f, name), tol, tol)
	ranks, _, err := f.Int64s(key + ".rank_" + target)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range rows {
		for p := range positions {
			z := r.Values[probe.Logit][p]
			least, most, bound := 1, 0, 2*tol*(1+math.Abs(z))
			for _, v := range r.Logits.Sub(p).Data {
				if float64(v) > z+bound {
					least++
				}
				if float64(v) >= z-bound {
					most++
				}
			}
			want, got := int(ranks[i*positions+p]), int(r.Values[probe.Rank][p])
			if want < least || want > most || got < least || got > most || least == most && got != want {
				t.Errorf("%s position %d: %s has rank %d, want %d", r.State, p, target, got, want)
			}
		}
	}
}

// checkFrozen compares the logits themselves at the stored columns: of states, of
// what components write without any norm, and of the parts through the final
// norm's frozen scale, with the scale and what biases add.
func checkFrozen(t *testing.T, m *models.Model, g lensGolden, f *modeltest.Values, tol float64) {
	t.Helper()
	columns := func(rows []probe.LensRow) *tensor.Dense {
		x := tensor.New(len(rows), len(g.IDs), len(g.Columns))
		for i, r := range rows {
			for p := range g.IDs {
				for c, v := range g.Columns {
					x.Set(r.Logits.At(p, v), i, p, c)
				}
			}
		}
		return x
	}
	lens, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{Mid: true}, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	modeltest.Close(t, "logits of states", columns(lens.Rows), stored(t, f, "out.lens.logits_columns"), tol, tol)
	frozen, err := probe.ComponentLens(context.Background(), m, g.IDs, probe.LensComponents, probe.LensOptions{Frozen: true}, keepRow)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range g.Frozen {
		if frozen.Rows[i].State != name {
			t.Errorf("frozen row %d is %s, want %s", i, frozen.Rows[i].State, name)
		}
	}
	modeltest.Close(t, "frozen logits", columns(frozen.Rows), stored(t, f, "out.frozen.logits_columns"), tol, tol)
	if !(frozen.LastRowError > 0 && frozen.LastRowError <= tol) {
		t.Errorf("frozen rows and biases are %v from the logits", frozen.LastRowError)
	}
	scale := stored(t, f, "out.final.scale")
	for p, got := range finalScale(t, m, g.IDs) {
		if want := float64(scale.Data[p]); !(math.Abs(got-want) <= tol*(1+want)) {
			t.Errorf("the final scale at %d is %g, want %g", p, got, want)
		}
	}
	biases, err := m.UnembedFrozen(tensor.New(1, m.Config.Width), []float32{1}, true)
	if err != nil {
		t.Fatal(err)
	}
	want := stored(t, f, "out.frozen.bias_columns")
	got := tensor.New(want.Shape...)
	for c, v := range g.Columns {
		got.Data[c] = biases.Data[v]
	}
	modeltest.Close(t, "biases", got, want, tol, tol)

	_, cache, err := m.RunWithCache(context.Background(), models.Prompt(g.IDs...), models.CacheOptions{})
	if err != nil {
		t.Fatal(err)
	}
	raw := stored(t, f, "out.component.raw_logits_columns")
	for i, name := range g.Components {
		var layer int
		kind, _, _ := strings.Cut(name, ".")
		if _, err := fmt.Sscanf(name, kind+".%d", &layer); err != nil {
			t.Fatal(err)
		}
		x, ok := cache.Get(models.Site{Layer: layer, Kind: map[string]models.Kind{"attn_out": models.AttnOut, "mlp_out": models.MLPOut}[kind]})
		if !ok {
			t.Fatalf("%s was not recorded", name)
		}
		for p := range g.IDs {
			for c, v := range g.Columns {
				sum := 0.0
				for d, w := range m.Params().Unembedding().Sub(v).Data {
					sum += float64(w) * float64(x.Sub(0, p).Data[d])
				}
				if want := float64(raw.At(i, p, c)); !(math.Abs(sum-want) <= tol*(1+math.Abs(want))) {
					t.Errorf("%s at %d writes %g to the logit of %d, want %g", name, p, sum, v, want)
				}
			}
		}
	}
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
	if depth := lens.DecisionDepth(); depth != nil {
		t.Errorf("a lens that was stopped has the decision depth %v", depth)
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
