package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Family names a way to fit activations by a number.
type Family string

// The families that CompareFits draws beside each other.
const (
	// HelixFamily has the circles of a set of periods and a line.
	HelixFamily Family = "helix"
	// CircleFamily has the circles of a set of periods alone.
	CircleFamily Family = "circle"
	// PolynomialFamily has the powers of the number.
	PolynomialFamily Family = "polynomial"
	// PCAFamily keeps the activations' own first components: no function of the
	// number at all, and the best of any fit in as many dimensions.
	PCAFamily Family = "pca"
	// ShuffledFamily is the helix of all periods with the numbers exchanged
	// among each other: what a basis of this size fits by chance.
	ShuffledFamily Family = "shuffled helix"
)

// CompareOptions are the options of CompareFits.
type CompareOptions struct {
	// Periods are those whose sets are tried; nil means DefaultPeriods.
	Periods []float64
	// Scale divides the number in its powers; 0 means the largest |number|.
	Scale float64
	// Components is as in HelixOptions.
	Components int
	// HeldOut are the numbers that the held-out fits do not see; nil means a
	// quarter of them, drawn with Seed. See HoldOutNumbers.
	HeldOut []int
	// Permutation shuffles: the i-th smallest number takes the place of the
	// Permutation[i]-th. nil means one drawn with Seed.
	Permutation []int
	Seed        uint64
}

// Compared is one fit of CompareFits.
type Compared struct {
	Family Family
	// Parameters is 2·periods + 1 for helix and circle (the paper counts both
	// so), the degree of the polynomial, the number of components.
	Parameters int
	Periods    []float64
	// Columns and Rank are of the basis with its constant; 0 for PCA.
	Columns, Rank int
	// All is the fit to every number, Train to the ones not held out, Test on
	// the held-out ones; R2 of Test is about the mean of the training rows. A PCA
	// sees the held-out rows themselves, so its Test is a reconstruction.
	All, Train, Test Fit
}

// Comparison is what CompareFits found.
type Comparison struct {
	// Fits holds the helix and the circle of every set of periods, the
	// polynomial and the PCA of each size, and the shuffled helix of all periods.
	Fits []Compared
	// HeldOut are the numbers of Test, ascending.
	HeldOut []int
	// TestMissing says why Train and Test are zero: too few numbers are left.
	// It is nil when they are there.
	TestMissing error
}

// Best is the fit of a family and size with the largest R2 on all numbers, the
// first of equals; false if there is none.
func (c *Comparison) Best(f Family, parameters int) (Compared, bool) {
	var best Compared
	found := false
	for _, fit := range c.Fits {
		if fit.Family == f && fit.Parameters == parameters && (!found || fit.All.R2 > best.All.R2) {
			best, found = fit, true
		}
	}
	return best, found
}

// CompareFits fits x [N, D], rows read at the given numbers, with the helix of
// every non-empty set of periods and with its rivals of the same number of
// parameters, and scores each also on numbers that it has not seen
// (arXiv:2502.00873, section 4.2 and appendix; the authors' own search returns
// the last set tried, this one the best).
//
// The principal components are found once for all rows and once for the
// training rows; then each of the 2^(P+1) + 2P + 1 fits costs N·columns·
// (columns + k), P the number of periods, at most 8. Errors are FitHelix's;
// when only the held-out fits are impossible, TestMissing says so.
func CompareFits(x *mat.Dense, numbers []int, opt CompareOptions) (*Comparison, error) {
	all, err := newCloud(x, HelixOptions{Components: opt.Components})
	if err != nil {
		return nil, fmt.Errorf("compare fits: %w", err)
	}
	if len(numbers) != all.n {
		return nil, fmt.Errorf("compare fits: %d numbers for %d rows of activations", len(numbers), all.n)
	}
	image, err := opt.settle(numbers)
	if err != nil {
		return nil, fmt.Errorf("compare fits: %w", err)
	}
	out := &Comparison{Fits: opt.plan(all.pca.K()), HeldOut: opt.HeldOut}
	split, missing := newSplit(x, numbers, opt)
	out.TestMissing = missing
	for i := range out.Fits {
		c := &out.Fits[i]
		if c.Family == PCAFamily {
			c.All = all.projection(c.Parameters)
		} else {
			h, err := all.fit([]HelixTerm{opt.term(*c, numbers, image)})
			if err != nil {
				return nil, fmt.Errorf("compare fits: %s of %d parameters: %w", c.Family, c.Parameters, err)
			}
			c.All, c.Rank, c.Columns = h.Fit, h.Rank, len(h.Labels)
		}
		if out.TestMissing == nil {
			out.TestMissing = split.score(c, opt, image)
		}
	}
	if out.TestMissing != nil {
		for i := range out.Fits {
			out.Fits[i].Train, out.Fits[i].Test = Fit{}, Fit{}
		}
	}
	return out, nil
}

// settle fills in the options that were left open, and gives the number that
// each number is exchanged for in the shuffled helix.
func (opt *CompareOptions) settle(numbers []int) (image map[int]int, err error) {
	if opt.Periods == nil {
		opt.Periods = DefaultPeriods()
	}
	if n := len(opt.Periods); n < 1 || n > 8 {
		return nil, fmt.Errorf("%d periods: between 1 and 8 can be searched", n)
	}
	if opt.Scale == 0 {
		opt.Scale = largest(numbers)
	}
	sorted := distinctNumbers(numbers)
	if opt.Permutation == nil {
		opt.Permutation = rand.New(rand.NewPCG(opt.Seed, 2)).Perm(len(sorted))
	}
	if opt.HeldOut == nil {
		opt.HeldOut = HoldOutNumbers(numbers, 0.25, opt.Seed)
	}
	opt.HeldOut = distinctNumbers(opt.HeldOut)
	for _, n := range opt.HeldOut {
		if _, found := slices.BinarySearch(sorted, n); !found {
			return nil, fmt.Errorf("the held-out number %d is not among the %d numbers", n, len(sorted))
		}
	}
	if len(opt.Permutation) != len(sorted) {
		return nil, fmt.Errorf("a permutation of %d for %d different numbers", len(opt.Permutation), len(sorted))
	}
	image = map[int]int{}
	for i, p := range opt.Permutation {
		if p < 0 || p >= len(sorted) || slices.Index(opt.Permutation, p) != i {
			return nil, fmt.Errorf("not a permutation of 0..%d: entry %d is %d", len(sorted)-1, i, p)
		}
		image[sorted[i]] = sorted[p]
	}
	return image, nil
}

// plan lists the fits to make; k is the number of components there are.
func (opt CompareOptions) plan(k int) []Compared {
	var out []Compared
	for _, f := range []Family{HelixFamily, CircleFamily} {
		for _, set := range periodSets(opt.Periods) {
			out = append(out, Compared{Family: f, Parameters: 2*len(set) + 1, Periods: set})
		}
	}
	most := 2*len(opt.Periods) + 1
	for size := 3; size <= most; size += 2 {
		out = append(out, Compared{Family: PolynomialFamily, Parameters: size})
	}
	for size := 3; size <= min(most, k); size += 2 {
		out = append(out, Compared{Family: PCAFamily, Parameters: size})
	}
	return append(out, Compared{Family: ShuffledFamily, Parameters: most, Periods: opt.Periods})
}

// term is the basis of a fit over the numbers, exchanged if it is the shuffled
// one.
func (opt CompareOptions) term(c Compared, numbers []int, image map[int]int) HelixTerm {
	b := NumberBasis{Periods: c.Periods, Degree: 1, Scale: opt.Scale}
	switch c.Family {
	case CircleFamily:
		b.Degree = 0
	case PolynomialFamily:
		b.Degree = c.Parameters
	case ShuffledFamily:
		exchanged := make([]int, len(numbers))
		for i, n := range numbers {
			exchanged[i] = image[n]
		}
		numbers = exchanged
	}
	return HelixTerm{Name: "a", Numbers: numbers, Basis: b}
}

// projection is the fit of the cloud by its own first p components.
func (c *cloud) projection(p int) Fit {
	miss := c.outside
	for i := range c.n {
		for _, v := range c.z.RawRowView(i)[min(p, c.pca.K()):] {
			miss += v * v
		}
	}
	return c.score(miss)
}

// split is the rows that the held-out fits learn from and those they are tested
// on.
type split struct {
	train                     *cloud
	test                      *mat.Dense
	trainNumbers, testNumbers []int
}

func newSplit(x *mat.Dense, numbers []int, opt CompareOptions) (*split, error) {
	var trainRows, testRows []int
	s := &split{}
	for i, n := range numbers {
		if _, out := slices.BinarySearch(opt.HeldOut, n); out {
			testRows, s.testNumbers = append(testRows, i), append(s.testNumbers, n)
		} else {
			trainRows, s.trainNumbers = append(trainRows, i), append(s.trainNumbers, n)
		}
	}
	if len(testRows) == 0 || len(trainRows) < 2 {
		return nil, fmt.Errorf("%d rows are held out of %d: no held-out fit", len(testRows), len(numbers))
	}
	s.test = selectRows(x, testRows)
	_, d := x.Dims()
	k := opt.Components
	if k > 0 {
		k = min(k, len(trainRows)-1, d)
	}
	var err error
	s.train, err = newCloud(selectRows(x, trainRows), HelixOptions{Components: k})
	return s, err
}

// score fits the training rows and tests on the others.
func (s *split) score(c *Compared, opt CompareOptions, image map[int]int) error {
	if c.Family == PCAFamily {
		p := min(c.Parameters, s.train.pca.K())
		c.Train = s.train.projection(p)
		own, err := newCloud(s.test, HelixOptions{PCA: s.train.pca})
		if err != nil {
			return err
		}
		c.Test = own.projection(p)
		return nil
	}
	h, err := s.train.fit([]HelixTerm{opt.term(*c, s.trainNumbers, image)})
	if err != nil {
		return err
	}
	c.Train = h.Fit
	c.Test, err = h.Test(s.test, opt.term(*c, s.testNumbers, image).Numbers)
	return err
}

// HoldOutNumbers draws a share of the different numbers, ascending: whole
// numbers are held out, never some of the rows of one.
func HoldOutNumbers(numbers []int, share float64, seed uint64) []int {
	all := distinctNumbers(numbers)
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	count := min(max(int(share*float64(len(all))), 0), len(all))
	return distinctNumbers(all[:count])
}

// distinctNumbers is the different numbers, ascending.
func distinctNumbers(numbers []int) []int {
	out := slices.Clone(numbers)
	slices.Sort(out)
	return slices.Compact(out)
}

// periodSets is every non-empty set of the periods, small sets first, in the
// order of the periods.
func periodSets(periods []float64) [][]float64 {
	var sets [][]float64
	for size := 1; size <= len(periods); size++ {
		sets = append(sets, combinations(periods, size)...)
	}
	return sets
}

func combinations(of []float64, size int) [][]float64 {
	if size == 0 {
		return [][]float64{nil}
	}
	var out [][]float64
	for i := 0; i+size <= len(of); i++ {
		for _, rest := range combinations(of[i+1:], size-1) {
			out = append(out, append([]float64{of[i]}, rest...))
		}
	}
	return out
}
