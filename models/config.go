package models

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"orrery/models/internal/kernel"
)

// NormKind names how the residual stream is normalised before it is read.
type NormKind string

// The kinds of norm.
const (
	LayerNorm NormKind = "layernorm" // (x − mean) / sqrt(var + eps)
	RMSNorm   NormKind = "rmsnorm"   // x / sqrt(mean square + eps)
)

// PosKind names how a position reaches the model.
type PosKind string

// The kinds of positions.
const (
	Learned PosKind = "learned" // a vector per position, added to the embedding
	Rotary  PosKind = "rotary"  // queries and keys are turned by an angle that grows with the position
)

// Llama3Scaling slows the low frequencies of rotary positions, as Llama 3.1
// does for long contexts.
type Llama3Scaling struct {
	Factor     float64 `json:"factor"`           // by how much the slowest pairs are slowed
	LowFactor  float64 `json:"low_freq_factor"`  // Original/LowFactor is the wavelength from which pairs are slowed in full
	HighFactor float64 `json:"high_freq_factor"` // Original/HighFactor is the wavelength up to which pairs are kept
	Original   int     `json:"original_context"` // the context before it was extended, in positions
}

// RotaryConfig says how queries and keys are turned (Su et al., "RoFormer:
// Enhanced Transformer with Rotary Position Embedding", 2021,
// arXiv:2104.09864, section 3.2.2). Pair i turns by position · Base^(−2i/Dim).
type RotaryConfig struct {
	Base     float64        `json:"base"`
	Dim      int            `json:"dim"`               // leading dimensions of a head that are turned; even, at most HeadWidth
	Adjacent bool           `json:"adjacent"`          // pairs are (2i, 2i+1), not (i, i+Dim/2)
	Scaling  *Llama3Scaling `json:"scaling,omitempty"` // nil leaves the frequencies alone
}

// Config holds every size and every choice that the decoder block reads. The
// zero value is not valid; see Validate.
type Config struct {
	Layers    int `json:"layers"`     // L
	Width     int `json:"width"`      // D
	Heads     int `json:"heads"`      // H, query heads
	KVHeads   int `json:"kv_heads"`   // G, key-value heads; H/G query heads share one
	HeadWidth int `json:"head_width"` // K; H·K need not be D
	MLPWidth  int `json:"mlp_width"`  // F
	Vocab     int `json:"vocab"`      // V
	Context   int `json:"context"`    // the longest run, in positions

	Norm       NormKind     `json:"norm"`
	NormEps    float64      `json:"norm_eps"`
	Positions  PosKind      `json:"positions"`
	Rotary     RotaryConfig `json:"rotary"`     // read when Positions is Rotary
	Activation string       `json:"activation"` // "gelu" (exact), "gelu_tanh", "silu" or "relu"
	Gated      bool         `json:"gated"`      // the MLP multiplies act(gate) by a second projection
	Tied       bool         `json:"tied"`       // the unembedding is the embedding

	AttnBias    bool `json:"attn_bias"`    // on q, k and v
	OutBias     bool `json:"out_bias"`     // on the attention output
	MLPBias     bool `json:"mlp_bias"`     // on every MLP projection
	NormBias    bool `json:"norm_bias"`    // on every norm
	UnembedBias bool `json:"unembed_bias"` // on the logits

	InverseLayerScale bool `json:"inverse_layer_scale"` // scores of layer l are divided by l+1 as well

	Basis string `json:"basis,omitempty"` // what Model.Process did to the weights; empty for nothing
}

// Sizes beyond these limits are taken for a damaged file: nothing may be
// allocated from them.
const (
	maxLayers = 10_000
	maxSize   = 1 << 27
)

// Validate reports every field that no model can have, each with its value.
func (c Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("config: "+format, args...)) }
	sizes := []struct {
		name  string
		value int
		limit int
	}{
		{"layers", c.Layers, maxLayers}, {"width", c.Width, maxSize}, {"heads", c.Heads, maxSize},
		{"kv_heads", c.KVHeads, maxSize}, {"head_width", c.HeadWidth, maxSize}, {"mlp_width", c.MLPWidth, maxSize},
		{"vocab", c.Vocab, maxSize}, {"context", c.Context, maxSize},
	}
	for _, s := range sizes {
		if s.value < 1 || s.value > s.limit {
			bad("%s is %d, want 1..%d", s.name, s.value, s.limit)
		}
	}
	if len(errs) == 0 && c.Heads%c.KVHeads != 0 {
		bad("heads is %d, which kv_heads %d does not divide", c.Heads, c.KVHeads)
	}
	if c.Norm != LayerNorm && c.Norm != RMSNorm {
		bad("norm is %q, want %q or %q", c.Norm, LayerNorm, RMSNorm)
	}
	if !(c.NormEps >= 0) || math.IsInf(c.NormEps, 0) {
		bad("norm_eps is %g, want a finite number of at least 0", c.NormEps)
	}
	if _, ok := activations[c.Activation]; !ok {
		bad("activation is %q, want one of %s", c.Activation, strings.Join(slices.Sorted(maps.Keys(activations)), ", "))
	}
	switch c.Positions {
	case Learned:
	case Rotary:
		errs = append(errs, c.Rotary.validate(c.HeadWidth)...)
	default:
		bad("positions is %q, want %q or %q", c.Positions, Learned, Rotary)
	}
	if _, err := parseBasis(c.Basis); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// validate reports every impossible field; k is the head width.
func (r RotaryConfig) validate(k int) (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("config: rotary: "+format, args...)) }
	if !(r.Base > 0) || math.IsInf(r.Base, 0) {
		bad("base is %g, want a finite number above 0", r.Base)
	}
	if r.Dim < 2 || r.Dim > k || r.Dim%2 != 0 {
		bad("dim is %d, want an even number in 2..%d (head_width)", r.Dim, k)
	}
	if s := r.Scaling; s != nil {
		if !(s.Factor > 0) || !(s.LowFactor > 0) || !(s.HighFactor > s.LowFactor) || s.Original < 1 {
			bad("scaling is %+v, want factor > 0, 0 < low_freq_factor < high_freq_factor and original_context ≥ 1", *s)
		}
	}
	return errs
}

// frequencies returns the angle per position of each pair, [Dim/2] in
// radians. Scaling follows Llama 3.1: a pair whose wavelength is at most
// Original/HighFactor keeps its frequency, one of at least Original/LowFactor
// turns Factor times slower, and those between are blended linearly in
// Original/wavelength.
func (r RotaryConfig) frequencies() []float64 {
	out := make([]float64, r.Dim/2)
	for i := range out {
		f := math.Pow(r.Base, -float64(2*i)/float64(r.Dim))
		if s := r.Scaling; s != nil {
			turns := float64(s.Original) * f / (2 * math.Pi) // Original / wavelength
			kept := min(max((turns-s.LowFactor)/(s.HighFactor-s.LowFactor), 0), 1)
			f *= kept + (1-kept)/s.Factor
		}
		out[i] = f
	}
	return out
}

// group is the number of query heads that share one key-value head.
func (c Config) group() int { return c.Heads / c.KVHeads }

// activations are the functions that Config.Activation may name. The map is
// never written to.
var activations = map[string]kernel.Act{
	"gelu":      kernel.GELU,
	"gelu_tanh": kernel.GELUTanh,
	"silu":      kernel.SiLU,
	"relu":      kernel.ReLU,
}
