package models

import (
	"math"

	"orrery/models/internal/kernel"
)

// attend computes scores, pattern and z from q, k and v of t. Of every query
// row only the visible keys take part, in key order, so that neither padding
// nor the future can change a bit of it.
//
// Scores and patterns [B,H,T,T] are laid out in memory only if a hook selects
// them or a backward pass follows. A hook may let a query see a masked key, by
// a finite score or a pattern that is not 0: that row is then computed over all
// T keys.
func (p *pass) attend(l int, t *blockTrace) {
	scoresHooked, patternHooked := p.hooked(Site{l, AttnScores}), p.hooked(Site{l, Pattern})
	T := p.in.T
	h := p.heads(l)
	t.z = p.zeros(len(t.q))
	if !p.keep && !scoresHooked && !patternHooked {
		scratch := p.take(h.n * T)
		p.overHeads(h, func(i int) {
			row := scratch[i*T : (i+1)*T]
			for q := range T {
				lo, hi := h.visible(i, q)
				h.scores(row, t, i, q, lo, hi)
				softmax(row[lo:hi], row[lo:hi])
				h.mix(t.z, row, t.v, i, q, lo, hi)
			}
		})
		return
	}

	square := p.take(h.n * T * T)
	p.overHeads(h, func(i int) {
		for q := range T {
			row := square[(i*T+q)*T : (i*T+q+1)*T]
			fill(row, negInf)
			lo, hi := h.visible(i, q)
			h.scores(row, t, i, q, lo, hi)
		}
	})
	p.visit(l, AttnScores, square)
	p.overHeads(h, func(i int) {
		for q := range T {
			row := square[(i*T+q)*T : (i*T+q+1)*T]
			lo, hi := h.visible(i, q)
			if scoresHooked {
				lo, hi = widen(row, lo, hi, negInf)
			}
			softmax(row[lo:hi], row[lo:hi])
			clear(row[:lo])
			clear(row[hi:])
		}
	})
	t.pattern, t.rawPat = square, square
	if patternHooked {
		t.rawPat = p.clone(square)
		p.visit(l, Pattern, square)
	}
	p.overHeads(h, func(i int) {
		for q := range T {
			row := square[(i*T+q)*T : (i*T+q+1)*T]
			lo, hi := h.visible(i, q)
			if scoresHooked || patternHooked {
				lo, hi = widen(row, lo, hi, 0)
			}
			h.mix(t.z, row, t.v, i, q, lo, hi)
		}
	})
}

// headLayout finds the rows of heads in q [B,T,H,K], k and v [B,T,G,K]. Pairs
// of batch row and query head are numbered i = b·H + h.
type headLayout struct {
	in         Batch
	n          int // B·H
	T, H, G, K int
	scale      float64 // of the scores
	group      int     // query heads that share a key-value head
}

func (p *pass) heads(l int) headLayout {
	c := &p.m.Config
	scale := 1 / math.Sqrt(float64(c.HeadWidth))
	if c.InverseLayerScale {
		scale /= float64(l + 1)
	}
	return headLayout{
		in: p.in, n: p.in.B * c.Heads, T: p.in.T, H: c.Heads, G: c.KVHeads, K: c.HeadWidth,
		scale: scale, group: c.group(),
	}
}

// overHeads calls fn for every pair of batch row and query head, in parallel.
func (p *pass) overHeads(h headLayout, fn func(i int)) {
	grain := 1 + grainWork/(h.T*h.T*h.K)
	kernel.Do(h.n, grain, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if p.ctx.Err() != nil {
				return
			}
			fn(i)
		}
	})
}

// visible gives the keys that query q of pair i sees.
func (h *headLayout) visible(i, q int) (lo, hi int) { return h.in.visible(i/h.H, q) }

// queryRow is the place of pair i's query q in a tensor [B,T,H,K].
func (h *headLayout) queryRow(x []float32, i, q int) []float32 {
	at := ((i/h.H*h.T+q)*h.H + i%h.H) * h.K
	return x[at : at+h.K]
}

// keyRow is the place of the key or value s that pair i sees in a tensor
// [B,T,G,K].
func (h *headLayout) keyRow(x []float32, i, s int) []float32 {
	at := ((i/h.H*h.T+s)*h.G + i%h.H/h.group) * h.K
	return x[at : at+h.K]
}

// scores writes q·k·scale of query q of pair i for the keys lo..hi-1 of row [T].
// The scale is applied in float64, which rounds a score once instead of twice.
func (h *headLayout) scores(row []float32, t *blockTrace, i, q, lo, hi int) {
	query := h.queryRow(t.q, i, q)
	for s := lo; s < hi; s++ {
		row[s] = float32(float64(kernel.Dot(query, h.keyRow(t.k, i, s))) * h.scale)
	}
}

// mix adds the values under the pattern row [T], keys lo..hi-1, to z.
func (h *headLayout) mix(z, row, v []float32, i, q, lo, hi int) {
	out := h.queryRow(z, i, q)
	for s := lo; s < hi; s++ {
		kernel.Axpy(out, row[s], h.keyRow(v, i, s))
	}
}

// widen gives lo and hi unless row holds anything but empty outside them; then
// the whole row.
func widen(row []float32, lo, hi int, empty float32) (int, int) {
	for s, v := range row {
		if (s < lo || s >= hi) && v != empty {
			return 0, len(row)
		}
	}
	return lo, hi
}

// softmax is kernel.Softmax, and 0 everywhere for a row that sees nothing.
func softmax(y, x []float32) {
	for _, v := range x {
		if v != negInf {
			kernel.Softmax(y, x)
			return
		}
	}
	clear(y)
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}

// attendBackward turns dz [B,T,H,K] into gradients of q, k and v of t, which
// are returned in their shapes.
//
// A head's keys and values are shared by its group, so work is split by batch
// row and key-value head: each split owns the rows of dk and dv it adds to, and
// the order of addition is fixed.
func (g *backward) attendBackward(l int, t *blockTrace, dz []float32) (dq, dk, dv []float32) {
	p, T := g.pass, g.in.T
	h := p.heads(l)
	scores, pattern := Site{l, AttnScores}, Site{l, Pattern}
	all := g.wanted(pattern) || p.hooked(pattern) || p.hooked(scores)
	span := func(row []float32, i, q int) (int, int) {
		lo, hi := h.visible(i, q)
		if all {
			lo, hi = widen(row, lo, hi, 0)
		}
		return lo, hi
	}
	dq, dk, dv = p.zeros(len(t.q)), p.zeros(len(t.k)), p.zeros(len(t.v))
	square := p.take(h.n * T * T) // d pattern, then d scores
	g.overGroups(h, func(i int) {
		for q := range T {
			at := (i*T + q) * T
			row, pat, out := square[at:at+T], t.pattern[at:at+T], h.queryRow(dz, i, q)
			lo, hi := span(pat, i, q)
			for s := lo; s < hi; s++ {
				kernel.Axpy(h.keyRow(dv, i, s), pat[s], out)
			}
			if all { // the derivative by a masked entry exists as well
				lo, hi = 0, T
			}
			for s := lo; s < hi; s++ {
				row[s] = kernel.Dot(out, h.keyRow(t.v, i, s))
			}
		}
	})
	g.visitBack(l, Pattern, square)
	g.overGroups(h, func(i int) {
		for q := range T {
			at := (i*T + q) * T
			row, pat := square[at:at+T], t.rawPat[at:at+T]
			lo, hi := span(pat, i, q)
			clear(row[:lo])
			kernel.SoftmaxBackward(row[lo:hi], row[lo:hi], pat[lo:hi])
			clear(row[hi:])
		}
	})
	g.visitBack(l, AttnScores, square)
	g.overGroups(h, func(i int) {
		for q := range T {
			at := (i*T + q) * T
			row := square[at : at+T]
			lo, hi := h.visible(i, q) // what a hook put elsewhere came from no product
			query, dquery := h.queryRow(t.q, i, q), h.queryRow(dq, i, q)
			for s := lo; s < hi; s++ {
				d := float32(h.scale) * row[s]
				kernel.Axpy(dquery, d, h.keyRow(t.k, i, s))
				kernel.Axpy(h.keyRow(dk, i, s), d, query)
			}
		}
	})
	return dq, dk, dv
}

// overGroups calls fn for every pair of batch row and query head: those that
// share a key-value head one after the other, the others in parallel.
func (g *backward) overGroups(h headLayout, fn func(i int)) {
	grain := 1 + grainWork/(h.group*h.T*h.T*h.K)
	kernel.Do(h.n/h.group, grain, func(lo, hi int) {
		for i := lo * h.group; i < hi*h.group; i++ {
			if g.ctx.Err() != nil {
				return
			}
			fn(i)
		}
	})
}
