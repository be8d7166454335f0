package models

import (
	"context"
	"fmt"

	"orrery/models/tensor"
)

// Want says which gradients to keep.
type Want struct {
	Sites  Selector // nil for none
	Params bool

	// Need says which logits an Objective reads; it and Output see them in the
	// shape of RunFor. It saves the work of the others. A Scalar has none.
	Need Need

	// Recompute keeps only the stream before each block and computes the block
	// again on the way back: a third more arithmetic, and the memory of one block
	// instead of all. No bit changes. Hooks are called twice and must do the
	// same both times.
	Recompute bool
}

// Gradients is what Gradient and GradientOf return.
type Gradients struct {
	Value  float64
	Output *Output // nil where the logits have no part in a Scalar
	Sites  *Cache  // d value / d site, in the sites' shapes
	Params *Params // d value / d weight; nil unless wanted
}

// Gradient runs the model forward as Run does, hooks included, and then
// backward. A gradient is the total one: all paths behind the value count. A
// tied matrix gets the sum of both its uses.
//
// The gradient at a hooked site is that by the value behind the hooks, the one
// which flowed on. Before it flows further back each hook's Grad is applied to
// it, the last hook's first: it is cut where an edit overwrote a value, scaled
// where an edit scaled. See Hook.
//
// Errors are those of Run, and the objective's own.
func (m *Model) Gradient(ctx context.Context, in Batch, obj Objective, want Want, hooks ...Hook) (*Gradients, error) {
	p, err := m.begin(ctx, in, hooks)
	if err != nil {
		return nil, err
	}
	defer p.end()
	p.keep, p.recompute, p.looked, p.params = true, want.Recompute, want.Sites, want.Params
	if err := p.narrow(want.Need); err != nil {
		return nil, err
	}
	p.forward()
	out, err := p.output()
	if err != nil {
		return nil, err
	}
	value, dlogits, err := obj(out.Logits)
	if err != nil {
		return nil, fmt.Errorf("objective: %w", err)
	}
	if dlogits == nil {
		dlogits = tensor.New(out.Logits.Shape...)
	}
	if !tensor.SameShape(dlogits.Shape, out.Logits.Shape) {
		return nil, fmt.Errorf("objective: the derivative has shape %v and the logits have %v", dlogits.Shape, out.Logits.Shape)
	}
	g := p.backward(want, nil)
	s := g.stream(g.trace.last)
	clear(s.x)
	g.unembed(dlogits, s)
	return g.finish(s, m.Config.Layers, want, value, out)
}

// GradientOf is Gradient for a number read from any activations. Blocks behind
// the last of them are not computed.
func (m *Model) GradientOf(ctx context.Context, in Batch, of Scalar, want Want, hooks ...Hook) (*Gradients, error) {
	if !want.Need.all() {
		return nil, fmt.Errorf("objective: a need is given, and it goes with logits only: the sites say what is read")
	}
	if of.Sites == nil || of.Fn == nil {
		return nil, fmt.Errorf("objective: it lacks its sites or its function")
	}
	last := -1 // the stages that are computed
	any := false
	for _, s := range m.Sites() {
		if of.Sites(s) {
			last, any = max(last, m.stage(s)), true
		}
	}
	if !any {
		return nil, fmt.Errorf("objective: its sites are none of this model's")
	}
	values := NewCache()
	p, err := m.begin(ctx, in, append(hooks[:len(hooks):len(hooks)], Record(values, of.Sites)))
	if err != nil {
		return nil, err
	}
	defer p.end()
	p.keep, p.recompute, p.looked, p.params = true, want.Recompute, want.Sites, want.Params
	layers := min(last+1, m.Config.Layers)
	s := p.stack(layers)
	var out *Output
	if last == m.Config.Layers && !p.stopped() {
		p.unembed(s)
		if out, err = p.output(); err != nil {
			return nil, err
		}
	}
	if p.stopped() {
		return nil, p.err
	}
	value, derivative, err := of.Fn(values)
	if err != nil {
		return nil, fmt.Errorf("objective: %w", err)
	}
	for _, at := range derivative.Sites() {
		d, _ := derivative.Get(at)
		v, ok := values.Get(at)
		if !ok {
			return nil, fmt.Errorf("objective: it has a derivative by %s, which it did not ask for", at)
		}
		if !tensor.SameShape(d.Shape, v.Shape) {
			return nil, fmt.Errorf("objective: the derivative by %s has shape %v and the value has %v", at, d.Shape, v.Shape)
		}
	}
	g := p.backward(want, derivative)
	if out == nil {
		g.trace.last = s.rows
	}
	s = g.stream(g.trace.last)
	clear(s.x)
	if out != nil {
		g.unembed(tensor.New(out.Logits.Shape...), s)
	}
	return g.finish(s, layers, want, value, out)
}

// backward begins the way back. Derivatives at sites are added where the
// gradient comes by.
func (p *pass) backward(want Want, derivative *Cache) *backward {
	g := &backward{pass: p, want: want.Sites, sites: NewCache(), params: &Params{Blocks: make([]BlockParams, p.m.Config.Layers)}}
	if want.Params {
		g.params = NewParams(p.m.Config)
	}
	if derivative != nil {
		g.source = make(map[Site]*tensor.Dense)
		for _, s := range derivative.Sites() {
			g.source[s], _ = derivative.Get(s)
		}
	}
	return g
}

// finish takes the gradient dx behind the first blocks back to the embedding.
func (g *backward) finish(dx stream, blocks int, want Want, value float64, out *Output) (*Gradients, error) {
	g.run(dx, blocks)
	if g.stopped() {
		return nil, g.err
	}
	res := &Gradients{Value: value, Output: out, Sites: g.sites}
	if want.Params {
		res.Params = g.params
	}
	return res, nil
}

// wanted reports whether the gradient at s is looked at: it is to be kept, or a
// derivative begins there.
func (g *backward) wanted(s Site) bool {
	return g.want != nil && g.want(s) || g.source[s] != nil
}

// visitBack adds what begins at a site to the gradient x there, keeps it if it is
// wanted and takes it back past the hooks. Shares of one gradient may come one
// after the other: they add up.
func (g *backward) visitBack(layer int, kind Kind, rows *rowSet, x []float32) {
	s := Site{layer, kind}
	if d := g.source[s]; d != nil {
		for i, v := range d.Data {
			x[i] += v
		}
		delete(g.source, s) // once, if shares follow
	}
	if g.want != nil && g.want(s) {
		if have, ok := g.sites.Get(s); ok {
			for i, v := range x {
				have.Data[i] += v
			}
		} else {
			g.sites.Put(s, g.view(s, rows, x).Clone())
		}
	}
	for i := len(g.hooks) - 1; i >= 0; i-- {
		if g.hooks[i].Grad == nil || !g.hooks[i].Sites(s) || g.stopped() {
			continue
		}
		if err := g.hooks[i].Grad(s, g.view(s, rows, x)); err != nil {
			g.err = fmt.Errorf("gradient of a hook at %s: %w", s, err)
		}
	}
}
