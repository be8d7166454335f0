package ablate_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"orrery/ablate"
	"orrery/models/modeltest"
	"orrery/models/tensor"
	"orrery/models/weights"
)

// TestMetricsGolden compares metrics by name with the reference, whose rank is
// counted from 0.
func TestMetricsGolden(t *testing.T) {
	f, err := weights.Open(filepath.Join("testdata", "metrics", "10_metrics.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
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
		"kl": read("kl_qp"), "margin": read("margin_best_other"), "rank": rank, "accuracy": top,
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
