package models

import (
	"context"
	"fmt"

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
