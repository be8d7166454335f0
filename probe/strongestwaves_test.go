package probe_test

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/probe"
)

// TestStrongestWaves: logits of three waves that agree on a number have their peak
// there once all three are kept and nowhere else before, weaker noise or not; all
// waves of the exact transform are the logits.
func TestStrongestWaves(t *testing.T) {
	const p, n = 41, 12
	f, err := probe.DFT(p)
	if err != nil {
		t.Fatal(err)
	}
	logits := gaussian(n, p, 0.05, 3)
	for i := range n {
		for x := range p {
			v := logits.At(i, x)
			for k, size := range map[int]float64{3: 3, 7: 2, 16: 1} {
				v += size * math.Cos(2*math.Pi*float64(k*(x-3*i))/p)
			}
			logits.Set(i, x, v)
		}
	}
	got, err := f.StrongestWaves(logits, []int{0, 3, 20}, nil)
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := f.StrongestWaves(logits, []int{3, 20}, rand.New(rand.NewPCG(1, 1)))
	if err != nil {
		t.Fatal(err)
	}
	right := 0
	for i := range n {
		if got[1][i] != 3*i%p {
			t.Errorf("row %d: three waves say %d, want %d", i, got[1][i], 3*i%p)
		}
		if peak := floats.MaxIdx(mat.Row(nil, i, logits)); got[2][i] != peak || drawn[1][i] != peak {
			t.Errorf("row %d: all waves say %d and %d, the logits %d", i, got[2][i], drawn[1][i], peak)
		}
		if drawn[0][i] == 3*i%p {
			right++
		}
	}
	if right > n/2 {
		t.Errorf("three random waves say %d of %d", right, n)
	}
	for want, sizes := range map[string][]int{"0..20": {21}, "ascending": {3, 3}} {
		if _, err := f.StrongestWaves(logits, sizes, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("sizes %v: %v", sizes, err)
		}
	}
	if _, err := f.StrongestWaves(gaussian(2, 5, 1, 1), []int{1}, nil); err == nil || !strings.Contains(err.Error(), "5 numbers") {
		t.Errorf("other logits: %v", err)
	}
}
