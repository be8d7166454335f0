package models

import "orrery/models/internal/kernel"

// normWeights are gain and bias of a norm over d numbers: of d numbers, or of
// those of every head one behind the other. Both may be nil. With d = 0 there is
// no norm: what it would read passes as it is.
type normWeights struct {
	weight, bias []float32
	d            int
}

// normWeights are those of the norm that walk knows by that name.
func (c Config) normWeights(name string, weight, bias []float32) normWeights {
	d, have := c.normWidth(name)
	if !have {
		return normWeights{}
	}
	if c.QKNorm == QKNormHeads && (name == "attn.q_norm" || name == "attn.k_norm") {
		d = c.HeadWidth
	}
	return normWeights{weight, bias, d}
}

// shareNorms gives the second half of parallel blocks with one norm the first's.
func (m *Model) shareNorms() {
	for l := range m.blocks {
		if m.Config.SharedNorm {
			m.blocks[l].ln2 = m.blocks[l].ln1
		}
	}
}

// normTrace holds the values of one norm. N is the number of rows, times that of
// the heads for a norm of each head.
type normTrace struct {
	scale, norm       []float32 // [N], [N,d]
	rawScale, rawNorm []float32 // before the hooks; the same slices without hooks
	out               []float32 // [N,d] after gain and bias
}

// norm fills t from x [N,d]: the statistic, the quotient, and the result after
// gain and bias. The kind of the statistic is given; those of the quotient and
// of the result follow it. An edited statistic gives its rows another quotient.
func (p *pass) norm(l int, scale Kind, rows *rowSet, x []float32, w *normWeights, t *normTrace) {
	if w.d == 0 {
		t.out = p.clone(x) // x is the stream, which goes on changing
		return
	}
	d := w.d
	t.scale, t.norm = p.take(len(x)/d), p.take(len(x))
	p.normalise(t.norm, t.scale, x)
	t.rawScale = t.scale
	if !p.edited(Site{l, scale}) {
		p.visit(l, scale, rows, t.scale)
	} else {
		t.rawScale = p.clone(t.scale)
		p.visit(l, scale, rows, t.scale)
		for r, s := range t.scale {
			if raw := t.rawScale[r]; s != raw {
				ratio := float64(raw) / float64(s)
				for i := r * d; i < (r+1)*d; i++ {
					t.norm[i] = float32(float64(t.norm[i]) * ratio)
				}
			}
		}
	}
	t.rawNorm = t.norm
	if p.edited(Site{l, scale + 1}) {
		t.rawNorm = p.clone(t.norm)
	}
	p.visit(l, scale+1, rows, t.norm)
	t.out = p.affine(t.norm, w)
	if out := (Site{l, scale + 2}); p.edited(out) && w.weight == nil {
		t.out = p.clone(t.norm)
	}
	p.visit(l, scale+2, rows, t.out)
}

// normalise is the norm without gain and bias, x [N,d] -> norm [N,d], scale [N].
func (p *pass) normalise(norm, scale, x []float32) {
	d, eps, f := len(x)/max(len(scale), 1), float32(p.m.Config.NormEps), kernel.LayerNorm
	if p.m.Config.Norm == RMSNorm {
		f = kernel.RMSNorm
	}
	perRow(len(scale), 4*d, func(lo, hi int) { f(norm[lo*d:hi*d], scale[lo:hi], x[lo*d:hi*d], hi-lo, d, eps) })
}

// affine is norm [N,d] after gain and bias: norm itself where there are none.
func (p *pass) affine(norm []float32, w *normWeights) []float32 {
	if w.weight == nil {
		return norm
	}
	d, out := len(w.weight), p.take(len(norm))
	perRow(len(norm)/d, d, func(lo, hi int) {
		kernel.Affine(out[lo*d:hi*d], norm[lo*d:hi*d], w.weight, w.bias, hi-lo, d)
	})
	return out
}

// normBackward is the twin of norm: dout [N,d] behind gain and bias is added to
// dx [N,d] before the norm, and to the gradients of gain and bias.
func (g *backward) normBackward(l int, scale Kind, rows *rowSet, w *normWeights, t *normTrace, dout, dx []float32, grad NormParams) {
	if w.d > 0 {
		g.visitBack(l, scale+2, rows, dout)
	}
	special := false
	for _, s := range []Site{{l, scale}, {l, scale + 1}} {
		special = special || g.wanted(s) || g.hooked(s)
	}
	if w.d == 0 || !special {
		g.plainNormBackward(w, t, dout, dx, grad)
		return
	}
	d := w.d
	dnorm := g.affineBackward(w, t, dout, grad)
	g.visitBack(l, scale+1, rows, dnorm)
	// norm = c/s with c the (centred) input, and s = sqrt(mean c² + eps) unless edited.
	dscale := g.take(len(t.scale))
	for r, s := range t.scale {
		dscale[r] = -kernel.Dot(dnorm[r*d:(r+1)*d], t.rawNorm[r*d:(r+1)*d]) / s
	}
	g.visitBack(l, scale, rows, dscale)
	for r, s := range t.scale {
		row, norm := dnorm[r*d:(r+1)*d], t.rawNorm[r*d:(r+1)*d]
		through := dscale[r] * s / (float32(d) * t.rawScale[r]) // c/(d·s), c = norm·s
		mean := float32(0)
		for i := range row {
			row[i] = row[i]/s + through*norm[i]
			mean += row[i]
		}
		if mean /= float32(d); g.m.Config.Norm == RMSNorm {
			mean = 0
		}
		for i, v := range row {
			dx[r*d+i] += v - mean
		}
	}
}

// plainNormBackward is normBackward for a norm whose inside nobody looks at.
func (g *backward) plainNormBackward(w *normWeights, t *normTrace, dout, dx []float32, grad NormParams) {
	if w.d == 0 {
		kernel.Add(dx, dout)
		return
	}
	d, f := w.d, kernel.LayerNormBackward
	if g.m.Config.Norm == RMSNorm {
		f = kernel.RMSNormBackward
	}
	dnorm := g.affineBackward(w, t, dout, grad)
	perRow(len(t.scale), 4*d, func(lo, hi int) {
		f(dx[lo*d:hi*d], dnorm[lo*d:hi*d], t.norm[lo*d:hi*d], t.scale[lo:hi], hi-lo, d)
	})
}

// affineBackward takes dout [N,d] back past gain and bias.
func (g *backward) affineBackward(w *normWeights, t *normTrace, dout []float32, grad NormParams) []float32 {
	if w.weight == nil {
		return g.clone(dout)
	}
	dnorm := g.take(len(dout))
	kernel.AffineBackward(dnorm, data(grad.Weight), data(grad.Bias), dout, t.norm, w.weight, len(dout)/len(w.weight), len(w.weight))
	return dnorm
}
