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

type goldenFit struct {
	MSE     float64 `json:"mse"`
	R2      float64 `json:"r2"`
	Rank    int     `json:"rank"`
	Columns int     `json:"columns"`
}

type goldenHeld struct {
	Train   goldenFit `json:"train"`
	TestMSE float64   `json:"test_mse"`
	TestR2  float64   `json:"test_r2"`
	Rank    int       `json:"rank"`
}

type helixGolden struct {
	Frequencies []int   `json:"frequencies"`
	P           int     `json:"p"`
	Noise       float64 `json:"noise"`
	Null        struct {
		Helix float64 `json:"helix_all"`
	} `json:"null_r2_without_pca"`
	Expect struct {
		Helix, Circle, Polynomial map[string]goldenFit
		PCA                       map[string]goldenFit         `json:"pca"`
		Shuffled                  goldenFit                    `json:"shuffled_helix"`
		Best                      map[string]map[string]string `json:"best"`
		K                         int                          `json:"k"`
		HeldOut                   struct {
			Helix, Circle goldenHeld
			Polynomial9   goldenHeld `json:"polynomial9"`
			Numbers       []float64  `json:"numbers"`
		} `json:"held_out"`
	} `json:"expect"`
}

// The reference allows 1e-8 absolute and 1e-6 relative; R2 differs by rounding
// of SSE only.
const (
	fitAbs = 1e-8
	fitRel = 1e-6
)

func checkFit(t *testing.T, what string, got probe.Fit, want goldenFit) {
	t.Helper()
	within(t, what+" mse", got.MSE, want.MSE, fitAbs, fitRel)
	within(t, what+" r2", got.R2, want.R2, fitAbs, fitRel)
}

// setName writes a set of periods as the reference does.
func setName(periods []float64) string {
	var parts []string
	for _, p := range periods {
		parts = append(parts, strconv.FormatFloat(p, 'g', -1, 64))
	}
	return strings.Join(parts, "+")
}

func TestCompareFitsGolden(t *testing.T) {
	dirs := map[string]string{"synthetic_noise_0.1": "testdata"}
	for _, name := range []string{"synthetic_noise_0", "synthetic_noise_1", "synthetic_null"} {
		dirs[name] = ""
	}
	for name, dir := range dirs {
		t.Run(name, func(t *testing.T) {
			if dir == "" {
				dir = modeltest.Reference(t, "probes", "01-helix")
			}
			var want helixGolden
			g := readGolden(t, dir, name, &want)
			checkComparison(t, g, want)
		})
	}
}

func checkComparison(t *testing.T, g golden, want helixGolden) {
	x, numbers, e := g.matrix("in.X"), g.ints("in.numbers"), want.Expect
	got, err := probe.CompareFits(x, numbers, probe.CompareOptions{
		Components: e.K, HeldOut: ints(e.HeldOut.Numbers), Permutation: g.ints("in.permutation"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got.TestMissing != nil {
		t.Fatal(got.TestMissing)
	}
	held := map[probe.Family]goldenHeld{probe.HelixFamily: e.HeldOut.Helix, probe.CircleFamily: e.HeldOut.Circle, probe.PolynomialFamily: e.HeldOut.Polynomial9}
	seen := 0
	for _, c := range got.Fits {
		table, key := e.Helix, setName(c.Periods)
		switch c.Family {
		case probe.CircleFamily:
			table = e.Circle
		case probe.PolynomialFamily:
			table, key = e.Polynomial, strconv.Itoa(c.Parameters)
		case probe.PCAFamily:
			table, key = e.PCA, strconv.Itoa(c.Parameters)
		case probe.ShuffledFamily:
			table, key = map[string]goldenFit{"": e.Shuffled}, ""
		}
		w, ok := table[key]
		if !ok {
			t.Errorf("%s %q is not in the reference", c.Family, key)
			continue
		}
		seen++
		what := string(c.Family) + " " + key
		checkFit(t, what, c.All, w)
		if c.Rank != w.Rank || w.Columns != 0 && c.Columns != w.Columns {
			t.Errorf("%s: rank %d of %d columns, want %d of %d", what, c.Rank, c.Columns, w.Rank, w.Columns)
		}
		if h, ok := held[c.Family]; ok && c.Parameters == 9 {
			checkFit(t, what+" training", c.Train, h.Train)
			within(t, what+" held-out mse", c.Test.MSE, h.TestMSE, fitAbs, fitRel)
			within(t, what+" held-out r2", c.Test.R2, h.TestR2, fitAbs, fitRel)
		}
	}
	if all := len(e.Helix) + len(e.Circle) + len(e.Polynomial) + len(e.PCA) + 1; seen != all {
		t.Errorf("%d fits compared, the reference has %d", seen, all)
	}
	for family, sets := range e.Best {
		for n, name := range sets {
			count, _ := strconv.Atoi(n)
			best, ok := got.Best(probe.Family(family), 2*count+1)
			if !ok || setName(best.Periods) != name {
				t.Errorf("best %s of %d periods is %s, want %s", family, count, setName(best.Periods), name)
			}
		}
	}
	h, err := probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf("a", numbers, nil, 0)}, probe.HelixOptions{Components: e.K})
	if err != nil {
		t.Fatal(err)
	}
	checkPrincipal(t, g, x, e.K)
	n, d := x.Dims()
	if want.Null.Helix == 0 { // a planted helix
		// The constant is the mean's, and sin at the period 2 is no column. Noise of
		// deviation σ moves a coefficient by σ·√(2/n), of the line and of the wave of
		// 100, which are much alike, by σ·√(31/n) and σ·√(5/n).
		planted := g.matrix("in.C")
		for r, square := range []float64{1, 0, 2, 2, 2, 2, 2, 5, 31} {
			if square > 0 {
				allWithin(t, "planted row "+strconv.Itoa(r), h.Map.RawRowView(r), planted.RawRowView(r), 1e-5+6*want.Noise*math.Sqrt(square/float64(n)), 0)
			}
		}
	} else {
		within(t, "chance in noise, without components", float64(want.Expect.Helix["2+5+10+100"].Rank-1)/float64(n-1), want.Null.Helix, 1e-12, 0)
		if d <= e.K {
			t.Errorf("%d components of %d dimensions keep everything", e.K, d)
		}
	}
	matrixWithin(t, "map", h.Map, g.matrix("out.A_map"), fitAbs, fitRel)
	allWithin(t, "mean", h.Mean, g.vector("out.mean"), fitAbs, fitRel)
	prediction := g.matrix("out.prediction_mean_per_number")
	for i, n := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		at, err := h.At(n)
		if err != nil {
			t.Fatal(err)
		}
		allWithin(t, "fit at "+strconv.Itoa(n), at, prediction.RawRowView(i), fitAbs, fitRel)
	}
}

// checkPrincipal compares the variances of the components that fits are made in,
// and where stored the components' sizes, whose signs are free.
func checkPrincipal(t *testing.T, g golden, x *mat.Dense, k int) {
	t.Helper()
	p, err := probe.FitPCA(x, k)
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "explained variance", p.Variance, g.vector("out.explained_variance"), fitAbs, fitRel)
	if g.arrays["out.abs_components"].data == nil {
		return
	}
	want := g.matrix("out.abs_components")
	for i := range mat.Row(nil, 0, want.T()) {
		row := p.Components.RawRowView(i)
		for j, v := range row {
			within(t, "component "+strconv.Itoa(i), math.Abs(v), want.At(i, j), fitAbs, fitRel)
		}
	}
}

// TestHelixRecovers plants a map and finds it again; TestHelixNull finds no
// more than chance in noise, on numbers it has not seen nothing at all.
func TestHelixRecovers(t *testing.T) {
	var numbers []int
	for n := range 120 {
		numbers = append(numbers, n)
	}
	term := probe.HelixOf("a", numbers, []float64{3, 7, 50}, 119)
	planted := gaussian(term.Basis.Columns()+1, 30, 1, 4)
	x := mat.NewDense(120, 30, nil)
	for _, n := range numbers {
		row := x.RawRowView(n)
		copy(row, planted.RawRowView(7)) // the constant
		for i, period := range term.Basis.Periods {
			for j := range row {
				angle := 2 * math.Pi * float64(n) / period
				row[j] += math.Cos(angle)*planted.At(2*i, j) + math.Sin(angle)*planted.At(2*i+1, j)
			}
		}
		for j := range row {
			row[j] += float64(n) / 119 * planted.At(6, j)
		}
	}
	h, err := probe.FitHelix(x, []probe.HelixTerm{term}, probe.HelixOptions{})
	if err != nil {
		t.Fatal(err)
	}
	matrixWithin(t, "map without the constant", h.Map.Slice(0, 7, 0, 30), planted.Slice(0, 7, 0, 30), 1e-9, 0)
	within(t, "r2", h.Fit.R2, 1, 1e-12, 0)
	got, err := probe.CompareFits(x, numbers, probe.CompareOptions{Periods: []float64{3, 7, 11, 50}, Scale: 119})
	if err != nil {
		t.Fatal(err)
	}
	best, _ := got.Best(probe.HelixFamily, 7)
	if setName(best.Periods) != "3+7+50" {
		t.Errorf("best three periods are %s, want the planted 3+7+50", setName(best.Periods))
	}
	within(t, "held-out r2 of the planted periods", best.Test.R2, 1, 1e-9, 0)
}

// TestHelixDirections plants circles on axes of their own and takes one away.
func TestHelixDirections(t *testing.T) {
	x, numbers := mat.NewDense(100, 8, nil), make([]int, 100)
	for n := range numbers {
		numbers[n] = n
		row := x.RawRowView(n)
		for i, period := range []float64{2, 5, 10} {
			row[2*i], row[2*i+1] = 1+math.Cos(2*math.Pi*float64(n)/period), math.Sin(2*math.Pi*float64(n)/period)
		}
		row[6] = float64(n) / 99
	}
	h := must(probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf("a", numbers, []float64{2, 5, 10}, 99)}, probe.HelixOptions{}))(t)
	ten := must(h.Directions(false, 10))(t)
	matrixWithin(t, "projector on period 10", product(ten.T(), ten), mat.NewDiagDense(8, []float64{0, 0, 0, 0, 1, 1, 0, 0}), 1e-9, 0)
	two := must(h.Directions(false, 2))(t)
	matrixWithin(t, "projector on period 2", product(two.T(), two), mat.NewDiagDense(8, []float64{1, 0, 0, 0, 0, 0, 0, 0}), 1e-9, 0)
	line := must(h.Directions(true))(t)
	matrixWithin(t, "projector on the line", product(line.T(), line), mat.NewDiagDense(8, []float64{0, 0, 0, 0, 0, 0, 1, 0}), 1e-9, 0)
	flat := must(probe.WithoutDirections(x, ten))(t)
	for n := range numbers {
		row := slices.Clone(x.RawRowView(n))
		row[4], row[5] = 1, 0 // the mean stays
		allWithin(t, "without period 10", flat.RawRowView(n), row, 1e-9, 0)
	}
	both := must(h.Directions(false, 5, 10))(t)
	rest := must(probe.Outside(both, ten))(t)
	matrixWithin(t, "periods 5 and 10 outside 10", product(rest.T(), rest), mat.NewDiagDense(8, []float64{0, 0, 1, 1, 0, 0, 0, 0}), 1e-9, 0)
	for name, err := range map[string]error{
		"a period that is not there": second(h.Directions(false, 7)), "nothing": second(h.Directions(false)),
		"all inside": second(probe.Outside(ten, both)), "two widths": second(probe.Outside(ten, gaussian(1, 7, 1, 1))),
		"rows of another width": second(probe.WithoutDirections(gaussian(3, 7, 1, 1), ten)),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

func TestHelixNull(t *testing.T) {
	numbers := make([]int, 100)
	for i := range numbers {
		numbers[i] = i
	}
	got, err := probe.CompareFits(gaussian(100, 64, 1, 8), numbers, probe.CompareOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range got.Fits {
		if c.Family == probe.PCAFamily {
			continue
		}
		if chance := float64(c.Rank-1) / 99; math.Abs(c.All.R2-chance) > 0.03 {
			t.Errorf("%s of %d: r2 %.3f in noise, chance is %.3f", c.Family, c.Parameters, c.All.R2, chance)
		}
		if !(c.Test.R2 < 0) {
			t.Errorf("%s of %d: held-out r2 %.3f in noise", c.Family, c.Parameters, c.Test.R2)
		}
	}
}

// TestHelixPairs: fits on a, b, both, their sum and all three.
func TestHelixPairs(t *testing.T) {
	var want struct{ Expect map[string]goldenFit }
	g := probesCase(t, "01-helix", "pairs", &want)
	pairs := g.ints("in.pairs")
	var a, b, sum []int
	for i := 0; i < len(pairs); i += 2 {
		a, b, sum = append(a, pairs[i]), append(b, pairs[i+1]), append(sum, pairs[i]+pairs[i+1])
	}
	x := g.matrix("in.X")
	ta, tb, ts := probe.HelixOf("a", a, nil, 99), probe.HelixOf("b", b, nil, 99), probe.HelixOf("a+b", sum, nil, 198)
	for name, terms := range map[string][]probe.HelixTerm{"a": {ta}, "b": {tb}, "a,b": {ta, tb}, "a+b": {ts}, "a,b,a+b": {ta, tb, ts}} {
		h, err := probe.FitHelix(x, terms, probe.HelixOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w := want.Expect[name]
		checkFit(t, name, h.Fit, w)
		if h.Rank != w.Rank || len(h.Labels) != w.Columns {
			t.Errorf("%s: rank %d of %d columns, want %d of %d", name, h.Rank, len(h.Labels), w.Rank, w.Columns)
		}
		array := "out.A_map_" + strings.NewReplacer(",", "_", "+", "plus").Replace(name)
		matrixWithin(t, name, h.Map, g.matrix(array), fitAbs, fitRel)
	}
}

// TestHelixEmbeddings fits the number rows of trained modular embeddings.
func TestHelixEmbeddings(t *testing.T) {
	for _, name := range []string{"rib", "p99zdpze5l", "l8k1hzciux"} {
		var want helixGolden
		g := probesCase(t, "01-helix", "W_E_"+name, &want)
		m := readModular(t, name)
		x := mat.DenseCopyOf(m.embed.Slice(0, want.P, 0, 128))
		var numbers []int
		for n := range want.P {
			numbers = append(numbers, n)
		}
		var periods []float64
		label := map[float64]string{}
		for _, k := range want.Frequencies {
			periods = append(periods, float64(want.P)/float64(k))
			label[periods[len(periods)-1]] = strconv.Itoa(k)
		}
		got, err := probe.CompareFits(x, numbers, probe.CompareOptions{Periods: periods, Components: 50})
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		for _, c := range got.Fits {
			var keys []string
			for _, p := range c.Periods {
				keys = append(keys, label[p])
			}
			table, key := want.Expect.Helix, strings.Join(keys, "+")
			switch c.Family {
			case probe.CircleFamily:
				table = want.Expect.Circle
			case probe.PolynomialFamily:
				table, key = want.Expect.Polynomial, strconv.Itoa(c.Parameters)
			case probe.PCAFamily:
				table, key = want.Expect.PCA, strconv.Itoa(c.Parameters)
			case probe.ShuffledFamily:
				continue
			}
			w, ok := table[key]
			if !ok {
				t.Fatalf("%s: no %s %q", name, c.Family, key)
			}
			seen++
			checkFit(t, name+" "+string(c.Family)+" "+key, c.All, w)
		}
		if seen != 15+15+4+4 {
			t.Errorf("%s: %d fits compared", name, seen)
		}
		h, err := probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf("a", numbers, periods, 0)}, probe.HelixOptions{Components: 50})
		if err != nil {
			t.Fatal(err)
		}
		checkPrincipal(t, g, x, 50)
		matrixWithin(t, name+" map", h.Map, g.matrix("out.A_map"), fitAbs, fitRel)
	}
}

func TestHelixRefuses(t *testing.T) {
	numbers := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	x := gaussian(10, 20, 1, 1)
	one := mat.NewDense(10, 20, nil)
	for i := range one.RawMatrix().Data {
		one.RawMatrix().Data[i] = 3
	}
	for _, test := range []struct {
		name, want string
		x          *mat.Dense
		terms      []probe.HelixTerm
	}{
		{"fewer numbers than features", "10 different numbers for 10 independent columns", x, []probe.HelixTerm{probe.HelixOf("a", numbers, []float64{3, 4, 5, 6, 7}, 0)}},
		{"constant activations", "constant", one, []probe.HelixTerm{probe.HelixOf("a", numbers, []float64{5}, 0)}},
		{"period below 2", "period 1.5 is below 2", x, []probe.HelixTerm{probe.HelixOf("a", numbers, []float64{1.5}, 0)}},
		{"period NaN", "period NaN", x, []probe.HelixTerm{probe.HelixOf("a", numbers, []float64{math.NaN()}, 0)}},
		{"period twice", "named twice", x, []probe.HelixTerm{probe.HelixOf("a", numbers, []float64{5, 5}, 0)}},
		{"numbers do not match", "3 numbers a for 10 rows", x, []probe.HelixTerm{probe.HelixOf("a", []int{1, 2, 3}, []float64{5}, 0)}},
		{"no term", "no number", x, nil},
	} {
		if _, err := probe.FitHelix(test.x, test.terms, probe.HelixOptions{}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := probe.CompareFits(x, numbers, probe.CompareOptions{Periods: []float64{5}, HeldOut: []int{77}}); err == nil || !strings.Contains(err.Error(), "77") {
		t.Errorf("a held-out number that is not there: %v", err)
	}
	got, err := probe.CompareFits(x, numbers, probe.CompareOptions{Periods: []float64{5}, HeldOut: []int{0, 1, 2, 3, 4, 5, 6}})
	if err != nil {
		t.Fatal(err)
	}
	if got.TestMissing == nil || got.Fits[0].Test != (probe.Fit{}) {
		t.Errorf("three training numbers for four columns: missing %v, test %v", got.TestMissing, got.Fits[0].Test)
	}
}

func BenchmarkCompareFits(b *testing.B) {
	numbers := make([]int, 100)
	for i := range numbers {
		numbers[i] = i
	}
	x := falling(100, 256, 0.97)
	for b.Loop() {
		if _, err := probe.CompareFits(x, numbers, probe.CompareOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
