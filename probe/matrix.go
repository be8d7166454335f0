package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models/tensor"
)

// Matrix copies a tensor [..., D] into a float64 matrix [rows, D], all leading
// axes joined, as the methods of numbers and geometry take it.
func Matrix(x *tensor.Dense) (*mat.Dense, error) {
	if x == nil || x.Rank() < 1 || x.Len() == 0 {
		return nil, fmt.Errorf("matrix: no rows: the tensor is empty")
	}
	d := x.Dim(-1)
	data := make([]float64, x.Len())
	for i, v := range x.Data {
		data[i] = float64(v)
	}
	m := mat.NewDense(x.Len()/d, d, data)
	return m, checkFinite("matrix", "activations", m)
}

// checkRows refuses a matrix that is empty, holds a NaN or infinity, or has
// fewer than least rows.
func checkRows(op, what string, x *mat.Dense, least int) (n, d int, err error) {
	if x == nil || x.IsEmpty() {
		return 0, 0, fmt.Errorf("%s: %s are empty", op, what)
	}
	n, d = x.Dims()
	if n < least {
		return n, d, fmt.Errorf("%s: %d rows of %s, at least %d are needed", op, n, what, least)
	}
	return n, d, checkFinite(op, what, x)
}

func checkFinite(op, what string, x *mat.Dense) error {
	n, d := x.Dims()
	for i := range n {
		for j, v := range x.RawRowView(i) {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fmt.Errorf("%s: %s [%d,%d] at (%d, %d) is %v", op, what, n, d, i, j, v)
			}
		}
	}
	return nil
}

// columnMeans is the mean of each column.
func columnMeans(x *mat.Dense) []float64 {
	n, d := x.Dims()
	mean := make([]float64, d)
	for i := range n {
		floats.Add(mean, x.RawRowView(i))
	}
	floats.Scale(1/float64(n), mean)
	return mean
}

// centred is x with mean taken off each row.
func centred(x *mat.Dense, mean []float64) *mat.Dense {
	c := mat.DenseCopyOf(x)
	n, _ := c.Dims()
	for i := range n {
		floats.Sub(c.RawRowView(i), mean)
	}
	return c
}

// product is a·b.
func product(a, b mat.Matrix) *mat.Dense {
	var c mat.Dense
	c.Mul(a, b)
	return &c
}

// sumOfSquares is Σ x², row by row.
func sumOfSquares(x *mat.Dense) float64 {
	n, _ := x.Dims()
	s := 0.0
	for i := range n {
		row := x.RawRowView(i)
		s += floats.Dot(row, row)
	}
	return s
}

// selectRows copies the named rows.
func selectRows(x *mat.Dense, rows []int) *mat.Dense {
	_, d := x.Dims()
	out := mat.NewDense(len(rows), d, nil)
	for i, r := range rows {
		out.SetRow(i, x.RawRowView(r))
	}
	return out
}

// constantTolerance is the largest share of its squared size that a cloud's
// variance may have and still count as rounding: float32 activations carry 24
// bits, so a spread of 1e-14 of the square is not one.
const constantTolerance = 1e-14

// variation is Σ (x - mean)², refused when the rows are all the same.
func variation(op, what string, x *mat.Dense, mean []float64) (xc *mat.Dense, total float64, err error) {
	xc = centred(x, mean)
	total = sumOfSquares(xc)
	n, _ := x.Dims()
	if !(total > constantTolerance*(total+float64(n)*floats.Dot(mean, mean))) {
		return nil, 0, fmt.Errorf("%s: %s are constant over all %d rows: there is nothing to explain", op, what, n)
	}
	return xc, total, nil
}
