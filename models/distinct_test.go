package models_test

import (
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// Rows that are alike are computed once before the first block's attention: a
// run that shares has the bits of one whose hooks forbid it, and the gradients
// of both agree, for every kind of block.
func TestRowsThatAreAlikeChangeNothing(t *testing.T) {
	var rows [][]int
	for a := range 4 {
		for b := range 4 {
			rows = append(rows, []int{a, 5, b, 2}[:4-a%2])
		}
	}
	for name, m := range subjects(t) {
		in, err := models.Pad(rows, models.Left, 0)
		if err != nil {
			t.Fatal(err)
		}
		idle := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.V}), Fn: func(models.Site, *tensor.Dense) error { return nil }}
		if shared := run(t, m, in); !shared.EqualBits(run(t, m, in, idle)) {
			t.Errorf("%s: sharing equal rows changes the logits", name)
		}
		last := func(l *tensor.Dense) (float64, *tensor.Dense, error) {
			g, sum := tensor.New(l.Shape...), 0.0
			for b := range l.Dim(0) {
				for i, v := range l.Sub(b, l.Dim(1)-1).Data {
					sum += float64(v) * float64(i%3)
					g.Sub(b, l.Dim(1)-1).Data[i] = float32(i % 3)
				}
			}
			return sum, g, nil
		}
		for _, need := range []models.Need{{}, {Last: true}} {
			got := gradient(t, m, in, last, models.Want{Params: true, Need: need})
			want := gradient(t, m, in, last, models.Want{Params: true, Need: need}, idle)
			if got.Value != want.Value {
				t.Errorf("%s: value %g, want %g", name, got.Value, want.Value)
			}
			scale := float32(0) // of all gradients: those of key biases are sums that cancel
			want.Params.Each(func(_ string, y *tensor.Dense) {
				for _, v := range y.Data {
					scale = max(scale, v, -v)
				}
			})
			got.Params.Each(func(weight string, x *tensor.Dense) {
				y, _ := want.Params.Get(weight)
				modeltest.Close(t, name+": "+weight, x, y, 1e-6*float64(scale), 1e-4) // rows are added in another order
			})
		}
	}
}
