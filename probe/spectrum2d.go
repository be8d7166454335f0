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
// difference (arXiv:2301.05217, section 4 and appendix). The products of a wave of
// a with one of b are waves of a+b and a-b, so sums along the rows, the columns
// and both diagonals hold all that is asked: the cost is 4·P²·C additions and the
// transforms of four lines, 8·P²·C, a P-th of those of the grid.
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
	total := make([]float64, c)
	// The lines of a, of b, of a+b and of a-b, side by side: [P, 4·C].
	lines := mat.NewDense(p, 4*c, nil)
	yc := make([]float64, c)
	for i := range p * p {
		floats.SubTo(yc, y.RawRowView(i), mean)
		for j, v := range yc {
			total[j] += v * v
		}
		a, b := i/p, i%p
		for line, at := range [4]int{a, b, (a + b) % p, (a - b + p) % p} {
			floats.Add(lines.RawRowView(at)[line*c:(line+1)*c], yc)
		}
	}
	// A wave along one axis has the norm √P over the other, and so has one of a
	// diagonal over the pairs of each of its values.
	waves := product(f.Rows, lines)
	shares := mat.NewDense(c, f.Highest(), nil)
	for i, k := range f.K {
		if k == 0 {
			continue
		}
		row := waves.RawRowView(i)
		each := 4
		if 2*k == p {
			each = 3 // the alternating waves of a+b and a-b are one
		}
		for line := range each {
			for n, v := range row[line*c : (line+1)*c] {
				shares.Set(n, k-1, shares.At(n, k-1)+v*v/float64(p))
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
