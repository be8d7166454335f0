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
	all := g.wanted(pattern) || p.edited(pattern) || p.edited(scores)
	dq, dk, dv = p.zeros(len(t.q)), p.zeros(len(t.k)), p.zeros(len(t.v))
	square := p.zeros(h.n * T * T) // d pattern, then d scores
	g.overGroups(h, square, func(i, lo int, c []float32, spans []kernel.Span) {
		pat, keys := h.rowsOf(t.pattern, i, lo, len(spans)), h.firstKey(t, i)
		seen := spans
		if all {
			seen = widened(pat, T, spans)
		}
		kernel.MixBackward(h.keys(dv, i, keys), pat, T, h.queries(dz, i, lo), seen, T, h.K)
		if all { // the derivative by a masked entry exists as well
			spans = whole(len(spans), T)
		}
		kernel.Scores(c, T, h.queries(dz, i, lo), h.keys(t.v, i, keys), spans, T, h.K, 1)
	})
	g.visitBack(l, Pattern, t.out, square)
	g.overGroups(h, square, func(i, lo int, c []float32, spans []kernel.Span) {
		pat := h.rowsOf(t.rawPat, i, lo, len(spans))
		if all {
			spans = widened(pat, T, spans)
		}
		for r, s := range spans {
			row := c[r*T : (r+1)*T]
			clear(row[:s.Lo])
			kernel.SoftmaxBackward(row[s.Lo:s.Hi], row[s.Lo:s.Hi], pat[r*T+s.Lo:r*T+s.Hi])
			clear(row[s.Hi:])
		}
	})
	g.visitBack(l, AttnScores, t.out, square)
	g.overGroups(h, square, func(i, lo int, c []float32, spans []kernel.Span) {
		// What a hook put outside the spans came from no product.
		keys := h.firstKey(t, i)
		g.scaleScores(h, c, t, i, lo, keys, spans)
		kernel.Mix(h.queries(dq, i, lo), c, T, h.keys(t.k, i, keys), spans, T, h.K)
		kernel.MixBackward(h.keys(dk, i, keys), c, T, h.queries(t.q, i, lo), spans, T, h.K)
	})
	return dq, dk, dv
}

// scaleScores turns the gradient c of scores into that of q·k: past the cap and
// the scale.
func (g *backward) scaleScores(h headLayout, c []float32, t *blockTrace, i, lo, keys int, spans []kernel.Span) {
	var raw []float32 // before the cap
	if h.cap != 0 {
		raw = make([]float32, len(c))
		kernel.Scores(raw, h.T, h.queries(t.q, i, lo), h.keys(t.k, i, keys), spans, h.T, h.K, float32(h.scale))
	}
	for r, s := range spans {
		row := c[r*h.T+s.Lo : r*h.T+s.Hi]
		if h.cap != 0 {
			kernel.SoftCapBackward(row, row, raw[r*h.T+s.Lo:r*h.T+s.Hi], float32(h.cap))
		}
		kernel.Scale(row, row, float32(h.scale))
	}
}

// rowsOf are n rows of pair i in a square [S,H,T,T], from row r on.
func (h *headLayout) rowsOf(square []float32, i, r, n int) []float32 {
	at := (i*h.T + int(h.out.pos[r])) * h.T
	return square[at : at+n*h.T]
}

// firstKey is the first row of pair i's sequence in t.in, which has all its
// places.
func (h *headLayout) firstKey(t *blockTrace, i int) int {
	lo, _ := t.in.of(i / h.H)
	return lo
}

// whole are n spans over all of t places.
func whole(n, t int) []kernel.Span {
	out := make([]kernel.Span, n)
	for r := range out {
		out[r].Hi = t
	}
	return out
}

// overGroups is overSquares with the pairs that share a key-value head one after
// the other, the others in parallel.
func (g *backward) overGroups(h headLayout, square []float32, fn func(i, lo int, c []float32, spans []kernel.Span)) {
	groups := h
	groups.n, groups.H = h.n/h.group, h.H/h.group
	g.overHeads(groups, func(at int) {
		for i := at * h.group; i < (at+1)*h.group; i++ {
			g.overStretches(h, i, square, fn)
		}
	})
}
