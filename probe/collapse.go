package probe

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"orrery/models/tensor"
)

// Collapse says how far representations have fallen together at each position.
type Collapse struct {
	// Variance is, a position, the mean over dimensions of max(0, 1 − √(C_kk + 0.001)),
	// C the covariance over samples (N−1): 0 where every dimension varies by 1 or
	// more. Covariance is Σ_{k≠j} C_kj² over D: 0 where dimensions are independent.
	Variance, Covariance []float64
	// Loss is the mean over positions of Variance + 0.004·Covariance.
	Loss float64
}

// MeasureCollapse takes the terms of Seq-VCR's regulariser of representations h
// [N, T, D], of N samples at T positions, as they are, without its projection
// (Arefin et al., "Seq-VCR: Preventing Collapse in Intermediate Transformer
// Representations for Enhanced Reasoning", 2024, arXiv 2411.02344, with the
// weights of its multiplication task). Fewer than two samples are refused.
func MeasureCollapse(h *tensor.Dense) (*Collapse, error) {
	const eta, lambda = 0.001, 0.004
	if h.Rank() != 3 || h.Dim(0) < 2 || h.Dim(1) < 1 || h.Dim(2) < 1 {
		return nil, fmt.Errorf("collapse: representations of shape %v: [samples, positions, width] with two samples or more are needed", h.Shape)
	}
	n, d := h.Dim(0), h.Dim(2)
	out := &Collapse{}
	for p := range h.Dim(1) {
		x := mat.NewDense(n, d, nil)
		for i := range n {
			widen(x.RawRowView(i), h.Sub(i, p).Data)
		}
		if err := checkFinite("collapse", "representations", x); err != nil {
			return nil, err
		}
		var c mat.SymDense
		stat.CovarianceMatrix(&c, x, nil)
		variance, covariance := 0.0, 0.0
		for k := range d {
			variance += math.Max(0, 1-math.Sqrt(c.At(k, k)+eta)) / float64(d)
			for j := range d {
				if j != k {
					covariance += c.At(k, j) * c.At(k, j) / float64(d)
				}
			}
		}
		out.Variance, out.Covariance = append(out.Variance, variance), append(out.Covariance, covariance)
		out.Loss += (variance + lambda*covariance) / float64(h.Dim(1))
	}
	return out, nil
}

// MeanShift compares the mean rows of two clouds of one width, such as one
// layer's states and the next one's: their cosine and the distance between them
// (StreetMath, 2025, of adjacent layers). A mean of 0 has no direction and is
// refused.
func MeanShift(x, y *mat.Dense) (cosine, distance float64, err error) {
	_, dx := x.Dims()
	_, dy := y.Dims()
	if dx != dy {
		return 0, 0, fmt.Errorf("shift of means: clouds of width %d and %d", dx, dy)
	}
	var means [2][]float64
	for i, m := range []*mat.Dense{x, y} {
		n, _, err := checkRows("shift of means", "rows", m, 1)
		if err != nil {
			return 0, 0, err
		}
		means[i] = make([]float64, dx)
		for r := range n {
			floats.AddScaled(means[i], 1/float64(n), m.RawRowView(r))
		}
	}
	size := floats.Norm(means[0], 2) * floats.Norm(means[1], 2)
	if size == 0 {
		return 0, 0, fmt.Errorf("shift of means: a mean is 0 and has no direction")
	}
	return floats.Dot(means[0], means[1]) / size, floats.Distance(means[0], means[1], 2), nil
}
