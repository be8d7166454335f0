package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Linear is a linear map with an intercept: ŷ = x·Coefᵀ + Intercept.
type Linear struct {
	// Coef is [M, D], a row for each target; Intercept is [M].
	Coef      *mat.Dense
	Intercept []float64
}

// FitRidge fits targets y [N, M] from rows x [N, D] by least squares with a
// penalty on the map but not on the intercept (Hoerl and Kennard, "Ridge
// regression", 1970):
//
//	min |Y - X·W - b|² + alpha·|W|²
//
// With alpha 0 it is ordinary least squares, of minimum norm; that is refused
// where no more rows than independent columns make the fit exact for any
// target. Targets that are constant are refused too. The cost is
// N·D·min(N, D) + min(N, D)³: the smaller side is solved.
func FitRidge(x, y *mat.Dense, alpha float64) (*Linear, error) {
	n, d, err := checkRows("ridge", "features", x, 2)
	if err != nil {
		return nil, err
	}
	ny, m, err := checkRows("ridge", "targets", y, 2)
	if err != nil {
		return nil, err
	}
	if n != ny {
		return nil, fmt.Errorf("ridge: %d rows of features for %d of targets", n, ny)
	}
	if !(alpha >= 0) || math.IsInf(alpha, 0) {
		return nil, fmt.Errorf("ridge: penalty %v: it must be finite and at least 0", alpha)
	}
	meanX, meanY := columnMeans(x), columnMeans(y)
	for j := range m {
		column := mat.DenseCopyOf(y.Slice(0, n, j, j+1))
		if _, _, err := variation("ridge", fmt.Sprintf("values of target %d", j), column, meanY[j:j+1]); err != nil {
			return nil, err
		}
	}
	xc, yc := centred(x, meanX), centred(y, meanY)
	var w *mat.Dense // [D, M]
	if alpha == 0 {
		s, err := newSolver("ridge", xc)
		if err != nil {
			return nil, err
		}
		if n-1 <= s.rank {
			return nil, fmt.Errorf("ridge: %d rows for %d features, %d of them independent: without a penalty the fit would be exact for any target", n, d, s.rank)
		}
		w = s.solve(yc)
	} else if w, err = penalised(xc, yc, alpha); err != nil {
		return nil, err
	}
	l := &Linear{Coef: mat.DenseCopyOf(w.T()), Intercept: meanY}
	for j := range m {
		l.Intercept[j] -= floats.Dot(meanX, l.Coef.RawRowView(j))
	}
	return l, nil
}

// penalised solves (XᵀX + αI) W = XᵀY, or its twin W = Xᵀ(XXᵀ + αI)⁻¹Y where
// there are fewer rows than columns.
func penalised(x, y *mat.Dense, alpha float64) (*mat.Dense, error) {
	n, d := x.Dims()
	wide := n < d
	side := min(n, d)
	gram := mat.NewSymDense(side, nil)
	right := y
	if wide {
		gram.SymOuterK(1, x)
	} else {
		gram.SymOuterK(1, x.T())
		right = product(x.T(), y)
	}
	for i := range side {
		gram.SetSym(i, i, gram.At(i, i)+alpha)
	}
	var c mat.Cholesky
	if !c.Factorize(gram) {
		return nil, fmt.Errorf("ridge: features so large that penalty %v is lost against them: rescale them or raise it", alpha)
	}
	var w mat.Dense
	if err := c.SolveTo(&w, right); err != nil {
		return nil, fmt.Errorf("ridge: penalty %v leaves the problem too close to singular: %w", alpha, err)
	}
	if wide {
		return product(x.T(), &w), nil
	}
	return &w, nil
}

// Predict is x·Coefᵀ + Intercept, [N, M].
func (l *Linear) Predict(x *mat.Dense) (*mat.Dense, error) {
	_, d, err := checkRows("prediction", "features", x, 1)
	if err != nil {
		return nil, err
	}
	if _, want := l.Coef.Dims(); d != want {
		return nil, fmt.Errorf("prediction: features of width %d for a map of width %d", d, want)
	}
	p := product(x, l.Coef.T())
	addRows(p, l.Intercept)
	return p, nil
}

// R2Score is the share of each target's variance that is predicted, 1 - Σ(y-ŷ)²/
// Σ(y-ȳ)², with ȳ the mean of y itself, and the same over all targets at once.
type R2Score struct {
	Each   []float64
	Pooled float64
}

// ScoreR2 compares predictions p [N, M] with y [N, M]. Constant targets have no
// variance to share and are refused.
func ScoreR2(y, p *mat.Dense) (R2Score, error) {
	n, m, err := checkRows("r2", "targets", y, 2)
	if err != nil {
		return R2Score{}, err
	}
	if pn, pm := p.Dims(); pn != n || pm != m {
		return R2Score{}, fmt.Errorf("r2: predictions [%d,%d] for targets [%d,%d]", pn, pm, n, m)
	}
	if err := checkFinite("r2", "predictions", p); err != nil {
		return R2Score{}, err
	}
	s := R2Score{Each: make([]float64, m)}
	misses, totals := 0.0, 0.0
	mean := columnMeans(y)
	for j := range m {
		column := mat.DenseCopyOf(y.Slice(0, n, j, j+1))
		_, total, err := variation("r2", fmt.Sprintf("values of target %d", j), column, mean[j:j+1])
		if err != nil {
			return R2Score{}, err
		}
		miss := 0.0
		for i := range n {
			miss += (y.At(i, j) - p.At(i, j)) * (y.At(i, j) - p.At(i, j))
		}
		s.Each[j] = 1 - miss/total
		misses, totals = misses+miss, totals+total
	}
	s.Pooled = 1 - misses/totals
	return s, nil
}
