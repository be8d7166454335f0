package models

import (
	"math"

	"orrery/models/internal/kernel"
)

// angles computes cos and sin of every position's rotary angles, [T,Dim/2].
func (p *pass) angles() {
	n := len(p.m.freqs)
	p.cos, p.sin = p.take(p.in.T*n), p.take(p.in.T*n)
	for t := range p.in.T {
		for i, f := range p.m.freqs {
			sin, cos := math.Sincos(float64(t) * f)
			p.cos[t*n+i], p.sin[t*n+i] = float32(cos), float32(sin)
		}
	}
}

// rotate turns x [R,heads,K] in place by its rows' positions, forward or, for
// gradients, backward.
func (p *pass) rotate(rows *rowSet, x []float32, heads int, turn func(r kernel.Rotary, y, x []float32, k int, cos, sin []float32)) {
	k, n := p.m.Config.HeadWidth, len(p.m.freqs)
	r := kernel.Rotary{Dim: p.m.Config.Rotary.Dim, Adjacent: p.m.Config.Rotary.Adjacent}
	perRow(rows.n(), heads*k, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			at := p.position(rows, row) * n
			for h := row * heads; h < (row+1)*heads; h++ {
				turn(r, x[h*k:(h+1)*k], x[h*k:(h+1)*k], k, p.cos[at:at+n], p.sin[at:at+n])
			}
		}
	})
}
