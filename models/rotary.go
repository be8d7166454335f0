package models

import (
	"math"

	"orrery/models/internal/kernel"
)

// angles are cosines and sines of rotary angles at positions 0..T-1.
type angles struct {
	pairs    kernel.Rotary
	n        int       // Dim/2
	cos, sin []float32 // [T,n]
}

// newAngles computes the angles of t positions in runs of that many tokens a
// row.
func (p *pass) newAngles(r RotaryConfig, t, tokens int) *angles {
	freqs, stretch := r.frequencies(tokens), r.stretch()
	n := len(freqs)
	a := &angles{pairs: kernel.Rotary{Dim: r.Dim, Adjacent: r.Adjacent}, n: n, cos: p.take(t * n), sin: p.take(t * n)}
	for pos := range t {
		for i, f := range freqs {
			sin, cos := math.Sincos(float64(pos) * f)
			a.cos[pos*n+i], a.sin[pos*n+i] = float32(cos*stretch), float32(sin*stretch)
		}
	}
	return a
}

// positions prepares what scores know of positions: the angles of layers
// without and with a window, in rows of usual and of greater length, and
// ALiBi's biases.
func (p *pass) positions() {
	cfg := &p.m.Config
	switch cfg.Positions {
	case Rotary:
		for i, r := range []*RotaryConfig{&cfg.Rotary, cfg.LocalRotary} {
			if r == nil {
				continue
			}
			p.angles[i][0] = p.newAngles(*r, p.in.T, 1)
			if long := r.longer(); long < p.in.T {
				p.angles[i][1] = p.newAngles(*r, p.in.T, long+1)
			}
		}
	case Alibi:
		p.alibi = cfg.alibi(p.in.T)
	}
}

// rotate turns x [R,heads,K] in place by its rows' positions, forward or, for
// gradients, backward.
func (p *pass) rotate(l int, rows *rowSet, x []float32, heads int, turn func(r kernel.Rotary, y, x []float32, k int, cos, sin []float32)) {
	k, tables := p.m.Config.HeadWidth, &p.angles[0]
	if p.m.Config.LocalRotary != nil && p.m.Config.window(l) > 0 {
		tables = &p.angles[1]
	}
	perRow(rows.n(), heads*k, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			a := tables[0]
			if tables[1] != nil && p.long(rows, row) {
				a = tables[1]
			}
			at := p.position(rows, row) * a.n
			for h := row * heads; h < (row+1)*heads; h++ {
				turn(a.pairs, x[h*k:(h+1)*k], x[h*k:(h+1)*k], k, a.cos[at:at+a.n], a.sin[at:at+a.n])
			}
		}
	})
}

// long reports whether the tokens of a row's sequence are more than the rotary
// positions' original context.
func (p *pass) long(rows *rowSet, row int) bool {
	lo, hi := p.in.span(p.row(int(rows.seq[row])))
	return hi-lo > p.m.Config.Rotary.longer()
}
