package models

import "orrery/models/internal/kernel"

// attendBackward turns dz [out,H,K] into gradients of q [out,H,K] and of k and v
// [in,G,K] of t. It is the twin of attend.
//
// A head's keys and values are shared by its group, so work is split by
// sequence and key-value head: each split owns the rows of dk and dv it adds
// to, and the order of addition is fixed.
func (g *backward) attendBackward(l int, t *blockTrace, dz []float32) (dq, dk, dv []float32) {
	p := g.pass
	h := p.heads(l, t)
	T := h.T
	scores, pattern := Site{l, AttnScores}, Site{l, Pattern}
	all := g.wanted(pattern) || p.hooked(pattern) || p.hooked(scores)
	span := func(row []float32, i, pos int) (int, int) {
		lo, hi := h.visible(i, pos)
		if all {
			lo, hi = widen(row, lo, hi, 0)
		}
		return lo, hi
	}
	// key is the row of a place of pair i in a tensor [in,G,K].
	key := func(x []float32, i, pos int) []float32 { return h.key(x, i, t.in.find(i/h.H, pos)) }
	dq, dk, dv = p.zeros(len(t.q)), p.zeros(len(t.k)), p.zeros(len(t.v))
	square := p.zeros(h.n * T * T) // d pattern, then d scores
	g.overGroups(h, func(i int) {
		h.queries(i, func(r, pos int) {
			row, pat, out := h.square(square, i, pos), h.square(t.pattern, i, pos), h.query(dz, i, r)
			lo, hi := span(pat, i, pos)
			for s := lo; s < hi; s++ {
				kernel.Axpy(key(dv, i, s), pat[s], out)
			}
			if all { // the derivative by a masked entry exists as well
				lo, hi = 0, T
			}
			for s := lo; s < hi; s++ {
				row[s] = kernel.Dot(out, key(t.v, i, s))
			}
		})
	})
	g.visitBack(l, Pattern, t.out, square)
	g.overGroups(h, func(i int) {
		h.queries(i, func(_, pos int) {
			row, pat := h.square(square, i, pos), h.square(t.rawPat, i, pos)
			lo, hi := span(pat, i, pos)
			clear(row[:lo])
			kernel.SoftmaxBackward(row[lo:hi], row[lo:hi], pat[lo:hi])
			clear(row[hi:])
		})
	})
	g.visitBack(l, AttnScores, t.out, square)
	g.overGroups(h, func(i int) {
		h.queries(i, func(r, pos int) {
			row := h.square(square, i, pos)
			lo, hi := h.visible(i, pos) // what a hook put elsewhere came from no product
			query, dquery := h.query(t.q, i, r), h.query(dq, i, r)
			for s := lo; s < hi; s++ {
				d := float32(h.scale) * row[s]
				if h.cap != 0 {
					score := float64(kernel.Dot(query, key(t.k, i, s))) * h.scale
					d *= float32(cappedSlope(capped(score, h.cap), h.cap))
				}
				kernel.Axpy(dquery, d, key(t.k, i, s))
				kernel.Axpy(key(dk, i, s), d, query)
			}
		})
	})
	return dq, dk, dv
}

// overGroups calls fn for every pair of sequence and query head: those that
// share a key-value head one after the other, the others in parallel.
func (g *backward) overGroups(h headLayout, fn func(i int)) {
	perGroup := h.out.n() * h.H * h.T * h.K / max(h.n/h.group, 1)
	kernel.Do(h.n/h.group, 1+grainWork/max(perGroup, 1), func(lo, hi int) {
		for i := lo * h.group; i < hi*h.group; i++ {
			if g.ctx.Err() != nil {
				return
			}
			fn(i)
		}
	})
}
