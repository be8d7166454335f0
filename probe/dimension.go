package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// CloudSpectrum is what the singular values of a cloud say of its dimension.
// Two shares are in use under the name of entropy and both are here: of σ
// (StreetMath, 2025) and of σ² (matrix entropy of the Gram matrix; Skean et al.
// and Seq-VCR, 2024, arXiv:2411.02344).
type CloudSpectrum struct {
	// Singular are the singular values, largest first.
	Singular []float64
	// SpectralEntropy is -Σ p ln p with p = σ/Σσ, MatrixEntropy with p = σ²/Σσ²,
	// both in nats; NormalisedEntropy is the second over ln min(N, D).
	SpectralEntropy, MatrixEntropy, NormalisedEntropy float64
	// ParticipationRatio is (Σσ²)²/Σσ⁴, StableRank Σσ²/σ₁².
	ParticipationRatio, StableRank float64
	// AboveHundredth counts σ above a hundredth of the first.
	AboveHundredth int
}

// MeasureSpectrum takes the singular values of rows x [N, D] as they are: centre
// them first for the spectrum of the covariance. They come from the smaller Gram
// side by way of a QR, at N·D·min(N, D). A cloud of zeros is refused.
func MeasureSpectrum(x *mat.Dense) (*CloudSpectrum, error) {
	n, d, err := checkRows("spectrum", "rows", x, 1)
	if err != nil {
		return nil, err
	}
	values, err := singularValues(x)
	if err != nil {
		return nil, err
	}
	if values[0] == 0 {
		return nil, fmt.Errorf("spectrum: all %d rows are 0", n)
	}
	s := &CloudSpectrum{Singular: values}
	squares := make([]float64, len(values))
	fourth := 0.0
	for i, v := range values {
		squares[i] = v * v
		fourth += v * v * v * v
		if v > 0.01*values[0] {
			s.AboveHundredth++
		}
	}
	total := floats.Sum(squares)
	s.SpectralEntropy, s.MatrixEntropy = entropy(values), entropy(squares)
	if side := min(n, d); side > 1 {
		s.NormalisedEntropy = s.MatrixEntropy / math.Log(float64(side))
	}
	s.ParticipationRatio = total * total / fourth
	s.StableRank = total / squares[0]
	return s, nil
}

// Explained is Σσ of the first r singular values over that of all, not of their
// squares (Song and Zhong, "Uncovering hidden geometry in Transformers via
// disentangling position and context", 2023, arXiv 2310.04861).
func (s *CloudSpectrum) Explained(r int) float64 {
	return floats.Sum(s.Singular[:max(0, min(r, len(s.Singular)))]) / floats.Sum(s.Singular)
}

// RankFor is the fewest singular values with Explained at least share.
func (s *CloudSpectrum) RankFor(share float64) int {
	for r := range s.Singular {
		if s.Explained(r) >= share {
			return r
		}
	}
	return len(s.Singular)
}

// Renyi is the Rényi entropy ln Σp^a / (1-a) of p = σ²/Σσ², in nats; at a = 1 it
// is the matrix entropy.
func (s *CloudSpectrum) Renyi(a float64) (float64, error) {
	if !(a > 0) || math.IsInf(a, 0) {
		return 0, fmt.Errorf("renyi entropy: order %v: it must be above 0 and finite", a)
	}
	if a == 1 {
		return s.MatrixEntropy, nil
	}
	total, sum := 0.0, 0.0
	for _, v := range s.Singular {
		total += v * v
	}
	for _, v := range s.Singular {
		if v > 0 {
			sum += math.Pow(v*v/total, a)
		}
	}
	return math.Log(sum) / (1 - a), nil
}

// singularValues are those of x, largest first, min(N, D) of them.
func singularValues(x *mat.Dense) ([]float64, error) {
	n, d := x.Dims()
	var core *mat.Dense
	if n < d {
		_, core = thinQR(mat.DenseCopyOf(x.T()))
	} else {
		_, core = thinQR(x)
	}
	var svd mat.SVD
	if !svd.Factorize(core, mat.SVDNone) {
		return nil, fmt.Errorf("the singular values of a [%d,%d] cloud do not converge", n, d)
	}
	return svd.Values(nil), nil
}

// Neighbours are each row's nearest others.
type Neighbours struct {
	// Index and Distance are [N][k], nearest first; of equal ones the lower row
	// first. Distances are Euclidean.
	Index    [][]int
	Distance [][]float64
}

// Nearest finds the k nearest other rows of each row of x [N, D]. The cost is
// N²·(D + ln N).
func Nearest(x *mat.Dense, k int) (*Neighbours, error) {
	n, _, err := checkRows("neighbours", "rows", x, 2)
	if err != nil {
		return nil, err
	}
	if k < 1 || k >= n {
		return nil, fmt.Errorf("neighbours: %d nearest of %d other rows", k, n-1)
	}
	out := &Neighbours{}
	order, distance := make([]int, 0, n), make([]float64, n)
	for i := range n {
		order = order[:0]
		for j := range n {
			if j != i {
				order = append(order, j)
				distance[j] = floats.Distance(x.RawRowView(i), x.RawRowView(j), 2)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int {
			switch {
			case distance[a] < distance[b]:
				return -1
			case distance[a] > distance[b]:
				return 1
			}
			return 0
		})
		near := make([]float64, k)
		for j := range near {
			near[j] = distance[order[j]]
		}
		out.Index, out.Distance = append(out.Index, slices.Clone(order[:k])), append(out.Distance, near)
	}
	return out, nil
}

// NeighbourhoodOverlap is the mean share of each row's k nearest rows in x
// [N, D] that are also among its k nearest in y [N, E]: 1 when two layers keep
// all neighbours, k/(N-1) by chance (Valeriani et al., "The Geometry of Hidden
// Representations of Large Transformer Models", 2023, arXiv:2302.00294).
func NeighbourhoodOverlap(x, y *mat.Dense, k int) (float64, error) {
	a, err := Nearest(x, k)
	if err != nil {
		return 0, fmt.Errorf("neighbourhood overlap: %w", err)
	}
	b, err := Nearest(y, k)
	if err != nil {
		return 0, fmt.Errorf("neighbourhood overlap: %w", err)
	}
	if len(a.Index) != len(b.Index) {
		return 0, fmt.Errorf("neighbourhood overlap: clouds of %d and %d rows", len(a.Index), len(b.Index))
	}
	shared := 0
	for i := range a.Index {
		for _, j := range a.Index[i] {
			if slices.Contains(b.Index[i], j) {
				shared++
			}
		}
	}
	return float64(shared) / float64(k*len(a.Index)), nil
}

// leastRows is the number of rows below which an intrinsic dimension is noise.
const leastRows = 50

// Dimension is an estimate of the intrinsic dimension of a cloud.
type Dimension struct {
	// Near and Far are the neighbours whose distances were compared, 1 and 2 for
	// TwoNN.
	Near, Far int
	Value     float64
	// Error is the standard error; 0 where the estimator gives none.
	Error float64
	// Kept is how many rows counted, Of how many there are.
	Kept, Of int
}

// TwoNN estimates the intrinsic dimension of rows x [N, D] from the ratio μ of
// each row's second distance to its first (Facco, d'Errico, Rodriguez and Laio,
// "Estimating the intrinsic dimension of datasets by a minimal neighborhood
// information", 2017, arXiv:1803.06992): fit is the slope through 0 of
// -ln(1 - rank/N) over ln μ for the lowest nine tenths, likelihood is
// (N-1)/Σ ln μ. At least 50 different rows are needed: duplicates make μ
// infinite and are refused; leave them out first. The cost is N²·D.
func TwoNN(x *mat.Dense) (fit, likelihood Dimension, err error) {
	distance, err := neighbourDistances("two-nn", x, 2)
	if err != nil {
		return Dimension{}, Dimension{}, err
	}
	mu := distanceRatios(distance, 1, 2)
	n := len(mu)
	slices.Sort(mu)
	kept := int(0.9 * float64(n))
	xy, xx, sum := 0.0, 0.0, 0.0
	for i, m := range mu {
		l := math.Log(m)
		sum += l
		if i < kept {
			xy -= l * math.Log(1-float64(i+1)/float64(n))
			xx += l * l
		}
	}
	if xx == 0 || sum == 0 {
		return Dimension{}, Dimension{}, fmt.Errorf("two-nn: the first two distances are equal at every row: a lattice has no such dimension")
	}
	fit = Dimension{Near: 1, Far: 2, Value: xy / xx, Kept: kept, Of: n}
	likelihood = Dimension{Near: 1, Far: 2, Value: float64(n-1) / sum, Kept: n, Of: n}
	return fit, likelihood, nil
}

// neighbourDistances are the distances [N][far] that estimates of a dimension
// compare.
func neighbourDistances(op string, x *mat.Dense, far int) ([][]float64, error) {
	n, _, err := checkRows(op, "rows", x, leastRows)
	if err != nil {
		return nil, err
	}
	if far >= n {
		return nil, fmt.Errorf("%s: neighbour %d of %d other rows", op, far, n-1)
	}
	nn, err := Nearest(x, far)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for i, d := range nn.Distance {
		if d[0] == 0 {
			return nil, fmt.Errorf("%s: row %d equals row %d: leave duplicates out", op, i, nn.Index[i][0])
		}
	}
	return nn.Distance, nil
}

// distanceRatios are μ = far-th distance over near-th.
func distanceRatios(distance [][]float64, near, far int) []float64 {
	mu := make([]float64, len(distance))
	for i, d := range distance {
		mu[i] = d[far-1] / d[near-1]
	}
	return mu
}

// Gride estimates the intrinsic dimension of rows x [N, D] at several scales:
// for each near, from the ratio of each row's distance to the 2·near-th neighbour
// to that to the near-th, by maximum likelihood (Denti, Doimo, Laio and Mira,
// "The generalized ratios intrinsic dimension estimator", 2022,
// arXiv:2104.13832; DADApy's form): ratios of 1 are nudged, ratios above
// q50 + 20(q95 - q50) left out. Errors are TwoNN's, and a cloud whose dimension
// is not between 0.001 and 1000. The cost is N²·D for all scales together.
func Gride(x *mat.Dense, near ...int) ([]Dimension, error) {
	if len(near) == 0 || slices.Min(near) < 1 {
		return nil, fmt.Errorf("gride: neighbours %v: at least one, and each at least 1, are needed", near)
	}
	distance, err := neighbourDistances("gride", x, 2*slices.Max(near))
	if err != nil {
		return nil, err
	}
	out := make([]Dimension, len(near))
	for i, n := range near {
		if out[i], err = grideAt(distance, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func grideAt(distance [][]float64, near int) (Dimension, error) {
	mu := distanceRatios(distance, near, 2*near)
	for i, m := range mu {
		if m == 1 {
			mu[i] = 1 + 10*epsilon
		}
	}
	sorted := slices.Clone(mu)
	slices.Sort(sorted)
	q50, q95 := quantile(sorted, 0.5), quantile(sorted, 0.95)
	var logs []float64
	for _, m := range mu {
		if m < q50+20*(q95-q50) {
			logs = append(logs, math.Log(m))
		}
	}
	n, far := float64(len(logs)), float64(2*near)
	spread := far - float64(near)
	slope := func(d float64) float64 {
		sum := 0.0
		for _, l := range logs {
			t := math.Max(1-math.Exp(-d*l), 2e-7)
			sum += ((1-spread)/t + far - 1) * l
		}
		return sum - (n-1)/d
	}
	low, high := 1e-3, 1e3
	if len(logs) < 2 || slope(low)*slope(high) > 0 {
		return Dimension{}, fmt.Errorf("gride: no dimension between %v and %v explains the %d distances", low, high, len(logs))
	}
	for high-low > 1e-9 {
		if middle := (low + high) / 2; slope(low)*slope(middle) <= 0 {
			high = middle
		} else {
			low = middle
		}
	}
	d := (low + high) / 2
	curvature := n / (d * d)
	for _, l := range logs {
		p := math.Exp(-d * l)
		t := math.Max(1-p, 2e-7)
		curvature += (spread - 1) * l / t * l / t * p
	}
	return Dimension{Near: near, Far: 2 * near, Value: d, Error: 1 / math.Sqrt(curvature), Kept: len(logs), Of: len(mu)}, nil
}

// epsilon is the spacing of float64 at 1.
const epsilon = 0x1p-52

// quantile is the q-quantile of sorted values, between neighbours in proportion.
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
