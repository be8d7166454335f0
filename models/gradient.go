package models

import (
	"context"
	"fmt"

	"orrery/models/tensor"
)

// Objective turns logits [B,T,V] into the number to differentiate and its
// derivative by each logit. A nil derivative stands for zeros.
type Objective func(logits *tensor.Dense) (value float64, dlogits *tensor.Dense, err error)

// Want says which gradients to keep.
type Want struct {
	Sites  Selector // nil for none
	Params bool

	// Need says which logits the objective reads; it and Output see them in the
	// shape of RunFor. It saves the work of the others.
	Need Need
}

// Gradients is what Gradient returns.
type Gradients struct {
	Value  float64
	Output *Output
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
	p.keep = true
	if err := p.narrow(want.Need, want.Sites); err != nil {
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
	g := &backward{pass: p, want: want.Sites, sites: NewCache(), params: &Params{Blocks: make([]BlockParams, m.Config.Layers)}}
	if want.Params {
		g.params = NewParams(m.Config)
	}
	g.run(dlogits)
	if g.stopped() {
		return nil, g.err
	}
	res := &Gradients{Value: value, Output: out, Sites: g.sites}
	if want.Params {
		res.Params = g.params
	}
	return res, nil
}

// wanted reports whether the gradient at s is to be kept.
func (g *backward) wanted(s Site) bool { return g.want != nil && g.want(s) }

// visitBack keeps the gradient x at a site if it is wanted and takes it back
// past the hooks. Shares of one gradient may come one after the other: they add
// up.
func (g *backward) visitBack(layer int, kind Kind, rows *rowSet, x []float32) {
	s := Site{layer, kind}
	if g.wanted(s) {
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
