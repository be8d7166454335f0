package probe

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Number is a number that rows of activations depend on: an operand, or a sum.
type Number struct {
	Name   string // how labels write it: "a", "a+b"
	Values []int  // one a row
}

// RivalOptions are the options of FitRivals.
type RivalOptions struct {
	// Periods are those whose sets are tried; nil means DefaultPeriods.
	Periods []float64
	// Parameters keeps the fits of so many parameters a number, 2·periods + 1, and
	// the shuffled helix of as many; 0 means every size.
	Parameters int
	// Families are those that are fitted; nil means all.
	Families []Family
	// HeldOut are the values of the first number that the fits do not see; nil means
	// a quarter of them, drawn with Seed. See HoldOutNumbers.
	HeldOut []int
	// Components is as in HelixOptions.
	Components int
	Seed       uint64
}

// Rival is a fit of one family, made without the held-out rows, that says what an
// activation is at numbers that it has not seen.
type Rival struct {
	// Compared has Train and Test; All is zero.
	Compared
	// Numbers is how many numbers it is a function of; 0 for PCA.
	Numbers int

	helix *Helix
	pca   *PCA
	image []map[int]int // of the shuffled helix
}

// Rivals is what FitRivals found.
type Rivals struct {
	Fits []Rival
	// Families are those that are fitted; nil means all.
	Families []Family
	// HeldOut are the values of the first number of Test, ascending.
	HeldOut []int
	// Rows and TestRows are how many rows were fitted and how many were not seen.
	Rows, TestRows int
	// Residual is that of the principal components: 0 where they are exact. Normal
	// and Null are the largest of all fits; see Helix.
	Residual, Normal, Null float64
}

// FitRivals fits x [N, D] by one number or several at once, with the helix and the
// circle of every set of periods and with their rivals of as many parameters, on
// the rows whose first number is not held out (arXiv:2502.00873, sections 4.2 and
// 4.3). A fit on several numbers has the parameters of each: the polynomial its
// powers, PCA as many components as all together. The shuffled helix exchanges the
// values of each number among each other.
//
// The cost is CompareFits', without its fits to all rows. Errors: numbers that do
// not match the rows, no rows to fit or to test, and FitHelix's.
func FitRivals(x *mat.Dense, numbers []Number, opt RivalOptions) (*Rivals, error) {
	n, _, err := checkRows("rivals", "activations", x, 2)
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		return nil, fmt.Errorf("rivals: no number to fit: give at least one")
	}
	for _, v := range numbers {
		if len(v.Values) != n {
			return nil, fmt.Errorf("rivals: %d numbers %s for %d rows of activations", len(v.Values), v.Name, n)
		}
	}
	if opt.Periods == nil {
		opt.Periods = DefaultPeriods()
	}
	if p := len(opt.Periods); p < 1 || p > 8 {
		return nil, fmt.Errorf("rivals: %d periods: between 1 and 8 can be searched", p)
	}
	if most := 2*len(opt.Periods) + 1; opt.Parameters != 0 && (opt.Parameters < 3 || opt.Parameters > most || opt.Parameters%2 == 0) {
		return nil, fmt.Errorf("rivals: %d parameters: a circle a period and a line have 3, 5 and so on, up to %d with %d periods", opt.Parameters, most, len(opt.Periods))
	}
	if opt.HeldOut == nil {
		opt.HeldOut = HoldOutNumbers(numbers[0].Values, 0.25, opt.Seed)
	}
	r, s, err := splitRivals(x, numbers, opt)
	if err != nil {
		return nil, fmt.Errorf("rivals: %w", err)
	}
	for i := range r.Fits {
		if err := s.fitRival(&r.Fits[i], numbers); err != nil {
			return nil, fmt.Errorf("rivals: %s of %d parameters: %w", r.Fits[i].Family, r.Fits[i].Parameters, err)
		}
		if h := r.Fits[i].helix; h != nil {
			r.Normal, r.Null = max(r.Normal, h.Normal), max(r.Null, h.Null)
		}
	}
	return r, nil
}

// rivalSplit is the rows of both sides.
type rivalSplit struct {
	train, held *cloud
	test        *mat.Dense
	rows        [2][]int // of training and test, among all
}

func splitRivals(x *mat.Dense, numbers []Number, opt RivalOptions) (*Rivals, *rivalSplit, error) {
	r := &Rivals{HeldOut: distinctNumbers(opt.HeldOut)}
	s := &rivalSplit{}
	for i, v := range numbers[0].Values {
		side := 0
		if _, out := slices.BinarySearch(r.HeldOut, v); out {
			side = 1
		}
		s.rows[side] = append(s.rows[side], i)
	}
	r.Rows, r.TestRows = len(s.rows[0]), len(s.rows[1])
	if r.Rows < 2 || r.TestRows == 0 {
		return nil, nil, fmt.Errorf("%d of %d rows are held out: both sides need some", r.TestRows, r.Rows+r.TestRows)
	}
	var err error
	if s.train, err = newCloud(selectRows(x, s.rows[0]), HelixOptions{Components: opt.Components}); err != nil {
		return nil, nil, err
	}
	s.test = selectRows(x, s.rows[1])
	if s.held, err = newCloud(s.test, HelixOptions{PCA: s.train.pca}); err != nil {
		return nil, nil, err
	}
	r.Residual = s.train.pca.Residual
	r.Fits = opt.plan(numbers, s.train.pca.K())
	return r, s, nil
}

// plan lists the fits to make; k is the number of components there are.
func (opt RivalOptions) plan(numbers []Number, k int) []Rival {
	var image []map[int]int
	for i, v := range numbers {
		image = append(image, ExchangeNumbers(v.Values, opt.Seed+uint64(i)))
	}
	all := CompareOptions{Periods: opt.Periods}.plan(k)
	var out []Rival
	for _, c := range all {
		if opt.Parameters != 0 && c.Parameters != opt.Parameters && c.Family != ShuffledFamily {
			continue
		}
		if opt.Families != nil && !slices.Contains(opt.Families, c.Family) {
			continue
		}
		f := Rival{Compared: c, Numbers: len(numbers)}
		switch c.Family {
		case PCAFamily:
			f.Numbers = 0
			f.Parameters = c.Parameters
			if c.Parameters*len(numbers) > k {
				continue // there are no more components
			}
			f.Columns = c.Parameters * len(numbers)
		case ShuffledFamily:
			f.image = image
			if opt.Parameters != 0 {
				f.Parameters, f.Periods = opt.Parameters, opt.Periods[:(opt.Parameters-1)/2]
			}
		}
		out = append(out, f)
	}
	return out
}

// fitRival fits the training rows and tests on the others.
func (s *rivalSplit) fitRival(f *Rival, numbers []Number) (err error) {
	if f.Family == PCAFamily {
		f.pca = s.train.pca
		f.Train, f.Test = s.train.projection(f.Columns), s.held.projection(f.Columns)
		return nil
	}
	terms := f.terms(numbers, s.rows[0])
	if f.helix, err = s.train.fit(terms); err != nil {
		return err
	}
	f.Train, f.Rank, f.Columns = f.helix.Fit, f.helix.Rank, len(f.helix.Labels)
	var values [][]int
	for _, t := range f.terms(numbers, s.rows[1]) {
		values = append(values, t.Numbers)
	}
	f.Test, err = f.helix.Test(s.test, values...)
	return err
}

// terms are the basis of each number over some rows.
func (f *Rival) terms(numbers []Number, rows []int) []HelixTerm {
	var out []HelixTerm
	for i, v := range numbers {
		b := NumberBasis{Periods: f.Periods, Degree: 1, Scale: largest(v.Values)}
		switch f.Family {
		case CircleFamily:
			b.Degree = 0
		case PolynomialFamily:
			b.Degree = f.Parameters
		}
		values := make([]int, len(rows))
		for k, row := range rows {
			values[k] = f.exchanged(i, v.Values[row])
		}
		out = append(out, HelixTerm{Name: v.Name, Numbers: values, Basis: b})
	}
	return out
}

// exchanged is the value that stands for one of a number.
func (f *Rival) exchanged(number, value int) int {
	if f.image == nil {
		return value
	}
	return f.image[number][value]
}

// At is what the fit says the activation is, [D]: a function of the numbers, in
// the order of the fit, for all families but PCA, which is a function of the
// activation x [D] itself, its part along the components.
func (f *Rival) At(x []float64, numbers ...int) ([]float64, error) {
	if f.Family == PCAFamily {
		if len(x) != len(f.pca.Mean) {
			return nil, fmt.Errorf("pca: an activation of width %d for components of width %d", len(x), len(f.pca.Mean))
		}
		out := slices.Clone(f.pca.Mean)
		rest := slices.Clone(x)
		floats.Sub(rest, f.pca.Mean)
		for i := range f.Columns {
			v := f.pca.Components.RawRowView(i)
			floats.AddScaled(out, floats.Dot(rest, v), v)
		}
		return out, nil
	}
	if len(numbers) != f.Numbers {
		return nil, fmt.Errorf("%s: %d numbers for a fit of %d", f.Family, len(numbers), f.Numbers)
	}
	own := make([]int, len(numbers))
	for i, v := range numbers {
		own[i] = v
		if f.image != nil {
			var known bool
			if own[i], known = f.image[i][v]; !known {
				return nil, fmt.Errorf("%s: the number %d is not among those that were exchanged", f.Family, v)
			}
		}
	}
	return f.helix.At(own...)
}

// ExchangeNumbers gives every number one of the others, or itself, to stand for,
// drawn with the seed: the shuffled basis, a control that has the size of a fit and
// nothing of the numbers.
func ExchangeNumbers(numbers []int, seed uint64) map[int]int {
	sorted := distinctNumbers(numbers)
	image := make(map[int]int, len(sorted))
	for from, to := range rand.New(rand.NewPCG(seed, 2)).Perm(len(sorted)) {
		image[sorted[from]] = sorted[to]
	}
	return image
}
