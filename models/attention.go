package models

import "orrery/models/internal/kernel"

// queryBlock is the number of queries of one head whose scores are in memory at
// once when nobody keeps them: two blocks of the kernel.
const queryBlock = 48

// attend computes scores, pattern and z from q, k and v of t. Of every query
// row only the visible keys take part, in key order, so that neither padding
// nor the future can change a bit of it.
//
// Scores and patterns [S,H,T,T] are laid out in memory only if a hook selects
// them or a backward pass follows. A hook may let a query see a masked key, by
// a finite score or a pattern that is not 0: that row is then computed over all
// T keys.
func (p *pass) attend(l int, t *blockTrace) {
	scores, pattern := Site{l, AttnScores}, Site{l, Pattern}
	scoresEdited, patternEdited := p.edited(scores), p.edited(pattern)
	h := p.heads(l, t)
	T := h.T
	t.z = p.zeros(len(t.q))
	if !p.keep && !p.hooked(scores) && !p.hooked(pattern) {
		size := min(queryBlock, h.most())
		scratch := p.take(h.n * size * T)
		p.overHeads(h, func(i int) {
			c := scratch[i*size*T : (i+1)*size*T]
			lo, hi := h.out.of(i / h.H)
			for at := lo; at < hi; at += size {
				end := min(at+size, hi)
				spans := h.spans[at:end]
				h.scores(c, t, i, at, spans)
				for r, s := range spans {
					kernel.Softmax(c[r*T+s.Lo:r*T+s.Hi], c[r*T+s.Lo:r*T+s.Hi])
				}
				h.mix(t.z, c, t, i, at, spans)
			}
		})
		return
	}

	square := p.take(h.n * T * T)
	if t.out.n() < h.n/h.H*T {
		fill(square, negInf) // also rows that are not computed
	}
	p.overSquares(h, square, func(i, lo int, c []float32, spans []kernel.Span) { h.scores(c, t, i, lo, spans) })
	p.visit(l, AttnScores, t.out, square)
	p.overSquares(h, square, func(_, _ int, c []float32, spans []kernel.Span) {
		for r, s := range spans {
			row := c[r*T : (r+1)*T]
			if scoresEdited {
				s = widen(row, s, negInf)
			}
			softmax(row[s.Lo:s.Hi])
			clear(row[:s.Lo])
			clear(row[s.Hi:])
		}
	})
	t.pattern, t.rawPat = square, square
	if p.keep && patternEdited {
		t.rawPat = p.clone(square)
	}
	p.visit(l, Pattern, t.out, square)
	p.overSquares(h, square, func(i, lo int, c []float32, spans []kernel.Span) {
		if scoresEdited || patternEdited {
			spans = widened(c, T, spans)
		}
		h.mix(t.z, c, t, i, lo, spans)
	})
}

// headLayout finds the rows of heads in q and z [out,H,K]. Pairs of sequence
// and query head are numbered i = s·H + h.
type headLayout struct {
	p          *pass
	out        *rowSet
	spans      []kernel.Span // [R′] what each row sees
	n          int           // S·H
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
	h := headLayout{
		p: p, out: t.out, spans: make([]kernel.Span, t.out.n()), l: l, n: t.out.sequences() * c.Heads,
		T: p.in.T, H: c.Heads, G: c.KVHeads, K: c.HeadWidth, scale: scale, cap: c.ScoreCap, group: c.group(),
	}
	for r := range h.spans {
		h.spans[r].Lo, h.spans[r].Hi = p.visible(l, int(t.out.seq[r]), int(t.out.pos[r]))
	}
	return h
}

// most is the number of rows of the sequence that has the most.
func (h *headLayout) most() int {
	most := 0
	for s := range h.out.sequences() {
		lo, hi := h.out.of(s)
		most = max(most, hi-lo)
	}
	return most
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

// overSquares calls overStretches for every pair, in parallel.
func (p *pass) overSquares(h headLayout, square []float32, fn func(i, lo int, c []float32, spans []kernel.Span)) {
	p.overHeads(h, func(i int) { p.overStretches(h, i, square, fn) })
}

// overStretches calls fn for every stretch of neighbouring rows of pair i: with
// its first row, their part of the square [S,H,T,T] and what they see.
func (p *pass) overStretches(h headLayout, i int, square []float32, fn func(i, lo int, c []float32, spans []kernel.Span)) {
	lo, end := h.out.of(i / h.H)
	for lo < end {
		hi := lo + 1
		for hi < end && h.out.pos[hi] == h.out.pos[hi-1]+1 {
			hi++
		}
		fn(i, lo, h.rowsOf(square, i, lo, hi-lo), h.spans[lo:hi])
		lo = hi
	}
}

// queries are the rows of pair i in a tensor [out,H,K], from row r on.
func (h *headLayout) queries(x []float32, i, r int) kernel.Rows {
	return kernel.Rows{Data: x[(r*h.H+i%h.H)*h.K:], Stride: h.H * h.K}
}

// keys are the rows of what pair i sees in a tensor [in,G,K], from row r on.
func (h *headLayout) keys(x []float32, i, r int) kernel.Rows {
	return kernel.Rows{Data: x[(r*h.G+i%h.H/h.group)*h.K:], Stride: h.G * h.K}
}

// eachRun calls fn for each stretch of keys of pair i, with the spans within it.
func (h *headLayout) eachRun(runs []keyRun, spans []kernel.Span, fn func(run *keyRun, spans []kernel.Span)) {
	if len(runs) == 1 && runs[0].lo == 0 {
		fn(&runs[0], spans)
		return
	}
	part := make([]kernel.Span, len(spans))
	for at := range runs {
		run := &runs[at]
		for r, s := range spans {
			part[r] = kernel.Span{Lo: max(s.Lo, run.lo) - run.lo, Hi: min(s.Hi, run.hi) - run.lo}
			if part[r].Lo >= part[r].Hi {
				part[r] = kernel.Span{}
			}
		}
		fn(run, part)
	}
}

// scores fills c, rows of T places, for the queries of pair i from row r on:
// q·k·scale, capped and with ALiBi's bias, and -Inf where a query does not look.
func (h *headLayout) scores(c []float32, t *blockTrace, i, r int, spans []kernel.Span) {
	h.eachRun(t.keys[i/h.H], spans, func(run *keyRun, spans []kernel.Span) {
		kernel.Scores(c[run.lo:], h.T, h.queries(t.q, i, r), h.keys(run.k, i, 0), spans, run.hi-run.lo, h.K, float32(h.scale))
	})
	bias, start := h.bias(i)
	if bias == nil && h.cap == 0 {
		return
	}
	for n, s := range spans {
		if s.Lo >= s.Hi {
			continue
		}
		row := c[n*h.T+s.Lo : n*h.T+s.Hi]
		if h.cap != 0 {
			kernel.SoftCap(row, row, float32(h.cap))
		}
		if bias != nil {
			own := bias[int(h.out.pos[r+n])-start]
			for at := range row {
				row[at] = float32(float64(row[at]) + bias[s.Lo+at-start] - own)
			}
		}
	}
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

// mix adds the values under the patterns c, rows of T places, to the rows of z
// from row r on.
func (h *headLayout) mix(z, c []float32, t *blockTrace, i, r int, spans []kernel.Span) {
	h.eachRun(t.keys[i/h.H], spans, func(run *keyRun, spans []kernel.Span) {
		kernel.Mix(h.queries(z, i, r), c[run.lo:], h.T, h.keys(run.v, i, 0), spans, run.hi-run.lo, h.K)
	})
}

// widen gives the span unless row holds anything but empty outside it; then the
// whole row.
func widen(row []float32, s kernel.Span, empty float32) kernel.Span {
	for at, v := range row {
		if (at < s.Lo || at >= s.Hi) && v != empty {
			return kernel.Span{Lo: 0, Hi: len(row)}
		}
	}
	return s
}

// widened widens the spans of patterns c, rows of T places.
func widened(c []float32, t int, spans []kernel.Span) []kernel.Span {
	out := make([]kernel.Span, len(spans))
	for r, s := range spans {
		out[r] = widen(c[r*t:(r+1)*t], s, 0)
	}
	return out
}

// softmax is kernel.Softmax in place, and 0 everywhere for a row that sees
// nothing.
func softmax(x []float32) {
	for _, v := range x {
		if v != negInf {
			kernel.Softmax(x, x)
			return
		}
	}
	clear(x)
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
