package probe_test

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models/modeltest"
	"orrery/probe"
)

type filterGolden struct {
	P, D, Tau int
	Expect    struct {
		Residual    map[string]int `json:"residual_dimension"`
		Annihilates []string
		Off         float64 `json:"max_abs_F_F^T_minus_I"`
	}
}

// sineFirst puts the exact basis' rows in the reference's order, sine before
// cosine.
func sineFirst(f *probe.FourierBasis) *probe.FourierBasis {
	g := *f
	g.Rows = mat.DenseCopyOf(f.Rows)
	for i := 1; i+1 < f.P; i += 2 {
		g.Rows.SetRow(i, f.Rows.RawRowView(i+1))
		g.Rows.SetRow(i+1, f.Rows.RawRowView(i))
	}
	return &g
}

func band(name string, tau int) (probe.Band, bool) {
	switch {
	case name == "low_pass":
		return probe.LowPass(tau), true
	case name == "high_pass":
		return probe.HighPass(tau), true
	case name == "none":
		return probe.HighPass(1), true
	case name == "only_dc":
		return probe.LowPass(1), true
	case strings.HasPrefix(name, "single_"):
		k, _ := strconv.Atoi(strings.TrimPrefix(name, "single_"))
		return probe.SinglePass(k), true
	}
	return probe.Band{}, false
}

func TestFourierGolden(t *testing.T) {
	for _, name := range []string{"filters_spec_D32", "filters_dft_D32", "filters_spec_D96", "filters_dft_D96"} {
		dir := "testdata"
		if strings.HasSuffix(name, "96") {
			dir = modeltest.Reference(t, "probes", "02-fourier")
		}
		var want filterGolden
		g := readGolden(t, dir, name, &want)
		f, err := probe.NumberSpace(want.P)
		if strings.Contains(name, "dft") {
			f, err = probe.DFT(want.P)
			f = sineFirst(f)
		}
		if err != nil {
			t.Fatal(err)
		}
		checkFourier(t, name, g, want, f)
	}
}

func checkFourier(t *testing.T, name string, g golden, want filterGolden, f *probe.FourierBasis) {
	const abs = 1e-8 // the reference's own
	w, h := g.matrix("in.W_U"), g.matrix("in.H")
	matrixWithin(t, name+" basis", f.Rows, g.matrix("out.F"), abs, 0)
	var gram mat.Dense
	gram.Mul(f.Rows, f.Rows.T())
	off := 0.0
	for i := range want.P {
		gram.Set(i, i, gram.At(i, i)-1)
		for j := range want.P {
			off = max(off, math.Abs(gram.At(i, j)))
		}
	}
	within(t, name+" distance of F Fᵀ from one", off, want.Expect.Off, abs, 0)
	matrixWithin(t, name+" logits", product(h, w.T()), g.matrix("out.logits"), abs, 0)
	s, err := probe.EmbeddingSpectrum(f, w)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, name+" row norms", s.Rows, g.vector("out.row_norms"), abs, 0)
	allWithin(t, name+" frequencies", s.Frequencies, g.vector("out.combined_by_k"), abs, 0)
	logits, _, err := probe.ContributionSpectrum(f, h, w)
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, name+" logit spectrum", logits, g.matrix("out.logit_spectrum"), abs, 0)
	for which, left := range want.Expect.Residual {
		b, ok := band(which, want.Tau)
		if !ok {
			t.Fatalf("%s: band %q", name, which)
		}
		filter, err := probe.NewFilter(f, w, b)
		if slices.Contains(want.Expect.Annihilates, which) {
			if err == nil || !strings.Contains(err.Error(), "nothing would be left") {
				t.Errorf("%s %s: %v, want a refusal", name, which, err)
			}
			// What is refused is what the reference finds: nothing is left.
			for _, array := range []string{"out.filtered_" + which, "out.P_" + which} {
				if g.arrays[array].data == nil {
					continue
				}
				for i, v := range g.vector(array) {
					if !(math.Abs(v) <= abs) {
						t.Fatalf("%s: %s [%d] is %g, and the filter was refused", name, array, i, v)
					}
				}
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if filter.Remaining != left {
			t.Errorf("%s %s: %d dimensions left, want %d", name, which, filter.Remaining, left)
		}
		out, err := filter.Apply(h)
		if err != nil {
			t.Fatal(err)
		}
		matrixWithin(t, name+" "+which, out, g.matrix("out.filtered_"+which), abs, 0)
		if projector := "out.P_" + which; g.arrays[projector].data != nil {
			matrixWithin(t, name+" projector "+which, filter.Projector(), g.matrix(projector), abs, 0)
		}
	}
}

// TestFilterIdentities: P is its own square, what is removed is gone, and the
// rest passes.
func TestFilterIdentities(t *testing.T) {
	f, err := probe.DFT(21)
	if err != nil {
		t.Fatal(err)
	}
	w, h := gaussian(21, 40, 1, 1), gaussian(3, 40, 1, 2)
	filter, err := probe.NewFilter(f, w, probe.LowPass(4))
	if err != nil {
		t.Fatal(err)
	}
	p := filter.Projector()
	matrixWithin(t, "P²", product(p, p), p, 1e-12, 0)
	out, err := filter.Apply(h)
	if err != nil {
		t.Fatal(err)
	}
	waves, _, err := probe.ContributionSpectrum(f, out, w)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		for j, v := range waves.RawRowView(i) {
			if removed := f.K[j] >= 4; removed != (math.Abs(v) < 1e-10) {
				t.Errorf("frequency %d of output %d is %g, removed %v", f.K[j], i, v, removed)
			}
		}
	}
	if filter.Remaining != 40-14 || filter.Waves != 14 {
		t.Errorf("%d dimensions left after %d waves, want 26 after 14", filter.Remaining, filter.Waves)
	}
}

// TestSpectrumPlanted reads off a planted frequency, and none in noise or in a
// constant.
func TestSpectrumPlanted(t *testing.T) {
	for _, p := range []int{20, 21} { // even and odd
		f, err := probe.DFT(p)
		if err != nil {
			t.Fatal(err)
		}
		matrixWithin(t, "F·Fᵀ", product(f.Rows, f.Rows.T()), mat.NewDiagDense(p, ones(p)), 1e-12, 0)
		w := mat.NewDense(p, 2, nil)
		constant := mat.NewDense(p, 1, ones(p))
		for x := range p {
			w.SetRow(x, []float64{5 + 3*math.Cos(2*math.Pi*float64(6*x)/float64(p)), 2 * math.Sin(2*math.Pi*float64(6*x)/float64(p))})
		}
		s, err := probe.EmbeddingSpectrum(f, w)
		if err != nil {
			t.Fatal(err)
		}
		within(t, "strength of frequency 6", s.Frequencies[5], math.Sqrt(13*float64(p)/2), 1e-10, 0)
		if s.Dominant() != 6 {
			t.Errorf("dominant frequency %d, want 6", s.Dominant())
		}
		if order := s.Order(); order[0] != 6 || len(order) != p/2 {
			t.Errorf("order %v, want 6 first of %d", order, p/2)
		}
		// Neurons that write w's columns, a constant, and nothing.
		transform, _, err := probe.ContributionSpectrum(f, mat.NewDense(4, 3, []float64{1, 0, 0, 0, -2, 0, 0, 0, 1, 0, 0, 0}), beside(w, constant))
		if err != nil {
			t.Fatal(err)
		}
		if got := must(f.DominantFrequencies(transform))(t); !slices.Equal(got, []int{6, 6, 0, 0}) {
			t.Errorf("neurons write frequencies %v, want 6, 6 and none", got)
		}
		if s, _ = probe.EmbeddingSpectrum(f, constant); s.Dominant() != 0 {
			t.Errorf("dominant frequency %d of a constant, want none", s.Dominant())
		}
		noise, _ := probe.EmbeddingSpectrum(f, gaussian(p, 400, 1, 3))
		if top := slices.Max(noise.Frequencies[:9]) / slices.Min(noise.Frequencies[:9]); !(top < 1.3) {
			t.Errorf("the frequencies of noise differ by %.2f", top)
		}
	}
	f, _ := probe.NumberSpace(521)
	for k, want := range map[int]float64{260: 2, 208: 2.5, 104: 5, 52: 10} {
		if f.Period(k) != want {
			t.Errorf("frequency %d has the period %v, want %v", k, f.Period(k), want)
		}
	}
}

func TestFourierRefuses(t *testing.T) {
	f, _ := probe.DFT(21)
	w := gaussian(21, 40, 1, 1)
	for _, b := range []probe.Band{probe.LowPass(11), probe.HighPass(0), probe.SinglePass(99)} {
		if _, err := probe.NewFilter(f, w, b); err == nil || !strings.Contains(err.Error(), "are 1..10") {
			t.Errorf("%s: %v", b.Name, err)
		}
	}
	if _, err := probe.NewFilter(f, gaussian(20, 40, 1, 1), probe.LowPass(3)); err == nil {
		t.Error("20 rows for 21 numbers pass")
	}
	if _, err := probe.DFT(1); err == nil {
		t.Error("one number passes")
	}
	if _, err := probe.NumberSpace(100); err == nil {
		t.Error("an even number space passes")
	}
	if _, err := f.Combine([]float64{1}); err == nil {
		t.Error("a short list passes")
	}
}

// beside is [a | b].
func beside(a, b mat.Matrix) *mat.Dense {
	var c mat.Dense
	c.Augment(a, b)
	return &c
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// TestFrequencySharesAreBlocks compares the shares, which are computed from sums
// along lines, with the blocks of the two-dimensional transform that define them,
// for odd and even p: there the highest frequency has no sine.
func TestFrequencySharesAreBlocks(t *testing.T) {
	for _, p := range []int{6, 7, 8} {
		f, err := probe.DFT(p)
		if err != nil {
			t.Fatal(err)
		}
		y := gaussian(p*p, 5, 1, uint64(p))
		shares := must(f.FrequencyShares(y))(t)
		center(y)
		waves := must(f.Transform2D(y))(t)
		r := len(f.K)
		for n := range 5 {
			total := 0.0
			want := make([]float64, f.Highest())
			for i := range r * r {
				v := waves.At(i, n)
				total += v * v
				for k := 1; k <= f.Highest(); k++ {
					if a, b := f.K[i/r], f.K[i%r]; (a == 0 || a == k) && (b == 0 || b == k) {
						want[k-1] += v * v
					}
				}
			}
			for k := range want {
				want[k] /= total
			}
			allWithin(t, "shares of p = "+strconv.Itoa(p), shares.RawRowView(n), want, 1e-12, 0)
		}
	}
}
