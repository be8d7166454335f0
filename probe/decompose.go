package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models/tensor"
)

// PositionContext is a residual stream taken apart into what position, what
// sequence, and neither gives: h = μ + pos_t + ctx_c + resid. Song and Zhong,
// "Uncovering hidden geometry in Transformers via disentangling position and
// context", 2023, arXiv:2310.04861.
type PositionContext struct {
	// Mu is [D]; Pos is [T, D] and Ctx [C, D], each summing to 0; Resid is [C·T, D],
	// row c·T + t.
	Mu              []float64
	Pos, Ctx, Resid *mat.Dense
	// PosShare, CtxShare and ResidShare are of Σ|h - μ|² and sum to 1.
	PosShare, CtxShare, ResidShare float64
	// PosSpectrum is that of Pos; RelativeNorm the largest singular value of Pos
	// repeated over sequences over that of h.
	PosSpectrum  *CloudSpectrum
	RelativeNorm float64
	// Incoherence is the largest |cosine| between a row of Pos and one of Ctx,
	// MeanIncoherence the mean.
	Incoherence, MeanIncoherence float64
}

// Decompose takes h [C, T, D] apart: C sequences of one length T. Drop position 0
// before where it is a special token, as the paper does. At least two sequences
// and positions are needed, and a stream that varies over both. The cost is
// C·T·D·min(C·T, D).
func Decompose(h *tensor.Dense) (*PositionContext, error) {
	if h == nil || h.Rank() != 3 || h.Len() == 0 || h.Dim(0) < 2 || h.Dim(1) < 2 {
		return nil, fmt.Errorf("decompose: a stream [sequences, positions, width] with at least 2 sequences and positions is needed")
	}
	c, t := h.Dim(0), h.Dim(1)
	x, err := Matrix(h)
	if err != nil {
		return nil, fmt.Errorf("decompose: %w", err)
	}
	d := h.Dim(2)
	p := &PositionContext{Mu: columnMeans(x), Pos: mat.NewDense(t, d, nil), Ctx: mat.NewDense(c, d, nil)}
	resid, total, err := variation("decompose", "states", x, p.Mu)
	if err != nil {
		return nil, err
	}
	for i := range c * t {
		row := resid.RawRowView(i)
		floats.AddScaled(p.Pos.RawRowView(i%t), 1/float64(c), row)
		floats.AddScaled(p.Ctx.RawRowView(i/t), 1/float64(t), row)
	}
	tiled := mat.NewDense(c*t, d, nil)
	for i := range c * t {
		floats.Sub(resid.RawRowView(i), p.Pos.RawRowView(i%t))
		floats.Sub(resid.RawRowView(i), p.Ctx.RawRowView(i/t))
		tiled.SetRow(i, p.Pos.RawRowView(i%t))
	}
	p.Resid = resid
	p.PosShare = float64(c) * sumOfSquares(p.Pos) / total
	p.CtxShare = float64(t) * sumOfSquares(p.Ctx) / total
	p.ResidShare = sumOfSquares(resid) / total
	if p.PosSpectrum, err = MeasureSpectrum(p.Pos); err != nil {
		return nil, fmt.Errorf("decompose: position has no effect: %w", err)
	}
	whole, err := singularValues(x)
	if err != nil {
		return nil, err
	}
	of, err := singularValues(tiled)
	if err != nil {
		return nil, err
	}
	p.RelativeNorm = of[0] / whole[0]
	pos, err := unitRows("decompose: position", p.Pos)
	if err != nil {
		return nil, err
	}
	ctx, err := unitRows("decompose: context", p.Ctx)
	if err != nil {
		return nil, err
	}
	for _, v := range product(pos, ctx.T()).RawMatrix().Data {
		p.Incoherence = math.Max(p.Incoherence, math.Abs(v))
		p.MeanIncoherence += math.Abs(v) / float64(c*t)
	}
	return p, nil
}

// PosGram is the cosines between the rows of Pos, [T, T], and the same in the
// orthonormal cosine basis (DCT-II) on both sides: smooth position vectors have
// their weight in its first corner.
func (p *PositionContext) PosGram() (gram, transform *mat.Dense, err error) {
	unit, err := unitRows("position gram", p.Pos)
	if err != nil {
		return nil, nil, err
	}
	gram = product(unit, unit.T())
	n, _ := gram.Dims()
	dct := mat.NewDense(n, n, nil) // columns are the basis
	for k := range n {
		size := math.Sqrt(2 / float64(n))
		if k == 0 {
			size = math.Sqrt(1 / float64(n))
		}
		for i := range n {
			dct.Set(i, k, size*math.Cos(math.Pi*(2*float64(i)+1)*float64(k)/(2*float64(n))))
		}
	}
	return gram, product(product(dct.T(), gram), dct), nil
}

// LowFrequencyShare is the share of Σ g² of a transformed Gram [T, T] that its
// first k rows and columns hold, the constant included.
func LowFrequencyShare(transform *mat.Dense, k int) (float64, error) {
	n, _, err := checkRows("low-frequency share", "waves", transform, 1)
	if err != nil {
		return 0, err
	}
	if k < 1 || k > n {
		return 0, fmt.Errorf("low-frequency share: the first %d of %d frequencies", k, n)
	}
	total := sumOfSquares(transform)
	if total == 0 {
		return 0, fmt.Errorf("low-frequency share: all waves are 0")
	}
	return sumOfSquares(transform.Slice(0, k, 0, k).(*mat.Dense)) / total, nil
}

// Factors is how the variance of rows splits over the factors that they were
// made from.
type Factors struct {
	// Shares holds each factor's main effect, as a share of Σ|h - μ|²; Rest is
	// what is left, interactions and noise.
	Shares []float64
	Rest   float64
	// Effects holds each factor's effects, [levels, D].
	Effects []*mat.Dense
	// Mean is [D].
	Mean []float64
}

// SplitFactors is an analysis of variance of rows x [N, D] by factors, each
// given as a level (0, 1, ...) a row: operand a, operand b, operator (Trager et
// al., "Linear Spaces of Meanings", 2023, arXiv:2302.14383, whose additive part
// this is). Every combination of levels must come equally often: then effects are
// means and shares add up to 1. For a table that is not balanced take AdditiveFit.
// 1 - Rest of two factors is also the test for the Minkowski sum of two clusters.
func SplitFactors(x *mat.Dense, levels ...[]int) (*Factors, error) {
	n, d, counts, err := checkLevels("factors", x, levels)
	if err != nil {
		return nil, err
	}
	cells, seen := 1, map[int]int{}
	for _, c := range counts {
		cells *= c
	}
	for i := range n {
		at := 0
		for f, c := range counts {
			at = at*c + levels[f][i]
		}
		seen[at]++
	}
	for _, times := range seen {
		if len(seen) != cells || times*cells != n {
			return nil, fmt.Errorf("factors: %d of %d combinations of levels come, not equally often: take the additive fit", len(seen), cells)
		}
	}
	out := &Factors{Mean: columnMeans(x), Rest: 1}
	xc, total, err := variation("factors", "rows", x, out.Mean)
	if err != nil {
		return nil, err
	}
	for f, c := range counts {
		effect := mat.NewDense(c, d, nil)
		for i := range n {
			floats.AddScaled(effect.RawRowView(levels[f][i]), float64(c)/float64(n), xc.RawRowView(i))
		}
		share := float64(n) / float64(c) * sumOfSquares(effect) / total
		out.Effects, out.Shares = append(out.Effects, effect), append(out.Shares, share)
		out.Rest -= share
	}
	return out, nil
}

// AdditiveFit fits rows x [N, D] by one effect a level of each factor, least
// squares on indicators: fit [N, D] and R2 about the mean. It takes any table
// with more rows than independent indicators.
func AdditiveFit(x *mat.Dense, levels ...[]int) (fit *mat.Dense, r2 float64, err error) {
	n, _, counts, err := checkLevels("additive fit", x, levels)
	if err != nil {
		return nil, 0, err
	}
	_, total, err := variation("additive fit", "rows", x, columnMeans(x))
	if err != nil {
		return nil, 0, err
	}
	columns := 1
	for _, c := range counts {
		columns += c
	}
	design := mat.NewDense(n, columns, nil)
	for i := range n {
		design.Set(i, 0, 1)
		at := 1
		for f, c := range counts {
			design.Set(i, at+levels[f][i], 1)
			at += c
		}
	}
	s, err := newSolver("additive fit", design)
	if err != nil {
		return nil, 0, err
	}
	if n <= s.rank {
		return nil, 0, fmt.Errorf("additive fit: %d rows for %d independent effects: the fit would be exact for any rows", n, s.rank)
	}
	fit = product(design, s.solve(x))
	var miss mat.Dense
	miss.Sub(x, fit)
	return fit, 1 - sumOfSquares(&miss)/total, nil
}

// checkLevels returns the number of levels of each factor.
func checkLevels(op string, x *mat.Dense, levels [][]int) (n, d int, counts []int, err error) {
	if n, d, err = checkRows(op, "rows", x, 2); err != nil {
		return n, d, nil, err
	}
	if len(levels) == 0 {
		return n, d, nil, fmt.Errorf("%s: no factor is given", op)
	}
	for f, l := range levels {
		if len(l) != n {
			return n, d, nil, fmt.Errorf("%s: factor %d has %d levels for %d rows", op, f, len(l), n)
		}
		most := 0
		for i, v := range l {
			if v < 0 || v >= n {
				return n, d, nil, fmt.Errorf("%s: level %d of factor %d at row %d: levels are 0, 1, ... below the number of rows", op, v, f, i)
			}
			most = max(most, v)
		}
		counts = append(counts, most+1)
	}
	return n, d, counts, nil
}
