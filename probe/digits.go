package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// FrequencyFit is how much of each row over the numbers a few frequencies hold.
type FrequencyFit struct {
	// R2 is [N], the share of each row's variance over the numbers that stands in
	// the frequencies; 0 for the rows in Constant, which have none.
	R2       []float64
	Constant []int
	// Mean and Median are over the rows that vary.
	Mean, Median float64
	// Null is the mean R2 of rows of noise: waves over P-1. Six columns over the
	// ten digits already give 5/9 to anything.
	Null float64
}

// FitFrequencies fits rows y [N, P], each a function of the numbers 0..P-1, by a
// constant and the waves of some frequencies, least squares (Bai et al., "Why
// Can't Transformers Learn Multiplication?", 2025, arXiv:2510.00184, where P is
// 10 and the frequencies are 1, 2 and 5: the rows are channels of embeddings,
// neurons' weights, or hidden states read through the unembedding). The basis
// must be exact (DFT). Errors: a width that is not P, frequencies that the basis
// does not have or that come twice, rows that are all constant.
func FitFrequencies(f *FourierBasis, y *mat.Dense, frequencies []int) (*FrequencyFit, error) {
	n, p, err := checkRows("frequency fit", "rows", y, 1)
	if err != nil {
		return nil, err
	}
	if p != f.P || !f.Orthonormal {
		return nil, fmt.Errorf("frequency fit: rows over %d numbers, a basis over %d: the exact basis of that length is needed", p, f.P)
	}
	for i, k := range frequencies {
		if k < 1 || k > f.Highest() || slices.Index(frequencies, k) < i {
			return nil, fmt.Errorf("frequency fit: frequency %d: each must be in 1..%d and come once", k, f.Highest())
		}
	}
	waves := product(y, f.Rows.T())
	out := &FrequencyFit{R2: make([]float64, n)}
	for _, k := range f.K {
		if slices.Contains(frequencies, k) {
			out.Null += 1 / float64(p-1)
		}
	}
	var varying []float64
	for i := range n {
		in, all, constant := 0.0, 0.0, 0.0
		for j, v := range waves.RawRowView(i) {
			switch k := f.K[j]; {
			case k == 0:
				constant = v * v
			case slices.Contains(frequencies, k):
				in += v * v
				all += v * v
			default:
				all += v * v
			}
		}
		if !(all > constantTolerance*(all+constant)) {
			out.Constant = append(out.Constant, i)
			continue
		}
		out.R2[i] = in / all
		out.Mean += out.R2[i]
		varying = append(varying, out.R2[i])
	}
	if len(varying) == 0 {
		return nil, fmt.Errorf("frequency fit: all %d rows are constant over the numbers", n)
	}
	slices.Sort(varying)
	out.Mean /= float64(len(varying))
	out.Median = quantile(varying, 0.5)
	return out, nil
}

// Subgroup is the best that some digits of the input alone can say about one
// digit of the answer.
type Subgroup struct {
	// Slots are the digits of the input that say most, ascending.
	Slots []int
	// Quality is the share of answers that the commonest digit given the slots
	// gets right.
	Quality float64
	// Entropy is that of the digit given the slots, in nats.
	Entropy float64
}

// BestSubgroups finds, for every digit of the answer, the k slots of the input
// that say most about it ("Language Models are Symbolic Learners in Arithmetic",
// 2024, arXiv:2410.15580). x is the digits of each problem [N][slots], y those of
// its answer [N][digits], all 0..9; the first slots of equals win. Slots must be
// at most 5, the table has 10^k rows. The cost is N·digits for each of the sets.
func BestSubgroups(x, y [][]int, k int) ([]Subgroup, error) {
	slots, digits, err := checkDigits(x, y)
	if err != nil {
		return nil, err
	}
	if k < 1 || k > min(slots, 5) {
		return nil, fmt.Errorf("subgroups: %d slots of %d: between 1 and %d are possible", k, slots, min(slots, 5))
	}
	best := make([]Subgroup, digits)
	size := 1
	for range k {
		size *= 10
	}
	table := make([][10]int, size)
	for _, set := range slotSets(slots, k) {
		keys := make([]int, len(x))
		for i, row := range x {
			for _, s := range set {
				keys[i] = keys[i]*10 + row[s]
			}
		}
		for j := range digits {
			clear(table)
			for i, key := range keys {
				table[key][y[i][j]]++
			}
			right, entropy := 0, 0.0
			for _, counts := range table {
				right += slices.Max(counts[:])
				all := 0
				for _, c := range counts {
					all += c
				}
				for _, c := range counts {
					if c > 0 {
						entropy -= float64(c) / float64(len(x)) * math.Log(float64(c)/float64(all))
					}
				}
			}
			if quality := float64(right) / float64(len(x)); best[j].Slots == nil || quality > best[j].Quality+1e-12 {
				best[j] = Subgroup{Slots: set, Quality: quality, Entropy: entropy}
			}
		}
	}
	return best, nil
}

func checkDigits(x, y [][]int) (slots, digits int, err error) {
	if len(x) == 0 || len(x) != len(y) {
		return 0, 0, fmt.Errorf("subgroups: digits of %d problems and of %d answers", len(x), len(y))
	}
	slots, digits = len(x[0]), len(y[0])
	for i := range x {
		if len(x[i]) != slots || len(y[i]) != digits {
			return 0, 0, fmt.Errorf("subgroups: problem %d has %d digits and %d of the answer, the first %d and %d", i, len(x[i]), len(y[i]), slots, digits)
		}
		for _, list := range [2][]int{x[i], y[i]} {
			for _, d := range list {
				if d < 0 || d > 9 {
					return 0, 0, fmt.Errorf("subgroups: problem %d has the digit %d", i, d)
				}
			}
		}
	}
	return slots, digits, nil
}

// slotSets is every set of k of the slots 0..n-1, in order.
func slotSets(n, k int) [][]int {
	all := make([]float64, n)
	for i := range all {
		all[i] = float64(i)
	}
	var out [][]int
	for _, set := range combinations(all, k) {
		out = append(out, toInts(set))
	}
	return out
}
