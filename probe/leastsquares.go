package probe

import (
	"fmt"

	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// rankTolerance is the size, against the largest, below which a singular value
// counts as zero in every fit and projector.
const rankTolerance = 1e-10

// solver solves least squares for one design matrix and many targets, with the
// solution of minimum norm where the columns depend on each other (as the sine
// of period 2 does on whole numbers: it is 0).
type solver struct {
	// inverse is [columns, rows], the pseudoinverse.
	inverse *mat.Dense
	rank    int
}

// newSolver takes the design apart by a thin singular value decomposition.
// The cost grows as rows·columns².
func newSolver(op string, design *mat.Dense) (*solver, error) {
	var svd mat.SVD
	if !svd.Factorize(design, mat.SVDThin) {
		r, c := design.Dims()
		return nil, fmt.Errorf("%s: the singular values of the [%d,%d] design do not converge", op, r, c)
	}
	values := svd.Values(nil)
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	s := &solver{}
	for s.rank < len(values) && values[s.rank] > rankTolerance*values[0] {
		s.rank++
	}
	r, c := design.Dims()
	if s.rank == 0 {
		return nil, fmt.Errorf("%s: every column of the [%d,%d] design is zero", op, r, c)
	}
	vs := mat.DenseCopyOf(v.Slice(0, c, 0, s.rank))
	for i := range c {
		row := vs.RawRowView(i)
		for j := range row {
			row[j] /= values[j]
		}
	}
	s.inverse = product(vs, u.Slice(0, r, 0, s.rank).T())
	return s, nil
}

// solve returns the coefficients [columns, targets] for y [rows, targets].
func (s *solver) solve(y *mat.Dense) *mat.Dense { return product(s.inverse, y) }

// thinQR takes x [n, c], n ≥ c, apart into q [n, c] with orthonormal columns
// and the upper triangle r [c, c], x = q·r. The cost is 4·n·c².
func thinQR(x *mat.Dense) (q, r *mat.Dense) {
	q = mat.DenseCopyOf(x)
	_, c := q.Dims()
	tau := make([]float64, c)
	work := []float64{0}
	lapack64.Geqrf(q.RawMatrix(), tau, work, -1)
	work = make([]float64, int(work[0]))
	lapack64.Geqrf(q.RawMatrix(), tau, work, len(work))
	r = mat.NewDense(c, c, nil)
	for i := range c {
		for j := i; j < c; j++ {
			r.Set(i, j, q.At(i, j))
		}
	}
	lapack64.Orgqr(q.RawMatrix(), tau, work, -1)
	work = make([]float64, max(int(work[0]), c))
	lapack64.Orgqr(q.RawMatrix(), tau, work, len(work))
	return q, r
}

// orthonormal is an orthonormal basis [n, c] of the columns of x [n, c], n ≥ c.
func orthonormal(x *mat.Dense) *mat.Dense {
	q, _ := thinQR(x)
	return q
}
