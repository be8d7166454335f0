package ablate_test

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// TestMetricsGolden compares metrics by name with the reference, whose rank is
// counted from 0, and what follows from them.
func TestMetricsGolden(t *testing.T) {
	t.Run("part", func(t *testing.T) {
		checkMetrics(t, modeltest.OpenValues(t, filepath.Join("testdata", "metrics", "10_metrics.safetensors")))
	})
	t.Run("whole", func(t *testing.T) {
		checkMetrics(t, modeltest.OpenValues(t, modeltest.Reference(t, "causal", "metrics", "10_metrics.safetensors")))
	})
}

func checkMetrics(t *testing.T, f *modeltest.Values) {
	read := func(name string) *tensor.Dense {
		x, err := f.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	ints := func(name string) []int64 {
		x, _, err := f.Int64s(name)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	p, q, target, other := read("logits_p"), read("logits_q"), ints("target"), ints("other")
	rank := tensor.New(p.Dim(0))
	for i, v := range ints("rank_target") {
		rank.Data[i] = float32(v + 1)
	}
	top := tensor.New(p.Dim(0))
	for i, v := range ints("top1_p") {
		if v == target[i] {
			top.Data[i] = 1
		}
	}
	loss := read("log_prob_target").Clone()
	for i := range loss.Data {
		loss.Data[i] *= -1
	}
	for name, want := range map[string]*tensor.Dense{
		"prob": read("prob_target"), "logprob": read("log_prob_target"), "logit_diff": read("logit_diff"), "loss": loss,
		"kl": read("kl_qp"), "js": read("js"), "tv": read("total_variation"), "entropy": read("entropy_p"), "margin": read("margin_best_other"), "rank": rank, "accuracy": top,
		"centred_logit": read("centred_logit_target"), "top5_overlap": read("top5_overlap"),
	} {
		metric, err := ablate.MetricByName(name)
		if err != nil {
			t.Fatal(err)
		}
		got := tensor.New(p.Dim(0))
		for i := range got.Data {
			got.Data[i] = float32(metric.Of(ablate.Readout{Run: p.Sub(i).Data, Base: q.Sub(i).Data, Answer: int(target[i]), Other: int(other[i])}))
		}
		modeltest.Close(t, name, got, want, 2e-6, 2e-6)
	}
	for name, value := range map[string]func(row int, p, q []float32) float64{
		"kl_pq":            func(_ int, p, q []float32) float64 { return ablate.KL(p, q) },
		"js_bits":          func(_ int, p, q []float32) float64 { return ablate.JS(p, q) / math.Ln2 },
		"cross_entropy_pq": func(_ int, p, q []float32) float64 { return ablate.Entropy(p) + ablate.KL(p, q) },
		"log_prob_diff": func(row int, p, _ []float32) float64 {
			logs := models.LogProbs(p)
			return logs[target[row]] - logs[other[row]]
		},
	} {
		got := tensor.New(p.Dim(0))
		for i := range got.Data {
			got.Data[i] = float32(value(i, p.Sub(i).Data, q.Sub(i).Data))
		}
		modeltest.Close(t, name, got, read(name), 2e-6, 2e-6)
	}
	mean := ablate.Summarise(values(loss)).Mean
	modeltest.Close(t, "loss_mean", vector([]float64{mean}), read("loss_mean"), 2e-6, 2e-6)
	distances, agree, best := read("js_distance"), ints("top1_agree"), ints("top5_p")
	for i := range p.Dim(0) {
		if d := float64(distances.Data[i]); !(math.Abs(ablate.JS(p.Sub(i).Data, q.Sub(i).Data)-d*d) <= 1e-6) { // its root is no better than the root of rounding
			t.Errorf("row %d: the root of the divergence is off from %g", i, d)
		}
		if same := models.Argmax(p.Sub(i).Data) == models.Argmax(q.Sub(i).Data); same != (agree[i] == 1) {
			t.Errorf("row %d: the best tokens agree: %t", i, same)
		}
		left := slices.Clone(p.Sub(i).Data)
		for k, want := range best[5*i : 5*i+5] {
			got := models.Argmax(left)
			if left[got] = float32(math.Inf(-1)); got != int(want) {
				t.Errorf("row %d: place %d is token %d, want %d", i, k, got, want)
			}
		}
	}
}

// values is a tensor's numbers in float64.
func values(x *tensor.Dense) []float64 {
	out := make([]float64, x.Len())
	for i, v := range x.Data {
		out[i] = float64(v)
	}
	return out
}

func TestMetricByNameRefuses(t *testing.T) {
	_, err := ablate.MetricByName("logitdiff")
	if err == nil || !strings.Contains(err.Error(), `"logitdiff"; one of logit_diff`) {
		t.Errorf("error %v does not name the nearest metric first", err)
	}
}

// TestRatioOfMeans checks the ends 0 and 1, that means are divided and not
// pairs, and that nothing is divided by a difference of nothing.
func TestRatioOfMeans(t *testing.T) {
	base, source := []float64{0, 1}, []float64{4, 1.001}
	for _, test := range []struct {
		edited []float64
		want   float64
	}{{base, 0}, {source, 1}, {[]float64{2, 1}, 2 / 4.001}} {
		got, err := ablate.RatioOfMeans(test.edited, base, source)
		if err != nil || !(math.Abs(got-test.want) <= 1e-12) {
			t.Errorf("%v gives %g, %v, want %g", test.edited, got, err, test.want)
		}
	}
	if v, err := ablate.RatioOfMeans(base, base, []float64{1, 0}); err == nil {
		t.Errorf("equal means gave %g", v)
	}
}

func TestSummarise(t *testing.T) {
	s := ablate.Summarise([]float64{1, 2, 3, 6})
	if want := math.Sqrt(14.0/3) / 2; s.Mean != 3 || !(math.Abs(s.SEM-want) <= 1e-15) || s.N != 4 {
		t.Errorf("%+v, want 3 and %g", s, want)
	}
	if one := ablate.Summarise([]float64{7}); one.Mean != 7 || one.SEM == one.SEM {
		t.Errorf("%+v of one value, want no standard error", one)
	}
}

// TestRatioError: over many samples of pairs whose runs are known, the error that a
// sample states is how far ratios scatter (within 5 %), and a ratio that is no
// estimate has none.
func TestRatioError(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	const samples, n = 4000, 60
	var ratios, stated []float64
	for range samples {
		base, source, edited := make([]float64, n), make([]float64, n), make([]float64, n)
		for i := range n {
			whole := 4 + rng.NormFloat64()
			base[i] = rng.NormFloat64()
			source[i], edited[i] = base[i]+whole, base[i]+0.6*whole+0.8*rng.NormFloat64()
		}
		r, err := ablate.RatioOfMeans(edited, base, source)
		if err != nil {
			t.Fatal(err)
		}
		e, err := ablate.RatioError(edited, base, source)
		if err != nil {
			t.Fatal(err)
		}
		ratios, stated = append(ratios, r), append(stated, e)
		for _, own := range [][]float64{base, source} {
			if e, err := ablate.RatioError(own, base, source); err != nil || !(e <= 1e-12) {
				t.Fatalf("a run's own ratio has the error %g (%v)", e, err)
			}
		}
	}
	scatter := ablate.Summarise(ratios).SEM * math.Sqrt(samples)
	if mean := ablate.Summarise(stated).Mean; !(math.Abs(mean-scatter) <= 0.05*scatter) {
		t.Errorf("ratios scatter by %g, samples state %g", scatter, mean)
	}
	if e, err := ablate.RatioError([]float64{1}, []float64{0}, []float64{2}); err != nil || !math.IsNaN(e) {
		t.Errorf("one pair has the error %g (%v)", e, err)
	}
	if _, err := ablate.RatioError([]float64{1, 1}, []float64{0, 0}, []float64{0, 1e-5}); err == nil {
		t.Error("nothing is divided by")
	}
}
