package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// checkPair refuses two clouds that are not about the same rows.
func checkPair(op string, x, y *mat.Dense, least int) (n, dx, dy int, err error) {
	if n, dx, err = checkRows(op, "rows of the first cloud", x, least); err != nil {
		return n, dx, 0, err
	}
	m, dy, err := checkRows(op, "rows of the second cloud", y, least)
	if err == nil && m != n {
		err = fmt.Errorf("%s: clouds of %d and %d rows: each row must be the same sample in both", op, n, m)
	}
	return n, dx, dy, err
}

// bothVary centres two clouds and refuses one without spread.
func bothVary(op string, x, y *mat.Dense) (xc, yc *mat.Dense, err error) {
	if xc, _, err = variation(op, "rows of the first cloud", x, columnMeans(x)); err != nil {
		return nil, nil, err
	}
	yc, _, err = variation(op, "rows of the second cloud", y, columnMeans(y))
	return xc, yc, err
}

// CKA is the linear centred kernel alignment of rows x [N, D] and y [N, E], 1
// when one cloud is the other turned and scaled (Kornblith, Norouzi, Lee and
// Hinton, "Similarity of Neural Network Representations Revisited", 2019,
// arXiv:1905.00414). The biased form is that of the paper and is above 0 even
// for unrelated clouds of few rows; the unbiased one estimates the kernels'
// dependence without their diagonals (Song et al., "Feature Selection via
// Dependence Maximization", 2012) and is about 0 there. At least 4 rows are
// needed. The cost is N²·(D + E).
func CKA(x, y *mat.Dense) (biased, unbiased float64, err error) {
	n, _, _, err := checkPair("cka", x, y, 4)
	if err != nil {
		return 0, 0, err
	}
	xc, yc, err := bothVary("cka", x, y)
	if err != nil {
		return 0, 0, err
	}
	k, l := product(xc, xc.T()), product(yc, yc.T())
	biased = inner(k, l) / math.Sqrt(inner(k, k)*inner(l, l))
	for i := range n {
		k.Set(i, i, 0)
		l.Set(i, i, 0)
	}
	kk, ll := hsic(k, k), hsic(l, l)
	if !(kk > 0 && ll > 0) {
		return 0, 0, fmt.Errorf("cka: the unbiased dependence of a cloud on itself is not above 0 with %d rows: take more", n)
	}
	return biased, hsic(k, l) / math.Sqrt(kk*ll), nil
}

// hsic is the unbiased Hilbert-Schmidt independence criterion of two kernels
// with diagonals of 0.
func hsic(k, l *mat.Dense) float64 {
	rows, _ := k.Dims()
	n := float64(rows)
	sumK, sumL, cross := 0.0, 0.0, 0.0
	for i := range rows {
		a, b := floats.Sum(k.RawRowView(i)), floats.Sum(l.RawRowView(i))
		sumK, sumL, cross = sumK+a, sumL+b, cross+a*b
	}
	return (inner(k, l) + sumK*sumL/((n-1)*(n-2)) - 2/(n-2)*cross) / (n * (n - 3))
}

// Correlations are the canonical correlations of two clouds.
type Correlations struct {
	// Values are largest first; Mean is their mean.
	Values []float64
	Mean   float64
	// Dimensions is how many directions of each cloud took part.
	Dimensions [2]int
}

// CCA finds the canonical correlations of rows x [N, D] and y [N, E] (Hotelling,
// "Relations between two sets of variates", 1936). With keep below 1 only the
// fewest principal directions that hold at least that share of each cloud's
// variance take part (SVCCA: Raghu, Gilmer, Yosinski and Sohl-Dickstein, 2017,
// arXiv:1706.05806, with 0.99). Directions that take part must number less than
// N together: from N on, some correlation is 1 for any two clouds, and the
// question is refused. The cost is N·(D² + E²).
func CCA(x, y *mat.Dense, keep float64) (*Correlations, error) {
	n, _, _, err := checkPair("cca", x, y, 3)
	if err != nil {
		return nil, err
	}
	if !(keep > 0 && keep <= 1) {
		return nil, fmt.Errorf("cca: a share of variance of %v: it must be in (0, 1]", keep)
	}
	xc, yc, err := bothVary("cca", x, y)
	if err != nil {
		return nil, err
	}
	a, err := leading(xc, keep)
	if err != nil {
		return nil, err
	}
	b, err := leading(yc, keep)
	if err != nil {
		return nil, err
	}
	_, da := a.Dims()
	_, db := b.Dims()
	if da+db >= n {
		return nil, fmt.Errorf("cca: %d and %d directions for %d rows: together they must be fewer than the rows, or some correlation is 1 for any clouds", da, db, n)
	}
	var svd mat.SVD
	if !svd.Factorize(product(a.T(), b), mat.SVDNone) {
		return nil, fmt.Errorf("cca: the correlations do not converge")
	}
	c := &Correlations{Values: svd.Values(nil), Dimensions: [2]int{da, db}}
	for i, v := range c.Values {
		c.Values[i] = math.Min(v, 1)
		c.Mean += c.Values[i] / float64(len(c.Values))
	}
	return c, nil
}

// leading is an orthonormal basis [N, k] of the fewest directions over the rows
// that hold a share of the variance of x [N, D], centred.
func leading(x *mat.Dense, share float64) (*mat.Dense, error) {
	n, d := x.Dims()
	var svd mat.SVD
	if !svd.Factorize(x, mat.SVDThinU) {
		return nil, fmt.Errorf("cca: the singular values of a [%d,%d] cloud do not converge", n, d)
	}
	values := svd.Values(nil)
	total := floats.Dot(values, values)
	k, sum := 0, 0.0
	for k < len(values) && values[k] > rankTolerance*values[0] && (share == 1 || sum < share*total) {
		sum += values[k] * values[k]
		k++
	}
	var u mat.Dense
	svd.UTo(&u)
	return mat.DenseCopyOf(u.Slice(0, n, 0, k)), nil
}

// DistanceCorrelation is Spearman's correlation between all Euclidean distances
// within x and those within y, representational similarity analysis. The cost is
// N²·(D + E).
func DistanceCorrelation(x, y *mat.Dense) (float64, error) {
	n, _, _, err := checkPair("distance correlation", x, y, 3)
	if err != nil {
		return 0, err
	}
	var a, b []float64
	for i := range n {
		for j := range i {
			a = append(a, floats.Distance(x.RawRowView(i), x.RawRowView(j), 2))
			b = append(b, floats.Distance(y.RawRowView(i), y.RawRowView(j), 2))
		}
	}
	if floats.Max(a) == floats.Min(a) || floats.Max(b) == floats.Min(b) {
		return 0, fmt.Errorf("distance correlation: all distances of a cloud are equal: there is no order to compare")
	}
	return stat.Correlation(ranks(a), ranks(b), nil), nil
}

// CosineDifference is the mean |difference| of the two clouds' cosine matrices,
// the vector space preservation of vec2vec (Jha et al., "Harnessing the
// Universal Geometry of Embeddings", 2025, arXiv:2505.12540); 0 when all angles
// are kept.
func CosineDifference(x, y *mat.Dense) (float64, error) {
	n, _, _, err := checkPair("cosine difference", x, y, 2)
	if err != nil {
		return 0, err
	}
	a, err := CosineMatrix(x)
	if err != nil {
		return 0, err
	}
	b, err := CosineMatrix(y)
	if err != nil {
		return 0, err
	}
	a.Sub(a, b)
	return floats.Norm(a.RawMatrix().Data, 1) / float64(n*n), nil
}

// Alignment is the best turn of one cloud onto another of the same width.
type Alignment struct {
	// Map is [D, D], orthogonal: centred rows of the first cloud times Map are
	// nearest to those of the second.
	Map *mat.Dense
	// Disparity is 1 - s², Distance 2 - 2s, with s the sum of singular values of
	// XᵀY for both clouds centred and of norm 1: with and without a free scale.
	Disparity, Distance float64
	// R2 is of the second cloud by the first turned, without scale.
	R2 float64
	// Cosine is the mean cosine of a mapped row with its partner; Top1 the share
	// of rows whose partner is nearest by cosine, MeanRank its mean rank, 1 best.
	Cosine, Top1, MeanRank float64
}

// Align solves the orthogonal Procrustes problem for rows x and y [N, D]
// (Schönemann, "A generalized solution of the orthogonal procrustes problem",
// 1966) and looks each row's partner up. With fewer rows than D a turn that fits
// exactly may exist for any clouds; score it on rows that it has not seen. The
// cost is N·D² + D³ + N²·D.
func Align(x, y *mat.Dense) (*Alignment, error) {
	n, dx, dy, err := checkPair("align", x, y, 2)
	if err != nil {
		return nil, err
	}
	if dx != dy {
		return nil, fmt.Errorf("align: clouds of width %d and %d: a turn needs one width", dx, dy)
	}
	xc, yc, err := bothVary("align", x, y)
	if err != nil {
		return nil, err
	}
	var svd mat.SVD
	if !svd.Factorize(product(xc.T(), yc), mat.SVDFull) {
		return nil, fmt.Errorf("align: the singular values do not converge")
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	nuclear := floats.Sum(svd.Values(nil))
	total := sumOfSquares(yc)
	s := nuclear / math.Sqrt(sumOfSquares(xc)*total)
	a := &Alignment{Map: product(&u, v.T()), Disparity: 1 - s*s, Distance: 2 - 2*s}
	turned := product(xc, a.Map)
	var miss mat.Dense
	miss.Sub(turned, yc)
	a.R2 = 1 - sumOfSquares(&miss)/total
	from, err := unitRows("align", turned)
	if err != nil {
		return nil, err
	}
	to, err := unitRows("align", yc)
	if err != nil {
		return nil, err
	}
	cosines := product(from, to.T())
	for i := range n {
		row := cosines.RawRowView(i)
		rank := 0
		for _, c := range row {
			if c >= row[i] {
				rank++
			}
		}
		a.Cosine += row[i] / float64(n)
		a.MeanRank += float64(rank) / float64(n)
		if rank == 1 {
			a.Top1 += 1 / float64(n)
		}
	}
	return a, nil
}
