package models

import (
	"context"
	"fmt"
	"slices"

	"orrery/models/tensor"
)

// Generate appends n tokens to ids, each the one with the largest logit, the
// lowest id among equals. emit, when not nil, sees each as it comes; its error
// ends the generation. The result is the new tokens only. It does not stop at
// an end-of-sequence token: emit may.
//
// Every step runs the whole sequence again, so that each token is exactly what
// Run's logits say.
func (m *Model) Generate(ctx context.Context, ids []int, n int, emit func(id int) error) ([]int, error) {
	sequence := slices.Clone(ids)
	var out []int
	for range n {
		run, err := m.RunFor(ctx, Prompt(sequence...), Need{Last: true})
		if err != nil {
			return out, err
		}
		best := argmax(run.Logits.Data)
		sequence, out = append(sequence, best), append(out, best)
		if emit != nil {
			if err := emit(best); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

// argmax is the index of the largest element, the first among equals.
func argmax(x []float32) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// Unembed reads logits off arbitrary rows of residual stream: the final norm,
// with each row's own statistics, and the unembedding. x is [R,D] and is not
// changed; the result is [R,V]. The rows of the last block's resid_post give
// Run's logits to the last bit. It panics with a tensor.ShapeError when x is
// not [R,D], and with the error when the weights cannot be read.
func (m *Model) Unembed(x *tensor.Dense) *tensor.Dense {
	if x.Rank() != 2 || x.Dim(1) != m.Config.Width {
		panic(tensor.ShapeError{Op: "models: unembed", Got: x.Shape, Want: []int{-1, m.Config.Width}})
	}
	p := &pass{arena: m.arenas.Get().(*arena), m: m, ctx: context.Background()}
	defer p.end()
	var t normTrace
	p.norm(-1, FinalScale, newRowSet(1, x.Dim(0), nil), x.Data, &m.final, &t)
	y := tensor.New(x.Dim(0), m.Config.Vocab)
	if p.linearInto(y.Data, t.out, &m.head); p.err != nil {
		panic(fmt.Errorf("models: unembed: %w", p.err))
	}
	p.capLogits(y.Data)
	return y
}
