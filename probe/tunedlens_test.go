package probe_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/probe"
)

// TestTunedLens compares logits, losses and their derivatives by the translators
// with PyTorch's autograd. Its bounds are 1e-7 and 1e-6 in float64; a float32 run
// gets 1e-5.
func TestTunedLens(t *testing.T) {
	m, g, _ := toy(t)
	var want struct {
		IDs  []int
		Rows []struct {
			Layer int
			Input string
			Loss  float64 `json:"loss"`
			Zero  float64 `json:"loss_at_zero_translator"`
		} `json:"rows"`
	}
	c := probesCase(t, "05-lens", "toy_tuned", &want)
	if !slices.Equal(want.IDs, g.IDs) {
		t.Fatalf("the prompt is %v, want %v", g.IDs, want.IDs)
	}
	lens := probe.NewTunedLens(m)
	zero, err := lens.Loss(context.Background(), m, [][]int{g.IDs})
	if err != nil {
		t.Fatal(err)
	}
	for l := range lens.Translators {
		within(t, fmt.Sprintf("loss of zeros at block %d", l), zero[l].Loss, want.Rows[l].Zero, 1e-5, 1e-5)
		lens.Translators[l] = probe.Translator{A: c.matrix(fmt.Sprintf("in.A.%d", l)), B: c.vector(fmt.Sprintf("in.b.%d", l))}
	}
	got, err := lens.Loss(context.Background(), m, [][]int{g.IDs})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := probe.LogitLens(context.Background(), m, g.IDs, probe.LensOptions{Tuned: lens}, func(probe.LensRow) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if rows.LastRowError != 0 {
		t.Errorf("the last state, which has no translator, is read with an error of %g", rows.LastRowError)
	}
	for l, loss := range got {
		if w := want.Rows[l]; w.Layer != l || rows.Rows[l].State != w.Input {
			t.Errorf("block %d reads %s, want %d and %s", l, rows.Rows[l].State, w.Layer, w.Input)
		}
		within(t, fmt.Sprintf("loss at block %d", l), loss.Loss, want.Rows[l].Loss, 1e-5, 1e-5)
		matrixWithin(t, "derivative by A", loss.GradA, c.matrix(fmt.Sprintf("out.grad_A.%d", l)), 1e-5, 1e-5)
		allWithin(t, "derivative by b", loss.GradB, c.vector(fmt.Sprintf("out.grad_b.%d", l)), 1e-5, 1e-5)
		logits, err := probe.Matrix(rows.Rows[l].Logits)
		if err != nil {
			t.Fatal(err)
		}
		matrixWithin(t, "logits", logits, c.matrix(fmt.Sprintf("out.logits.%d", l)), 1e-5, 1e-5)
	}
}

// TestFitTunedLens: a fitted lens is closer to the model than the logit lens at
// every block, on prompts that it has not seen too; where blocks do nothing, the
// logit lens is the model and nothing is learnt.
func TestFitTunedLens(t *testing.T) {
	m, _, _ := toy(t)
	prompts := func(n, seed int) (rows [][]int) {
		for i := range n {
			row := make([]int, 6)
			for p := range row {
				row[p] = (seed + 7*i + 11*p + i*p*p) % 40
			}
			rows = append(rows, row)
		}
		return rows
	}
	held := prompts(12, 5)
	zero, err := probe.NewTunedLens(m).Loss(context.Background(), m, held)
	if err != nil {
		t.Fatal(err)
	}
	for _, opt := range []probe.TunedOptions{{Steps: 60}, {Steps: 60, Adam: true, Rate: 1e-2}} {
		var first, last []float64
		lens, err := probe.FitTunedLens(context.Background(), m, prompts(24, 1), opt, func(step int, losses []float64) error {
			if step == 0 {
				first = append(first, losses...)
			}
			last = append(last[:0], losses...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		tuned, err := lens.Loss(context.Background(), m, held)
		if err != nil {
			t.Fatal(err)
		}
		for l := range tuned {
			if !(last[l] < first[l]*.8) || !(tuned[l].Loss < zero[l].Loss) {
				t.Errorf("%+v, block %d: %g nats became %g, and on other prompts %g became %g", opt, l, first[l], last[l], zero[l].Loss, tuned[l].Loss)
			}
		}
	}
	params := m.Params().Clone()
	for l := range params.Blocks {
		for _, w := range []models.LinearParams{params.Blocks[l].O, params.Blocks[l].Out} {
			clear(w.Weight.Data)
			clear(w.Bias.Data)
		}
	}
	still, err := models.New(m.Config, params)
	if err != nil {
		t.Fatal(err)
	}
	none, err := probe.FitTunedLens(context.Background(), still, prompts(4, 1), probe.TunedOptions{Steps: 2}, func(int, []float64) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for l, a := range none.Translators {
		if size := mat.Norm(a.A, 2); !(size <= 1e-6) {
			t.Errorf("block %d does nothing, and its translator has norm %g", l, size)
		}
	}
}

func TestTunedLensRefuses(t *testing.T) {
	m, g, _ := toy(t)
	idle := func(int, []float64) error { return nil }
	fit := func(prompts [][]int, opt probe.TunedOptions) error {
		_, err := probe.FitTunedLens(context.Background(), m, prompts, opt, idle)
		return err
	}
	read := func(opt probe.LensOptions) error {
		_, err := probe.LogitLens(context.Background(), m, g.IDs, opt, func(probe.LensRow) error { return nil })
		return err
	}
	short, foreign, thin := probe.NewTunedLens(m), probe.NewTunedLens(m), probe.NewTunedLens(m)
	short.Translators, foreign.Model, thin.Translators[1].B = short.Translators[:1], "another", nil
	stop := errors.New("enough")
	_, stopped := probe.FitTunedLens(context.Background(), m, [][]int{g.IDs}, probe.TunedOptions{}, func(int, []float64) error { return stop })
	if !errors.Is(stopped, stop) {
		t.Errorf("stopped with %v", stopped)
	}
	for i, test := range []struct {
		err  error
		want string
	}{
		{fit(nil, probe.TunedOptions{}), "no prompts"},
		{fit([][]int{{1, 2}, {1}}, probe.TunedOptions{}), "tuned lens"},
		{fit([][]int{g.IDs}, probe.TunedOptions{Steps: -1}), "-1 steps"},
		{fit([][]int{g.IDs}, probe.TunedOptions{Momentum: 1}), "momentum 1"},
		{fit([][]int{g.IDs}, probe.TunedOptions{Rate: math.NaN()}), "rate is NaN"},
		{read(probe.LensOptions{Tuned: short}), "1 translators"},
		{read(probe.LensOptions{Tuned: foreign}), "fitted to the model another"},
		{read(probe.LensOptions{Tuned: thin}), "block 1"},
		{read(probe.LensOptions{Tuned: probe.NewTunedLens(m), Mid: true}), "between attention and MLP"},
		{read(probe.LensOptions{Tuned: probe.NewTunedLens(m), Coda: 1}), "coda"},
	} {
		if test.err == nil || !strings.Contains(test.err.Error(), test.want) {
			t.Errorf("%d: error %v does not say %q", i, test.err, test.want)
		}
	}
}
