package models

import (
	"fmt"
	"math"
)

// RotaryConfig says how queries and keys are turned (Su et al., "RoFormer:
// Enhanced Transformer with Rotary Position Embedding", 2021,
// arXiv:2104.09864, section 3.2.2). Pair i turns by position · Base^(−2i/Dim).
type RotaryConfig struct {
	Base     float64      `json:"base"`
	Dim      int          `json:"dim"`               // leading dimensions of a head that are turned; even, at most HeadWidth
	Adjacent bool         `json:"adjacent"`          // pairs are (2i, 2i+1), not (i, i+Dim/2)
	Scaling  *RopeScaling `json:"scaling,omitempty"` // nil leaves the frequencies alone
}

// ScalingKind names how rotary frequencies are changed for contexts longer than
// those of training.
type ScalingKind string

// The kinds of scaling.
const (
	// LinearScaling turns every pair Factor times slower (Chen et al.,
	// "Extending Context Window of Large Language Models via Positional
	// Interpolation", 2023, arXiv:2306.15595).
	LinearScaling ScalingKind = "linear"
	// DynamicScaling keeps the frequencies in rows of at most Original tokens. In
	// one of n tokens beyond, the base grows by the factor
	// (Factor·n/Original − Factor + 1)^(Dim/(Dim−2)) (as Code Llama's users found
	// and transformers computes it).
	DynamicScaling ScalingKind = "dynamic"
	// YarnScaling slows the pairs that turn less than BetaSlow times within the
	// original context, keeps those that turn more than BetaFast times, and
	// blends between (Peng et al., "YaRN: Efficient Context Window Extension of
	// Large Language Models", 2023, arXiv:2309.00071, section 3.2).
	YarnScaling ScalingKind = "yarn"
	// Llama3Scaling keeps pairs whose wavelength is at most Original/HighFactor,
	// turns those of at least Original/LowFactor Factor times slower, and blends
	// linearly in Original/wavelength between, as Llama 3.1 does.
	Llama3Scaling ScalingKind = "llama3"
	// LongRopeScaling divides pair i's frequency by Short[i] in runs of at most
	// Original tokens and by Long[i] in longer ones (Ding et al., "LongRoPE:
	// Extending LLM Context Window Beyond 2 Million Tokens", 2024,
	// arXiv:2402.13753).
	LongRopeScaling ScalingKind = "longrope"
)

// RopeScaling changes the frequencies of rotary positions. The kinds read the
// fields that their descriptions name.
type RopeScaling struct {
	Kind       ScalingKind `json:"kind"`
	Factor     float64     `json:"factor,omitempty"`
	LowFactor  float64     `json:"low_freq_factor,omitempty"`
	HighFactor float64     `json:"high_freq_factor,omitempty"`
	Original   int         `json:"original_context,omitempty"` // the context before it was extended, in positions
	BetaFast   float64     `json:"beta_fast,omitempty"`
	BetaSlow   float64     `json:"beta_slow,omitempty"`
	Whole      bool        `json:"whole,omitempty"` // yarn: the blend begins and ends at whole pairs
	Short      []float64   `json:"short,omitempty"` // [Dim/2]
	Long       []float64   `json:"long,omitempty"`  // [Dim/2]

	// AttnFactor multiplies cosines and sines, and so both q and k: yarn and
	// longrope. 0 is 1.
	AttnFactor float64 `json:"attention_factor,omitempty"`
}

// validate reports every impossible field; k is the head width.
func (r RotaryConfig) validate(name string, k int) (errs []error) {
	bad := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("config: "+name+": "+format, args...))
	}
	if !(r.Base > 0) || math.IsInf(r.Base, 0) {
		bad("base is %g, want a finite number above 0", r.Base)
	}
	if r.Dim < 2 || r.Dim > k || r.Dim%2 != 0 {
		bad("dim is %d, want an even number in 2..%d (head_width)", r.Dim, k)
	}
	s := r.Scaling
	if s == nil {
		return errs
	}
	positive := func(field string, v float64) {
		if !(v > 0) || math.IsInf(v, 0) {
			bad("%s scaling: %s is %g, want a finite number above 0", s.Kind, field, v)
		}
	}
	original := func() {
		if s.Original < 1 || s.Original > maxSize {
			bad("%s scaling: original_context is %d, want 1..%d", s.Kind, s.Original, maxSize)
		}
	}
	switch s.Kind {
	case LinearScaling:
		positive("factor", s.Factor)
	case DynamicScaling:
		positive("factor", s.Factor)
		original()
		if r.Dim < 4 {
			bad("%s scaling: dim is %d, want at least 4", s.Kind, r.Dim)
		}
	case YarnScaling:
		positive("factor", s.Factor)
		positive("beta_fast", s.BetaFast)
		positive("beta_slow", s.BetaSlow)
		original()
		if r.Base == 1 {
			bad("%s scaling: base is 1, and all pairs turn alike", s.Kind)
		}
	case Llama3Scaling:
		positive("factor", s.Factor)
		positive("low_freq_factor", s.LowFactor)
		positive("high_freq_factor", s.HighFactor)
		original()
		if s.HighFactor <= s.LowFactor {
			bad("%s scaling: high_freq_factor is %g, want more than low_freq_factor %g", s.Kind, s.HighFactor, s.LowFactor)
		}
	case LongRopeScaling:
		original()
		for _, list := range []struct {
			name   string
			values []float64
		}{{"short", s.Short}, {"long", s.Long}} {
			if len(list.values) != r.Dim/2 {
				bad("%s scaling: %s has %d factors, want %d (one a pair)", s.Kind, list.name, len(list.values), r.Dim/2)
			}
			for i, v := range list.values {
				positive(fmt.Sprintf("%s[%d]", list.name, i), v)
			}
		}
	default:
		bad("scaling is %q, want one of linear, dynamic, yarn, llama3, longrope", s.Kind)
	}
	if s.AttnFactor != 0 {
		positive("attention_factor", s.AttnFactor)
	}
	return errs
}

// frequencies returns the angle per position of each pair, [Dim/2] in radians,
// in a row of so many tokens.
func (r RotaryConfig) frequencies(tokens int) []float64 {
	out, base, dim := make([]float64, r.Dim/2), r.Base, float64(r.Dim)
	if s := r.Scaling; s != nil && s.Kind == DynamicScaling && tokens > s.Original {
		base *= math.Pow(s.Factor*float64(tokens)/float64(s.Original)-s.Factor+1, dim/(dim-2))
	}
	for i := range out {
		f := math.Pow(base, -float64(2*i)/dim)
		if s := r.Scaling; s != nil {
			f *= s.slowing(r, i, f, tokens)
		}
		out[i] = f
	}
	return out
}

// slowing is the factor of the frequency f of pair i.
func (s *RopeScaling) slowing(r RotaryConfig, i int, f float64, tokens int) float64 {
	kept := 1.0 // the part of the frequency that is not divided by Factor
	switch s.Kind {
	case LinearScaling:
		kept = 0
	case YarnScaling:
		lo, hi := s.blend(r)
		kept = 1 - min(max((float64(i)-lo)/(hi-lo), 0), 1)
	case Llama3Scaling:
		turns := float64(s.Original) * f / (2 * math.Pi) // Original / wavelength
		kept = min(max((turns-s.LowFactor)/(s.HighFactor-s.LowFactor), 0), 1)
	case LongRopeScaling:
		if tokens > s.Original {
			return 1 / s.Long[i]
		}
		return 1 / s.Short[i]
	}
	if kept == 1 {
		return 1
	}
	return kept + (1-kept)/s.Factor
}

// blend gives the pairs between which yarn's slowing grows.
func (s *RopeScaling) blend(r RotaryConfig) (lo, hi float64) {
	pair := func(turns float64) float64 { // that turns so often within the original context
		return float64(r.Dim) * math.Log(float64(s.Original)/(turns*2*math.Pi)) / (2 * math.Log(r.Base))
	}
	lo, hi = pair(s.BetaFast), pair(s.BetaSlow)
	if s.Whole {
		lo, hi = math.Floor(lo), math.Ceil(hi)
	}
	lo, hi = max(lo, 0), min(hi, float64(r.Dim-1))
	if lo == hi {
		hi += 0.001
	}
	return lo, hi
}

// stretch is the factor of cosines and sines.
func (r RotaryConfig) stretch() float64 {
	if r.Scaling == nil || r.Scaling.AttnFactor == 0 {
		return 1
	}
	return r.Scaling.AttnFactor
}

// regime tells rows of that many tokens from those of other frequencies: 0 for
// the usual ones, else a number of tokens with the same frequencies.
func (r RotaryConfig) regime(tokens int) int {
	s := r.Scaling
	switch {
	case s == nil || tokens <= s.Original:
		return 0
	case s.Kind == DynamicScaling:
		return tokens
	case s.Kind == LongRopeScaling:
		return s.Original + 1
	}
	return 0
}

// alibi gives what ALiBi adds to the scores of a key at each position, up to
// what the query's own position adds, [H,t].
//
// Falcon's is rounded to bfloat16 at each position, as its slopes and positions
// are, and is scaled with q·k.
func (c Config) alibi(t int) []float64 {
	out := make([]float64, c.Heads*t)
	for h, slope := range alibiSlopes(c.Heads) {
		for p := range t {
			if c.FalconAlibi {
				out[h*t+p] = float64(bfloat16(bfloat16(float32(slope))*bfloat16(float32(p)))) * c.scoreScale()
			} else {
				out[h*t+p] = slope * float64(p)
			}
		}
	}
	return out
}

// bfloat16 rounds a finite x to the nearest bfloat16, to the even one between
// two.
func bfloat16(x float32) float32 {
	u := math.Float32bits(x)
	return math.Float32frombits((u + 0x7fff + u>>16&1) &^ 0xffff)
}

// alibiSlopes gives the slope of each head, [heads]: 2^(−8i/n) for i = 1..n,
// where n is the largest power of two up to heads, then every other slope of
// the series for 2n (Press et al., "Train Short, Test Long: Attention with
// Linear Biases Enables Input Length Extrapolation", 2021, arXiv:2108.12409,
// section 3, and its code).
func alibiSlopes(heads int) []float64 {
	n := 1
	for 2*n <= heads {
		n *= 2
	}
	out := make([]float64, heads)
	for i := range out {
		if i < n {
			out[i] = math.Exp2(-8 * float64(i+1) / float64(n))
		} else {
			out[i] = math.Exp2(-8 * float64(2*(i-n)+1) / float64(2*n))
		}
	}
	return out
}
