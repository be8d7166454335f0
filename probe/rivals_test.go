package probe_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// plantedHelix is rows [n, d] on the helix of some periods with noise, read at
// numbers that repeat.
func plantedHelix(n, d int, periods []float64, noise float64) (*mat.Dense, []int) {
	rng := rand.New(rand.NewPCG(7, 7))
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i % 100
	}
	term := probe.HelixOf("a", numbers, periods, 99)
	planted := gaussian(term.Basis.Columns()+1, d, 1, 4)
	x := mat.NewDense(n, d, nil)
	for i, v := range numbers {
		row := x.RawRowView(i)
		copy(row, planted.RawRowView(term.Basis.Columns()))
		for j := range row {
			for k, period := range term.Basis.Periods {
				sin, cos := math.Sincos(2 * math.Pi * float64(v) / period)
				row[j] += cos*planted.At(2*k, j) + sin*planted.At(2*k+1, j)
			}
			row[j] += float64(v)/99*planted.At(2*len(term.Basis.Periods), j) + noise*rng.NormFloat64()
		}
	}
	return x, numbers
}

func rivalOf(t *testing.T, r *probe.Rivals, f probe.Family, parameters int) *probe.Rival {
	t.Helper()
	var best *probe.Rival
	for i, c := range r.Fits {
		if c.Family == f && c.Parameters == parameters && (best == nil || c.Test.R2 > best.Test.R2) {
			best = &r.Fits[i]
		}
	}
	if best == nil {
		t.Fatalf("no %s of %d parameters", f, parameters)
	}
	return best
}

// TestRivalsFindThePlantedHelix: the planted periods explain numbers that the fit
// has not seen, whatever else has as many parameters does not, and every fit says
// of a number what it is scored by.
func TestRivalsFindThePlantedHelix(t *testing.T) {
	periods := []float64{2, 5, 10}
	x, numbers := plantedHelix(300, 40, periods, 0.1)
	r, err := probe.FitRivals(x, []probe.Number{{Name: "a", Values: numbers}}, probe.RivalOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.HeldOut) != 25 || r.Rows != 225 || r.TestRows != 75 {
		t.Fatalf("%d numbers held out, %d rows fitted, %d tested", len(r.HeldOut), r.Rows, r.TestRows)
	}
	// The ninth powers nearly depend on each other: 1e-9 and not rounding.
	if !(r.Normal <= 1e-9 && r.Null <= 1e-9) {
		t.Errorf("residuals meet the basis by %g, maps have %g that it does not see", r.Normal, r.Null)
	}
	best := rivalOf(t, r, probe.HelixFamily, 7)
	if setName(best.Periods) != setName(periods) || !(best.Test.R2 > 0.98) {
		t.Errorf("the best helix of 7 has periods %v and held-out R2 %g", best.Periods, best.Test.R2)
	}
	for f, most := range map[probe.Family]float64{probe.CircleFamily: 0.98, probe.PolynomialFamily: 0.5} {
		if c := rivalOf(t, r, f, 7); !(c.Test.R2 < most) {
			t.Errorf("%s of 7 reaches %g", f, c.Test.R2)
		}
	}
	if c := rivalOf(t, r, probe.ShuffledFamily, 9); !(c.Test.R2 < 0.05) {
		t.Errorf("the shuffled helix reaches %g", c.Test.R2)
	}
	for _, c := range r.Fits {
		sse, n := 0.0, 0
		for i, v := range numbers {
			if _, held := slices.BinarySearch(r.HeldOut, v); !held {
				continue
			}
			at, err := c.At(x.RawRowView(i), v)
			if err != nil {
				t.Fatal(err)
			}
			for j, want := range x.RawRowView(i) {
				sse += (at[j] - want) * (at[j] - want)
				n++
			}
		}
		within(t, string(c.Family)+" held-out mse of its values", sse/float64(n), c.Test.MSE, 1e-10, 1e-9)
	}
}

// TestRivalsOfSeveralNumbers: rows that hold both operands need both.
func TestRivalsOfSeveralNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	x, _ := plantedHelix(600, 30, nil, 0)
	y := mat.DenseCopyOf(x)
	a, b := make([]int, 600), make([]int, 600)
	for i := range a {
		a[i], b[i] = rng.IntN(100), rng.IntN(100)
		row := y.RawRowView(i)
		for j := range row {
			row[j] = x.At(a[i], j) + x.At(b[i], (j+1)%30)
		}
	}
	fit := func(parameters int, numbers ...probe.Number) *probe.Rivals {
		r, err := probe.FitRivals(y, numbers, probe.RivalOptions{Parameters: parameters, Seed: 1})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	na, nb := probe.Number{Name: "a", Values: a}, probe.Number{Name: "b", Values: b}
	both, one := fit(9, na, nb), fit(9, na)
	if r2 := rivalOf(t, both, probe.HelixFamily, 9).Test.R2; !(r2 > 0.999) {
		t.Errorf("both operands explain %g", r2)
	}
	if r2 := rivalOf(t, one, probe.HelixFamily, 9).Test.R2; !(r2 < 0.7) {
		t.Errorf("one operand explains %g", r2)
	}
	// The rows have 16 dimensions, so that PCA has 14 components and not 18.
	if pca := rivalOf(t, fit(7, na, nb), probe.PCAFamily, 7); pca.Columns != 14 || len(both.Fits) != 4 {
		t.Errorf("PCA keeps %d components beside two helices of 7; %d fits of 9", pca.Columns, len(both.Fits))
	}
	if n := len(fit(5, na).Fits); n != 6+6+1+1+1 {
		t.Errorf("%d fits of 5 parameters", n)
	}
	at, err := rivalOf(t, both, probe.HelixFamily, 9).At(nil, a[0], b[0])
	if err != nil {
		t.Fatal(err)
	}
	allWithin(t, "value at both numbers", at, y.RawRowView(0), 1e-6, 0)
}

func TestRivalsRefuse(t *testing.T) {
	x, numbers := plantedHelix(100, 20, nil, 0.1)
	na := probe.Number{Name: "a", Values: numbers}
	for _, test := range []struct {
		name, want string
		numbers    []probe.Number
		opt        probe.RivalOptions
	}{
		{"no number", "no number", nil, probe.RivalOptions{}},
		{"numbers do not match", "3 numbers a for 100 rows", []probe.Number{{Name: "a", Values: []int{1, 2, 3}}}, probe.RivalOptions{}},
		{"4 parameters", "4 parameters", []probe.Number{na}, probe.RivalOptions{Parameters: 4}},
		{"too many", "11 parameters", []probe.Number{na}, probe.RivalOptions{Parameters: 11}},
		{"nothing held out", "0 of 100 rows", []probe.Number{na}, probe.RivalOptions{HeldOut: []int{777}}},
		{"period below 2", "period 1.5 is below 2", []probe.Number{na}, probe.RivalOptions{Periods: []float64{1.5, 3}}},
		{"fewer numbers than features", "independent columns", []probe.Number{na}, probe.RivalOptions{HeldOut: numbers[:95]}},
	} {
		if _, err := probe.FitRivals(x, test.numbers, test.opt); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	r, err := probe.FitRivals(x, []probe.Number{na}, probe.RivalOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*probe.Rival{rivalOf(t, r, probe.ShuffledFamily, 9), rivalOf(t, r, probe.PCAFamily, 9), rivalOf(t, r, probe.HelixFamily, 9)} {
		numbers := []int{1000}
		if f.Family == probe.HelixFamily {
			numbers = []int{1, 2}
		}
		if _, err := f.At([]float64{1}, numbers...); err == nil {
			t.Errorf("%s: At takes %v", f.Family, numbers)
		}
	}
}

// TestHelixCoordinates: activations on the helix stand at the cosines and sines of
// their number; the sine of period 2 is 0.
func TestHelixCoordinates(t *testing.T) {
	x, numbers := plantedHelix(200, 24, nil, 0)
	h := must(probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf("a", numbers, nil, 99)}, probe.HelixOptions{}))(t)
	got := must(h.Coordinates(x))(t)
	for i, n := range numbers {
		for k, period := range probe.DefaultPeriods() {
			sin, cos := math.Sincos(2 * math.Pi * float64(n) / period)
			within(t, h.Labels[2*k], got.At(i, 2*k), cos, 1e-8, 0)
			within(t, h.Labels[2*k+1], got.At(i, 2*k+1), sin, 1e-8, 0)
		}
		within(t, "line", got.At(i, 8), float64(n)/99, 1e-8, 0)
	}
	if err := second(h.Coordinates(gaussian(3, 7, 1, 1))); err == nil {
		t.Error("rows of another width pass")
	}
}

// TestPeriodShares plants circles of known size over whole turns: their shares are
// those of their squares, and add up but for what the line shares with them.
func TestPeriodShares(t *testing.T) {
	x, numbers := mat.NewDense(100, 8, nil), make([]int, 100)
	for n := range numbers {
		numbers[n] = n
		row := x.RawRowView(n)
		row[0] = math.Cos(math.Pi * float64(n)) // variance 1
		for i, size := range []float64{2, 1} {  // variances 4 and 1
			sin, cos := math.Sincos(2 * math.Pi * float64(n) / []float64{5, 10}[i])
			row[1+2*i], row[2+2*i] = size*cos, size*sin
		}
	}
	s := must(probe.FitPeriodShares(x, numbers, nil, probe.HelixOptions{}))(t)
	allWithin(t, "shares", append(s.Periods, s.Line, s.All), []float64{1. / 6, 4. / 6, 1. / 6, 0, 0, 1}, 2e-3, 0)
	if _, err := probe.FitPeriodShares(x, numbers, []float64{1}, probe.HelixOptions{}); err == nil {
		t.Error("period 1 passes")
	}
}
