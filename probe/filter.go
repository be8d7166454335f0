package probe

import (
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"
)

// Band says which frequencies a filter takes away. The constant always stays.
type Band struct {
	// Name is how a figure calls it: "low-pass 50".
	Name string
	// At is the frequency that it turns on, one of the basis.
	At int
	// Removes says whether frequency k ≥ 1 goes.
	Removes func(k int) bool
}

// LowPass keeps the frequencies below tau; LowPass(1) keeps the constant alone.
func LowPass(tau int) Band {
	return Band{Name: fmt.Sprintf("low-pass %d", tau), At: tau, Removes: func(k int) bool { return k >= tau }}
}

// HighPass keeps the frequencies from tau up; HighPass(1) keeps all.
func HighPass(tau int) Band {
	return Band{Name: fmt.Sprintf("high-pass %d", tau), At: tau, Removes: func(k int) bool { return k < tau }}
}

// SinglePass keeps frequency gamma alone.
func SinglePass(gamma int) Band {
	return Band{Name: fmt.Sprintf("single-pass %d", gamma), At: gamma, Removes: func(k int) bool { return k != gamma }}
}

// Filter takes waves over the numbers away from what a component writes.
type Filter struct {
	Band Band
	// Width is D; Remaining is how many dimensions of it the filter leaves. Say
	// it beside every figure: few are left, and the filter cuts more than waves.
	Width, Remaining int
	// Waves is how many rows of the basis are removed.
	Waves int
	// removed is [D - Remaining, D], orthonormal rows.
	removed *mat.Dense
}

// NewFilter builds the filter of a band for rows w [P, D] of the unembedding
// (arXiv:2406.03445, definition A.6): the nearest y to an output x of which the
// removed waves see nothing in the logits of the numbers,
//
//	argmin |x - y|² with M y = 0, M the removed rows of F·w; y = (I - M⁺M) x
//
// Directions of M below 1e-10 of the largest count as none. The filter needs
// D well above the removed waves: when they span all D dimensions it would
// answer 0 for any x, and is refused. So is a band that turns on a frequency
// that the basis does not have. The cost, once, is 4·D·waves² for waves that are
// clearly independent, a few times more where their rank must be found.
func NewFilter(f *FourierBasis, w *mat.Dense, band Band) (*Filter, error) {
	waves, err := f.Transform(w)
	if err != nil {
		return nil, fmt.Errorf("filter %s: %w", band.Name, err)
	}
	_, d := waves.Dims()
	if band.At < 1 || band.At > f.Highest() {
		return nil, fmt.Errorf("filter %s: the frequencies of the basis are 1..%d", band.Name, f.Highest())
	}
	var rows []int
	for i, k := range f.K {
		if k > 0 && band.Removes(k) {
			rows = append(rows, i)
		}
	}
	if len(rows) == 0 {
		return &Filter{Band: band, Width: d, Remaining: d}, nil
	}
	removed, err := rowSpace(selectRows(waves, rows))
	if err != nil {
		return nil, fmt.Errorf("filter %s: %w", band.Name, err)
	}
	rank := 0
	if removed != nil {
		rank, _ = removed.Dims()
	}
	if rank == d {
		return nil, fmt.Errorf("filter %s: the %d waves to remove span all %d dimensions of the model: nothing would be left", band.Name, len(rows), d)
	}
	return &Filter{Band: band, Width: d, Remaining: d - rank, Waves: len(rows), removed: removed}, nil
}

// Apply filters outputs h [N, D].
func (f *Filter) Apply(h *mat.Dense) (*mat.Dense, error) {
	_, d, err := checkRows("filter", "outputs", h, 1)
	if err != nil {
		return nil, err
	}
	if d != f.Width {
		return nil, fmt.Errorf("filter %s: outputs of width %d for a filter of width %d", f.Band.Name, d, f.Width)
	}
	out := mat.DenseCopyOf(h)
	if f.removed != nil {
		out.Sub(out, product(product(h, f.removed.T()), f.removed))
	}
	return out, nil
}

// Directions is what the filter takes away, orthonormal rows
// [Width - Remaining, Width]; nil when that is nothing. As the basis of an edit
// that projects out (models.ProjectOut) they filter a component in a run.
func (f *Filter) Directions() *mat.Dense {
	if f.removed == nil {
		return nil
	}
	return mat.DenseCopyOf(f.removed)
}

// Projector is the matrix I - M⁺M, [D, D], symmetric and its own square.
func (f *Filter) Projector() *mat.Dense {
	p := mat.NewDense(f.Width, f.Width, nil)
	for i := range f.Width {
		p.Set(i, i, 1)
	}
	if f.removed != nil {
		p.Sub(p, product(f.removed.T(), f.removed))
	}
	return p
}

// rowSpace is an orthonormal basis [rank, D] of the rows of m [r, D]; nil when
// they are all zero. A QR does where the rows are clearly independent; otherwise
// the triangle of the smaller side is taken apart for its rank.
func rowSpace(m *mat.Dense) (*mat.Dense, error) {
	var some []int // rows that are not 0, as the last sine of NumberSpace is
	for i, size := range rowNorms(m) {
		if size > 0 {
			some = append(some, i)
		}
	}
	if len(some) == 0 {
		return nil, nil
	}
	m = selectRows(m, some)
	r, d := m.Dims()
	if r > d {
		_, m = thinQR(m)
		r = d
	}
	q, tri := thinQR(mat.DenseCopyOf(m.T())) // mᵀ = q·tri
	if independent(tri) {
		return mat.DenseCopyOf(q.T()), nil
	}
	var svd mat.SVD
	if !svd.Factorize(tri, mat.SVDThinU) {
		return nil, fmt.Errorf("the singular values of [%d,%d] directions do not converge", r, d)
	}
	values := svd.Values(nil)
	rank := 0
	for rank < len(values) && values[rank] > rankTolerance*values[0] {
		rank++
	}
	if rank == 0 {
		return nil, nil
	}
	var u mat.Dense
	svd.UTo(&u)
	return product(u.Slice(0, r, 0, rank).T(), q.T()), nil
}

// independent says that the columns of the upper triangle r [c, c] are clearly
// so: its condition in the 1-norm is below 1e6, which leaves room for the
// estimate and for the factor c up to the condition that rankTolerance means.
func independent(r *mat.Dense) bool {
	raw := r.RawMatrix()
	t := blas64.Triangular{N: raw.Rows, Stride: raw.Stride, Data: raw.Data, Uplo: blas.Upper, Diag: blas.NonUnit}
	return lapack64.Trcon(lapack.MaxColumnSum, t, make([]float64, 3*raw.Rows), make([]int, raw.Rows)) > 1e-6
}
