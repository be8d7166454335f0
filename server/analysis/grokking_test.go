package analysis_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tokenizer"
	"orrery/models/train"
	"orrery/models/weights"
	"orrery/models/zoo"
	"orrery/server/analysis"
	"orrery/viz"
)

// modularTokenizer is that of the numbers 0..112 and "=".
func modularTokenizer(t *testing.T) *tokenizer.Tokenizer {
	t.Helper()
	task, err := train.FindTask("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Parse(task.Tokenizer, nil)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// rib is the reference's adder mod 113, which this project did not train.
func rib(t *testing.T) *models.Model {
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
	m.Name, m.Tokenizer = "rib", modularTokenizer(t)
	return m
}

// TestGrokkingGolden draws the reference's adder and finds NumPy's values in the
// figure: key frequencies, spectrum, losses, clusters.
func TestGrokkingGolden(t *testing.T) {
	m := rib(t)
	text, err := os.ReadFile(modeltest.Reference(t, "probes", "03-progress", "rib_progress.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Loss       struct{ All float64 }
		Restricted map[string]struct{ All float64 } `json:"restricted_loss"`
		Excluded   map[string]struct{ All float64 } `json:"excluded_loss_all_keys"`
		Neurons    struct{ Clusters map[string]int }
		Gini       map[string]float64
		Attention  []struct {
			FVE  float64
			Freq float32
		} `json:"attention_score_difference"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	near := func(what string, got float32, want float64) {
		t.Helper()
		if !(math.Abs(float64(got)-want) <= 1e-4*math.Abs(want)) {
			t.Errorf("%s is %g, want %g", what, got, want)
		}
	}
	fig, s := run(t, "grokking", analysis.Args{"m": m, "tiles": 2})
	if !strings.Contains(fig.Subtitle, "{1, 8, 15, 18, 36, 56}") {
		t.Errorf("subtitle %q", fig.Subtitle)
	}
	near("loss", column(t, fig, "test")[0], want.Loss.All)
	near("restricted loss", column(t, fig, "restricted")[0], want.Restricted["W_E"].All)
	near("excluded loss", column(t, fig, "excluded")[0], want.Excluded["W_E"].All)
	if bars := fig.Multiples.Items[1].Bars; !slices.Equal(bars.Marks, []int{0, 7, 14, 17, 35, 55}) {
		t.Errorf("marked frequencies %v", bars.Marks)
	}
	clusters := column(t, fig, "clusters")
	for i, k := range []string{"1", "8", "15", "18", "36", "56"} {
		if int(clusters[i]) != want.Neurons.Clusters[k] {
			t.Errorf("cluster %s has %g neurons, want %d", k, clusters[i], want.Neurons.Clusters[k])
		}
	}
	if fig.Slider != nil || !strings.Contains(fig.Caption, "No checkpoints") {
		t.Errorf("slider %v, caption %q", fig.Slider, fig.Caption)
	}
	checkFrames(t, fig, s)

	// The keys of neurons, as the caller's own.
	fig, s = run(t, "grokking", analysis.Args{"m": m, "tiles": 1, "frequencies": []int{18, 15, 8, 1}})
	near("restricted loss of the caller's keys", column(t, fig, "restricted")[0], want.Restricted["neurons"].All)
	near("excluded loss of the caller's keys", column(t, fig, "excluded")[0], want.Excluded["neurons"].All)
	if !strings.Contains(fig.Caption, "Followed are those of the call, {1, 8, 15, 18}") {
		t.Errorf("caption %q", fig.Caption)
	}
	checkFrames(t, fig, s)

	fig, s = run(t, "grokking", analysis.Args{"m": m, "show": "measures", "tiles": 1})
	near("gini of W_E", column(t, fig, "gini_embedding")[0], want.Gini["W_E_combined"])
	all := float32(0)
	for _, part := range []string{"squares_embed", "squares_attention", "squares_mlp", "squares_unembed"} {
		all += column(t, fig, part)[0]
	}
	if total := column(t, fig, "squares")[0]; !(all > 0.95*total && all <= total) { // positions are not drawn
		t.Errorf("squared weights: %g in parts, %g in all", all, total)
	}
	near("gini of W_L", column(t, fig, "gini_readout")[0], want.Gini["W_L_combined"])
	checkFrames(t, fig, s)

	// NumPy's best frequency of each head's score, and the losses that the other
	// views have.
	fig, s = run(t, "grokking", analysis.Args{"m": m, "show": "circuit", "tiles": 1})
	for i, h := range want.Attention {
		near("share of a head", column(t, fig, "head_share")[i], h.FVE)
		if got := column(t, fig, "head_k")[i]; got != h.Freq {
			t.Errorf("head %d follows %g, want %g", i, got, h.Freq)
		}
	}
	near("loss", column(t, fig, "loss_all")[0], want.Loss.All)
	near("restricted loss", column(t, fig, "loss_all")[1], want.Restricted["W_E"].All)
	near("excluded loss", column(t, fig, "loss_all")[8], want.Excluded["W_E"].All)
	if !strings.Contains(fig.Caption, "directions of the keys") || !strings.Contains(fig.Caption, "Heads: 0.0 of k =") {
		t.Errorf("caption %q", fig.Caption)
	}
	checkFrames(t, fig, s)
}

// checkFrames: parts fill the first figure, and badges hold.
func checkFrames(t *testing.T, fig *viz.Figure, s *stream) {
	t.Helper()
	for name, a := range fig.Arrays {
		for i := range a.Data {
			if v, state := s.shown.Arrays[name].At(i); state != viz.Done || v != a.Data[i] {
				t.Fatalf("%s[%d]: parts give %g (%v), the figure has %g", name, i, v, state, a.Data[i])
			}
		}
	}
	for _, b := range fig.Badges {
		if !b.OK {
			t.Errorf("badge %q: %g", b.Text, b.Value)
		}
	}
	if last := s.progress[len(s.progress)-1]; last[0] != last[1] || last[0]+1 != s.parts { // something of the last checkpoint comes before the runs
		t.Errorf("progress ends at %v after %d parts", last, s.parts)
	}
}

// TestGrokkingNull: an untrained network has no key frequencies, and says so.
func TestGrokkingNull(t *testing.T) {
	r, err := train.Find("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	m := modeltest.Random("untrained", r.Model, 5)
	m.Tokenizer = modularTokenizer(t)
	fig, _ := run(t, "grokking", analysis.Args{"m": m, "tiles": 1})
	for _, w := range []string{"by shuffled none", "Nothing stands out", "0 of 512 neurons"} {
		if !strings.Contains(fig.Caption, w) {
			t.Errorf("caption %q does not say %q", fig.Caption, w)
		}
	}
	clock, _ := run(t, "clock_or_pizza", analysis.Args{"m": m})
	if !strings.Contains(clock.Caption, "no algorithm to name") {
		t.Errorf("caption %q", clock.Caption)
	}
}

// TestGrokkingCheckpoints trains a network of a fraction of a second and finds its
// checkpoints, and the pairs it learned from, by the directory that it was loaded
// from; the same weights under another name have none.
func TestGrokkingCheckpoints(t *testing.T) {
	r, err := train.Find("modadd-113")
	if err != nil {
		t.Fatal(err)
	}
	r.Model.Width, r.Model.MLPWidth, r.Model.HeadWidth = 16, 24, 4
	r.Steps, r.Batch, r.Checkpoints = 6, 64, []int{0, 2, 5, 6}
	r.ReportEvery, r.MeasureEvery, r.SaveEvery = 10, 10, 10
	dir := filepath.Join(t.TempDir(), "kept")
	if err := train.Run(t.Context(), r, dir, nil); err != nil {
		t.Fatal(err)
	}
	m, err := zoo.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	fig, s := run(t, "grokking", analysis.Args{"m": m, "tiles": 1})
	if !slices.Equal(fig.Slider.Labels, []string{"0", "2", "5", "6"}) || fig.Slider.Show != 3 {
		t.Errorf("slider %+v", fig.Slider)
	}
	if !strings.Contains(fig.Subtitle, "3,831 pairs learned from") {
		t.Errorf("subtitle %q", fig.Subtitle)
	}
	checkFrames(t, fig, s)
	notes := fig.Texts["clock_note"]
	if shown := s.shown.Texts["clock_note"]; !slices.Equal(notes.Shape, []int{4, 1}) || !slices.Equal(shown.Values, notes.Values) || notes.Values[3] != "mean radius 1.00 of the last" {
		t.Errorf("words beside the clock: %v %q", notes.Shape, notes.Values)
	}
	first, err := zoo.OpenCheckpoint(dir, 0)
	if err != nil {
		t.Fatal(err)
	}
	alone, _ := run(t, "grokking", analysis.Args{"m": first, "tiles": 1})
	if a, b := column(t, fig, "spectrum"), column(t, alone, "spectrum"); !slices.Equal(a[:len(b)], b) {
		t.Error("the first frame is not the first checkpoint")
	}
	// Losses over all pairs are those over the two parts, by their shares.
	over := map[string][]float32{}
	for _, pairs := range []string{"all", "train", "test"} {
		part, _ := run(t, "grokking", analysis.Args{"m": m, "tiles": 1, "over": pairs})
		over[pairs] = append(append([]float32{}, column(t, part, "restricted")...), column(t, part, "excluded")...)
		if series := part.Multiples.Items[3].Lines.Series; !strings.HasSuffix(series[0].Name, map[string]string{"all": "on all pairs", "train": "learned from", "test": "held out"}[pairs]) {
			t.Errorf("over %s the curve is called %q", pairs, series[0].Name)
		}
	}
	const learned = 3831.0 / 12769
	for i, v := range over["all"] {
		if sum := learned*float64(over["train"][i]) + (1-learned)*float64(over["test"][i]); !(math.Abs(sum-float64(v)) <= 1e-5*math.Abs(sum)) {
			t.Errorf("loss %d is %g over all pairs, %g of its parts", i, v, sum)
		}
	}
	if !slices.Equal(column(t, fig, "restricted"), over["all"][:4]) || !slices.Equal(column(t, fig, "excluded"), over["train"][4:]) {
		t.Error("the paper's choice is not all pairs for the restricted and those learned from for the excluded loss")
	}
	few, _ := run(t, "grokking", analysis.Args{"m": m, "tiles": 1, "frames": 2})
	if !slices.Equal(few.Slider.Labels, []string{"0", "6"}) {
		t.Errorf("two frames are %v", few.Slider.Labels)
	}
	moved, err := models.New(m.Config, m.Params())
	if err != nil {
		t.Fatal(err)
	}
	moved.Name, moved.Tokenizer = "modadd-113", m.Tokenizer
	m = moved
	other, _ := run(t, "grokking", analysis.Args{"m": m, "tiles": 1})
	if other.Slider != nil {
		t.Errorf("another model's checkpoints %v are taken for those of this one", other.Slider.Labels)
	}
}
