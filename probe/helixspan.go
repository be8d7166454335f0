package probe

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Directions is an orthonormal basis [r, D] of what the fit writes with some of
// its periods, over all its terms, and with its powers of the number if powers
// is set: the subspace to remove in a test of what those periods do. r is at most
// two a period and term; period 2 has one. A period that is not in the fit is
// refused, and so is nothing at all.
func (h *Helix) Directions(powers bool, periods ...float64) (*mat.Dense, error) {
	var rows []int
	for _, t := range periods {
		if !slices.ContainsFunc(h.Terms, func(term HelixTerm) bool { return slices.Contains(term.Basis.Periods, t) }) {
			return nil, fmt.Errorf("helix directions: the fit has no period %v", t)
		}
	}
	at := 0
	for _, term := range h.Terms {
		for i, t := range term.Basis.Periods {
			if slices.Contains(periods, t) {
				rows = append(rows, at+2*i, at+2*i+1)
			}
		}
		for d := range term.Basis.Degree {
			if powers {
				rows = append(rows, at+2*len(term.Basis.Periods)+d)
			}
		}
		at += term.Basis.Columns()
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("helix directions: no period and no power is named")
	}
	basis, err := rowSpace(selectRows(h.Map, rows))
	if err != nil {
		return nil, fmt.Errorf("helix directions: %w", err)
	}
	if basis == nil {
		return nil, fmt.Errorf("helix directions: the fit writes nothing with the periods %v", periods)
	}
	return basis, nil
}

// Outside is an orthonormal basis of the part of the directions [r, D] that lies
// outside the span of other [s, D], both with orthonormal rows: a control
// subspace that shares nothing with the one under test. Directions that keep
// less than a hundred-millionth of their size are inside; when all are, there is
// no control and the error says so.
func Outside(directions, other *mat.Dense) (*mat.Dense, error) {
	_, d, err := checkRows("outside", "directions", directions, 1)
	if err != nil {
		return nil, err
	}
	if _, e, err := checkRows("outside", "other directions", other, 1); err != nil || e != d {
		return nil, fmt.Errorf("outside: directions of width %d and %d (%v)", d, e, err)
	}
	var rest mat.Dense
	rest.Sub(directions, product(product(directions, other.T()), other))
	var kept []int
	for i, size := range rowNorms(&rest) {
		if size > 1e-8 {
			kept = append(kept, i)
		}
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("outside: all directions lie within the others: no control is left")
	}
	return rowSpace(selectRows(&rest, kept))
}

// WithoutDirections is x [N, D] less its part along an orthonormal basis [r, D],
// measured from the mean of the rows, which stays.
func WithoutDirections(x, basis *mat.Dense) (*mat.Dense, error) {
	_, d, err := checkRows("without directions", "rows", x, 1)
	if err != nil {
		return nil, err
	}
	if _, e, err := checkRows("without directions", "directions", basis, 1); err != nil || e != d {
		return nil, fmt.Errorf("without directions: rows of width %d, directions of width %d (%v)", d, e, err)
	}
	xc := centred(x, columnMeans(x))
	out := mat.DenseCopyOf(x)
	out.Sub(out, product(product(xc, basis.T()), basis))
	return out, nil
}
