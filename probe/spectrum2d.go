package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Transform2D is the two-dimensional Fourier transform of columns y [P·P, C]
// given on the grid of two numbers, row a·P + b:
//
//	Ŷ[i·R + j, c] = Σ_ab F[i,a] F[j,b] Y[a·P + b, c]
//
// [R·R, C] (arXiv:2301.05217, section 3). The cost is 4·P³·C.
func (f *FourierBasis) Transform2D(y *mat.Dense) (*mat.Dense, error) {
	c, err := f.checkGrid("2-d fourier transform", y)
	if err != nil {
		return nil, err
	}
	r, p := len(f.K), f.P
	along := product(f.Rows, mat.NewDense(p, p*c, mat.DenseCopyOf(y).RawMatrix().Data)) // [R, P·C]
	out := mat.NewDense(r*r, c, nil)
	for i := range r {
		block := out.Slice(i*r, (i+1)*r, 0, c).(*mat.Dense)
		block.Mul(f.Rows, mat.NewDense(p, c, along.RawRowView(i)))
	}
	return out, nil
}

func (f *FourierBasis) checkGrid(op string, y *mat.Dense) (columns int, err error) {
	n, c, err := checkRows(op, "values", y, 1)
	if err != nil {
		return 0, err
	}
	if n != f.P*f.P {
		return 0, fmt.Errorf("%s: %d rows for the %d pairs of 0..%d", op, n, f.P*f.P, f.P-1)
	}
	return c, nil
}

// Norms2D is the size of each wave of Transform2D's result over the columns,
// [R, R], rows the waves of a: over the classes for logits.
func (f *FourierBasis) Norms2D(transform *mat.Dense) (*mat.Dense, error) {
	return f.fold("2-d norms", transform, func(row []float64) float64 { return floats.Norm(row, 2) })
}

// Energy2D is the mean square of each wave over the columns, [R, R]: over the
// neurons for their energy map.
func (f *FourierBasis) Energy2D(transform *mat.Dense) (*mat.Dense, error) {
	return f.fold("2-d energy", transform, func(row []float64) float64 { return floats.Dot(row, row) / float64(len(row)) })
}

func (f *FourierBasis) fold(op string, transform *mat.Dense, of func([]float64) float64) (*mat.Dense, error) {
	n, _, err := checkRows(op, "waves", transform, 1)
	if err != nil {
		return nil, err
	}
	r := len(f.K)
	if n != r*r {
		return nil, fmt.Errorf("%s: %d rows for the %d pairs of waves", op, n, r*r)
	}
	out := mat.NewDense(r, r, nil)
	for i := range n {
		out.Set(i/r, i%r, of(transform.RawRowView(i)))
	}
	return out, nil
}

// FrequencyShares says for each column of y [P·P, C] on the grid of two numbers
// which share of its variance stands in waves of one frequency: the energy of
// the nine products of {const, cos_k, sin_k} of a with those of b, over all of
// it, y centred first. The result is [C, Highest], frequency 1 first. A column
// that is constant on the grid has shares of 0.
//
// It is the measure behind neuron clusters and behind the fit of a head's score
// difference (arXiv:2301.05217, section 4 and appendix). The cost is 2·P³·C, as
// the other axis is only needed near the diagonal.
func (f *FourierBasis) FrequencyShares(y *mat.Dense) (*mat.Dense, error) {
	c, err := f.checkGrid("frequency shares", y)
	if err != nil {
		return nil, err
	}
	if !f.Orthonormal {
		return nil, fmt.Errorf("frequency shares: energy can only be shared out among orthonormal waves: use DFT")
	}
	p := f.P
	mean := columnMeans(y)
	yc := centred(y, mean)
	total := make([]float64, c)
	for i := range p * p {
		for j, v := range yc.RawRowView(i) {
			total[j] += v * v
		}
	}
	along := product(f.Rows, mat.NewDense(p, p*c, yc.RawMatrix().Data)) // [R, P·C]
	shares := mat.NewDense(c, f.Highest(), nil)
	for k := 1; k <= f.Highest(); k++ {
		var rows []int
		for i, v := range f.K {
			if v == 0 || v == k {
				rows = append(rows, i)
			}
		}
		waves := selectRows(f.Rows, rows)
		for _, i := range rows {
			block := product(waves, mat.NewDense(p, c, along.RawRowView(i)))
			for j := range rows {
				for n, v := range block.RawRowView(j) {
					shares.Set(n, k-1, shares.At(n, k-1)+v*v)
				}
			}
		}
	}
	for n := range c {
		row := shares.RawRowView(n)
		if !(total[n] > math.Max(1e-12, constantTolerance*float64(p*p)*mean[n]*mean[n])) {
			clear(row)
			continue
		}
		floats.Scale(1/total[n], row)
	}
	return shares, nil
}
