package models_test

import (
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/models/tensor"
)

// Sequences that begin alike are computed once as far as they do: logits and
// every site have the bits of a run whose hook forbids it, for every kind of
// block, with and without padding, whatever is needed.
func TestSequencesThatBeginAlike(t *testing.T) {
	rows := [][]int{{1, 5, 2, 3}, {1, 5, 2, 3}, {1, 5, 3, 3}, {2, 5, 2, 3}, {1, 5, 2}, {1, 5, 2, 3, 4}, {5, 2, 3}, {1},
		{0, 5, 2, 3}} // with padding of 0 on the left the same ids as {5, 2, 3}
	var even [][]int
	for a := range 3 {
		for b := range 3 {
			even = append(even, []int{0, a, 5, b, 6})
		}
	}
	left, err := models.Pad(rows, models.Left, 0)
	if err != nil {
		t.Fatal(err)
	}
	right, err := models.Pad(rows, models.Right, 3)
	if err != nil {
		t.Fatal(err)
	}
	none, err := models.Rows(even)
	if err != nil {
		t.Fatal(err)
	}
	for name, m := range subjects(t) {
		idle := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.V}), Fn: func(models.Site, *tensor.Dense) error { return nil }}
		for padding, in := range map[string]models.Batch{"left": left, "right": right, "none": none} {
			for _, need := range []models.Need{{}, {Last: true}, {Positions: []int{-1, 0, 2}, Tokens: []int{3, 1, 3}}} {
				shared, err := m.RunFor(t.Context(), in, need)
				if err != nil {
					t.Fatal(err)
				}
				alone, err := m.RunFor(t.Context(), in, need, idle)
				if err != nil {
					t.Fatal(err)
				}
				if !shared.Logits.EqualBits(alone.Logits) {
					t.Errorf("%s, padding %s, %+v: sharing what begins alike changes the logits", name, padding, need)
				}
			}
			shared, alone := models.NewCache(), models.NewCache()
			if _, err := m.Run(t.Context(), in, models.Record(shared, models.All)); err != nil {
				t.Fatal(err)
			}
			if _, err := m.Run(t.Context(), in, idle, models.Record(alone, models.All)); err != nil {
				t.Fatal(err)
			}
			if len(shared.Sites()) != len(m.Sites()) {
				t.Fatalf("%s: %d sites of %d", name, len(shared.Sites()), len(m.Sites()))
			}
			for _, s := range alone.Sites() {
				x, _ := shared.Get(s)
				y, _ := alone.Get(s)
				if x == nil || !x.EqualBits(y) {
					t.Errorf("%s, padding %s: sharing what begins alike changes %s", name, padding, s)
				}
			}
		}
	}
}

// BenchmarkSums runs all sums of two numbers below 100 for their answers.
func BenchmarkSums(b *testing.B) {
	m := modeltest.Random("sums", models.Config{
		Layers: 6, Width: 96, Heads: 4, KVHeads: 4, HeadWidth: 24, MLPWidth: 384, Vocab: 103, Context: 5,
		Norm: models.RMSNorm, NormEps: 1e-5, Positions: models.Rotary,
		Rotary: models.RotaryConfig{Base: 10000, Dim: 24}, Activation: "gelu_tanh",
	}, 1)
	var rows [][]int
	for i := range 10_000 {
		rows = append(rows, []int{0, 1 + i/100, 101, 1 + i%100, 102})
	}
	in, err := models.Rows(rows)
	if err != nil {
		b.Fatal(err)
	}
	idle := models.Hook{Sites: models.Sites(models.Site{Layer: 0, Kind: models.V}), Fn: func(models.Site, *tensor.Dense) error { return nil }}
	for name, hooks := range map[string][]models.Hook{"shared": nil, "apart": {idle}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := m.RunFor(b.Context(), in, models.Need{Last: true}, hooks...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
