package probe_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// TestPCAGolden compares with scikit-learn's full solver.
func TestPCAGolden(t *testing.T) {
	g := readGolden(t, "testdata", "linear", &struct{}{})
	x := g.matrix("in.X")
	p, err := probe.FitPCA(x, 0)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "mean", p.Mean, g.vector("out.pca_mean"), 1e-12, 0)
	allWithin(t, "variance", p.Variance, g.vector("out.pca_explained_variance"), 1e-9, 0)
	allWithin(t, "ratio", p.Ratio, g.vector("out.pca_ratio"), 1e-10, 0)
	matrixWithin(t, "components", p.Components, g.matrix("out.pca_components"), 1e-8, 0)
	z, err := p.Scores(x)
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "scores", z, g.matrix("out.pca_scores"), 1e-8, 0)
	back, err := p.Reconstruct(z)
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "reconstruction from all components", back, x, 1e-10, 0)
}

// TestPCASides: a cloud and its transpose have the same nonzero spectrum, so
// both Gram sides must give it; here by widening the rows with zeros.
func TestPCASides(t *testing.T) {
	x := gaussian(30, 12, 1, 3)
	wide := mat.NewDense(30, 50, nil)
	for i := range 30 {
		copy(wide.RawRowView(i), x.RawRowView(i))
	}
	a, err := probe.FitPCA(x, 12)
	if err != nil {
		t.Fatal(err)
	}
	b, err := probe.FitPCA(wide, 12)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "variance", b.Variance, a.Variance, 1e-10, 0)
	matrixWithin(t, "components", b.Components.Slice(0, 12, 0, 12), a.Components, 1e-8, 0)
	for i := range 12 {
		v := a.Components.RawRowView(i)
		big := 0.0
		for _, e := range v {
			if math.Abs(e) > math.Abs(big) {
				big = e
			}
		}
		if big < 0 {
			t.Errorf("component %d: its entry of largest size is %g, want it positive", i, big)
		}
	}
}

// TestPCAPlanted: a plane in 40 dimensions has two components and no more.
func TestPCAPlanted(t *testing.T) {
	x := product(gaussian(100, 2, 1, 1), gaussian(2, 40, 1, 2))
	for name, fit := range fits {
		p, err := fit(x, 10)
		if err != nil {
			t.Fatal(err)
		}
		if p.K() != 2 {
			t.Errorf("%s: %d components with variance in a plane, want 2", name, p.K())
		}
		within(t, name+" share of the plane", p.Ratio[0]+p.Ratio[1], 1, 1e-10, 0)
	}
}

// TestPCANull: in white noise no direction stands out.
func TestPCANull(t *testing.T) {
	p, err := probe.FitPCA(gaussian(2000, 10, 1, 5), 0)
	if err != nil {
		t.Fatal(err)
	}
	if !(p.Ratio[0] < 0.12) {
		t.Errorf("the first of ten directions of noise holds %.3f, want about 0.1", p.Ratio[0])
	}
}

var fits = map[string]func(*mat.Dense, int) (*probe.PCA, error){
	"exact": probe.FitPCA,
	"randomised": func(x *mat.Dense, k int) (*probe.PCA, error) {
		return probe.FitPCARandom(x, k, probe.RandomOptions{})
	},
}

// TestPCARandomIsExact compares the range finder with the exact components on
// a spectrum that falls as a residual stream's does, and on a flat one, where
// it must say itself that it is off.
func TestPCARandomIsExact(t *testing.T) {
	x := falling(200, 150, 0.9)
	exact, err := probe.FitPCA(x, 10)
	if err != nil {
		t.Fatal(err)
	}
	r, err := probe.FitPCARandom(x, 10, probe.RandomOptions{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "variance", r.Variance, exact.Variance, 0, 1e-6)
	matrixWithin(t, "components", r.Components, exact.Components, 1e-3, 0)
	if !r.Randomised || !(r.Residual < 1e-4) || exact.Residual != 0 {
		t.Errorf("residual %g (exact %g), want below 1e-4 (and 0)", r.Residual, exact.Residual)
	}
	flat, err := probe.FitPCARandom(gaussian(200, 150, 1, 3), 10, probe.RandomOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !(flat.Residual > 0.01) {
		t.Errorf("residual on white noise %g, want it to admit more than 0.01", flat.Residual)
	}
}

func TestPCARefuses(t *testing.T) {
	x := gaussian(5, 8, 1, 1)
	bad := mat.DenseCopyOf(x)
	bad.Set(2, 3, math.NaN())
	constant := mat.NewDense(4, 3, []float64{1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3})
	for _, test := range []struct {
		name, want string
		x          *mat.Dense
		k          int
	}{
		{"one row", "at least 2", gaussian(1, 8, 1, 1), 1},
		{"more components than rows", "between 1 and 4", x, 5},
		{"negative", "between 1 and 4", x, -1},
		{"constant", "constant", constant, 1},
		{"NaN", "(2, 3) is NaN", bad, 2},
		{"empty", "empty", &mat.Dense{}, 1},
	} {
		for name, fit := range fits {
			if _, err := fit(test.x, test.k); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s %s: %v, want %q", name, test.name, err, test.want)
			}
		}
	}
}

// gaussian is a matrix of normal numbers of the given size.
func gaussian(n, d int, size float64, seed uint64) *mat.Dense {
	rng := rand.New(rand.NewPCG(seed, 1))
	m := mat.NewDense(n, d, nil)
	for i := range m.RawMatrix().Data {
		m.RawMatrix().Data[i] = size * rng.NormFloat64()
	}
	return m
}

// falling is a cloud whose i-th direction has the size decay^i.
func falling(n, d int, decay float64) *mat.Dense {
	x := gaussian(n, d, 1, 11)
	for i := range n {
		row := x.RawRowView(i)
		for j := range row {
			row[j] *= math.Pow(decay, float64(j))
		}
	}
	return x
}

func product(a, b mat.Matrix) *mat.Dense {
	var c mat.Dense
	c.Mul(a, b)
	return &c
}

func BenchmarkPCA(b *testing.B) {
	for _, size := range [][2]int{{100, 768}, {1000, 768}} {
		x := falling(size[0], size[1], 0.98)
		for name, fit := range fits {
			if name == "exact" && size[0] > 500 {
				continue // seconds: the reason for the other
			}
			b.Run(fmt.Sprintf("%s/%dx%d", name, size[0], size[1]), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if _, err := fit(x, 20); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
