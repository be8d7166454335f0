package models

import (
	"math"

	"orrery/models/internal/kernel"
)

// results shows hook_result, z·W_O of each head [R,H,D], to the hooks that
// select it. The attention output attn [R,D] is one product over all heads;
// rows of which a hook changed a result are the sum of their results in head
// order, and the bias.
func (p *pass) results(l int, attn []float32, t *blockTrace, o *linearWeights) {
	if t.out.n() == 0 || !p.hooked(Site{l, Result}) || p.stopped() {
		return
	}
	packed := p.matrix(o)
	if packed == nil {
		return
	}
	d, H, K, rows := p.m.Config.Width, p.m.Config.Heads, p.m.Config.HeadWidth, t.out.n()
	results := p.take(rows * H * d)
	for h := range H {
		packed.Part(0, d, h*K, (h+1)*K).MatMul(results[h*d:], H*d, t.z[h*K:], H*K, rows, false)
	}
	before := p.clone(results)
	p.visit(l, Result, t.out, results)
	for r := range rows {
		row := results[r*H*d : (r+1)*H*d]
		if equalBits(row, before[r*H*d:(r+1)*H*d]) {
			continue
		}
		sum := attn[r*d : (r+1)*d]
		clear(sum)
		for h := range H {
			kernel.Add(sum, row[h*d:(h+1)*d])
		}
		if o.bias != nil {
			kernel.Add(sum, o.bias)
		}
	}
}

// resultsBackward takes the gradient of the attention output dattn [R,D] back
// to z through the results of the heads, and adds to the gradient of W_O [D,H·K]
// when dw is not nil. It returns dz [R,H,K].
func (g *backward) resultsBackward(l int, t *blockTrace, dattn []float32, o *linearWeights, dw []float32) []float32 {
	d, H, K, rows := g.m.Config.Width, g.m.Config.Heads, g.m.Config.HeadWidth, t.out.n()
	dresults := g.repeat(dattn, H)
	g.visitBack(l, Result, t.out, dresults)
	dz := g.take(len(t.z))
	packed := g.matrix(o)
	if packed == nil || rows == 0 {
		return dz
	}
	for h := range H {
		mark := g.mark()
		packed.Part(0, d, h*K, (h+1)*K).MatMulNN(dz[h*K:], H*K, dresults[h*d:], H*d, rows, false)
		if dw != nil {
			part, grad := g.take(rows*d), g.take(d*K)
			for r := range rows {
				copy(part[r*d:(r+1)*d], dresults[(r*H+h)*d:])
			}
			kernel.MatMulTN(grad, part, g.headColumns(t.z, h, rows), d, rows, K, false)
			for i := range d {
				kernel.Add(dw[(i*H+h)*K:(i*H+h+1)*K], grad[i*K:(i+1)*K])
			}
		}
		g.release(mark)
	}
	return dz
}

// headColumns gathers one head of z [rows,H,K] as [rows,K].
func (p *pass) headColumns(z []float32, h, rows int) []float32 {
	H, K := p.m.Config.Heads, p.m.Config.HeadWidth
	part := p.take(rows * K)
	for r := range rows {
		copy(part[r*K:(r+1)*K], z[(r*H+h)*K:])
	}
	return part
}

// equalBits reports whether a and b hold the same numbers to the last bit.
func equalBits(a, b []float32) bool {
	for i, v := range a {
		if math.Float32bits(v) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}
