package models_test

import (
	"math/rand/v2"
	"testing"

	"orrery/models"
	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// TestProductsInPieces compares products of some outputs at a time with whole
// ones, to the bit, and counts the looks between them: a run of a large
// vocabulary ends soon after it is cancelled because no piece is large.
func TestProductsInPieces(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 1))
	for _, c := range []struct{ rows, in, out, most, looks int }{
		{1, 5, 1, 1, 1}, {3, 7, 256, 1, 1}, {3, 7, 257, 1, 2}, {2, 9, 1000, 2 * 9 * 512, 2}, {4, 3, 1500, 4 * 3 * 700, 3}, {5, 16, 800, 1 << 32, 1}, {0, 4, 300, 1 << 32, 1},
	} {
		w, x := tensor.New(c.out, c.in), tensor.New(c.rows, c.in)
		for _, d := range [][]float32{w.Data, x.Data} {
			for i := range d {
				d[i] = float32(r.NormFloat64())
			}
		}
		packed := kernel.PackNT(w.Data, c.out, c.in)
		got, want := tensor.New(c.rows, c.out), tensor.New(c.rows, c.out)
		packed.MatMul(want.Data, x.Data, c.rows, false)
		looks := 0
		models.InPieces(got.Data, x.Data, packed, c.rows, c.most, func() bool { looks++; return false })
		if !got.EqualBits(want) || looks != c.looks {
			t.Errorf("%+v: %d looks, and the same bits: %v", c, looks, got.EqualBits(want))
		}
		for _, add := range []bool{false, true} { // dy stands in y, and x where dx adds to
			dx, whole := x.Clone(), x.Clone()
			packed.MatMulNN(whole.Data, want.Data, c.rows, add)
			models.BackInPieces(dx.Data, want.Data, packed, c.rows, c.most, add, func() bool { return false })
			if !dx.EqualBits(whole) {
				t.Errorf("%+v: the backward product has other bits, add %v", c, add)
			}
		}
		stopped := tensor.New(c.rows, c.out)
		models.InPieces(stopped.Data, x.Data, packed, c.rows, c.most, func() bool { return true })
		if !stopped.EqualBits(tensor.New(c.rows, c.out)) {
			t.Errorf("%+v: computed after it was stopped", c)
		}
	}
}
