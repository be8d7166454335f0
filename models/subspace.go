package models

import (
	"fmt"
	"math"
)

// subspace is spanned by orthonormal rows [r,n].
type subspace struct{ rows [][]float64 }

// newSubspace orthonormalises the rows of a basis, by modified Gram-Schmidt
// done twice, which leaves errors of rounding only (Giraud, Langou and
// Rozložník, "The loss of orthogonality in the Gram-Schmidt orthogonalization
// process", Computers & Mathematics with Applications 50, 2005).
func newSubspace(basis *Value, n int) (*subspace, error) {
	if len(basis.Data)%n != 0 || basis.Shape != nil && basis.Shape[len(basis.Shape)-1] != n {
		return nil, fmt.Errorf("basis of shape %v with %d numbers: its rows need %d numbers each, one for a selected neuron", basis.Shape, len(basis.Data), n)
	}
	s := &subspace{}
	for r := range len(basis.Data) / n {
		row := make([]float64, n)
		for i := range row {
			row[i] = float64(basis.Data[r*n+i])
		}
		before := dot64(row, row)
		for range 2 {
			for _, b := range s.rows {
				along := dot64(row, b)
				for i := range row {
					row[i] -= along * b[i]
				}
			}
		}
		left := dot64(row, row)
		if !(left > 1e-12*before) { // a millionth of its length: what rounding to float32 leaves of a dependent row
			return nil, fmt.Errorf("basis: row %d depends on those before it", r)
		}
		for i := range row {
			row[i] /= math.Sqrt(left)
		}
		s.rows = append(s.rows, row)
	}
	return s, nil
}

// project is the part of x within the subspace.
func (s *subspace) project(x []float64) []float64 {
	y := make([]float64, len(x))
	for _, b := range s.rows {
		along := dot64(x, b)
		for i := range y {
			y[i] += along * b[i]
		}
	}
	return y
}

func dot64(a, b []float64) float64 {
	s := 0.0
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}
