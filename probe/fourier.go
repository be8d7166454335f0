package probe

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FourierBasis is a set of waves over the numbers 0..P-1, one row each.
type FourierBasis struct {
	// P is how many numbers there are, Over the length that frequencies count
	// over: a wave of frequency k has the period Over/k.
	P, Over int
	// Rows is [R, P]: the constant, then the pairs of each frequency.
	Rows *mat.Dense
	// K is the frequency of each row, 0 for the constant.
	K []int
	// Orthonormal is false for a basis whose rows are only nearly so.
	Orthonormal bool
}

// DFT is the exact real Fourier basis of length p ≥ 2: the rows const, cos_1,
// sin_1, cos_2, ..., each of norm 1, so that the transform keeps lengths. For an
// even p the last row is the alternating cos_{p/2} alone. Nanda et al.,
// "Progress measures for grokking via mechanistic interpretability", 2023,
// arXiv:2301.05217, section 3.
func DFT(p int) (*FourierBasis, error) {
	if p < 2 {
		return nil, fmt.Errorf("fourier basis: %d numbers: at least 2 are needed", p)
	}
	f := newFourierBasis(p, p, p)
	f.Orthonormal = true
	f.wave(0, 0, 1, math.Cos)
	for k := 1; k <= p/2; k++ {
		f.wave(2*k-1, k, 1, math.Cos)
		if 2*k < p {
			f.wave(2*k, k, 1, math.Sin)
		}
	}
	for i := range f.K {
		row := f.Rows.RawRowView(i)
		floats.Scale(1/floats.Norm(row, 2), row)
	}
	return f, nil
}

// NumberSpace is the basis of Zhou et al., "Pre-trained Large Language Models
// Use Fourier Features to Compute Addition", 2024, arXiv:2406.03445, definition
// A.4, for an odd p ≥ 3: frequencies count over p-1, so that periods 2, 2.5, 5
// and 10 fall on whole frequencies for p = 521; the rows are the constant times
// √(1/(p-1)), then sin_1, cos_1, sin_2, ... times √(2/(p-1)).
//
// It is not quite orthonormal: the numbers 0 and p-1 fall together, and the last
// sine is 0. DFT is the clean alternative.
func NumberSpace(p int) (*FourierBasis, error) {
	if p < 3 || p%2 == 0 {
		return nil, fmt.Errorf("number space basis: %d numbers: an odd number of at least 3 is needed, as 0..520", p)
	}
	f := newFourierBasis(p, p-1, p)
	f.wave(0, 0, math.Sqrt(1/float64(p-1)), math.Cos)
	for k := 1; k <= (p-1)/2; k++ {
		f.wave(2*k-1, k, math.Sqrt(2/float64(p-1)), math.Sin)
		f.wave(2*k, k, math.Sqrt(2/float64(p-1)), math.Cos)
	}
	return f, nil
}

func newFourierBasis(p, over, rows int) *FourierBasis {
	return &FourierBasis{P: p, Over: over, Rows: mat.NewDense(rows, p, nil), K: make([]int, rows)}
}

func (f *FourierBasis) wave(row, k int, size float64, of func(float64) float64) {
	f.K[row] = k
	for x := range f.P {
		// The product is reduced first: sines that are 0 come out as 0.
		f.Rows.Set(row, x, size*snap(of(2*math.Pi*float64(k*x%f.Over)/float64(f.Over))))
	}
}

// Highest is the highest frequency.
func (f *FourierBasis) Highest() int { return f.K[len(f.K)-1] }

// Period is the period of a frequency k ≥ 1, Over/k.
func (f *FourierBasis) Period(k int) float64 { return float64(f.Over) / float64(k) }

// Transform is F·y, [R, C], for columns y [P, C].
func (f *FourierBasis) Transform(y *mat.Dense) (*mat.Dense, error) {
	p, _, err := checkRows("fourier transform", "values", y, 1)
	if err != nil {
		return nil, err
	}
	if p != f.P {
		return nil, fmt.Errorf("fourier transform: %d rows for a basis over %d numbers", p, f.P)
	}
	return product(f.Rows, y), nil
}

// Combine joins the values v [R] of sines and cosines to one a frequency:
// √(cos² + sin²), [Highest], frequency 1 first. The constant is left out.
func (f *FourierBasis) Combine(v []float64) ([]float64, error) {
	if len(v) != len(f.K) {
		return nil, fmt.Errorf("fourier: %d values for %d rows of the basis", len(v), len(f.K))
	}
	out := make([]float64, f.Highest())
	for i, k := range f.K {
		if k > 0 {
			out[k-1] = math.Hypot(out[k-1], v[i])
		}
	}
	return out, nil
}

// Spectrum is how strongly each wave stands in a table of numbers.
type Spectrum struct {
	// Rows is [R], the norm of each row of F·W; Frequencies is [Highest], sine
	// and cosine joined, frequency 1 first.
	Rows, Frequencies []float64
}

// EmbeddingSpectrum transforms the rows w [P, D] of an embedding or unembedding
// that belong to the numbers 0..P-1 over the numbers and takes the norm over D
// (arXiv:2406.03445, figure 4; arXiv:2301.05217, figure 3). For W_L = W_out·W_U
// [F, P] give its transpose. The cost is R·P·D.
func EmbeddingSpectrum(f *FourierBasis, w *mat.Dense) (*Spectrum, error) {
	t, err := f.Transform(w)
	if err != nil {
		return nil, err
	}
	return f.spectrum(rowNorms(t))
}

// ContributionSpectrum is the spectrum of what a component adds to the logits
// of the numbers, for outputs h [N, D] and rows w [P, D] of the unembedding:
// logits h·wᵀ [N, P], their transform [N, R], and the spectrum of its mean size
// over the N prompts (arXiv:2406.03445, section 3.2 and figure 3: mean |L̂|,
// no final norm; fold the norm into h for the other reading).
func ContributionSpectrum(f *FourierBasis, h, w *mat.Dense) (transform *mat.Dense, s *Spectrum, err error) {
	n, d, err := checkRows("contribution spectrum", "outputs", h, 1)
	if err != nil {
		return nil, nil, err
	}
	waves, err := f.Transform(w)
	if err != nil {
		return nil, nil, err
	}
	if _, width := waves.Dims(); width != d {
		return nil, nil, fmt.Errorf("contribution spectrum: outputs of width %d for an unembedding of width %d", d, width)
	}
	transform = product(h, waves.T())
	mean := make([]float64, len(f.K))
	for i := range n {
		for j, v := range transform.RawRowView(i) {
			mean[j] += math.Abs(v) / float64(n)
		}
	}
	s, err = f.spectrum(mean)
	return transform, s, err
}

func (f *FourierBasis) spectrum(rows []float64) (*Spectrum, error) {
	joined, err := f.Combine(rows)
	return &Spectrum{Rows: rows, Frequencies: joined}, err
}

// Dominant is the strongest frequency, the constant apart; 0 when nothing but
// the constant is there.
func (s *Spectrum) Dominant() int {
	at := floats.MaxIdx(s.Frequencies)
	if !(s.Frequencies[at] > 1e-10*math.Abs(s.Rows[0])) || s.Frequencies[at] == 0 {
		return 0
	}
	return at + 1
}

// Order is the frequencies, strongest first; of equal ones the lower first.
func (s *Spectrum) Order() []int {
	order := make([]int, len(s.Frequencies))
	for i := range order {
		order[i] = i + 1
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(s.Frequencies[b-1], s.Frequencies[a-1]) })
	return order
}

// DominantFrequencies is the strongest frequency of each row of a transform
// [N, R], the constant apart, 0 where there is none: what each neuron writes to
// the logits of the numbers, when the transform is ContributionSpectrum's of the
// rows of W_out. Compare its period with the dominant one of the neuron's fit.
func (f *FourierBasis) DominantFrequencies(transform *mat.Dense) ([]int, error) {
	n, _, err := checkRows("dominant frequencies", "waves", transform, 1)
	if err != nil {
		return nil, err
	}
	out := make([]int, n)
	for i := range out {
		s, err := f.spectrum(transform.RawRowView(i))
		if err != nil {
			return nil, err
		}
		out[i] = s.Dominant()
	}
	return out, nil
}

func rowNorms(x *mat.Dense) []float64 {
	n, _ := x.Dims()
	out := make([]float64, n)
	for i := range out {
		out[i] = floats.Norm(x.RawRowView(i), 2)
	}
	return out
}
