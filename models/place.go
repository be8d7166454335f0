package models

import (
	"slices"

	"orrery/models/tensor"
)

// placed is an edit with its lists resolved for one shape. It is applied row by
// row: a row is what one token has at the site, or one query's keys under every
// head. So it does the same to a row of a whole batch and to one of a re-run.
type placed struct {
	edit   *Edit
	site   Site
	shape  []int
	square bool

	rowAt, posAt []int // the place of a batch row and of a position in the edit's lists, -1 when untouched
	places       []int // the positions that are touched, ascending
	rowStride    int   // of the value, a step of the lists
	posStride    int

	inner []innerAxis // the axes within a row
	value []float32
	space *subspace // of ProjectOut and Keep
}

// innerAxis is an axis within a row: the selected places and how far data and
// value advance. The head axis of a square advances by a whole square.
type innerAxis struct {
	index           []int
	stride, vStride int
}

// place resolves the edit for a value of that shape at site.
func (e *Edit) place(m *Model, site Site, shape []int) (*placed, error) {
	axes := m.Axes(site)
	p := &placed{edit: e, site: site, shape: shape, square: site.Kind.square()}
	lists, counts := make([][]int, len(axes)), make([]int, len(axes))
	for a, axis := range axes {
		var list indexList // all, for an axis without a list
		for _, l := range e.lists() {
			if slices.Contains(l.axes, axis) {
				list = l
			}
		}
		index, err := list.resolve(shape[a])
		if err != nil {
			return nil, err
		}
		lists[a], counts[a] = index, len(index)
	}
	value := e.Value
	if value == nil {
		value = Number(0)
	}
	strides, err := value.strides(counts)
	if err != nil {
		return nil, err
	}
	p.value = value.Data
	at := 1 // the axis of positions or queries
	if p.square {
		at = 2
	}
	p.rowAt, p.rowStride = inverse(lists[0], shape[0]), strides[0]
	p.posAt, p.posStride = inverse(lists[at], shape[at]), strides[at]
	p.places = slices.Sorted(slices.Values(lists[at]))
	step := 1
	for a := len(axes) - 1; a > 0; a-- {
		if a != at {
			p.inner = append(p.inner, innerAxis{lists[a], step, strides[a]})
		}
		step *= shape[a]
	}
	slices.Reverse(p.inner)
	if e.Basis != nil {
		if p.space, err = newSubspace(e.Basis, counts[len(counts)-1]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// inverse gives the place of each of n indices in the list, -1 when it is not
// there.
func inverse(list []int, n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = -1
	}
	for i, at := range list {
		out[at] = i
	}
	return out
}

// touches reports whether the edit is about a place of a batch row.
func (p *placed) touches(row, pos int) bool { return p.rowAt[row] >= 0 && p.posAt[pos] >= 0 }

// applyAll calls apply for every touched row of the whole value.
func (p *placed) applyAll(data []float32, apply func(x []float32, row, pos int)) {
	width := 1
	for _, n := range p.shape[2:] {
		width *= n
	}
	for row, at := range p.rowAt {
		if at < 0 {
			continue
		}
		for _, pos := range p.places {
			if p.square {
				h, t := p.shape[1], p.shape[3]
				apply(data[(row*h*t+pos)*t:], row, pos)
			} else {
				apply(data[(row*p.shape[1]+pos)*width:], row, pos)
			}
		}
	}
}

// alone is the edit's part for one row of its batch, as a hook of a run of that
// row alone.
func (p *placed) alone(row int) Hook {
	return Hook{Sites: Sites(p.site), Fn: func(_ Site, x *tensor.Dense) error {
		if p.rowAt[row] < 0 {
			return nil
		}
		width := x.Len() / p.shape[1]
		for _, pos := range p.places {
			from := pos * width
			if p.square {
				from = pos * p.shape[3]
			}
			p.apply(x.Data[from:], row, pos)
		}
		return nil
	}}
}

// apply edits the row x of a touched place.
func (p *placed) apply(x []float32, row, pos int) {
	if p.space != nil {
		p.project(x, row, pos, true)
		return
	}
	p.each(x, row, pos, func(x *float32, v float32) { *x = p.edit.apply(*x, v) })
}

// transpose takes a gradient back through apply, in place.
func (p *placed) transpose(g []float32, row, pos int) {
	if p.space != nil {
		p.project(g, row, pos, false)
		return
	}
	p.each(g, row, pos, func(g *float32, v float32) {
		if p.edit.Op != Scale {
			v = 0
		}
		*g *= v
	})
}

// apply is the edit of one element x with the value v.
func (e *Edit) apply(x, v float32) float32 {
	switch e.Op {
	case Add:
		return x + v
	case Scale:
		if x == negInf { // a masked score stays masked, by 0 and by -1 as well
			return x
		}
		return x * v
	case Mask:
		return negInf
	}
	return v
}

// each calls fn for every selected element of a row with the value's element
// for it.
func (p *placed) each(x []float32, row, pos int, fn func(x *float32, v float32)) {
	base := p.rowAt[row]*p.rowStride + p.posAt[pos]*p.posStride
	last := p.inner[len(p.inner)-1]
	p.vectors(x, base, func(x []float32, v int) {
		for i, at := range last.index {
			fn(&x[at*last.stride], p.value[v+i*last.vStride])
		}
	})
}

// vectors calls fn for the selected places of all inner axes but the last: with
// the row from there on, and with the place in the value.
func (p *placed) vectors(x []float32, base int, fn func(x []float32, v int)) {
	if len(p.inner) == 1 {
		fn(x, base)
		return
	}
	first := p.inner[0] // no site has more than two
	for i, at := range first.index {
		fn(x[at*first.stride:], base+i*first.vStride)
	}
}

// project applies ProjectOut or Keep to the vectors of a row, or the same
// without the fixed point for a gradient.
func (p *placed) project(x []float32, row, pos int, affine bool) {
	base := p.rowAt[row]*p.rowStride + p.posAt[pos]*p.posStride
	last := p.inner[len(p.inner)-1]
	n := len(last.index)
	in, origin := make([]float64, n), make([]float64, n)
	p.vectors(x, base, func(x []float32, v int) {
		for i, at := range last.index {
			if affine {
				origin[i] = float64(p.value[v+i*last.vStride])
			}
			in[i] = float64(x[at*last.stride]) - origin[i]
		}
		part := p.space.project(in)
		for i, at := range last.index {
			if p.edit.Op == Keep {
				x[at*last.stride] = float32(origin[i] + part[i])
			} else {
				x[at*last.stride] = float32(float64(x[at*last.stride]) - part[i])
			}
		}
	})
}
