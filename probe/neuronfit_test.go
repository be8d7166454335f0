package probe_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

func TestNeuronGolden(t *testing.T) {
	var want struct {
		Expect []struct {
			NRMSE, R2    float64
			Amplitude    [][]float64 `json:"amplitude_t_by_T"`
			Share        float64     `json:"share_a_plus_b"`
			Dominant     float64     `json:"dominant_period"`
			Coefficients []float64
			Delay        [][]float64 `json:"delay_d_by_T"`
		}
	}
	g := readGolden(t, "testdata", "neuron_preactivation", &want)
	y := mat.NewDense(10000, 2, nil)
	for j, name := range []string{"in.neuron0", "in.neuron1"} {
		y.SetCol(j, g.vector(name))
	}
	got, err := probe.FitNeurons(y, 100, 100, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for j, w := range want.Expect {
		f := got[j]
		within(t, "nrmse", f.NRMSE, w.NRMSE, fitAbs, fitRel)
		within(t, "r2", f.R2, w.R2, fitAbs, fitRel)
		within(t, "share of a+b", f.SumShare, w.Share, fitAbs, fitRel)
		allWithin(t, "coefficients", f.Coefficients, w.Coefficients, fitAbs, fitRel)
		if f.Dominant != w.Dominant {
			t.Errorf("dominant period %v, want %v", f.Dominant, w.Dominant)
		}
		for r := range 3 {
			allWithin(t, "amplitude", f.Amplitude[r], w.Amplitude[r], fitAbs, fitRel)
			for i, period := range []float64{2, 5, 10, 100} {
				// A delay is an angle: 0 and T are one.
				d := math.Abs(f.Delay[r][i] - w.Delay[r][i])
				within(t, "delay", math.Min(d, period-d), 0, 1e-7, 0)
			}
		}
	}
}

// TestNeuronPlanted: a cosine of a+b of period 10 is read off as one, noise and
// a dead neuron are read off as nothing.
func TestNeuronPlanted(t *testing.T) {
	y := mat.NewDense(400, 3, nil)
	noise := gaussian(400, 1, 1, 9)
	for i := range 400 {
		y.SetRow(i, []float64{3 * math.Cos(2*math.Pi/10*(float64(i/20+i%20)-4)), noise.At(i, 0), 7})
	}
	got, err := probe.FitNeurons(y, 20, 20, []float64{4, 10}, nil)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "nrmse of the planted wave", got[0].NRMSE, 0, 1e-12, 0)
	within(t, "amplitude", got[0].Amplitude[2][1], 3, 1e-10, 0)
	within(t, "delay", got[0].Delay[2][1], 4, 1e-9, 0)
	within(t, "share of a+b", got[0].SumShare, 1, 1e-12, 0)
	if got[0].Dominant != 10 {
		t.Errorf("dominant period %v", got[0].Dominant)
	}
	if !(got[1].R2 < 0.1) {
		t.Errorf("r2 of noise %.3f", got[1].R2)
	}
	if !got[2].Constant || got[2].NRMSE != 0 {
		t.Errorf("a dead neuron: %+v", got[2])
	}
}

func TestNeuronRefuses(t *testing.T) {
	for _, test := range []struct {
		name, want string
		rows, a, b int
		periods    []float64
		held       []int
	}{
		{"grid", "11 rows for a grid of 3 by 4", 11, 3, 4, nil, nil},
		{"period", "period 1 is below 2", 12, 3, 4, []float64{1}, nil},
		{"too few points", "exact for any neuron", 4, 2, 2, []float64{3, 5, 7}, nil},
		{"too few fitted points", "4 points for 4 independent columns", 12, 3, 4, []float64{3}, []int{0, 1, 2, 3, 4, 5, 6, 7}},
		{"nothing left", "none is left to fit", 4, 2, 2, []float64{3}, []int{0, 1, 2, 3}},
		{"a row that is not there", "held-out row 12 is outside 0..11", 12, 3, 4, nil, []int{12}},
		{"a row twice", "held-out row 3 is outside 0..11 or comes twice", 12, 3, 4, nil, []int{3, 3}},
	} {
		if _, err := probe.FitNeurons(gaussian(test.rows, 2, 1, 1), test.a, test.b, test.periods, test.held); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// TestNeuronHeldOut: a planted wave is as well described on pairs that no fit has
// seen, and noise is described worse than by its mean; held-out errors are those of
// the coefficients, taken by hand, whichever way the neurons are cut into parts.
func TestNeuronHeldOut(t *testing.T) {
	const side, many = 20, 300
	periods := []float64{4, 10}
	y := gaussian(side*side, many, 1, 5)
	for i := range side * side {
		y.Set(i, 299, 3*math.Cos(2*math.Pi/10*(float64(i/side+i%side)-4))+1)
	}
	var held, kept []int
	for i := range side * side {
		if i%4 == 1 || i%7 == 0 {
			held = append(held, i)
		} else {
			kept = append(kept, i)
		}
	}
	fits, err := probe.FitNeurons(y, side, side, periods, held)
	if err != nil {
		t.Fatal(err)
	}
	within(t, "held-out nrmse of the planted wave", fits[299].HeldNRMSE, 0, 1e-12, 0)
	within(t, "held-out R2 of the planted wave", fits[299].HeldR2, 1, 1e-12, 0)
	worse := 0
	for j, f := range fits[:299] {
		if f.HeldR2 < f.R2 {
			worse++
		}
		said, err := f.Grid(side, side, periods)
		if err != nil {
			t.Fatal(err)
		}
		at, err := f.At(held, side, side, periods)
		if err != nil {
			t.Fatal(err)
		}
		for k, i := range held {
			within(t, "the fit at a pair", at[k], said[i], 1e-12, 0)
		}
		column := mat.Col(nil, j, y)
		for name, part := range map[string]struct {
			rows []int
			got  float64
		}{"fitted": {kept, f.NRMSE}, "held out": {held, f.HeldNRMSE}} {
			sum := 0.0
			for _, i := range part.rows {
				sum += (column[i] - said[i]) * (column[i] - said[i])
			}
			want := math.Sqrt(sum/float64(len(part.rows))) / (slices.Max(column) - slices.Min(column))
			within(t, "nrmse of noise, "+name, part.got, want, 1e-12, 0)
		}
	}
	if worse < 280 {
		t.Errorf("of 299 neurons of noise %d are worse described on unseen pairs", worse)
	}
	if _, err := fits[0].At([]int{side * side}, side, side, periods); err == nil {
		t.Error("a pair outside of the grid has a value")
	}
	whole, err := probe.FitNeurons(y, side, side, periods, nil)
	if err != nil {
		t.Fatal(err)
	}
	if whole[0].HeldNRMSE != 0 || whole[0].HeldR2 != 0 || whole[299].R2 < 1-1e-12 {
		t.Errorf("nothing held out: %+v", whole[0])
	}
}

// TestHeadTypes follows the rule by hand.
func TestHeadTypes(t *testing.T) {
	heads := []probe.HeadEffect{
		{Layer: 13, Head: 4, Operands: 0.9, Sum: 0.1, Joint: 1, Direct: 0.1, Total: 1},   // .81 against .01
		{Layer: 26, Head: 15, Operands: 0.2, Sum: 0.9, Joint: 1, Direct: 0.8, Total: 1},  // .04 against .72
		{Layer: 16, Head: 0, Operands: 0.5, Sum: 0.4, Joint: 1, Direct: 0.5, Total: 1},   // .25 against .20
		{Layer: 9, Head: 7, Operands: 3, Sum: 0.1, Joint: 1, Direct: 0, Total: 1},        // capped at 1
		{Layer: 2, Head: 2, Operands: 3, Sum: 0.1, Joint: 1, Direct: 0.5, Total: 0.0001}, // no effect to divide by
	}
	got, err := probe.TypeHeads(heads, 1, 0.01)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []probe.HeadKind
	for _, h := range got {
		kinds = append(kinds, h.Kind)
	}
	want := []probe.HeadKind{probe.OperandHead, probe.SumHead, probe.MixedHead, probe.OperandHead, probe.UndecidedHead}
	if !slices.Equal(kinds, want) {
		t.Errorf("kinds %v, want %v", kinds, want)
	}
	within(t, "confidence", got[0].OperandConfidence, 0.81, 1e-12, 0)
	within(t, "confidence", got[1].SumConfidence, 0.72, 1e-12, 0)
	within(t, "capped confidence", got[3].OperandConfidence, 1, 1e-12, 0)
	heads[0].Joint = math.NaN()
	if _, err := probe.TypeHeads(heads, 1, 0.01); err == nil || !strings.Contains(err.Error(), "13.4") {
		t.Errorf("a NaN effect: %v", err)
	}
	if _, err := probe.TypeHeads(nil, -1, 0.01); err == nil {
		t.Error("mixed below 0 passes")
	}
	if _, err := probe.TypeHeads(nil, 0, 0); err == nil {
		t.Error("a least effect of 0 passes")
	}
}
