package models

import (
	"math"

	"orrery/models/internal/kernel"
)

// angles are cosines and sines of rotary angles at positions 0..T-1.
type angles struct {
	regime   int // the rows that they are for: see RotaryConfig.regime
	pairs    kernel.Rotary
	n        int       // Dim/2
	cos, sin []float32 // [T,n]
}

// angles computes the angles of t positions in rows of a regime, in memory that
// take gives. Frequencies and angles are rounded to float32, as they were in
// training and are in other programs: far from the start of a row that moves an
// angle by more than the tolerance between programs.
func (r RotaryConfig) angles(t, regime int, take func(n int) []float32) *angles {
	freqs, stretch := r.frequencies(regime), r.stretch()
	n := len(freqs)
	a := &angles{regime: regime, pairs: kernel.Rotary{Dim: r.Dim, Adjacent: r.Adjacent}, n: n, cos: take(t * n), sin: take(t * n)}
	for pos := range t {
		for i, f := range freqs {
			sin, cos := math.Sincos(float64(float32(pos) * float32(f)))
			a.cos[pos*n+i], a.sin[pos*n+i] = float32(cos*stretch), float32(sin*stretch)
		}
	}
	return a
}

// positions prepares what queries and keys, or their scores, know of positions.
// It reports whether anything changed since it was last called: the angles of a
// row that has grown.
func (p *pass) positions() bool {
	cfg := &p.m.Config
	switch cfg.Positions {
	case Rotary:
		changed := p.turns(0, &cfg.Rotary)
		if cfg.LocalRotary != nil && p.turns(1, cfg.LocalRotary) {
			changed = true
		}
		return changed
	case Alibi:
		if p.alibi == nil {
			p.alibi = cfg.alibi(p.in.T)
		}
	}
	return false
}

// turns brings the angles of every row of the batch up to date and reports
// whether any changed.
func (p *pass) turns(which int, r *RotaryConfig) bool {
	rows, changed := &p.angles[which], false
	take := func(n int) []float32 { return make([]float32, n) }
	if *rows == nil {
		*rows, take = make([]*angles, p.in.B), p.take
	}
	for b, a := range *rows {
		lo, hi := p.in.span(b)
		regime := r.regime(hi - lo)
		if a != nil && a.regime == regime {
			continue
		}
		changed = true
		if b > 0 && (*rows)[b-1].regime == regime {
			(*rows)[b] = (*rows)[b-1]
		} else {
			(*rows)[b] = r.angles(p.in.T, regime, take)
		}
	}
	return changed
}

// rotate turns x [R,heads,K] in place by its rows' positions, forward or, for
// gradients, backward.
func (p *pass) rotate(l int, rows *rowSet, x []float32, heads int, turn func(r kernel.Rotary, y, x []float32, k int, cos, sin []float32)) {
	k, tables := p.m.Config.HeadWidth, p.angles[0]
	if p.m.Config.LocalRotary != nil && p.m.Config.window(l) > 0 {
		tables = p.angles[1]
	}
	perRow(rows.n(), heads*k, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			a := tables[p.row(int(rows.seq[row]))]
			at := p.position(rows, row) * a.n
			for h := row * heads; h < (row+1)*heads; h++ {
				turn(a.pairs, x[h*k:(h+1)*k], x[h*k:(h+1)*k], k, a.cos[at:at+a.n], a.sin[at:at+a.n])
			}
		}
	})
}
