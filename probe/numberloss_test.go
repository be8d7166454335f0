package probe_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// TestNumberLossGolden compares losses and their derivatives with PyTorch's
// autograd, in float64: 1e-7.
func TestNumberLossGolden(t *testing.T) {
	var want struct {
		IDs    []int              `json:"number_ids"`
		Values []float64          `json:"values"`
		Expect map[string]float64 `json:"expect"`
	}
	g := readGolden(t, "testdata", "number_token_loss", &want)
	tokens := probe.NumberTokens{IDs: want.IDs, Values: want.Values}
	logits, labels := g.matrix("in.logits"), g.ints("in.labels")
	for _, d := range []probe.NumberDistance{probe.NumberSquare, probe.NumberWasserstein} {
		loss := must(tokens.Loss(logits, labels, d, .3))(t)
		total := "total_ce_plus_0.3_" + string(d)
		within(t, "cross-entropy", loss.CrossEntropy, want.Expect["ce"], 1e-7, 0)
		each := g.vector("out.ce_each")
		for i, want := range each { // two at a time: a loss asks for a number among the labels, and the first is one
			rows := mat.NewDense(2, 16, append(slices.Clone(logits.RawRowView(0)), logits.RawRowView(i)...))
			both := must(tokens.Loss(rows, []int{labels[0], labels[i]}, d, 0))(t)
			within(t, "cross-entropy of one", both.CrossEntropy, (each[0]+want)/2, 1e-7, 0)
		}
		within(t, "distance", loss.Distance, want.Expect["ntl_"+string(d)], 1e-7, 0)
		within(t, "total", loss.Total, want.Expect[total], 1e-7, 0)
		matrixWithin(t, "derivative", loss.Gradient, g.matrix("out.grad_"+total), 1e-7, 0)
	}
}

func TestNumberLossRefuses(t *testing.T) {
	var want struct {
		IDs    []int     `json:"number_ids"`
		Values []float64 `json:"values"`
	}
	g := readGolden(t, "testdata", "number_token_loss", &want)
	tokens := probe.NumberTokens{IDs: want.IDs, Values: want.Values}
	logits, labels := g.matrix("in.logits"), g.ints("in.labels")
	with := func(label int) []int { return append([]int{label}, labels[1:]...) }
	none := make([]int, len(labels))
	for says, loss := range map[string]func() (*probe.NumberLoss, error){
		`distance is "l1"`: func() (*probe.NumberLoss, error) { return tokens.Loss(logits, labels, "l1", .3) },
		"1 labels for 9":   func() (*probe.NumberLoss, error) { return tokens.Loss(logits, labels[:1], "mse", .3) },
		"label 16":         func() (*probe.NumberLoss, error) { return tokens.Loss(logits, with(16), "mse", .3) },
		"λ is NaN":         func() (*probe.NumberLoss, error) { return tokens.Loss(logits, labels, "mse", math.NaN()) },
		"none of the 9":    func() (*probe.NumberLoss, error) { return tokens.Loss(logits, none, "mse", .3) },
		"number tokens with": func() (*probe.NumberLoss, error) {
			return probe.NumberTokens{IDs: want.IDs, Values: want.Values[:2]}.Loss(logits, labels, "mse", .3)
		},
	} {
		if _, err := loss(); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v does not say %q", err, says)
		}
	}
}
