package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Fit is how well predicted activations meet the real ones.
type Fit struct {
	// MSE is the mean of (x - x̂)² over rows and channels.
	MSE float64
	// R2 is 1 - Σ(x-x̂)² / Σ(x-μ)², over all channels at once, μ the mean of the
	// rows that the fit was made from. On held-out rows it may be negative.
	R2 float64
}

// Helix is a map from numbers to activations: x̂ = B(n)·Map + Mean.
type Helix struct {
	// Terms are those of the fit; Numbers is nil in them.
	Terms []HelixTerm
	// Labels names the columns of B, the constant last; Map is [columns, D].
	Labels []string
	Map    *mat.Dense
	// Mean is [D].
	Mean []float64
	// Components is k, the principal components that the fit saw.
	Components int
	// Rank is how many columns of B are independent: below len(Labels) the map
	// is the one of minimum norm (period 2 always costs one).
	Rank int
	// Residual is that of the principal components: 0 where they are exact.
	Residual float64
	// Normal is the largest |Bᵀ(Z - BW)| over the sizes of B and Z, 0 but for
	// rounding where W is a least-squares solution; Null is the largest part of W
	// that B does not see over the size of W, 0 where W is the shortest of them.
	Normal, Null float64
	// Fit is that of the rows that the map was fitted to.
	Fit Fit
}

// HelixOptions are the options of FitHelix.
type HelixOptions struct {
	// Components is k; 0 means 100, or all if there are fewer. The fit sees the
	// activations along the first k principal components only. They are exact where
	// the smaller of N and D is at most 400, and FitPCARandom's beyond.
	Components int
	// PCA is used in place of one fitted to the rows, if it is not nil.
	PCA *PCA
}

// HelixOf is the usual term: one number, the paper's helix. Periods of nil mean
// DefaultPeriods; scale 0 means the largest |number|.
func HelixOf(name string, numbers []int, periods []float64, scale float64) HelixTerm {
	if periods == nil {
		periods = DefaultPeriods()
	}
	if scale == 0 {
		scale = largest(numbers)
	}
	return HelixTerm{Name: name, Numbers: numbers, Basis: NumberBasis{Periods: periods, Degree: 1, Scale: scale}}
}

// FitHelix fits the rows of x [N, D] by functions of numbers: one helix, or
// several side by side (a, b and a+b) for rows read where operands meet.
// Kantamneni and Tegmark, "Language Models Use Trigonometry to Do Addition",
// 2025, arXiv:2502.00873, section 4:
//
//	Z = (x - μ)Vᵀ, V the first k principal components
//	W = argmin |B W - Z|² of minimum norm, x̂ = B W V + μ
//
// The authors leave the choice of the solution open where columns of B depend
// on each other; minimum norm makes it unique.
//
// The cost is that of the principal components (exact, smaller Gram side; pass
// PCA to save it) plus N·columns·(columns + k). Errors: numbers that do not
// match the rows, periods below 2, constant activations, NaN, and no more
// different numbers than the rank of B: such a fit would be exact for any
// activations and say nothing.
func FitHelix(x *mat.Dense, terms []HelixTerm, opt HelixOptions) (*Helix, error) {
	c, err := newCloud(x, opt)
	if err != nil {
		return nil, fmt.Errorf("helix: %w", err)
	}
	return c.fit(terms)
}

// exactComponents is the side up to which all components are found exactly: half a
// second of eigenvectors.
const exactComponents = 400

// cloud is activations that are fitted more than once: their principal
// components and their coordinates along them.
type cloud struct {
	pca *PCA
	// z is [N, k].
	z *mat.Dense
	// total is Σ(x-μ)², outside the part of it beyond the k components, which
	// no fit reaches.
	total, outside float64
	n, d           int
}

func newCloud(x *mat.Dense, opt HelixOptions) (*cloud, error) {
	n, d, err := checkRows("fit", "activations", x, 2)
	if err != nil {
		return nil, err
	}
	c := &cloud{pca: opt.PCA, n: n, d: d}
	if c.pca == nil {
		k := opt.Components
		if k == 0 {
			k = min(100, n-1, d)
		}
		if min(n, d) <= exactComponents {
			c.pca, err = FitPCA(x, k)
		} else {
			c.pca, err = FitPCARandom(x, k, RandomOptions{})
		}
		if err != nil {
			return nil, err
		}
	}
	if c.z, err = c.pca.Scores(x); err != nil {
		return nil, err
	}
	if _, c.total, err = variation("fit", "activations", x, c.pca.Mean); err != nil {
		return nil, err
	}
	c.outside = max(c.total-sumOfSquares(c.z), 0)
	return c, nil
}

// fit solves for one set of terms.
func (c *cloud) fit(terms []HelixTerm) (*Helix, error) {
	if err := checkTerms("helix", c.n, terms); err != nil {
		return nil, err
	}
	b := design(terms)
	s, err := newSolver("helix", b)
	if err != nil {
		return nil, err
	}
	if seen := distinct(terms); seen <= s.rank {
		return nil, fmt.Errorf("helix: %d different numbers for %d independent columns: the fit would be exact for any activations, at least %d are needed", seen, s.rank, s.rank+1)
	}
	w := s.solve(c.z)
	var miss mat.Dense
	miss.Sub(c.z, product(b, w))
	h := &Helix{
		Map: product(w, c.pca.Components), Mean: c.pca.Mean, Components: c.pca.K(), Rank: s.rank, Residual: c.pca.Residual,
		Fit:    c.score(sumOfSquares(&miss) + c.outside),
		Normal: largestEntry(product(b.T(), &miss)) / math.Sqrt(sumOfSquares(b)*sumOfSquares(c.z)),
	}
	if size := math.Sqrt(sumOfSquares(w)); size > 0 {
		var null mat.Dense
		null.Sub(w, product(s.inverse, product(b, w)))
		h.Null = largestEntry(&null) / size
	}
	for _, t := range terms {
		h.Labels = append(h.Labels, t.Basis.Labels(t.Name)...)
		t.Numbers = nil
		h.Terms = append(h.Terms, t)
	}
	h.Labels = append(h.Labels, "1")
	return h, nil
}

// largestEntry is max |x|.
func largestEntry(x *mat.Dense) float64 {
	m := 0.0
	for _, v := range x.RawMatrix().Data {
		m = math.Max(m, math.Abs(v))
	}
	return m
}

func (c *cloud) score(miss float64) Fit {
	return Fit{MSE: miss / float64(c.n*c.d), R2: 1 - miss/c.total}
}

// At is the fitted activation [D] at one number a term: what a causal
// replacement writes in place of the real one.
func (h *Helix) At(numbers ...int) ([]float64, error) {
	if len(numbers) != len(h.Terms) {
		return nil, fmt.Errorf("helix: %d numbers for a fit of %d terms", len(numbers), len(h.Terms))
	}
	row := make([]float64, len(h.Labels))
	fillRow(row, h.Terms, func(t int) int { return numbers[t] })
	out := append([]float64(nil), h.Mean...)
	for i, v := range row {
		floats.AddScaled(out, v, h.Map.RawRowView(i))
	}
	return out, nil
}

// Test scores the map on rows x [N, D] that it has not seen, their numbers given
// a term in the order of the fit.
func (h *Helix) Test(x *mat.Dense, numbers ...[]int) (Fit, error) {
	n, d, err := checkRows("helix test", "activations", x, 1)
	if err != nil {
		return Fit{}, err
	}
	if d != len(h.Mean) || len(numbers) != len(h.Terms) {
		return Fit{}, fmt.Errorf("helix test: width %d and %d lists of numbers for a fit of width %d and %d terms", d, len(numbers), len(h.Mean), len(h.Terms))
	}
	terms := append([]HelixTerm(nil), h.Terms...)
	for i := range terms {
		terms[i].Numbers = numbers[i]
	}
	if err := checkTerms("helix test", n, terms); err != nil {
		return Fit{}, err
	}
	xc, total, err := variation("helix test", "activations", x, h.Mean)
	if err != nil {
		return Fit{}, err
	}
	xc.Sub(xc, product(design(terms), h.Map))
	miss := sumOfSquares(xc)
	return Fit{MSE: miss / float64(n*d), R2: 1 - miss/total}, nil
}
