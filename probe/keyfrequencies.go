package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// KeysByFrequency are the frequencies whose joined strength is above fraction
// of the strongest (TransformerLens' demonstration of grokking: a quarter).
// They come in ascending order.
func (s *Spectrum) KeysByFrequency(fraction float64) ([]int, error) {
	return keysAbove(s.Frequencies, func(i int) int { return i + 1 }, fraction)
}

// KeysByRow are the frequencies of which the sine or the cosine alone is above
// fraction of the strongest row, the constant apart.
func (s *Spectrum) KeysByRow(f *FourierBasis, fraction float64) ([]int, error) {
	if len(s.Rows) != len(f.K) {
		return nil, fmt.Errorf("key frequencies: a spectrum of %d rows for a basis of %d", len(s.Rows), len(f.K))
	}
	return keysAbove(s.Rows[1:], func(i int) int { return f.K[i+1] }, fraction)
}

func keysAbove(values []float64, key func(int) int, fraction float64) ([]int, error) {
	if !(fraction > 0 && fraction <= 1) {
		return nil, fmt.Errorf("key frequencies: fraction %v of the strongest is outside (0, 1]", fraction)
	}
	top := floats.Max(values)
	if !(top > 0) {
		return nil, fmt.Errorf("key frequencies: nothing but the constant: no frequency stands out")
	}
	var keys []int
	for i, v := range values {
		if v > fraction*top || v == top {
			keys = append(keys, key(i))
		}
	}
	slices.Sort(keys)
	return slices.Compact(keys), nil
}

// NeuronClusters says which frequency each neuron of a modular adder follows.
type NeuronClusters struct {
	// Shares is [neurons, Highest], FrequencyShares of the activations.
	Shares *mat.Dense
	// Best is each neuron's strongest frequency; Cluster is the same where its
	// share reaches the threshold and 0 where it does not.
	Best, Cluster []int
	// Keys are the frequencies that have a cluster, ascending; Sizes how many
	// neurons each has.
	Keys  []int
	Sizes map[int]int
	// Dead counts neurons with one value on the whole grid; they belong nowhere.
	Dead int
}

// ClusterNeurons sorts neurons by frequency: activations y [P·P, neurons] behind
// the nonlinearity, at the position that predicts, row a·P + b. The threshold is
// 0.85 in arXiv:2301.05217 (section 4.2; the published code leaves the highest
// frequency out of the search, this one does not). The cost is that of
// FrequencyShares.
func ClusterNeurons(f *FourierBasis, y *mat.Dense, threshold float64) (*NeuronClusters, error) {
	if !(threshold > 0 && threshold <= 1) {
		return nil, fmt.Errorf("neuron clusters: threshold %v is outside (0, 1]", threshold)
	}
	shares, err := f.FrequencyShares(y)
	if err != nil {
		return nil, fmt.Errorf("neuron clusters: %w", err)
	}
	n, _ := shares.Dims()
	c := &NeuronClusters{Shares: shares, Best: make([]int, n), Cluster: make([]int, n), Sizes: map[int]int{}}
	for i := range n {
		row := shares.RawRowView(i)
		at := floats.MaxIdx(row)
		if row[at] == 0 {
			c.Dead++
			continue
		}
		c.Best[i] = at + 1
		if row[at] >= threshold {
			c.Cluster[i] = at + 1
			c.Sizes[at+1]++
		}
	}
	for k := range c.Sizes {
		c.Keys = append(c.Keys, k)
	}
	slices.Sort(c.Keys)
	return c, nil
}

// Gini is how unevenly the values x ≥ 0 are shared: 0 when all are equal, near
// 1 when one has all,
//
//	Σ_i (2i - n - 1)·x_(i) / (n·Σ x), x_(1) ≤ ... ≤ x_(n)
//
// (Hurley and Rickard, "Comparing measures of sparsity", 2009; used on spectra
// in arXiv:2301.05217, section 5.1). Errors: no values, one below 0 or not
// finite, all 0.
func Gini(x []float64) (float64, error) {
	if len(x) == 0 {
		return 0, fmt.Errorf("gini: no values")
	}
	sorted := slices.Clone(x)
	slices.Sort(sorted)
	n := len(sorted)
	sum, weighted := 0.0, 0.0
	for i, v := range sorted {
		if !(v >= 0) || math.IsInf(v, 0) {
			return 0, fmt.Errorf("gini: value %v: all must be finite and at least 0", v)
		}
		sum += v
		weighted += float64(2*(i+1)-n-1) * v
	}
	if sum == 0 {
		return 0, fmt.Errorf("gini: all %d values are 0: there is nothing to share", n)
	}
	return weighted / (float64(n) * sum), nil
}
