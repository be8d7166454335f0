package models

import (
	"context"
	"fmt"
	"slices"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// Unembed reads logits off arbitrary rows of residual stream: the final norm,
// with each row's own statistics, and the unembedding. x is [R,D] and is not
// changed; the result is [R,V]. The rows of the last block's resid_post give
// Run's logits to the last bit. The error is that of a file whose weights cannot
// be read. It panics with a tensor.ShapeError when x is not [R,D].
func (m *Model) Unembed(x *tensor.Dense) (*tensor.Dense, error) {
	if x.Rank() != 2 || x.Dim(1) != m.Config.Width {
		panic(tensor.ShapeError{Op: "models: unembed", Got: x.Shape, Want: []int{-1, m.Config.Width}})
	}
	p := &pass{arena: m.arenas.Get().(*arena), m: m, ctx: context.Background()}
	defer p.end()
	var t normTrace
	p.norm(-1, FinalScale, newRowSet(1, x.Dim(0), nil), x.Data, &m.final, &t)
	y := tensor.New(x.Dim(0), m.Config.Outputs())
	if p.linearInto(y.Data, t.out, &m.head); p.err != nil {
		return nil, fmt.Errorf("unembed: %w", p.err)
	}
	p.capLogits(y.Data)
	return y, nil
}

// UnembedGradient is a number read off Unembed's logits of x [R,D], and its
// derivative by x [R,D], the norm's statistics included. of gets the logits [R,V] and
// returns the number and its derivative by them; it may keep neither. Errors are
// Unembed's, of's, and a derivative of another shape. It panics as Unembed does.
func (m *Model) UnembedGradient(x *tensor.Dense, of func(logits *tensor.Dense) (float64, *tensor.Dense, error)) (float64, *tensor.Dense, error) {
	if x.Rank() != 2 || x.Dim(1) != m.Config.Width {
		panic(tensor.ShapeError{Op: "models: unembed gradient", Got: x.Shape, Want: []int{-1, m.Config.Width}})
	}
	p := &pass{arena: m.arenas.Get().(*arena), m: m, ctx: context.Background(), keep: true}
	defer p.end()
	rows, t := newRowSet(1, x.Dim(0), nil), normTrace{}
	p.norm(-1, FinalScale, rows, x.Data, &m.final, &t)
	y := tensor.New(x.Dim(0), m.Config.Outputs())
	if p.linearInto(y.Data, t.out, &m.head); p.err != nil {
		return 0, nil, fmt.Errorf("unembed gradient: %w", p.err)
	}
	p.capLogits(y.Data)
	value, dy, err := of(y)
	if err != nil {
		return 0, nil, fmt.Errorf("unembed gradient: %w", err)
	}
	if !tensor.SameShape(dy.Shape, y.Shape) {
		return 0, nil, fmt.Errorf("unembed gradient: the derivative has shape %v and the logits have %v", dy.Shape, y.Shape)
	}
	g := p.backward(Want{}, nil)
	back := p.clone(dy.Data)
	g.capLogitsBackward(back)
	dout, dx := g.take(len(t.out)), tensor.New(x.Shape...)
	g.linear(dout, back, t.out, g.unembedding(), LinearParams{}, false)
	g.normBackward(-1, FinalScale, rows, &m.final, &t, dout, dx.Data, NormParams{})
	if p.err != nil {
		return 0, nil, fmt.Errorf("unembed gradient: %w", p.err)
	}
	return value, dx, nil
}

// UnembedFrozen reads logits off rows of residual stream with the final norm's
// scale given instead of taken from the rows, which makes it linear: what
// x [R,D] adds to the logits of the run whose scale [R] it is,
//
//	gain·(x − mean x)/scale · W_U
//
// (no mean with RMSNorm; a model without norms has no scale). With biases, the
// norm's and the unembedding's are added and the logits capped where the model
// does that: the rows of the last resid_post then give Run's logits up to
// rounding. The result is [R,V]. It panics with a tensor.ShapeError when x is
// not [R,D]; scales that do not fit the rows are an error.
func (m *Model) UnembedFrozen(x *tensor.Dense, scale []float32, biases bool) (*tensor.Dense, error) {
	if x.Rank() != 2 || x.Dim(1) != m.Config.Width {
		panic(tensor.ShapeError{Op: "models: unembed frozen", Got: x.Shape, Want: []int{-1, m.Config.Width}})
	}
	norm := &stackNorm{center: m.Config.Norm == LayerNorm, gain: m.final.weight}
	if m.Config.Norm != NoNorm {
		if len(scale) != x.Dim(0) {
			return nil, fmt.Errorf("unembed frozen: %d scales for %d rows", len(scale), x.Dim(0))
		}
		norm.scale = scale
	}
	p := &pass{arena: m.arenas.Get().(*arena), m: m, ctx: context.Background()}
	defer p.end()
	rows, head := slices.Clone(x.Data), m.head
	if m.Config.Norm != NoNorm {
		norm.apply(rows, m.Config.Width)
	}
	if biases && m.final.bias != nil {
		kernel.AddBias(rows, m.final.bias, x.Dim(0), m.Config.Width)
	}
	if !biases {
		head.bias = nil
	}
	y := tensor.New(x.Dim(0), m.Config.Outputs())
	if p.linearInto(y.Data, rows, &head); p.err != nil {
		return nil, fmt.Errorf("unembed frozen: %w", p.err)
	}
	if biases {
		p.capLogits(y.Data)
	}
	return y, nil
}
