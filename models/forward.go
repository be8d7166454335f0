package models

import (
	"math"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// trace holds what the backward pass reads again. Values are those behind the
// hooks, as they flowed on, unless they are called raw.
type trace struct {
	blocks []blockTrace // L of them, when the values are kept
	final  normTrace
	out    []float32 // rows that were unembedded [R,D], R = B·T, or B when only the last
}

// blockTrace holds the values of one block.
type blockTrace struct {
	ln1, ln2  normTrace
	inputs    *headInputs // what heads read on their own; nil when they did not
	q, k, v   []float32   // [B,T,H,K], [B,T,G,K] twice; q and k turned when rotary
	pattern   []float32   // [B,H,T,T]; nil when neither kept nor hooked
	rawPat    []float32   // pattern before its hooks; pattern itself without hooks
	z         []float32   // [B,T,H,K]
	pre, lin  []float32   // [B,T,F]; lin is nil when the MLP is plain
	act, post []float32   // act(pre), and act·lin; one and the same when plain
}

// normTrace holds the values of one norm.
type normTrace struct {
	scale, norm       []float32 // [R], [R,D]
	rawScale, rawNorm []float32 // before the hooks; the same slices without hooks
	out               []float32 // [R,D] after gain and bias
}

// forward computes the logits of the batch. x is the residual stream [B,T,D],
// one buffer that every block adds to.
func (p *pass) forward() {
	x := p.embed()
	p.trace.blocks = make([]blockTrace, p.m.Config.Layers)
	for l := range p.trace.blocks {
		if p.stopped() {
			return
		}
		mark := p.mark()
		p.block(l, x, &p.trace.blocks[l])
		if !p.keep {
			p.trace.blocks[l] = blockTrace{}
			p.release(mark)
		}
	}
	p.unembed(x)
}

// embed looks up tokens and learned positions.
func (p *pass) embed() []float32 {
	d := p.m.Config.Width
	x := p.take(p.rows * d) // [B,T,D]
	p.lookUp(x, &p.m.embed, func(r int) int { return p.in.IDs[r] })
	p.visit(-1, Embed, x)
	if p.m.Config.Positions == Learned {
		pos := p.take(p.rows * d) // [B,T,D]
		p.lookUp(pos, &p.m.pos, func(r int) int { return p.in.position(r/p.in.T, r%p.in.T) })
		p.visit(-1, PosEmbed, pos)
		kernel.Add(x, pos)
	}
	return x
}

// block adds the two halves of block l to the residual stream x [B,T,D]:
//
//	x += attn(ln1(x));  x += mlp(ln2(x))
//
// Every value is shown to the hooks before the next is computed from it.
func (p *pass) block(l int, x []float32, t *blockTrace) {
	cfg, w := &p.m.Config, &p.m.blocks[l]

	// Attention. Each head reads the normed stream, [B,T,D] -> [B,T,H,K].
	p.visit(l, ResidPre, x)
	t.inputs = p.headInputs(l, x)
	p.norm(l, LN1Scale, x, &w.ln1, &t.ln1)
	t.q, t.k, t.v = p.linear(t.ln1.out, &w.q), p.linear(t.ln1.out, &w.k), p.linear(t.ln1.out, &w.v)
	p.project(t.inputs, t, w)
	p.visit(l, Q, t.q)
	p.visit(l, K, t.k)
	p.visit(l, V, t.v)
	if cfg.Positions == Rotary {
		p.rotate(t.q, cfg.Heads, kernel.Rotary.Apply)
		p.rotate(t.k, cfg.KVHeads, kernel.Rotary.Apply)
		p.visit(l, RotQ, t.q)
		p.visit(l, RotK, t.k)
	}
	p.attend(l, t) // scores, pattern [B,H,T,T]; z [B,T,H,K]
	p.visit(l, Z, t.z)
	attn := p.linear(t.z, &w.o)
	p.results(l, attn, t, &w.o)
	p.visit(l, AttnOut, attn)
	kernel.Add(x, attn)

	// Feed-forward, [B,T,D] -> [B,T,F] -> [B,T,D].
	p.visit(l, ResidMid, x)
	in := x
	if p.hooked(Site{l, MLPIn}) {
		in = p.clone(x)
		p.visit(l, MLPIn, in)
	}
	p.norm(l, LN2Scale, in, &w.ln2, &t.ln2)
	if cfg.Gated {
		t.pre = p.linear(t.ln2.out, &w.gate)
		t.lin = p.linear(t.ln2.out, &w.in)
		p.visit(l, Pre, t.pre)
		p.visit(l, PreLinear, t.lin)
	} else {
		t.pre = p.linear(t.ln2.out, &w.in)
		p.visit(l, Pre, t.pre)
	}
	p.activate(t)
	p.visit(l, Post, t.post)
	mlp := p.linear(t.post, &w.out)
	p.visit(l, MLPOut, mlp)
	kernel.Add(x, mlp)
	p.visit(l, ResidPost, x)
}

// unembed reads the logits off the residual stream x [B,T,D].
func (p *pass) unembed(x []float32) {
	p.norm(-1, FinalScale, x, &p.m.final, &p.trace.final)
	p.trace.out = p.trace.final.out
	shape := []int{p.in.B, p.in.T, p.m.Config.Vocab}
	if p.last {
		shape[1] = 1
		p.trace.out = p.lastRows(p.trace.final.out)
	}
	p.logits = tensor.New(shape...)
	p.linearInto(p.logits.Data, p.trace.out, &p.m.head)
	p.visit(-1, Logits, p.logits.Data)
}

// lastRows gathers the rows of the last real tokens, [B,T,D] -> [B,D].
func (p *pass) lastRows(x []float32) []float32 {
	d := p.m.Config.Width
	y := p.take(p.in.B * d)
	for b := range p.in.B {
		r := p.lastRow(b)
		copy(y[b*d:(b+1)*d], x[r*d:(r+1)*d])
	}
	return y
}

// lastRow is the row of [B·T] at which the last real token of row b stands.
func (p *pass) lastRow(b int) int {
	_, end := p.in.span(b)
	return b*p.in.T + end - 1
}

// norm fills t from x [R,D]: the statistic, the quotient, and the result after
// gain and bias. The kind of the statistic is given; that of the quotient
// follows it. An edited statistic gives its rows another quotient.
func (p *pass) norm(l int, scale Kind, x []float32, w *normWeights, t *normTrace) {
	d := p.m.Config.Width
	rows := len(x) / d
	t.scale, t.norm, t.out = p.take(rows), p.take(len(x)), p.take(len(x))
	p.normalise(t.norm, t.scale, x)
	t.rawScale = t.scale
	if p.hooked(Site{l, scale}) {
		t.rawScale = p.clone(t.scale)
		p.visit(l, scale, t.scale)
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
	if p.hooked(Site{l, scale + 1}) {
		t.rawNorm = p.clone(t.norm)
		p.visit(l, scale+1, t.norm)
	}
	perRow(rows, d, func(lo, hi int) {
		kernel.Affine(t.out[lo*d:hi*d], t.norm[lo*d:hi*d], w.weight, w.bias, hi-lo, d)
	})
}

// normalise is the norm without gain and bias, x [R,D] -> norm [R,D], scale [R].
func (p *pass) normalise(norm, scale, x []float32) {
	d, eps, f := p.m.Config.Width, float32(p.m.Config.NormEps), kernel.LayerNorm
	if p.m.Config.Norm == RMSNorm {
		f = kernel.RMSNorm
	}
	perRow(len(scale), 4*d, func(lo, hi int) { f(norm[lo*d:hi*d], scale[lo:hi], x[lo*d:hi*d], hi-lo, d, eps) })
}

// activate fills act and post of t from pre and lin, [B,T,F].
func (p *pass) activate(t *blockTrace) {
	f, act := p.m.Config.MLPWidth, activations[p.m.Config.Activation]
	t.act = p.take(len(t.pre))
	t.post = t.act
	if t.lin != nil {
		t.post = p.take(len(t.pre))
	}
	perRow(p.rows, 4*f, func(lo, hi int) {
		lo, hi = lo*f, hi*f
		kernel.Activate(t.act[lo:hi], t.pre[lo:hi], act)
		if t.lin != nil {
			kernel.Mul(t.post[lo:hi], t.act[lo:hi], t.lin[lo:hi])
		}
	})
}

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

// rotate turns x [B,T,heads,K] in place by its rows' positions, forward or, for
// gradients, backward.
func (p *pass) rotate(x []float32, heads int, turn func(r kernel.Rotary, y, x []float32, k int, cos, sin []float32)) {
	k, n := p.m.Config.HeadWidth, len(p.m.freqs)
	r := kernel.Rotary{Dim: p.m.Config.Rotary.Dim, Adjacent: p.m.Config.Rotary.Adjacent}
	perRow(p.rows, heads*k, func(lo, hi int) {
		for row := lo; row < hi; row++ {
			at := p.in.position(row/p.in.T, row%p.in.T) * n
			for h := row * heads; h < (row+1)*heads; h++ {
				turn(r, x[h*k:(h+1)*k], x[h*k:(h+1)*k], k, p.cos[at:at+n], p.sin[at:at+n])
			}
		}
	})
}
