package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// NumberTokens are the tokens that stand for numbers, with the number of each.
type NumberTokens struct {
	IDs    []int
	Values []float64
}

// NumberReading is what a distribution over tokens says of a number.
type NumberReading struct {
	// Probabilities are over the number tokens alone, in their order.
	Probabilities []float64
	// Mass is the probability of all number tokens together among all tokens.
	Mass float64
	// Expected is Σ p·v.
	Expected float64
	// SquaredError is (y - Σ p·v)², Wasserstein Σ p·|y - v|, the distance that
	// probability must move to reach y. The first is 0 also for half on 0 and half
	// on 8 when y is 4, the second is not.
	SquaredError, Wasserstein float64
}

// Read reads logits over the vocabulary as a number and compares it with y
// (Zausinger et al., "Regress, Don't Guess: A Regression-like Loss on Number
// Tokens for Language Models", 2024, arXiv:2411.02083, whose two losses these
// are). Behind a lens it follows the number from layer to layer. Errors: no
// number tokens, ids outside the vocabulary or named twice, values or logits
// that are not finite.
func (t NumberTokens) Read(logits []float64, y float64) (NumberReading, error) {
	if len(t.IDs) == 0 || len(t.IDs) != len(t.Values) {
		return NumberReading{}, fmt.Errorf("number reading: %d number tokens with %d values", len(t.IDs), len(t.Values))
	}
	if math.IsNaN(y) || math.IsInf(y, 0) {
		return NumberReading{}, fmt.Errorf("number reading: the number to compare with is %v", y)
	}
	for i, v := range logits {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return NumberReading{}, fmt.Errorf("number reading: logit of token %d is %v", i, v)
		}
	}
	z := make([]float64, len(t.IDs))
	for i, id := range t.IDs {
		if id < 0 || id >= len(logits) || slices.Index(t.IDs, id) < i {
			return NumberReading{}, fmt.Errorf("number reading: token %d: each must be in 0..%d and come once", id, len(logits)-1)
		}
		if v := t.Values[i]; math.IsNaN(v) || math.IsInf(v, 0) {
			return NumberReading{}, fmt.Errorf("number reading: token %d stands for %v", id, v)
		}
		z[i] = logits[id]
	}
	sum := floats.LogSumExp(z)
	r := NumberReading{Mass: math.Exp(sum - floats.LogSumExp(logits)), Probabilities: z}
	for i := range z {
		z[i] = math.Exp(z[i] - sum)
		r.Expected += z[i] * t.Values[i]
		r.Wasserstein += z[i] * math.Abs(y-t.Values[i])
	}
	r.SquaredError = (y - r.Expected) * (y - r.Expected)
	return r, nil
}

// FourierNumber is a number written as a pair (cos, sin) of 2πx/T for each period
// T = base·10^e, e from low to high: a representation in which every digit can be
// read exactly, to compare learned ones with (Zhou et al., "FoNE: Precise
// Single-Token Number Embeddings via Fourier Features", 2025, arXiv:2502.09741).
// Bases are 10, or 2 and 5, all exponents of the first before the second. Periods
// below 1 need a fraction: x is given in units of 10^-decimals, so that whole
// multiples of a period come off exactly. Errors: no bases or exponents, bases
// not above 0, decimals outside 0..9.
func FourierNumber(x int, decimals int, bases []float64, low, high int) ([]float64, error) {
	if len(bases) == 0 || high < low || decimals < 0 || decimals > 9 {
		return nil, fmt.Errorf("fourier number: %d bases, exponents %d..%d, %d decimals: at least one base and exponent and 0..9 decimals are needed", len(bases), low, high, decimals)
	}
	var out []float64
	for _, b := range bases {
		if !(b > 0) || math.IsInf(b, 0) {
			return nil, fmt.Errorf("fourier number: base %v: it must be above 0", b)
		}
		for e := low; e <= high; e++ {
			period := b * math.Pow10(e+decimals) // in units of x
			sin, cos := math.Sincos(2 * math.Pi * turn(x, period))
			out = append(out, cos, sin)
		}
	}
	return out, nil
}

// FourierDigits reads the decimal digits back from a FourierNumber of base 10,
// lowest first: the digits already known are taken off each angle before it is
// rounded. It is the exact inverse for numbers of as many digits as there are
// pairs; of a hidden state it reads the nearest.
func FourierDigits(v []float64) ([]int, error) {
	if len(v) == 0 || len(v)%2 != 0 {
		return nil, fmt.Errorf("fourier digits: %d values: pairs of cosine and sine are needed", len(v))
	}
	digits := make([]int, len(v)/2)
	known := 0.0 // the part below the current digit, in units of the digit
	for i := range digits {
		if v[2*i] == 0 && v[2*i+1] == 0 || math.IsNaN(v[2*i]+v[2*i+1]) {
			return nil, fmt.Errorf("fourier digits: pair %d is (%v, %v) and has no angle", i, v[2*i], v[2*i+1])
		}
		place := math.Atan2(v[2*i+1], v[2*i]) / (2 * math.Pi) * 10
		d := int(math.Round(place-known)) % 10
		if d < 0 {
			d += 10
		}
		digits[i] = d
		known = (known + float64(d)) / 10
	}
	return digits, nil
}
