package models

import (
	"fmt"

	"orrery/models/tensor"
)

// StackOf makes a stack of components that were computed elsewhere, x
// [N,B,T,D] (or [N,T,D] of a cache without batch axis), T counting the positions
// pos of the cache's run; nil for all. It shares its numbers with x.
func StackOf(m *Model, c *Cache, labels []string, x *tensor.Dense, pos []int) (*Stack, error) {
	b, err := newStack("stack", m, c, -1, StackOptions{Pos: pos})
	if err != nil {
		return nil, err
	}
	b.s.Labels = labels
	if want := b.s.Shape(); !tensor.SameShape(x.Shape, want) {
		return nil, fmt.Errorf("stack: %d labels and a tensor of shape %v, want %v", len(labels), x.Shape, want)
	}
	rows, d := b.s.size(), m.Config.Width
	for i := range labels {
		b.s.parts = append(b.s.parts, stackPart{n: 1, k: d, acts: x.Data[i*rows*d : (i+1)*rows*d]})
	}
	return b.s, nil
}
