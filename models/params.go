package models

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"orrery/models/tensor"
)

// Params holds every weight of a model. A matrix is stored [out,in], as torch's
// nn.Linear has it: y = x·Wᵀ + b. Heads lie side by side in the rows of q, k
// and v and in the columns of o. Weights that the config does without are nil.
//
// The names, in the order of Each, are those of TransformerLens 4's components
// with .weight and .bias:
//
//	embed.weight [V,D]      pos_embed.weight [Context,D]
//	embed.ln.weight [D] .bias [D]
//	blocks.l.ln1.weight [D] .bias [D]          blocks.l.ln2 likewise
//	blocks.l.attn.q.weight [H·K,D] .bias [H·K]
//	blocks.l.attn.k.weight [G·K,D] .bias [G·K] blocks.l.attn.v likewise
//	blocks.l.attn.q_norm.weight .bias          [K], or [H·K] over all heads
//	blocks.l.attn.k_norm.weight .bias          [K], or [G·K]
//	blocks.l.attn.o.weight [D,H·K] .bias [D]
//	blocks.l.ln1_post.weight [D] .bias [D]     blocks.l.ln2_post likewise
//	blocks.l.mlp.gate.weight [F,D] .bias [F]   (gated: hook_pre)
//	blocks.l.mlp.in.weight [F,D] .bias [F]     (hook_pre, or hook_pre_linear when gated)
//	blocks.l.mlp.out.weight [D,F] .bias [D]
//	ln_final.weight [D] .bias [D]
//	unembed.weight [V,D] .bias [V]             (weight absent when tied)
type Params struct {
	Embed     *tensor.Dense // [V,D]
	EmbedNorm NormParams
	PosEmbed  *tensor.Dense // [Context,D]
	Blocks    []BlockParams // L of them
	Final     NormParams
	Unembed   LinearParams // Weight is nil when tied: see Unembedding
}

// BlockParams holds the weights of one block.
type BlockParams struct {
	LN1, LN2         NormParams // LN2 is empty when the halves share one norm
	LN1Post, LN2Post NormParams // behind attention and MLP
	Q, K, V, O       LinearParams
	QNorm, KNorm     NormParams
	Gate, In, Out    LinearParams // Gate is empty when the MLP is plain
}

// NormParams holds gain and bias of a norm, of the width it norms.
type NormParams struct{ Weight, Bias *tensor.Dense }

// LinearParams holds a matrix [out,in] and a bias [out].
type LinearParams struct{ Weight, Bias *tensor.Dense }

// Unembedding is the matrix [V,D] whose rows read the logits: the embedding
// itself when tied.
func (p *Params) Unembedding() *tensor.Dense {
	if p.Unembed.Weight == nil {
		return p.Embed
	}
	return p.Unembed.Weight
}

// walk calls fn with the place of every weight that any config has, in the
// order of Each: the layer or -1, and the name, within the block for those
// inside one.
func (p *Params) walk(fn func(layer int, name string, at **tensor.Dense)) {
	layer := -1
	norm := func(name string, n *NormParams) {
		fn(layer, name+".weight", &n.Weight)
		fn(layer, name+".bias", &n.Bias)
	}
	linear := func(name string, w *LinearParams) {
		fn(layer, name+".weight", &w.Weight)
		fn(layer, name+".bias", &w.Bias)
	}
	fn(layer, "embed.weight", &p.Embed)
	norm("embed.ln", &p.EmbedNorm)
	fn(layer, "pos_embed.weight", &p.PosEmbed)
	for layer = range p.Blocks {
		b := &p.Blocks[layer]
		norm("ln1", &b.LN1)
		linear("attn.q", &b.Q)
		linear("attn.k", &b.K)
		linear("attn.v", &b.V)
		norm("attn.q_norm", &b.QNorm)
		norm("attn.k_norm", &b.KNorm)
		linear("attn.o", &b.O)
		norm("ln1_post", &b.LN1Post)
		norm("ln2", &b.LN2)
		linear("mlp.gate", &b.Gate)
		linear("mlp.in", &b.In)
		linear("mlp.out", &b.Out)
		norm("ln2_post", &b.LN2Post)
	}
	layer = -1
	norm("ln_final", &p.Final)
	linear("unembed", &p.Unembed)
}

// weightShape is the shape of the weight that walk calls name, nil when this
// config does without it.
func (c Config) weightShape(name string) []int {
	q, kv := c.Heads*c.HeadWidth, c.KVHeads*c.HeadWidth
	when := func(have bool, shape ...int) []int {
		if !have {
			return nil
		}
		return shape
	}
	if stem, part, ok := cutNorm(name); ok {
		width, have := c.normWidth(stem)
		if stem == "attn.q_norm" || stem == "attn.k_norm" {
			return when(have && (part == "weight" || c.QKNormBias), width)
		}
		return when(have && !c.PlainNorm && (part == "weight" || c.NormBias), width)
	}
	switch name {
	case "embed.weight":
		return []int{c.Vocab, c.Width}
	case "pos_embed.weight":
		return when(c.Positions == Learned, c.Context, c.Width)
	case "attn.q.weight":
		return []int{q, c.Width}
	case "attn.k.weight", "attn.v.weight":
		return []int{kv, c.Width}
	case "attn.o.weight":
		return []int{c.Width, q}
	case "attn.q.bias":
		return when(c.AttnBias, q)
	case "attn.k.bias", "attn.v.bias":
		return when(c.AttnBias, kv)
	case "attn.o.bias":
		return when(c.OutBias, c.Width)
	case "mlp.gate.weight":
		return when(c.Gated, c.MLPWidth, c.Width)
	case "mlp.gate.bias":
		return when(c.Gated && c.MLPBias, c.MLPWidth)
	case "mlp.in.weight":
		return when(!c.AttnOnly, c.MLPWidth, c.Width)
	case "mlp.in.bias":
		return when(c.MLPBias, c.MLPWidth)
	case "mlp.out.weight":
		return when(!c.AttnOnly, c.Width, c.MLPWidth)
	case "mlp.out.bias":
		return when(c.MLPBias, c.Width)
	case "unembed.weight":
		return when(!c.Tied, c.Outputs(), c.Width)
	case "unembed.bias":
		return when(c.UnembedBias, c.Outputs())
	}
	panic("models: no weight is called " + name)
}

// cutNorm splits the name of a norm's weight into the norm and "weight" or
// "bias".
func cutNorm(name string) (stem, part string, ok bool) {
	at := strings.LastIndexByte(name, '.')
	stem, part = name[:at], name[at+1:]
	switch stem {
	case "ln1", "ln2", "ln1_post", "ln2_post", "ln_final", "embed.ln", "attn.q_norm", "attn.k_norm":
		return stem, part, true
	}
	return "", "", false
}

// normWidth gives the width of a norm's gain, and whether this config has the
// norm, with weights of its own.
func (c Config) normWidth(name string) (int, bool) {
	switch name {
	case "ln1":
		return c.Width, c.before()
	case "ln2":
		return c.Width, c.before() && !c.SharedNorm && !c.AttnOnly
	case "ln1_post":
		return c.Width, c.behind()
	case "ln2_post":
		return c.Width, c.behind() && !c.AttnOnly
	case "embed.ln":
		return c.Width, c.EmbedNorm
	case "attn.q_norm", "attn.k_norm":
		if c.QKNorm == QKNormHead {
			return c.HeadWidth, true
		}
		heads := c.Heads
		if name == "attn.k_norm" {
			heads = c.KVHeads
		}
		return heads * c.HeadWidth, c.QKNorm != NoQKNorm
	}
	return c.Width, c.Norm != NoNorm // ln_final
}

// WeightCount is the number of weights of a model of this config, a tied matrix
// counted once.
func (c Config) WeightCount() int {
	total := 0
	(&Params{Blocks: make([]BlockParams, c.Layers)}).walk(func(_ int, name string, _ **tensor.Dense) {
		if shape := c.weightShape(name); shape != nil {
			n := 1
			for _, d := range shape {
				n *= d
			}
			total += n
		}
	})
	return total
}

// weightName is the name under which Each and files know a weight of walk.
func weightName(layer int, name string) string {
	if layer < 0 {
		return name
	}
	return "blocks." + strconv.Itoa(layer) + "." + name
}

// NewParams returns weights of zero for a valid config.
func NewParams(cfg Config) *Params {
	p := &Params{Blocks: make([]BlockParams, cfg.Layers)}
	p.walk(func(_ int, name string, at **tensor.Dense) {
		if shape := cfg.weightShape(name); shape != nil {
			*at = tensor.New(shape...)
		}
	})
	return p
}

// Each calls fn with the name and the value of every weight, always in the
// same order.
func (p *Params) Each(fn func(name string, t *tensor.Dense)) {
	p.walk(func(layer int, name string, at **tensor.Dense) {
		if *at != nil {
			fn(weightName(layer, name), *at)
		}
	})
}

// Get returns the weight of that name and whether it is there.
func (p *Params) Get(name string) (*tensor.Dense, bool) {
	var found *tensor.Dense
	p.Each(func(n string, t *tensor.Dense) {
		if n == name {
			found = t
		}
	})
	return found, found != nil
}

// Count is the number of weights, a tied matrix counted once.
func (p *Params) Count() int {
	n := 0
	p.Each(func(_ string, t *tensor.Dense) { n += t.Len() })
	return n
}

// Clone returns a deep copy.
func (p *Params) Clone() *Params {
	c := *p
	c.Blocks = slices.Clone(p.Blocks)
	c.walk(func(_ int, _ string, at **tensor.Dense) {
		if *at != nil {
			*at = (*at).Clone()
		}
	})
	return &c
}

// check reports every weight that is missing, superfluous or of another shape
// than cfg asks for.
func (p *Params) check(cfg Config) error {
	if len(p.Blocks) != cfg.Layers {
		return fmt.Errorf("params: %d blocks for %d layers", len(p.Blocks), cfg.Layers)
	}
	var errs []error
	p.walk(func(layer int, name string, at **tensor.Dense) {
		want := cfg.weightShape(name)
		switch {
		case want == nil && *at != nil:
			errs = append(errs, fmt.Errorf("params: %s %v is there, and this config has no such weight", weightName(layer, name), (*at).Shape))
		case want != nil && *at == nil:
			errs = append(errs, fmt.Errorf("params: %s is missing, want shape %v", weightName(layer, name), want))
		case want != nil && !tensor.SameShape((*at).Shape, want):
			errs = append(errs, fmt.Errorf("params: %s has shape %v, want %v", weightName(layer, name), (*at).Shape, want))
		}
	})
	return errors.Join(errs...)
}

// finite reports the first NaN or infinity among the weights.
func (p *Params) finite() error {
	var err error
	p.Each(func(name string, t *tensor.Dense) {
		if err == nil {
			err = finite(name, t)
		}
	})
	return err
}
