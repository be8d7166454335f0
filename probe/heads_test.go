package probe_test

import (
	"context"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/probe"
)

// attentionAbs is the reference's own bound.
const attentionAbs = 1e-6

type headGolden struct {
	IDs    []int
	Period int
	Expect struct {
		Detector  map[string][][]float64 `json:"head_detector"`
		Unrounded map[string][][]float64 `json:"abs_unrounded"`
		First     [][]float64            `json:"mean_attention_to_first"`
		Previous  [][]float64            `json:"mean_attention_to_previous_rows_1_to_end"`
		Induction [][]float64            `json:"induction_stripe"`
		Duplicate [][]float64            `json:"duplicate_stripe"`
		CopyFull  [][]float64            `json:"copying_score_W_E_W_V_W_O_W_U"`
		CopyHead  [][]float64            `json:"copying_score_W_V_W_O"`
	}
}

// pattern32 is an array of the golden as the engine keeps patterns.
func (g golden) pattern32(name string) *tensor.Dense {
	g.t.Helper()
	x := tensor.New(g.array(name).Shape...)
	for i, v := range g.vector(name) {
		x.Data[i] = float32(v)
	}
	return x
}

func TestHeadScoresGolden(t *testing.T) {
	for _, name := range []string{"given_patterns", "toy", "stories260k"} {
		dir, array, period := "testdata", "in.pattern", 8
		if name != "given_patterns" {
			dir, array = modeltest.Reference(t, "probes", "06-attention"), "out.pattern"
		}
		var want headGolden
		g := readGolden(t, dir, name, &want)
		all := g.pattern32(array)
		entropies := g.matrix("out.entropy")
		for l := range all.Dim(0) {
			p := all.Sub(l)
			checkHeads(t, name, p, l, want)
			e, err := probe.AttentionEntropy(p)
			if err != nil {
				t.Fatal(err)
			}
			h := p.Dim(0)
			// float32 patterns: a row's entropy moves by eps·Σ|1 + ln a|.
			matrixWithin(t, name+" entropy", e, entropies.Slice(l*h, (l+1)*h, 0, p.Dim(1)), 5e-6, 0)
			first, err := probe.MeanToPosition(p, 0)
			if err != nil {
				t.Fatal(err)
			}
			allWithin(t, name+" attention to the first", first, want.Expect.First[l], attentionAbs, 0)
			for offset, stripes := range map[int][][]float64{1: want.Expect.Previous, period - 1: want.Expect.Induction, period: want.Expect.Duplicate} {
				if stripes == nil {
					continue
				}
				stripe, err := probe.MeanDiagonal(p, offset)
				if err != nil {
					t.Fatal(err)
				}
				allWithin(t, name+" stripe", stripe, stripes[l], attentionAbs, 0)
			}
		}
		for _, d := range []probe.HeadDetector{probe.DuplicateToken, probe.Induction} {
			if short := strings.TrimSuffix(string(d), "_token"); g.arrays["out.detection_"+short].data != nil {
				pattern, err := probe.DetectionPattern(d, want.IDs)
				if err != nil {
					continue // a prompt without repetition
				}
				matrixWithin(t, name+" "+short, pattern, g.matrix("out.detection_"+short), 0, 0)
			}
		}
	}
}

func checkHeads(t *testing.T, name string, p *tensor.Dense, layer int, want headGolden) {
	for key, scores := range want.Expect.Detector {
		parts := strings.Split(key, ".")
		detection, err := probe.DetectionPattern(probe.HeadDetector(parts[0]), want.IDs)
		if err != nil {
			t.Fatal(err)
		}
		opt := probe.ScoreOptions{Difference: parts[1] == "abs"}
		for _, flag := range parts[2:] {
			opt.WithoutFirst = opt.WithoutFirst || flag == "exclude_bos"
			opt.WithoutCurrent = opt.WithoutCurrent || flag == "exclude_current"
		}
		got, err := probe.ScoreHeads(p, detection, opt)
		if err != nil {
			t.Fatal(err)
		}
		abs := attentionAbs
		if opt.Difference {
			abs += 5e-4 // TransformerLens rounds these to three digits
			if len(parts) == 2 {
				allWithin(t, name+" "+key, got, want.Expect.Unrounded[parts[0]][layer], 2e-6, 0)
			}
		}
		allWithin(t, name+" "+key, got, scores[layer], abs, 0)
	}
}

func TestHeadCircuitsGolden(t *testing.T) {
	var want headGolden
	dir := modeltest.Reference(t, "probes", "06-attention")
	g := readGolden(t, dir, "toy", &want)
	m := modeltest.FromTransformerLens(t, modeltest.OpenValues(t, g.file).File, "in.", toyConfig)
	heads, err := probe.ReadHeads(m)
	if err != nil {
		t.Fatal(err)
	}
	ov, qk := mat.NewDense(12, 6, nil), mat.NewDense(12, 6, nil)
	embed, err := probe.Matrix(m.Params().Embed)
	if err != nil {
		t.Fatal(err)
	}
	unembed, err := probe.Matrix(m.Params().Unembedding())
	if err != nil {
		t.Fatal(err)
	}
	unembed = transposed(unembed)
	for i, h := range heads {
		s, err := h.OVSingularValues()
		if err != nil {
			t.Fatal(err)
		}
		ov.SetRow(i, s)
		if s, err = h.QKSingularValues(); err != nil {
			t.Fatal(err)
		}
		qk.SetRow(i, s)
		full, err := h.CopyingScore(embed, unembed)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "copying score", full, want.Expect.CopyFull[h.Layer][h.Head], attentionAbs, 0)
		own, err := h.CopyingScore(nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "copying score of W_V W_O", own, want.Expect.CopyHead[h.Layer][h.Head], attentionAbs, 0)
	}
	matrixWithin(t, "OV singular values", ov, g.matrix("out.OV_singular_values"), attentionAbs, 0)
	matrixWithin(t, "QK singular values", qk, g.matrix("out.QK_singular_values"), attentionAbs, 0)
	for _, c := range []probe.Composition{probe.QComposition, probe.KComposition, probe.VComposition} {
		got, err := probe.CompositionScores(heads, c)
		if err != nil {
			t.Fatal(err)
		}
		allWithin(t, "composition "+string(c), got.RawMatrix().Data, g.vector("out.composition_"+string(c)), attentionAbs, 0)
	}

	cache := models.NewCache()
	every := models.Sites(m.Sites()...)
	if _, err := m.Run(context.Background(), models.Prompt(want.IDs...), models.Record(cache, every)); err != nil {
		t.Fatal(err)
	}
	values := g.pattern32("out.value_weighted_pattern")
	for l := range 3 {
		pattern, v := recorded(t, m, cache, l, "pattern"), recorded(t, m, cache, l, "v")
		got, err := probe.ValueWeightedPattern(pattern, v, heads[4*l:4*l+4])
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Close(t, "value-weighted pattern", got, values.Sub(l), 1e-5, 1e-5) // a float32 run
	}
}

func recorded(t *testing.T, m *models.Model, cache *models.Cache, layer int, name string) *tensor.Dense {
	t.Helper()
	site, err := m.Site("blocks." + string(rune('0'+layer)) + ".attn.hook_" + name)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := cache.Get(site)
	if !ok {
		t.Fatalf("%s is not recorded", site)
	}
	return x.Sub(0)
}

// TestClassAttentionGolden sums attention up by classes of tokens.
func TestClassAttentionGolden(t *testing.T) {
	g := readGolden(t, "testdata", "factors_and_classes", &struct{}{})
	pattern, class := g.pattern32("in.pattern"), g.ints("in.token_class")
	for own, suffix := range map[bool]string{true: "le", false: "lt"} {
		got, err := probe.AttendByClass(pattern, class, 5, own)
		if err != nil {
			t.Fatal(err)
		}
		modeltest.Close(t, "class means", got.Mean, g.pattern32("out.class_mean_j_"+suffix+"_i"), 1e-7, 1e-7)
		for i, n := range g.ints("out.class_count_j_" + suffix + "_i") {
			if got.Count[i/5][i%5] != n {
				t.Errorf("classes %d to %d: %d pairs, want %d", i/5, i%5, got.Count[i/5][i%5], n)
			}
		}
		if own {
			modeltest.Close(t, "class mass", got.Mass, g.pattern32("out.class_mass"), 1e-7, 1e-7)
		}
	}
}

// TestHeadScoresPlanted: a pattern that is the detection pattern scores 1, an
// even one the chance share.
func TestHeadScoresPlanted(t *testing.T) {
	ids := []int{5, 6, 7, 5, 6, 7}
	detection, err := probe.DetectionPattern(probe.Induction, ids)
	if err != nil {
		t.Fatal(err)
	}
	// A token that follows its own copy points at itself, as in head_detector:
	// what stood behind the copy is the token.
	if twice := must(probe.DetectionPattern(probe.Induction, []int{4, 4, 2}))(t); twice.At(1, 1) != 1 || mat.Sum(twice) != 1 {
		t.Errorf("induction on a token twice in a row: %v", mat.Formatted(twice))
	}
	p := tensor.New(2, 6, 6)
	for i := range 6 {
		for j := range i + 1 {
			p.Set(float32(detection.At(i, j)), 0, i, j)
			p.Set(1/float32(i+1), 1, i, j)
		}
	}
	got, err := probe.ScoreHeads(p, detection, probe.ScoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	within(t, "the pattern itself", got[0], 1, 1e-12, 0)
	within(t, "even attention", got[1], (1.0/4+1.0/5+1.0/6)/6, 1e-7, 0)
	own, err := probe.AttentionEntropy(p)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "entropy of even attention over 6", own.At(1, 5), math.Log(6), 1e-6, 0)
	within(t, "entropy of no attention", own.At(0, 0), 0, 0, 0)
	blind := tensor.New(1, 6, 6)
	for i := range 6 {
		blind.Set(1, 0, i, 0)
	}
	none, _ := probe.ScoreHeads(blind, detection, probe.ScoreOptions{WithoutFirst: true})
	within(t, "a head that looks at the first token only", none[0], 0, 0, 0)
}

func TestHeadScoresRefuse(t *testing.T) {
	if _, err := probe.DetectionPattern(probe.Induction, []int{1, 2, 3}); err == nil || !strings.Contains(err.Error(), "nowhere to look") {
		t.Errorf("a prompt without repetition: %v", err)
	}
	if _, err := probe.DetectionPattern("nose", []int{1, 1}); err == nil || !strings.Contains(err.Error(), "nose") {
		t.Errorf("an unknown detector: %v", err)
	}
	p := tensor.New(2, 3, 3)
	if _, err := probe.MeanDiagonal(p, 3); err == nil {
		t.Error("an offset outside the pattern passes")
	}
	if _, err := probe.MeanToPosition(p, -1); err == nil {
		t.Error("a position before the first passes")
	}
	if _, err := probe.AttendByClass(p, []int{0, 1, 2}, 2, true); err == nil {
		t.Error("a class outside the classes passes")
	}
	p.Data[4] = float32(math.NaN())
	if _, err := probe.AttentionEntropy(p); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("a NaN: %v", err)
	}
	if _, err := probe.AttentionEntropy(tensor.New(3, 3)); err == nil {
		t.Error("a pattern without heads passes")
	}
}
