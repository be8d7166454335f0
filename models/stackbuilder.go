package models

import (
	"context"
	"fmt"
	"strconv"

	"orrery/models/internal/kernel"
)

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
	if mid := (Site{layer, ResidMid}); b.midway && !m.has(mid) {
		return nil, fmt.Errorf("%s: no %s: %s", op, mid, m.absence(ResidMid))
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
		if len(axes) < 2 || axes[1] != axisPos {
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
	x, ok := b.c.Get(s)
	if !ok {
		why := "was not recorded: the names filter of the run left it out"
		if !b.s.m.has(s) {
			why = "is not there: " + b.s.m.absence(s.Kind)
		}
		if b.err == nil {
			b.err = fmt.Errorf("%s: %s %s", b.op, s, why)
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

func (b *stackBuilder) heads() {
	cfg := b.s.m.Config
	for l := range b.headLayers() {
		labels := make([]string, cfg.Heads)
		for h := range labels {
			labels[h] = "L" + strconv.Itoa(l) + "H" + strconv.Itoa(h)
		}
		b.add(labels, stackPart{n: cfg.Heads, k: cfg.HeadWidth, acts: b.rowsOf(Site{l, Z}), w: b.matrix(&b.s.m.blocks[l].o),
			post: b.behind(Site{l, LN1PostScale}, &b.s.m.blocks[l].ln1Post)})
	}
}

// neurons adds the given neurons of each layer, all for nil.
func (b *stackBuilder) neurons(which []int) {
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
		b.add(labels, stackPart{n: len(index), k: 1, which: index, acts: b.rowsOf(Site{l, Post}), w: b.matrix(&b.s.m.blocks[l].out),
			post: b.behind(Site{l, LN2PostScale}, &b.s.m.blocks[l].ln2Post)})
	}
}

// bias adds to x [R,D] what the bias of w, and that of a norm behind it, bring
// to every row.
func (b *stackBuilder) bias(x []float32, w *linearWeights, scale Site, post *normWeights) {
	d := b.s.m.Config.Width
	part := make([]float32, len(x))
	for r := range len(x) / d {
		copy(part[r*d:(r+1)*d], w.bias) // 0 without a bias
	}
	norm := b.behind(scale, post)
	if b.err != nil {
		return
	}
	norm.apply(part, d)
	kernel.Add(x, part)
	if norm != nil && post.bias != nil {
		kernel.AddBias(x, post.bias, len(x)/d, d)
	}
}

// frozen is the norm whose scale is at s, with that scale of the cache's run.
func (b *stackBuilder) frozen(s Site) *stackNorm {
	return &stackNorm{center: b.s.m.Config.Norm == LayerNorm, scale: b.rowsOf(s)}
}

// behind is the norm behind the attention or the MLP, nil when there is none.
func (b *stackBuilder) behind(scale Site, w *normWeights) *stackNorm {
	if !b.s.m.has(scale) {
		return nil
	}
	norm := b.frozen(scale)
	norm.gain = w.weight
	return norm
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
