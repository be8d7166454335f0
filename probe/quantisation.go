package probe

import (
	"fmt"
	"math"
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// ChannelDifficulty is the standard deviation (with n-1) of the channels' lengths
// ‖X_:,j‖ of activations x [N,D]: 0 where all channels are of one size, large where
// a few outliers are, which a coarse grid of numbers then serves badly (Czakó,
// Kertész, Szénási, "Turning LLM Activations Quantization-Friendly", 2025,
// arXiv 2506.01967). Errors: fewer than two channels, numbers that are not finite.
func ChannelDifficulty(x *mat.Dense) (float64, error) {
	n, d := x.Dims()
	if d < 2 {
		return 0, fmt.Errorf("channel difficulty: %d channel has nothing to be compared with", d)
	}
	length, mean := make([]float64, d), 0.0
	for j := range length {
		for i := range n {
			length[j] = math.Hypot(length[j], x.At(i, j))
		}
		if math.IsNaN(length[j]) || math.IsInf(length[j], 0) {
			return 0, fmt.Errorf("channel difficulty: channel %d has the length %v", j, length[j])
		}
		mean += length[j] / float64(d)
	}
	square := 0.0
	for _, v := range length {
		square += (v - mean) * (v - mean)
	}
	return math.Sqrt(square / float64(d-1)), nil
}

// Smoothing says what is done to activations and weights before they are rounded;
// without rounding, none changes their product.
type Smoothing string

// The smoothings.
const (
	Unsmoothed     Smoothing = "plain"
	Smoothed       Smoothing = "smooth"         // x_j/s_j and w_j·s_j with s_j = √(max|x_j| / max|w_j|)
	Rotated        Smoothing = "rotated"        // both times the normalised Hadamard matrix
	SmoothedTurned Smoothing = "smooth_rotated" // one after the other
)

// Smoothings lists the smoothings.
var Smoothings = [...]Smoothing{Unsmoothed, Smoothed, Rotated, SmoothedTurned}

// QuantisationError is ‖XWᵀ − Q(X)Q(W)ᵀ‖², by the sum of squares, of activations x
// [N,D] and the weights w [O,D] that read them (arXiv 2506.01967). Q rounds each row
// to a symmetric grid of 2^bits values whose step is max|row|/(2^(bits−1)−1), halves
// to even. Errors: other widths, bits outside 2..16, a rotation of a width that is
// no power of two, channels of zeros to divide by, numbers that are not finite.
func QuantisationError(x, w *mat.Dense, bits int, how Smoothing) (float64, error) {
	if !slices.Contains(Smoothings[:], how) {
		return 0, fmt.Errorf("quantisation: smoothing is %q, want one of %v", how, Smoothings)
	}
	_, d := x.Dims()
	if _, dw := w.Dims(); dw != d {
		return 0, fmt.Errorf("quantisation: activations have %d channels and weights %d", d, dw)
	}
	if bits < 2 || bits > 16 {
		return 0, fmt.Errorf("quantisation: %d bits are outside 2..16", bits)
	}
	for _, m := range []*mat.Dense{x, w} {
		for i := range m.RawMatrix().Rows {
			for j, v := range m.RawRowView(i) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					return 0, fmt.Errorf("quantisation: row %d, channel %d is %v", i, j, v)
				}
			}
		}
	}
	x, w = mat.DenseCopyOf(x), mat.DenseCopyOf(w)
	if how == Smoothed || how == SmoothedTurned {
		if err := smooth(x, w); err != nil {
			return 0, err
		}
	}
	if how == Rotated || how == SmoothedTurned {
		h, err := hadamard(d)
		if err != nil {
			return 0, err
		}
		x.Mul(mat.DenseCopyOf(x), h)
		w.Mul(mat.DenseCopyOf(w), h)
	}
	var exact, rounded mat.Dense
	exact.Mul(x, w.T())
	roundRows(x, bits)
	roundRows(w, bits)
	rounded.Mul(x, w.T())
	exact.Sub(&exact, &rounded)
	norm := mat.Norm(&exact, 2)
	return norm * norm, nil
}

// smooth moves size from the channels of x to those of w.
func smooth(x, w *mat.Dense) error {
	largest := func(m *mat.Dense, j int) float64 {
		v := 0.0
		for i := range m.RawMatrix().Rows {
			v = max(v, math.Abs(m.At(i, j)))
		}
		return v
	}
	for j := range x.RawMatrix().Cols {
		a, b := largest(x, j), largest(w, j)
		if a == 0 || b == 0 {
			return fmt.Errorf("quantisation: channel %d is zero throughout: there is no size to divide by", j)
		}
		s := math.Sqrt(a / b)
		for i := range x.RawMatrix().Rows {
			x.Set(i, j, x.At(i, j)/s)
		}
		for i := range w.RawMatrix().Rows {
			w.Set(i, j, w.At(i, j)*s)
		}
	}
	return nil
}

// hadamard is the normalised Hadamard matrix by Sylvester, [d,d], symmetric.
func hadamard(d int) (*mat.Dense, error) {
	if d&(d-1) != 0 {
		return nil, fmt.Errorf("quantisation: a width of %d is no power of two, and the rotation needs one", d)
	}
	h := mat.NewDense(d, d, nil)
	for i := range d {
		for j := range d {
			sign := 1 - 2*float64(bits.OnesCount(uint(i&j))%2)
			h.Set(i, j, sign/math.Sqrt(float64(d)))
		}
	}
	return h, nil
}

// roundRows rounds every row to its grid.
func roundRows(m *mat.Dense, bits int) {
	top := math.Ldexp(1, bits-1)
	for i := range m.RawMatrix().Rows {
		row, step := m.RawRowView(i), 0.0
		for _, v := range row {
			step = max(step, math.Abs(v)/(top-1))
		}
		if step == 0 {
			continue
		}
		for j, v := range row {
			row[j] = min(max(math.RoundToEven(v/step), -top), top-1) * step
		}
	}
}
