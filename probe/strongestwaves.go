package probe

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// StrongestWaves is which number has the largest logit when only the constant and
// the strongest k frequencies of each row of logits [N, P] are kept, for each k of
// sizes: [size][N]. Sine and cosine of a frequency are kept together and put back by
// Fᵀ (arXiv:2406.03445, figure 4, where five of 260 make the answer of GPT-2 XL).
// With rng the frequencies are drawn instead, anew for each row: the control.
//
// The cost is N·P·R. Errors: logits that do not fit the basis, sizes that are not
// ascending in 0..Highest, NaN.
func (f *FourierBasis) StrongestWaves(logits *mat.Dense, sizes []int, rng *rand.Rand) ([][]int, error) {
	n, p, err := checkRows("strongest waves", "logits", logits, 1)
	if err != nil {
		return nil, err
	}
	if p != f.P {
		return nil, fmt.Errorf("strongest waves: logits of %d numbers for a basis over %d", p, f.P)
	}
	for i, k := range sizes {
		if k < 0 || k > f.Highest() || i > 0 && k <= sizes[i-1] {
			return nil, fmt.Errorf("strongest waves: sizes %v: ascending numbers in 0..%d are wanted", sizes, f.Highest())
		}
	}
	out := make([][]int, len(sizes))
	waves := product(logits, f.Rows.T()) // [N, R]
	for i := range n {
		row := waves.RawRowView(i)
		joined, err := f.Combine(row)
		if err != nil {
			return nil, err
		}
		order := make([]int, len(joined))
		for k := range order {
			order[k] = k + 1
		}
		if rng != nil {
			rng.Shuffle(len(order), func(a, b int) { order[a], order[b] = order[b], order[a] })
		} else {
			slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(joined[b-1], joined[a-1]) })
		}
		sum, kept := make([]float64, p), 0
		add := func(k int) {
			for r, of := range f.K {
				if of == k {
					floats.AddScaled(sum, row[r], f.Rows.RawRowView(r))
				}
			}
		}
		add(0)
		for s, size := range sizes {
			for ; kept < size; kept++ {
				add(order[kept])
			}
			out[s] = append(out[s], floats.MaxIdx(sum))
		}
	}
	return out, nil
}
