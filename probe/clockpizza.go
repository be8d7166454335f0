package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/dsp/fourier"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// The three numbers that tell a clock from a pizza: Zhong, Liu, Tegmark and
// Andreas, "The Clock and the Pizza: Two Stories in Mechanistic Explanation of
// Neural Networks", 2023, arXiv:2306.17844, section 4.

// BySumAndDifference lays a value a pair [P·P], row a·P + b, out on the grid
// [P, P] of a+b (rows) and a-b (columns), both mod P. It needs an odd P, where
// that is a reordering.
func BySumAndDifference(values []float64, p int) (*mat.Dense, error) {
	if p < 3 || p%2 == 0 {
		return nil, fmt.Errorf("sum and difference: mod %d: an odd modulus of at least 3 is needed, or pairs fall together", p)
	}
	if len(values) != p*p {
		return nil, fmt.Errorf("sum and difference: %d values for %d pairs", len(values), p*p)
	}
	out := mat.NewDense(p, p, nil)
	for i, v := range values {
		a, b := i/p, i%p
		out.Set((a+b)%p, (a-b+p)%p, v)
	}
	return out, checkFinite("sum and difference", "values", out)
}

// CorrectLogits takes from logits [P·P, V ≥ P], row a·P + b, the logit of the
// right class (the choice of the paper's notebook) and the largest one of a
// wrong class (the choice of its published table of runs), both [P·P].
func CorrectLogits(logits *mat.Dense, p int) (correct, wrong []float64, err error) {
	n, v, err := checkRows("correct logits", "logits", logits, 1)
	if err != nil {
		return nil, nil, err
	}
	if p < 2 || n != p*p || v < p {
		return nil, nil, fmt.Errorf("correct logits: [%d,%d] for p = %d: a row for each of the p² pairs and a column for each of the p classes are needed", n, v, p)
	}
	for i := range n {
		row := logits.RawRowView(i)[:p]
		class := (i/p + i%p) % p
		correct = append(correct, row[class])
		top := math.Inf(-1)
		for c, z := range row {
			if c != class {
				top = math.Max(top, z)
			}
		}
		wrong = append(wrong, top)
	}
	return correct, wrong, nil
}

// DistanceIrrelevance says how little the logits depend on the distance a-b, for
// a value a pair [P·P] (CorrectLogits gives two):
//
//	mean over a-b of std over a+b of M / std of M
//
// A pizza is low (0.17 in the paper), a clock high (above 0.8). Constant values
// are refused.
func DistanceIrrelevance(values []float64, p int) (float64, error) {
	m, err := BySumAndDifference(values, p)
	if err != nil {
		return 0, fmt.Errorf("distance irrelevance: %w", err)
	}
	all := stat.PopStdDev(values, nil)
	if !(all > 1e-12*math.Abs(stat.Mean(values, nil))) {
		return 0, fmt.Errorf("distance irrelevance: all %d values are %v: there is no spread to share out", len(values), values[0])
	}
	mean := 0.0
	for j := range p {
		mean += stat.PopStdDev(mat.Col(nil, j, m), nil) / float64(p)
	}
	return mean / all, nil
}

// GradientSymmetricity is the mean cosine between the gradients of one logit by
// the embeddings of both operands: ga and gb are [N, D], a row for each triple
// (a, b, c) that was sampled, ∂logit_c/∂E_a and ∂logit_c/∂E_b. A pizza is near
// 1, a clock well below. It returns the cosine of each triple too. Rows of zero
// are refused: they have no direction.
func GradientSymmetricity(ga, gb *mat.Dense) (mean float64, each []float64, err error) {
	n, d, err := checkRows("gradient symmetricity", "gradients by a", ga, 1)
	if err != nil {
		return 0, nil, err
	}
	m, e, err := checkRows("gradient symmetricity", "gradients by b", gb, 1)
	if err != nil {
		return 0, nil, err
	}
	if n != m || d != e {
		return 0, nil, fmt.Errorf("gradient symmetricity: gradients [%d,%d] and [%d,%d]: the shapes must be the same", n, d, m, e)
	}
	for i := range n {
		x, y := ga.RawRowView(i), gb.RawRowView(i)
		size := floats.Norm(x, 2) * floats.Norm(y, 2)
		if size == 0 {
			return 0, nil, fmt.Errorf("gradient symmetricity: a gradient of triple %d is 0 everywhere and has no direction", i)
		}
		each = append(each, floats.Dot(x, y)/size)
		mean += each[i] / float64(n)
	}
	return mean, each, nil
}

// Circularity says how far the first components of an embedding w [N, D] are
// each one wave around the circle of numbers:
//
//	mean over components of max_k 2·|DFT_k(v/|v|)|²/P, at most 1
//
// v are the scores of the first P rows along a component, |v| the size over all
// N rows (N = P but where operands have rows of their own; give each operand's P
// rows by itself for the meaningful number). The paper takes 4 components. Errors
// are FitPCA's, and components that the cloud does not have.
func Circularity(w *mat.Dense, p, components int) (mean float64, each []float64, err error) {
	pca, err := FitPCA(w, components)
	if err != nil {
		return 0, nil, fmt.Errorf("circularity: %w", err)
	}
	n, _ := w.Dims()
	if p < 2 || p > n {
		return 0, nil, fmt.Errorf("circularity: the first %d rows of %d: between 2 and all are possible", p, n)
	}
	if pca.K() < components {
		return 0, nil, fmt.Errorf("circularity: %d components are asked for, the embedding has %d", components, pca.K())
	}
	scores, err := pca.Scores(w)
	if err != nil {
		return 0, nil, fmt.Errorf("circularity: %w", err)
	}
	fft := fourier.NewFFT(p)
	for i := range components {
		v := mat.Col(nil, i, scores)
		floats.Scale(1/floats.Norm(v, 2), v)
		top := 0.0
		for _, c := range fft.Coefficients(nil, v[:p])[1:] {
			top = math.Max(top, real(c)*real(c)+imag(c)*imag(c))
		}
		each = append(each, math.Min(1, 2*top/float64(p)))
		mean += each[i] / float64(components)
	}
	return mean, each, nil
}
