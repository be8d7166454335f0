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
	NoNorm    NormKind = "none"      // x itself
)

// Placement names where the norms of a block stand.
type Placement string

// The placements. The zero value is the usual one.
const (
	PreNorm  Placement = ""     // before attention and MLP
	PostNorm Placement = "post" // behind them, on what they add to the stream (OLMo 2)
	BothNorm Placement = "both" // on both sides (Gemma 2)
)

// QKNorm names over what queries and keys are normalised before they meet.
type QKNorm string

// The kinds of query and key norms. The zero value is none.
const (
	NoQKNorm    QKNorm = ""
	QKNormHead  QKNorm = "head"  // over each head's width, all heads with one gain [K] (Qwen 3)
	QKNormHeads QKNorm = "heads" // over each head's width, each head with a gain of its own [H·K] (StableLM)
	QKNormFull  QKNorm = "full"  // over all heads together, gain [H·K] (OLMo 2)
)

// PosKind names how a position reaches the model.
type PosKind string

// The kinds of positions.
const (
	Learned PosKind = "learned" // a vector per position, added to the embedding
	Rotary  PosKind = "rotary"  // queries and keys are turned by an angle that grows with the position
	Alibi   PosKind = "alibi"   // scores fall linearly with the distance, each head at its own slope
)

// Config holds every size and every choice that the decoder block reads. The
// zero value is not valid; see Validate. Choices beyond the first models' are
// left out of JSON where they are off, so that their hashes stay.
type Config struct {
	Layers    int `json:"layers"`     // L
	Width     int `json:"width"`      // D
	Heads     int `json:"heads"`      // H, query heads
	KVHeads   int `json:"kv_heads"`   // G, key-value heads; H/G query heads share one
	HeadWidth int `json:"head_width"` // K; H·K need not be D
	MLPWidth  int `json:"mlp_width"`  // F
	Vocab     int `json:"vocab"`      // V
	Context   int `json:"context"`    // positions in training; with learned ones the longest run

	Norm       NormKind     `json:"norm"`
	NormEps    float64      `json:"norm_eps"`
	Positions  PosKind      `json:"positions"`
	Rotary     RotaryConfig `json:"rotary"`     // read when Positions is Rotary
	Activation string       `json:"activation"` // "gelu" (exact), "gelu_tanh", "quick_gelu", "silu", "relu" or "relu2" (its square)
	Gated      bool         `json:"gated"`      // the MLP multiplies act(gate) by a second projection
	Tied       bool         `json:"tied"`       // the unembedding is the embedding

	AttnBias    bool `json:"attn_bias"`    // on q, k and v
	OutBias     bool `json:"out_bias"`     // on the attention output
	MLPBias     bool `json:"mlp_bias"`     // on every MLP projection
	NormBias    bool `json:"norm_bias"`    // on every norm but those of q and k
	UnembedBias bool `json:"unembed_bias"` // on the logits

	InverseLayerScale bool `json:"inverse_layer_scale"` // scores of layer l are divided by l+1 as well

	OutVocab int  `json:"out_vocab,omitempty"` // ids that have a logit, where they are not those of the embedding; 0 for V
	AttnOnly bool `json:"attn_only,omitempty"` // blocks have no MLP

	Placement  Placement `json:"placement,omitempty"`
	Parallel   bool      `json:"parallel,omitempty"`    // attention and MLP read the same stream, and both are added to it
	SharedNorm bool      `json:"shared_norm,omitempty"` // of a parallel block: both halves read through one norm's weights
	PlainNorm  bool      `json:"plain_norm,omitempty"`  // norms but those of q and k have neither gain nor bias

	EmbedScale float64 `json:"embed_scale,omitempty"` // factor of the embedding; 0 for none
	EmbedNorm  bool    `json:"embed_norm,omitempty"`  // the embedding is normalised before it enters the stream

	ClipQKV    float64 `json:"clip_qkv,omitempty"`     // q, k and v are brought into ±ClipQKV; 0 for none
	QKNorm     QKNorm  `json:"qk_norm,omitempty"`      // by Norm and NormEps
	QKNormBias bool    `json:"qk_norm_bias,omitempty"` // on the norms of q and k
	ScoreScale float64 `json:"score_scale,omitempty"`  // factor of q·k; 0 for 1/sqrt(K)
	ScoreCap   float64 `json:"score_cap,omitempty"`    // scores become cap·tanh(score/cap); 0 for none
	LogitCap   float64 `json:"logit_cap,omitempty"`    // and logits likewise

	Windows     []int         `json:"windows,omitempty"`      // [L] keys that a query sees, its own included; 0 for all; nil when no layer has one
	LocalRotary *RotaryConfig `json:"local_rotary,omitempty"` // instead of Rotary in layers with a window; nil for the same
	FalconAlibi bool          `json:"falcon_alibi,omitempty"` // ALiBi's bias is rounded to bfloat16 at each position, and scaled as q·k is

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
	numbers := []struct {
		name  string
		value float64
	}{
		{"norm_eps", c.NormEps}, {"embed_scale", c.EmbedScale}, {"clip_qkv", c.ClipQKV},
		{"score_scale", c.ScoreScale}, {"score_cap", c.ScoreCap}, {"logit_cap", c.LogitCap},
	}
	for _, n := range numbers {
		if !(n.value >= 0) || float32(n.value) > math.MaxFloat32 {
			bad("%s is %g, want a finite number of at least 0", n.name, n.value)
		}
	}
	if c.OutVocab < 0 || c.OutVocab > maxSize || c.OutVocab != 0 && c.Tied {
		bad("out_vocab is %d with tied %v, want 0, or up to %d in a model with an unembedding of its own", c.OutVocab, c.Tied, maxSize)
	}
	if _, ok := activations[c.Activation]; !ok && !c.AttnOnly {
		bad("activation is %q, want one of %s", c.Activation, strings.Join(slices.Sorted(maps.Keys(activations)), ", "))
	}
	if _, err := parseBasis(c.Basis); err != nil {
		errs = append(errs, err)
	}
	errs = append(errs, c.validateNorms()...)
	return errors.Join(append(errs, c.validatePositions()...)...)
}

// validateNorms reports what is impossible about norms and their places.
func (c Config) validateNorms() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("config: "+format, args...)) }
	if c.Norm != LayerNorm && c.Norm != RMSNorm && c.Norm != NoNorm {
		bad("norm is %q, want %q, %q or %q", c.Norm, LayerNorm, RMSNorm, NoNorm)
	}
	if c.Placement != PreNorm && c.Placement != PostNorm && c.Placement != BothNorm {
		bad("placement is %q, want %q, %q or none", c.Placement, PostNorm, BothNorm)
	}
	if c.QKNorm != NoQKNorm && c.QKNorm != QKNormHead && c.QKNorm != QKNormHeads && c.QKNorm != QKNormFull {
		bad("qk_norm is %q, want %q, %q, %q or none", c.QKNorm, QKNormHead, QKNormHeads, QKNormFull)
	}
	if c.Parallel && c.Placement != PreNorm {
		bad("placement is %q in a parallel block, where norms stand before its halves alone", c.Placement)
	}
	for _, needs := range []struct {
		name       string
		have, must bool
		what       string
	}{
		{"shared_norm", c.SharedNorm, c.Parallel, "a parallel block"},
		{"parallel", c.Parallel, !c.AttnOnly, "an MLP"},
		{"gated", c.Gated, !c.AttnOnly, "an MLP"},
		{"mlp_bias", c.MLPBias, !c.AttnOnly, "an MLP"},
		{"qk_norm_bias", c.QKNormBias, c.QKNorm != NoQKNorm, "a qk_norm"},
		{"norm_bias", c.NormBias, !c.PlainNorm && c.Norm != NoNorm, "norms with a gain"},
		{"plain_norm", c.PlainNorm, c.Norm != NoNorm, "a norm"},
		{"placement", c.Placement != PreNorm, c.Norm != NoNorm, "a norm"},
		{"qk_norm", c.QKNorm != NoQKNorm, c.Norm != NoNorm && c.Positions == Rotary, "a norm and rotary positions"},
		{"embed_norm", c.EmbedNorm, c.Norm != NoNorm, "a norm"},
		{"falcon_alibi", c.FalconAlibi, c.Positions == Alibi, "ALiBi positions"},
		{"local_rotary", c.LocalRotary != nil, c.Positions == Rotary && c.Windows != nil, "rotary positions and windows"},
	} {
		if needs.have && !needs.must {
			bad("%s needs %s", needs.name, needs.what)
		}
	}
	return errs
}

// validatePositions reports what is impossible about positions and windows.
func (c Config) validatePositions() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("config: "+format, args...)) }
	switch c.Positions {
	case Learned, Alibi:
	case Rotary:
		errs = append(errs, c.Rotary.validate("rotary", c.HeadWidth)...)
		if c.LocalRotary != nil {
			errs = append(errs, c.LocalRotary.validate("local_rotary", c.HeadWidth)...)
		}
	default:
		bad("positions is %q, want %q, %q or %q", c.Positions, Learned, Rotary, Alibi)
	}
	if c.Windows != nil && len(c.Windows) != c.Layers {
		bad("windows has %d entries for %d layers", len(c.Windows), c.Layers)
	}
	for l, w := range c.Windows {
		if w < 0 || w > maxSize {
			bad("windows[%d] is %d, want 0 (all keys) or 1..%d", l, w, maxSize)
		}
	}
	return errs
}

// Outputs is the number of ids that have a logit.
func (c Config) Outputs() int {
	if c.OutVocab != 0 {
		return c.OutVocab
	}
	return c.Vocab
}

// group is the number of query heads that share one key-value head.
func (c Config) group() int { return c.Heads / c.KVHeads }

// scoreScale is the factor of q·k, but for that of the layer.
func (c Config) scoreScale() float64 {
	if c.ScoreScale != 0 {
		return c.ScoreScale
	}
	return 1 / math.Sqrt(float64(c.HeadWidth))
}

// window is the number of keys that a query of layer l sees, its own included;
// 0 for all.
func (c Config) window(l int) int {
	if c.Windows == nil {
		return 0
	}
	return c.Windows[l]
}

// before and behind say whether the halves of a block are normed where they
// read the stream, and where they write to it.
func (c Config) before() bool { return c.Norm != NoNorm && c.Placement != PostNorm }
func (c Config) behind() bool { return c.Placement == PostNorm || c.Placement == BothNorm }

// activations are the functions that Config.Activation may name. The map is
// never written to.
var activations = map[string]kernel.Act{
	"gelu":       kernel.GELU,
	"gelu_tanh":  kernel.GELUTanh,
	"silu":       kernel.SiLU,
	"relu":       kernel.ReLU,
	"quick_gelu": kernel.QuickGELU,
	"relu2":      kernel.ReLU2,
}
