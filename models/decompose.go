package models

import (
	"context"
	"fmt"
	"strconv"

	"orrery/models/internal/kernel"
)

// StackOptions say what the functions that take a residual stream apart
// return. They are TransformerLens' arguments, with its defaults as zero values.
type StackOptions struct {
	MLPInput bool  // up to the input of the layer's MLP instead of its attention
	Pos      []int // positions to keep, negative ones from the end; nil for all

	// ApplyLN norms every component as the norm that reads this stream did in
	// the run: divided by its scale, centred with LayerNorm; see ApplyLNToStack.
	ApplyLN bool

	InclMid         bool  // AccumulatedResid: the states between attention and MLP as well
	SkipAttn        bool  // DecomposeResid: no attention outputs (mode "mlp")
	SkipMLP         bool  // DecomposeResid: no MLP outputs (mode "attn")
	SkipEmbeds      bool  // DecomposeResid: no embeddings
	InclRemainder   bool  // StackHeadResults, StackNeuronResults: the rest of the stream as last component
	Neurons         []int // StackNeuronResults: which neurons of each layer; nil for all
	CollapseNeurons bool  // FullResidDecomposition: MLP outputs instead of neurons
}

// DecomposeResid takes the residual stream that enters block layer (of 0..L; L
// or -1 for the stream before the final norm) apart into what was added to it:
// "embed", "pos_embed", "0_attn_out", "0_mlp_out", ... They add up to the stream.
func DecomposeResid(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("decompose_resid", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	if !opt.SkipEmbeds {
		b.embeds()
	}
	for l := range b.layer {
		if !opt.SkipAttn {
			b.value(strconv.Itoa(l)+"_attn_out", Site{l, AttnOut})
		}
		if !opt.SkipMLP && !m.Config.AttnOnly {
			b.value(strconv.Itoa(l)+"_mlp_out", Site{l, MLPOut})
		}
	}
	if b.midway && !opt.SkipAttn {
		b.value(strconv.Itoa(b.layer)+"_attn_out", Site{b.layer, AttnOut})
	}
	return b.done(false)
}

// AccumulatedResid stacks the states of the residual stream up to the input of
// block layer: "0_pre", "0_mid" with InclMid, "1_pre", ..., and "final_post" for
// layer L or -1. With ApplyLN the states up to the end go through the whole
// final norm, each by its own statistics, with gain and bias: what the logit
// lens unembeds (nostalgebraist, "interpreting GPT: the logit lens", 2020). Up
// to an earlier layer they are normed by the scale of the run.
func AccumulatedResid(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("accumulated_resid", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	for l := range b.layer + 1 {
		if l == m.Config.Layers {
			b.value("final_post", Site{l - 1, ResidPost})
			continue
		}
		b.value(strconv.Itoa(l)+"_pre", Site{l, ResidPre})
		if opt.InclMid && l < b.layer || b.midway && l == b.layer {
			b.value(strconv.Itoa(l)+"_mid", Site{l, ResidMid})
		}
	}
	return b.done(b.layer == m.Config.Layers)
}

// StackHeadResults stacks what every head before block layer writes to the
// stream, "L0H0", "L0H1", ...: hook_result, without b_O. With InclRemainder a
// last component "remainder" makes them add up to the stream.
func StackHeadResults(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("stack_head_results", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	b.heads()
	if opt.InclRemainder {
		b.remainder()
	}
	return b.done(false)
}

// StackNeuronResults stacks what every neuron before block layer writes to the
// stream, "L0N0", "L0N1", ...: its hook_post times its row of W_out, without
// b_out. With InclRemainder a last component "remainder" makes them add up to
// the stream.
func StackNeuronResults(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("stack_neuron_results", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	b.neurons(opt.Neurons)
	if opt.InclRemainder {
		b.remainder()
	}
	return b.done(false)
}

// FullResidDecomposition takes the stream that enters block layer apart as far
// as it goes: every head, every neuron (or, with CollapseNeurons, MLP output),
// "embed", "pos_embed", and "bias", all biases b_O and b_out that the others
// leave out. They add up to the stream.
func FullResidDecomposition(m *Model, c *Cache, layer int, opt StackOptions) (*Stack, error) {
	b, err := newStack("get_full_resid_decomposition", m, c, layer, opt)
	if err != nil {
		return nil, err
	}
	b.heads()
	switch {
	case m.Config.AttnOnly:
	case !opt.CollapseNeurons:
		b.neurons(nil)
	default:
		for l := range b.layer {
			b.value(strconv.Itoa(l)+"_mlp_out", Site{l, MLPOut})
		}
	}
	b.embeds()
	bias := make([]float32, m.Config.Width)
	add := func(w *linearWeights) {
		if w.bias != nil {
			kernel.Add(bias, w.bias)
		}
	}
	for l := range b.headLayers() {
		add(&m.blocks[l].o)
	}
	for l := range b.layer {
		if !opt.CollapseNeurons {
			add(&m.blocks[l].out)
		}
	}
	every := make([]float32, 0, b.s.size()*len(bias))
	for range b.s.size() {
		every = append(every, bias...)
	}
	b.add([]string{"bias"}, stackPart{n: 1, k: b.s.m.Config.Width, acts: every})
	return b.done(false)
}

// stackBuilder fills a stack from a cache. The first error stays in err.
type stackBuilder struct {
	op     string
	s      *Stack
	c      *Cache
	layer  int  // 0..L
	midway bool // up to the MLP's input of that layer
	opt    StackOptions
	err    error
}

// newStack checks layer and positions against model and cache.
func newStack(op string, m *Model, c *Cache, layer int, opt StackOptions) (*stackBuilder, error) {
	n := m.Config.Layers
	if layer == -1 {
		layer = n
	}
	if layer < 0 || layer > n {
		return nil, fmt.Errorf("%s: layer %d is outside 0..%d (or -1 for all)", op, layer, n)
	}
	b := &stackBuilder{op: op, c: c, layer: layer, midway: opt.MLPInput && layer < n, opt: opt}
	if b.midway && !m.has(Site{layer, ResidMid}) {
		return nil, fmt.Errorf("%s: mlp_input: attention and MLP of this model's blocks read the same stream", op)
	}
	batch, t, err := c.runSize(m)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	b.s = &Stack{m: m, b: batch, t: t, total: batch * t, noBatch: c.noBatch}
	if opt.Pos == nil {
		return b, nil
	}
	pos, err := indexList{name: "pos", index: opt.Pos}.resolve(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", op, err)
	}
	for r := range batch {
		for _, p := range pos {
			if in := c.Origin.Batch; in.Start != nil {
				if lo, hi := in.span(r); p < lo || p >= hi {
					return nil, fmt.Errorf("%s: pos %d is padding in row %d, whose tokens stand at %d..%d", op, p, r, lo, hi-1)
				}
			}
			b.s.rows = append(b.s.rows, r*t+p)
		}
	}
	b.s.t = len(pos)
	return b, nil
}

// runSize gives rows and positions of the run that filled the cache.
func (c *Cache) runSize(m *Model) (b, t int, err error) {
	if err := c.Origin.check(m); err != nil {
		return 0, 0, fmt.Errorf("the cache is %w", err)
	}
	for s, x := range c.values {
		axes := m.Axes(s)
		if axes == nil || len(axes) < 2 || axes[1] != axisPos {
			continue
		}
		if c.noBatch {
			return 1, x.Dim(0), nil
		}
		return x.Dim(0), x.Dim(1), nil
	}
	return 0, 0, fmt.Errorf("the cache is empty")
}

// rowsOf gives the selected rows [R,width] of the value at s.
func (b *stackBuilder) rowsOf(s Site) []float32 {
	x, ok := b.c.values[s]
	if !ok {
		if b.err == nil {
			b.err = fmt.Errorf("%s: %s was not recorded: the names filter of the run left it out", b.op, s)
		}
		return nil
	}
	width := 1
	for _, d := range b.s.m.Shape(s, 1, 1) {
		width *= d
	}
	if x.Len() != b.s.total*width {
		if b.err == nil {
			b.err = fmt.Errorf("%s: %s has shape %v in the cache, which does not fit the other values", b.op, s, x.Shape)
		}
		return nil
	}
	if b.s.rows == nil {
		return x.Data
	}
	out := make([]float32, 0, len(b.s.rows)*width)
	for _, r := range b.s.rows {
		out = append(out, x.Data[r*width:(r+1)*width]...)
	}
	return out
}

func (b *stackBuilder) add(labels []string, p stackPart) {
	b.s.Labels = append(b.s.Labels, labels...)
	b.s.parts = append(b.s.parts, p)
}

// value adds the value at s as a component.
func (b *stackBuilder) value(label string, s Site) {
	b.add([]string{label}, stackPart{n: 1, k: b.s.m.Config.Width, acts: b.rowsOf(s)})
}

func (b *stackBuilder) embeds() {
	b.value("embed", Site{-1, Embed})
	if b.s.m.has(Site{-1, PosEmbed}) {
		b.value("pos_embed", Site{-1, PosEmbed})
	}
}

// headLayers is the number of layers whose attention has written to the stream.
func (b *stackBuilder) headLayers() int {
	if b.midway {
		return b.layer + 1
	}
	return b.layer
}

// behind refuses to take apart what passes a norm before it reaches the stream:
// its parts do not add up to what is there.
func (b *stackBuilder) behind(what string) bool {
	if b.s.m.Config.behind() && b.err == nil {
		b.err = fmt.Errorf("%s: in this model a norm stands between %s and the stream (ln1_post, ln2_post)", b.op, what)
	}
	return b.s.m.Config.behind()
}

func (b *stackBuilder) heads() {
	cfg := b.s.m.Config
	if b.behind("heads") {
		return
	}
	for l := range b.headLayers() {
		labels := make([]string, cfg.Heads)
		for h := range labels {
			labels[h] = "L" + strconv.Itoa(l) + "H" + strconv.Itoa(h)
		}
		b.add(labels, stackPart{n: cfg.Heads, k: cfg.HeadWidth, acts: b.rowsOf(Site{l, Z}), w: b.matrix(&b.s.m.blocks[l].o)})
	}
}

// neurons adds the given neurons of each layer, all for nil.
func (b *stackBuilder) neurons(which []int) {
	if b.behind("neurons") {
		return
	}
	if b.s.m.Config.AttnOnly {
		b.err = fmt.Errorf("%s: this model has no MLP", b.op)
		return
	}
	index, err := indexList{name: "neurons", index: which}.resolve(b.s.m.Config.MLPWidth)
	if err != nil {
		b.err = fmt.Errorf("%s: %w", b.op, err)
		return
	}
	for l := range b.layer {
		labels := make([]string, len(index))
		for i, n := range index {
			labels[i] = "L" + strconv.Itoa(l) + "N" + strconv.Itoa(n)
		}
		b.add(labels, stackPart{n: len(index), k: 1, which: index, acts: b.rowsOf(Site{l, Post}), w: b.matrix(&b.s.m.blocks[l].out)})
	}
}

// matrix is the packed matrix of w.
func (b *stackBuilder) matrix(w *linearWeights) *kernel.Packed {
	packed, err := w.get(context.Background())
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", b.op, err)
	}
	return packed
}

// remainder adds what the components so far leave of the stream.
func (b *stackBuilder) remainder() {
	target := Site{b.layer, ResidPre}
	switch {
	case b.midway:
		target = Site{b.layer, ResidMid}
	case b.layer > 0:
		target = Site{b.layer - 1, ResidPost}
	}
	stream := b.rowsOf(target)
	if b.err != nil {
		return
	}
	rest := make([]float32, len(stream))
	for i := range b.s.parts {
		b.s.parts[i].sum(rest, b.s.size(), b.s.m.Config.Width)
	}
	for i, v := range stream {
		rest[i] = v - rest[i]
	}
	b.add([]string{"remainder"}, stackPart{n: 1, k: b.s.m.Config.Width, acts: rest})
}

// done norms the stack if that is asked for: by the components' own statistics
// when recompute is set.
func (b *stackBuilder) done(recompute bool) (*Stack, error) {
	if b.err != nil {
		return nil, b.err
	}
	if !b.opt.ApplyLN {
		return b.s, nil
	}
	if recompute {
		return RecomputeLN(b.s)
	}
	return ApplyLNToStack(b.c, b.s, b.layer, b.opt.MLPInput)
}
