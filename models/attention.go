package models

import (
	"orrery/models/internal/kernel"
)

// attend computes scores, pattern and z from q, k and v of t. Of every query
// row only the visible keys take part, in key order, so that neither padding
// nor the future can change a bit of it.
//
// Scores and patterns [S,H,T,T] are laid out in memory only if a hook selects
// them or a backward pass follows. A hook may let a query see a masked key, by
// a finite score or a pattern that is not 0: that row is then computed over all
// T keys.
func (p *pass) attend(l int, t *blockTrace) {
	scoresHooked, patternHooked := p.hooked(Site{l, AttnScores}), p.hooked(Site{l, Pattern})
	h := p.heads(l, t)
	T := h.T
	t.z = p.zeros(len(t.q))
	if !p.keep && !scoresHooked && !patternHooked {
		scratch := p.take(h.n * T)
		p.overHeads(h, func(i int) {
			row := scratch[i*T : (i+1)*T]
			h.queries(i, func(r, pos int) {
				lo, hi := h.visible(i, pos)
				h.scores(row, t, i, r, lo, hi)
				softmax(row[lo:hi], row[lo:hi])
				h.mix(t.z, row, t, i, r, lo, hi)
			})
		})
		return
	}

	square := p.take(h.n * T * T)
	fill(square, negInf)
	p.overHeads(h, func(i int) {
		h.queries(i, func(r, pos int) {
			lo, hi := h.visible(i, pos)
			h.scores(h.square(square, i, pos), t, i, r, lo, hi)
		})
	})
	p.visit(l, AttnScores, t.out, square)
	p.overHeads(h, func(i int) {
		h.queries(i, func(_, pos int) {
			row := h.square(square, i, pos)
			lo, hi := h.visible(i, pos)
			if scoresHooked {
				lo, hi = widen(row, lo, hi, negInf)
			}
			softmax(row[lo:hi], row[lo:hi])
			clear(row[:lo])
			clear(row[hi:])
		})
	})
	t.pattern, t.rawPat = square, square
	if patternHooked {
		t.rawPat = p.clone(square)
		p.visit(l, Pattern, t.out, square)
	}
	p.overHeads(h, func(i int) {
		h.queries(i, func(r, pos int) {
			row := h.square(square, i, pos)
			lo, hi := h.visible(i, pos)
			if scoresHooked || patternHooked {
				lo, hi = widen(row, lo, hi, 0)
			}
			h.mix(t.z, row, t, i, r, lo, hi)
		})
	})
}

// headLayout finds the rows of heads in q and z [out,H,K]. Pairs of sequence
// and query head are numbered i = s·H + h.
type headLayout struct {
	p          *pass
	out        *rowSet
	n          int // S·H
	l          int
	T, H, G, K int
	scale, cap float64 // of the scores
	group      int     // query heads that share a key-value head
}

func (p *pass) heads(l int, t *blockTrace) headLayout {
	c := &p.m.Config
	scale := c.scoreScale()
	if c.InverseLayerScale {
		scale /= float64(l + 1)
	}
	return headLayout{
		p: p, out: t.out, l: l, n: t.out.sequences() * c.Heads, T: p.in.T, H: c.Heads, G: c.KVHeads, K: c.HeadWidth,
		scale: scale, cap: c.ScoreCap, group: c.group(),
	}
}

// overHeads calls fn for every pair of sequence and query head, in parallel.
func (p *pass) overHeads(h headLayout, fn func(i int)) {
	perPair := h.out.n() * h.H * h.T * h.K / max(h.n, 1)
	kernel.Do(h.n, 1+grainWork/max(perPair, 1), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			if p.ctx.Err() != nil {
				return
			}
			fn(i)
		}
	})
}

// queries calls fn for every row of pair i, with its place.
func (h *headLayout) queries(i int, fn func(r, pos int)) {
	lo, hi := h.out.of(i / h.H)
	for r := lo; r < hi; r++ {
		fn(r, int(h.out.pos[r]))
	}
}

// visible gives the places that a query of pair i sees: lo ≤ s < hi.
func (h *headLayout) visible(i, pos int) (lo, hi int) { return h.p.visible(h.l, i/h.H, pos) }

// square is the row of a query of pair i in a square [S,H,T,T].
func (h *headLayout) square(x []float32, i, pos int) []float32 {
	at := (i*h.T + pos) * h.T
	return x[at : at+h.T]
}

// query is the place of pair i in row r of a tensor [out,H,K].
func (h *headLayout) query(x []float32, i, r int) []float32 {
	at := (r*h.H + i%h.H) * h.K
	return x[at : at+h.K]
}

// key is the place of the key or value that pair i sees in row r of a tensor
// [in,G,K].
func (h *headLayout) key(x []float32, i, r int) []float32 {
	at := (r*h.G + i%h.H/h.group) * h.K
	return x[at : at+h.K]
}

// bias is what ALiBi adds for the keys of pair i at each position, nil without,
// and the place of position 0.
func (h *headLayout) bias(i int) ([]float64, int) {
	if h.p.alibi == nil {
		return nil, 0
	}
	start, _ := h.p.in.span(h.p.row(i / h.H))
	return h.p.alibi[i%h.H*h.T : (i%h.H+1)*h.T], start
}

// scores writes q·k·scale of the query in row r of pair i, capped and with
// ALiBi's bias, for the places lo..hi-1 of row [T]. All but the product is
// computed in float64, which rounds a score once.
func (h *headLayout) scores(row []float32, t *blockTrace, i, r, lo, hi int) {
	query := h.query(t.q, i, r)
	bias, start := h.bias(i)
	own := int(h.out.pos[r]) - start
	for _, run := range t.keys[i/h.H] {
		for s := max(lo, run.lo); s < min(hi, run.hi); s++ {
			score := capped(float64(kernel.Dot(query, h.key(run.k, i, s-run.lo)))*h.scale, h.cap)
			if bias != nil {
				score += bias[s-start] - bias[own]
			}
			row[s] = float32(score)
		}
	}
}

// mix adds the values under the pattern row [T], places lo..hi-1, to row r of z.
func (h *headLayout) mix(z, row []float32, t *blockTrace, i, r, lo, hi int) {
	out := h.query(z, i, r)
	for _, run := range t.keys[i/h.H] {
		for s := max(lo, run.lo); s < min(hi, run.hi); s++ {
			kernel.Axpy(out, row[s], h.key(run.v, i, s-run.lo))
		}
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
