package probe

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Coordinates are rows x [N, D] in the fit's own directions, [N, columns]: where
// each activation stands on the circles and lines, its columns those of Labels
// without the constant. They are the B of least norm whose B·Map comes nearest to
// x (arXiv:2502.00873, section 4.1, which draws them): an activation that the fit
// meets has the cosines and sines of its number, any other its own. A column that
// the map leaves at 0, as the sine of period 2, is 0.
//
// The cost is D·columns² once and N·D·columns. Errors: another width, NaN, a map
// that is 0.
func (h *Helix) Coordinates(x *mat.Dense) (*mat.Dense, error) {
	_, d, err := checkRows("helix coordinates", "activations", x, 1)
	if err != nil {
		return nil, err
	}
	if d != len(h.Mean) {
		return nil, fmt.Errorf("helix coordinates: width %d for a fit of width %d", d, len(h.Mean))
	}
	last := len(h.Labels) - 1
	s, err := newSolver("helix coordinates", mat.DenseCopyOf(h.Map.Slice(0, last, 0, d).T()))
	if err != nil {
		return nil, err
	}
	origin := append([]float64(nil), h.Mean...)
	floats.Add(origin, h.Map.RawRowView(last))
	return mat.DenseCopyOf(s.solve(mat.DenseCopyOf(centred(x, origin).T())).T()), nil
}

// PeriodShares is how much of the variance of x [N, D] each part of a helix holds.
type PeriodShares struct {
	// Periods is one share a period, Line the power's, All the whole helix' R2. A
	// share is what R2 loses without the part. Circles are orthogonal over whole
	// turns, but a line overlaps with all of them, with long periods most; what two
	// parts share is in neither.
	Periods   []float64
	Line, All float64
	// Whole is the fit of all parts.
	Whole *Helix
}

// FitPeriodShares takes one part of the helix of all periods away at a time. The
// cost is that of periods + 2 fits; errors are FitHelix's. At least two parts are
// needed, which a period and the line are.
func FitPeriodShares(x *mat.Dense, numbers []int, periods []float64, opt HelixOptions) (*PeriodShares, error) {
	c, err := newCloud(x, opt)
	if err != nil {
		return nil, fmt.Errorf("period shares: %w", err)
	}
	whole := HelixOf("a", numbers, periods, 0)
	fit := func(basis NumberBasis) (float64, error) {
		h, err := c.fit([]HelixTerm{{Name: "a", Numbers: numbers, Basis: basis}})
		if err != nil {
			return 0, err
		}
		return h.Fit.R2, nil
	}
	s := &PeriodShares{}
	if s.Whole, err = c.fit([]HelixTerm{whole}); err != nil {
		return nil, err
	}
	s.All = s.Whole.Fit.R2
	without := whole.Basis
	without.Degree = 0
	less, err := fit(without)
	if err != nil {
		return nil, err
	}
	s.Line = max(s.All-less, 0)
	for i := range whole.Basis.Periods {
		without = whole.Basis
		without.Periods = append(append([]float64(nil), whole.Basis.Periods[:i]...), whole.Basis.Periods[i+1:]...)
		if less, err = fit(without); err != nil {
			return nil, err
		}
		s.Periods = append(s.Periods, max(s.All-less, 0))
	}
	return s, nil
}
