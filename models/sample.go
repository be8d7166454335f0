package models

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Sampling says how the next token is drawn from the logits. The rules apply in
// the order of the fields, as in transformers' generate. The zero value takes
// the token with the largest logit, the lowest id among equals.
type Sampling struct {
	// Repetition divides positive logits of tokens that the row already has, and
	// multiplies negative ones (Keskar et al., "CTRL: A Conditional Transformer
	// Language Model for Controllable Generation", 2019, arXiv:1909.05858,
	// section 4.1). 0 and 1 leave them alone.
	Repetition float64

	// Temperature divides the logits. 0 is greedy: no rule below applies.
	Temperature float64

	// TopK keeps the K largest logits and those equal to the K-th. 0 keeps all.
	TopK int

	// TopP keeps the most probable tokens up to the first at which they hold
	// TopP of the probability, at least one (Holtzman et al., "The Curious Case
	// of Neural Text Degeneration", 2020, arXiv:1904.09751, section 3.1). 0 and 1
	// keep all.
	TopP float64

	// Seed fixes the draws, of each row on its own.
	Seed uint64
}

// check reports a rule that is none.
func (s Sampling) check() error {
	switch {
	case !(s.Temperature >= 0) || math.IsInf(s.Temperature, 0):
		return fmt.Errorf("generate: temperature is %g, want a number of at least 0 (0 is greedy)", s.Temperature)
	case s.TopK < 0:
		return fmt.Errorf("generate: top_k is %d, want at least 0 (0 keeps all)", s.TopK)
	case !(s.TopP >= 0 && s.TopP <= 1):
		return fmt.Errorf("generate: top_p is %g, want 0..1", s.TopP)
	case !(s.Repetition >= 0) || math.IsInf(s.Repetition, 0):
		return fmt.Errorf("generate: repetition penalty is %g, want a number above 0 (1 is none)", s.Repetition)
	}
	return nil
}

// Argmax is the place of the greatest of x, the first of equals; 0 for none.
func Argmax[T float32 | float64](x []T) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// choose draws a token given the logits [V] and the row's tokens so far.
func (s Sampling) choose(logits []float32, history []int, rng *rand.Rand) int {
	if s.Temperature == 0 && (s.Repetition == 0 || s.Repetition == 1) {
		return Argmax(logits)
	}
	x := s.Apply(logits, history)
	best := Argmax(x)
	if s.Temperature == 0 {
		return best
	}
	sum := 0.0
	for _, v := range x {
		sum += math.Exp(v - x[best])
	}
	left := rng.Float64() * sum
	for i, v := range x {
		if left -= math.Exp(v - x[best]); left < 0 {
			return i
		}
	}
	return best // only by rounding
}

// Apply gives the logits after every rule but the draw, [V]: those that are
// ruled out are -Inf.
func (s Sampling) Apply(logits []float32, history []int) []float64 {
	x := make([]float64, len(logits))
	for i, v := range logits {
		x[i] = float64(v)
	}
	if s.Repetition > 0 && s.Repetition != 1 {
		for _, id := range history {
			if v := float64(logits[id]); v > 0 { // once, however often the row has it
				x[id] = v / s.Repetition
			} else {
				x[id] = v * s.Repetition
			}
		}
	}
	if s.Temperature == 0 {
		return x
	}
	for i := range x {
		x[i] /= s.Temperature
	}
	if s.TopK > 0 && s.TopK < len(x) {
		least := slices.SortedFunc(slices.Values(x), func(a, b float64) int { return cmp.Compare(b, a) })[s.TopK-1]
		for i, v := range x {
			if v < least {
				x[i] = math.Inf(-1)
			}
		}
	}
	if s.TopP > 0 && s.TopP < 1 {
		s.nucleus(x)
	}
	return x
}

// nucleus rules out what TopP does not keep.
func (s Sampling) nucleus(x []float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[b], x[a]) })
	sum, top := 0.0, x[order[0]]
	for _, v := range x {
		sum += math.Exp(v - top)
	}
	before := 0.0 // probability of the tokens ahead
	for i, at := range order {
		p := math.Exp(x[at]-top) / sum
		if i > 0 && before >= s.TopP {
			x[at] = math.Inf(-1)
		}
		before += p
	}
}
