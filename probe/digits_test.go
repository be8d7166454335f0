package probe_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

func TestDigitFitGolden(t *testing.T) {
	var want struct {
		Expect map[string]struct {
			Median     float64            `json:"median_r2"`
			Mean       float64            `json:"mean_r2"`
			Cumulative map[string]float64 `json:"cumulative_median_in_order"`
			Null       float64            `json:"expected_mean_r2"`
			Typical    float64            `json:"median"`
		}
	}
	const abs = 1e-9 // the reference's own
	g := readGolden(t, "testdata", "fourier_fit", &want)
	f := must(probe.DFT(10))(t)
	for name, w := range want.Expect {
		if name == "null" {
			continue
		}
		y := g.matrix("in." + name)
		got := must(probe.FitFrequencies(f, y, []int{1, 2, 5}))(t)
		allWithin(t, name, got.R2, g.vector("out.r2_"+name), abs, 0)
		within(t, name+" median", got.Median, w.Median, abs, 0)
		within(t, name+" mean", got.Mean, w.Mean, abs, 0)
		within(t, name+" null", got.Null, want.Expect["null"].Null, 1e-12, 0)
		order := []int{5, 2, 1, 3, 4}
		for i := range order {
			part := must(probe.FitFrequencies(f, y, order[:i+1]))(t)
			within(t, name+" up to "+strconv.Itoa(order[i]), part.Median, w.Cumulative[strconv.Itoa(order[i])], abs, 0)
		}
	}
	// The median of chance is that of rows drawn anew: 5,000 of them, so that both
	// scatter by about 0.004.
	chance := must(probe.FitFrequencies(f, gaussian(5000, 10, 1, 3), []int{1, 2, 5}))(t)
	within(t, "median of chance", chance.Median, want.Expect["null"].Typical, 0.02, 0)
	constant := mat.NewDense(2, 10, append(ones(10), 1, -1, 1, -1, 1, -1, 1, -1, 1, -1))
	got := must(probe.FitFrequencies(f, constant, []int{5}))(t)
	if !slices.Equal(got.Constant, []int{0}) || got.R2[0] != 0 {
		t.Errorf("a constant row: %+v", got)
	}
	within(t, "parity", got.Median, 1, 1e-12, 0)
	for name, err := range map[string]error{
		"frequency 6":   second(probe.FitFrequencies(f, constant, []int{6})),
		"twice":         second(probe.FitFrequencies(f, constant, []int{1, 1})),
		"nine digits":   second(probe.FitFrequencies(f, gaussian(2, 9, 1, 1), []int{1})),
		"constant rows": second(probe.FitFrequencies(f, mat.NewDense(1, 10, ones(10)), []int{1})),
	} {
		if err == nil {
			t.Errorf("%s passes", name)
		}
	}
}

// digitsOf writes v as width digits, the largest place first.
func digitsOf(v, width int) []int {
	out := make([]int, width)
	for i := width - 1; i >= 0; i-- {
		out[i] = v % 10
		v /= 10
	}
	return out
}

func TestSubgroupsGolden(t *testing.T) {
	type table struct {
		Q map[string][]struct {
			Q       float64
			Slots   []int
			Entropy float64 `json:"conditional_entropy_nats"`
		}
		Label []float64 `json:"label_entropy_nats"`
	}
	var want struct {
		Expect  map[string]table
		Ranges  [][2]int
		Rounded [3][4]float64
	}
	readGolden(t, "testdata", "subgroups", &want)
	var x, nothing, products, sums [][]int
	for a := want.Ranges[0][0]; a < want.Ranges[0][1]; a++ {
		for b := want.Ranges[1][0]; b < want.Ranges[1][1]; b++ {
			nothing = append(nothing, []int{0})
			x = append(x, append(digitsOf(a, 2), digitsOf(b, 2)...))
			products, sums = append(products, digitsOf(a*b, 4)), append(sums, digitsOf(a+b, 3))
		}
	}
	for name, y := range map[string][][]int{"multiplication": products, "addition": sums} {
		for j, s := range must(probe.BestSubgroups(nothing, y, 1))(t) {
			within(t, name+" entropy of digit "+strconv.Itoa(j), s.Entropy, want.Expect[name].Label[j], 1e-12, 0)
		}
		for size, digits := range want.Expect[name].Q {
			k, _ := strconv.Atoi(size)
			got := must(probe.BestSubgroups(x, y, k))(t)
			for j, w := range digits {
				what := name + " " + size + " slots, digit " + strconv.Itoa(j)
				within(t, what, got[j].Quality, w.Q, 1e-12, 0)
				if name == "multiplication" && k <= 3 { // as printed
					within(t, what+" rounded", got[j].Quality, want.Rounded[k-1][j], 5e-4+1e-9, 0)
				}
				within(t, what+" entropy", got[j].Entropy, w.Entropy, 1e-12, 0)
				if !slices.Equal(got[j].Slots, w.Slots) {
					t.Errorf("%s: slots %v, want %v", what, got[j].Slots, w.Slots)
				}
			}
		}
	}
	for _, bad := range []error{
		second(probe.BestSubgroups(x, products, 5)), second(probe.BestSubgroups(x, products[1:], 1)),
		second(probe.BestSubgroups([][]int{{10}}, [][]int{{1}}, 1)), second(probe.BestSubgroups(nil, nil, 1)),
	} {
		if bad == nil {
			t.Error("a bad subgroup passes")
		}
	}
}

func TestAdditionColumnsGolden(t *testing.T) {
	var want struct {
		Expect []struct {
			N, A, B                               int
			SA, SC, SS, SV, UC1, US9, BA, Cascade []int
			ST                                    []string
			CarryIn                               []int `json:"carry_in"`
			Answer                                []int `json:"answer_digits_lsd_first"`
			Complexity                            int
			Text                                  string `json:"answer"`
			Prompt                                string
		}
	}
	readGolden(t, "testdata", "addition_subtasks", &want)
	bit := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	for _, w := range want.Expect {
		columns, carry, complexity, err := probe.AdditionColumns(w.A, w.B, w.N)
		if err != nil {
			t.Fatal(err)
		}
		if asked := zeroPad(w.A, w.N) + "+" + zeroPad(w.B, w.N) + "=" + w.Text; w.Prompt != asked || w.Text != zeroPad(w.A+w.B, w.N+1) {
			t.Errorf("%d+%d is written %q with the answer %q", w.A, w.B, w.Prompt, w.Text)
		}
		var answer []int
		for i, c := range columns {
			got := []int{c.SA, bit(c.SC), bit(c.SS), bit(c.CarryOut), bit(c.UC1), bit(c.US9), bit(c.BaseAdd), bit(c.Cascade), bit(c.CarryIn)}
			should := []int{w.SA[i], w.SC[i], w.SS[i], w.SV[i], w.UC1[i], w.US9[i], w.BA[i], w.Cascade[i], w.CarryIn[i]}
			if !slices.Equal(got, should) || string(c.ST) != w.ST[i] {
				t.Errorf("%d+%d column %d: %v %s, want %v %s", w.A, w.B, i, got, c.ST, should, w.ST[i])
			}
			answer = append(answer, c.Answer)
		}
		if answer = append(answer, bit(carry)); !slices.Equal(answer, w.Answer) || complexity != w.Complexity {
			t.Errorf("%d+%d: answer %v, complexity %d; want %v, %d", w.A, w.B, answer, complexity, w.Answer, w.Complexity)
		}
	}
	for _, bad := range [][3]int{{-1, 2, 3}, {1000, 2, 3}, {1, 2, 0}, {1, 2, 19}} {
		if _, _, _, err := probe.AdditionColumns(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v passes", bad)
		}
	}
}

func zeroPad(v, width int) string { return fmt.Sprintf("%0*d", width, v) }

func TestRunningProductsGolden(t *testing.T) {
	var want struct {
		Expect []struct {
			A, B        int
			S, C, Carry []int
			Running     []int `json:"c_hat"`
			DigitsA     []int `json:"a_digits_lsd_first"`
			DigitsB     []int `json:"b_digits_lsd_first"`
			Product     int
			Digits      string `json:"product_digits_lsd_first"`
			Prompt      string
		}
	}
	readGolden(t, "testdata", "c_hat", &want)
	for _, w := range want.Expect {
		x, y := slices.Clone(digitsOf(w.A, 4)), slices.Clone(digitsOf(w.B, 4))
		slices.Reverse(x)
		slices.Reverse(y)
		written := ""
		for _, d := range must(probe.RunningProducts(w.A, w.B, 4))(t) {
			written += strconv.Itoa(d.Digit)
		}
		asked := strings.Trim(fmt.Sprint(x), "[]") + " * " + strings.Trim(fmt.Sprint(y), "[]")
		if !slices.Equal(x, w.DigitsA) || !slices.Equal(y, w.DigitsB) || w.Product != w.A*w.B || written != w.Digits || w.Prompt != asked {
			t.Errorf("%d·%d: %+v, ours %q asked by %q", w.A, w.B, w, written, asked)
		}
		for k, d := range must(probe.RunningProducts(w.A, w.B, 4))(t) {
			if d != (probe.ProductDigit{Sum: w.S[k], Running: w.Running[k], Digit: w.C[k], Carry: w.Carry[k]}) {
				t.Errorf("%d·%d step %d: %+v", w.A, w.B, k, d)
			}
		}
	}
	for _, bad := range [][3]int{{-1, 2, 3}, {1000, 2, 3}, {1, 2, 0}, {1, 2, 10}} {
		if _, err := probe.RunningProducts(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v passes", bad)
		}
	}
}

func TestNumberReadingGolden(t *testing.T) {
	var want struct {
		IDs    []int     `json:"number_ids"`
		Values []float64 `json:"values"`
		Expect struct {
			MSE float64 `json:"ntl_mse"`
			W1  float64 `json:"ntl_w1"`
		}
	}
	g := readGolden(t, "testdata", "number_token_loss", &want)
	tokens := probe.NumberTokens{IDs: want.IDs, Values: want.Values}
	logits, labels := g.matrix("in.logits"), g.ints("in.labels")
	expected, mse, was := g.vector("out.expected_value"), g.vector("out.ntl_mse_each"), g.vector("out.ntl_was_each")
	meanSquare, meanMove, n := 0.0, 0.0, 0.0
	for i, label := range labels {
		at := slices.Index(want.IDs, label)
		y := 0.0
		if at >= 0 {
			y = want.Values[at]
		}
		r := must(tokens.Read(logits.RawRowView(i), y))(t)
		within(t, "expected value", r.Expected, expected[i], 1e-7, 0)
		if at < 0 {
			continue
		}
		within(t, "squared error", r.SquaredError, mse[i], 1e-7, 0)
		within(t, "distance to move", r.Wasserstein, was[i], 1e-7, 0)
		meanSquare, meanMove, n = meanSquare+r.SquaredError, meanMove+r.Wasserstein, n+1
	}
	within(t, "mean squared error", meanSquare/n, want.Expect.MSE, 1e-7, 0)
	within(t, "mean distance", meanMove/n, want.Expect.W1, 1e-7, 0)
	// Half on 0, half on 8: the mean is right and the answer is not.
	r := must(probe.NumberTokens{IDs: []int{0, 1, 2}, Values: []float64{0, 8, 4}}.Read([]float64{5, 5, -60, 5}, 4))(t)
	allWithin(t, "two peaks", []float64{r.SquaredError, r.Wasserstein, r.Mass}, []float64{0, 4, 2.0 / 3}, 1e-12, 0)
	for _, bad := range []probe.NumberTokens{{}, {IDs: []int{9}, Values: []float64{1}}, {IDs: []int{1, 1}, Values: []float64{1, 2}}, {IDs: []int{1}, Values: []float64{math.NaN()}}} {
		if _, err := bad.Read([]float64{1, 2}, 0); err == nil {
			t.Errorf("%v passes", bad)
		}
	}
}

func TestFourierNumberGolden(t *testing.T) {
	var want struct {
		Expect []struct {
			Value  string
			Digits []int `json:"digits_low_to_high"`
		}
	}
	g := readGolden(t, "testdata", "fone", &want)
	all, pairs := g.matrix("out.encoding"), g.matrix("out.encoding_2_5")
	for i, w := range want.Expect {
		x, err := strconv.Atoi(strings.Replace(w.Value, ".", "", 1))
		if err != nil {
			t.Fatal(err)
		}
		v := must(probe.FourierNumber(x, 3, []float64{10}, -3, 4))(t)
		allWithin(t, w.Value, v, all.RawRowView(i), 1e-7, 0)
		if digits := must(probe.FourierDigits(v))(t); !slices.Equal(digits, w.Digits) {
			t.Errorf("%s: digits %v, want %v", w.Value, digits, w.Digits)
		}
		allWithin(t, w.Value+" by 2 and 5", must(probe.FourierNumber(x/1000, 0, []float64{2, 5}, 0, 3))(t), pairs.RawRowView(i), 1e-7, 0)
	}
	for _, bad := range []error{
		second(probe.FourierNumber(1, 0, nil, 0, 1)), second(probe.FourierNumber(1, 0, []float64{0}, 0, 1)),
		second(probe.FourierNumber(1, 0, []float64{10}, 1, 0)), second(probe.FourierDigits([]float64{0, 0})), second(probe.FourierDigits([]float64{1})),
	} {
		if bad == nil {
			t.Error("a bad fourier number passes")
		}
	}
}
