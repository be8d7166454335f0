package models

import "math"

// capped is a soft cap: limit·tanh(x/limit), which is x near 0 and never leaves
// ±limit (Riviere et al., "Gemma 2", 2024, arXiv:2408.00118, section 2). A limit
// of 0 is none.
func capped(x, limit float64) float64 {
	if limit == 0 {
		return x
	}
	return limit * math.Tanh(x/limit)
}

// cappedSlope is the derivative of capped at y, the value that it gave.
func cappedSlope(y, limit float64) float64 {
	if limit == 0 {
		return 1
	}
	return 1 - y/limit*(y/limit)
}

// capLogits applies the soft cap of logits in place, and keeps what it gave for
// the way back.
func (p *pass) capLogits(logits []float32) {
	limit := p.m.Config.LogitCap
	if limit == 0 {
		return
	}
	perRow(len(logits), 16, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			logits[i] = float32(capped(float64(logits[i]), limit))
		}
	})
	if p.keep {
		p.trace.capped = p.clone(logits)
	}
}

// capLogitsBackward takes a gradient [R,V] back past capLogits, in place.
func (g *backward) capLogitsBackward(dy []float32) {
	limit := g.m.Config.LogitCap
	if limit == 0 {
		return
	}
	perRow(len(dy), 4, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			dy[i] *= float32(cappedSlope(float64(g.trace.capped[i]), limit))
		}
	})
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
