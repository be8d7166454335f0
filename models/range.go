package models

import "orrery/models/internal/kernel"

// capLogits applies the soft cap of logits in place, and keeps what they were
// for the way back.
func (p *pass) capLogits(logits []float32) {
	limit := float32(p.m.Config.LogitCap)
	if limit == 0 {
		return
	}
	if p.keep {
		p.trace.uncapped = p.clone(logits)
	}
	kernel.SoftCap(logits, logits, limit)
}

// capLogitsBackward takes a gradient [R,V] back past capLogits, in place.
func (g *backward) capLogitsBackward(dy []float32) {
	if limit := float32(g.m.Config.LogitCap); limit != 0 {
		kernel.SoftCapBackward(dy, dy, g.trace.uncapped, limit)
	}
}

// clip brings q, k and v of t into ±ClipQKV, and keeps what they were for the
// way back.
func (p *pass) clip(t *blockTrace) {
	limit := float32(p.m.Config.ClipQKV)
	if limit == 0 {
		return
	}
	for i, x := range [][]float32{t.q, t.k, t.v} {
		if p.keep {
			t.clipped[i] = p.clone(x)
		}
		clamp(x, limit)
	}
}

// clamp brings x into ±limit, in place.
func clamp(x []float32, limit float32) {
	perRow(len(x), 1, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			x[i] = min(max(x[i], -limit), limit)
		}
	})
}

// clipBackward takes gradients of q, k and v back past clip, in place: 0 where
// it changed a value.
func (g *backward) clipBackward(t *blockTrace, dq, dk, dv []float32) {
	limit := float32(g.m.Config.ClipQKV)
	if limit == 0 {
		return
	}
	for i, dx := range [][]float32{dq, dk, dv} {
		for j, x := range t.clipped[i] {
			if x < -limit || x > limit {
				dx[j] = 0
			}
		}
	}
}

// scale is x·s, in place.
func scale(x []float32, s float32) {
	for i := range x {
		x[i] *= s
	}
}
