package models

import (
	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// backward is the way back of one pass. It is the twin of forward.go: the same
// steps from the last to the first, dX for each X.
type backward struct {
	*pass
	want   Selector
	source map[Site]*tensor.Dense // derivatives that begin at sites; nil for none
	sites  *Cache
	params *Params // weights are nil where no gradient is wanted
}

// block is where the weight gradients of block l go.
func (g *backward) block(l int) *BlockParams { return &g.params.Blocks[l] }

// run takes the gradient dx of the residual stream behind the first blocks back
// to the embedding.
func (g *backward) run(dx stream, blocks int) {
	for l := blocks - 1; l >= 0; l-- {
		if g.stopped() {
			return
		}
		mark, t := g.mark(), &g.trace.blocks[l]
		if g.recompute {
			dx.x = g.clone(dx.x) // out of the way of the streams
			t = g.again(l)
		}
		out := g.blockBackward(l, dx, t)
		if dx = out; g.recompute {
			dx = g.stream(out.rows)
			copy(dx.x, out.x)
		}
		g.release(mark)
	}
	g.embed(dx)
}

// again computes block l once more and keeps its values.
func (g *backward) again(l int) *blockTrace {
	before := g.trace.blocks[l].before
	s := g.stream(before.rows)
	copy(s.x, before.x)
	t := &blockTrace{}
	g.pass.block(l, s, t)
	return t
}

// unembed adds the gradient of the last residual stream to dx.
func (g *backward) unembed(dlogits *tensor.Dense, dx stream) {
	rows := g.trace.out
	dy := g.unpick(rows, dlogits) // [R,V]
	g.visitBack(-1, Logits, rows, dy)
	g.capLogitsBackward(dy)
	grad := g.params.Unembed
	if g.m.Config.Tied {
		grad.Weight = g.params.Embed
	}
	dout := g.take(len(g.trace.final.out)) // [R,D]
	g.linear(dout, dy, g.trace.final.out, g.unembedding(), grad, false)
	if rows == dx.rows {
		g.normBackward(-1, FinalScale, rows, &g.m.final, &g.trace.final, dout, dx.x, g.params.Final)
		return
	}
	part := g.zeros(len(dout))
	g.normBackward(-1, FinalScale, rows, &g.m.final, &g.trace.final, dout, part, g.params.Final)
	kernel.Add(dx.x, g.scatter(dx.rows, rows, part, g.m.Config.Width))
}

// blockBackward turns dx from the gradient behind block l into the one before
// it: from the rows that left the block to those that entered it.
func (g *backward) blockBackward(l int, s stream, t *blockTrace) stream {
	cfg, w, grad, dx := &g.m.Config, &g.m.blocks[l], g.block(l), s.x
	g.visitBack(l, ResidPost, t.out, dx)
	var din []float32 // of what a parallel feed-forward read
	if !cfg.AttnOnly {
		din = g.mlpBackward(l, dx, t)
	}

	// Attention: x += post1(attn(ln1(x))).
	dattn := g.clone(dx)
	g.visitBack(l, AttnOut, t.out, dattn)
	if cfg.behind() {
		dattn = g.behind(l, LN1PostScale, t.out, &w.ln1Post, &t.behind[0], dattn, grad.LN1Post)
	}
	dz := g.outputBackward(l, t, dattn)
	g.visitBack(l, Z, t.out, dz)
	dq, dk, dv := g.attendBackward(l, t, dz)
	dq = g.alike(t.onceQ, t.out, dq, w.q.out)
	dk, dv = g.alike(t.once, t.in, dk, w.k.out), g.alike(t.once, t.in, dv, w.v.out)
	if cfg.Positions == Rotary {
		g.visitBack(l, RotQ, t.onceQ, dq)
		g.visitBack(l, RotK, t.once, dk)
		g.rotate(l, t.onceQ, dq, cfg.Heads, kernel.Rotary.Backward)
		g.rotate(l, t.once, dk, cfg.KVHeads, kernel.Rotary.Backward)
	}
	if cfg.QKNorm != NoQKNorm {
		dq = g.behind(l, QNormScale, t.onceQ, &w.qNorm, &t.heads[0], dq, grad.QNorm)
		dk = g.behind(l, KNormScale, t.once, &w.kNorm, &t.heads[1], dk, grad.KNorm)
	}
	g.clipBackward(t, dq, dk, dv)
	g.visitBack(l, V, t.once, dv)
	g.visitBack(l, K, t.once, dk)
	g.visitBack(l, Q, t.onceQ, dq)
	if cfg.Parallel {
		kernel.Add(dx, din)
	}
	if t.in != t.out {
		s = g.stream(t.in)
		copy(s.x, g.scatter(t.in, t.out, dx, cfg.Width))
	}
	if g.split(l) {
		g.splitBackward(l, t, dq, dk, dv, s.x)
	} else {
		dout := g.take(t.onceQ.n() * cfg.Width) // behind ln1
		g.linear(dout, dq, g.gather(t.onceQ, t.once, t.ln1.out, cfg.Width), &w.q, grad.Q, false)
		dout = g.scatter(t.once, t.onceQ, dout, cfg.Width)
		g.linear(dout, dk, t.ln1.out, &w.k, grad.K, true)
		g.linear(dout, dv, t.ln1.out, &w.v, grad.V, true)
		din := s.x
		if t.once != t.in {
			din = g.zeros(len(dout))
		}
		g.normBackward(l, LN1Scale, t.once, &w.ln1, &t.ln1, dout, din, grad.LN1)
		if t.once != t.in {
			kernel.Add(s.x, g.scatter(t.in, t.once, din, cfg.Width))
		}
	}
	g.visitBack(l, ResidPre, t.in, s.x)
	return s
}

// mlpBackward is the feed-forward's part of blockBackward, x += post2(mlp(ln2(x))):
// dx becomes the gradient before it. That of what a parallel one read is
// returned instead.
func (g *backward) mlpBackward(l int, dx []float32, t *blockTrace) []float32 {
	cfg, w, grad := &g.m.Config, &g.m.blocks[l], g.block(l)
	dmlp := g.clone(dx)
	g.visitBack(l, MLPOut, t.out, dmlp)
	if cfg.behind() {
		dmlp = g.behind(l, LN2PostScale, t.out, &w.ln2Post, &t.behind[1], dmlp, grad.LN2Post)
	}
	dpost := g.take(len(t.post))
	g.linear(dpost, dmlp, t.post, &w.out, grad.Out, false)
	g.visitBack(l, Post, t.out, dpost)
	dpre, dlin := g.activateBackward(t, dpost)
	dout := g.take(len(dx)) // behind ln2
	if cfg.Gated {
		g.visitBack(l, PreLinear, t.out, dlin)
		g.visitBack(l, Pre, t.out, dpre)
		g.linear(dout, dlin, t.ln2.out, &w.in, grad.In, false)
		g.linear(dout, dpre, t.ln2.out, &w.gate, grad.Gate, true)
	} else {
		g.visitBack(l, Pre, t.out, dpre)
		g.linear(dout, dpre, t.ln2.out, &w.in, grad.In, false)
	}
	ln2 := grad.LN2
	if cfg.SharedNorm {
		ln2 = grad.LN1
	}
	in := Site{l, MLPIn}
	if !cfg.Parallel && !g.wanted(in) && !g.hooked(in) {
		g.normBackward(l, LN2Scale, t.out, &w.ln2, &t.ln2, dout, dx, ln2)
		g.visitBack(l, ResidMid, t.out, dx)
		return nil
	}
	din := g.zeros(len(dx))
	g.normBackward(l, LN2Scale, t.out, &w.ln2, &t.ln2, dout, din, ln2)
	g.visitBack(l, MLPIn, t.out, din)
	if cfg.Parallel {
		return din
	}
	kernel.Add(dx, din)
	g.visitBack(l, ResidMid, t.out, dx)
	return nil
}

// behind takes the gradient dy behind a norm of something other than the
// stream to what was normed.
func (g *backward) behind(l int, scale Kind, rows *rowSet, w *normWeights, t *normTrace, dy []float32, grad NormParams) []float32 {
	dx := g.zeros(len(dy))
	g.normBackward(l, scale, rows, w, t, dy, dx, grad)
	return dx
}

// embed gives the gradient of the first residual stream to the tables it was
// looked up in.
func (g *backward) embed(dx stream) {
	cfg := &g.m.Config
	d := cfg.Width
	if cfg.Positions == Learned {
		dpos := g.clone(dx.x)
		g.visitBack(-1, PosEmbed, dx.rows, dpos)
		if table := g.params.PosEmbed; table != nil {
			for r := range dx.rows.n() {
				at := g.position(dx.rows, r)
				kernel.Add(table.Data[at*d:(at+1)*d], dpos[r*d:(r+1)*d])
			}
		}
	}
	g.visitBack(-1, Embed, dx.rows, dx.x)
	drows := dx.x
	if cfg.EmbedNorm {
		drows = g.behind(-1, EmbedLNScale, dx.rows, &g.m.embedNorm, &g.trace.embed, drows, g.params.EmbedNorm)
	}
	if cfg.EmbedScale != 0 {
		scale(drows, float32(cfg.EmbedScale))
	}
	if table := g.params.Embed; table != nil {
		for r := range dx.rows.n() {
			id := g.in.IDs[g.place(dx.rows, r)]
			kernel.Add(table.Data[id*d:(id+1)*d], drows[r*d:(r+1)*d])
		}
	}
}

// outputBackward takes the gradient of the attention output dattn [B,T,D] back
// to z [B,T,H,K]: in one product, unless somebody asks for the heads' results.
func (g *backward) outputBackward(l int, t *blockTrace, dattn []float32) []float32 {
	o, grad, result := &g.m.blocks[l].o, g.block(l).O, Site{l, Result}
	if !g.wanted(result) && !g.hooked(result) {
		dz := g.take(len(t.z))
		g.linear(dz, dattn, t.z, o, grad, false)
		return dz
	}
	var dw []float32
	if grad.Weight != nil {
		dw = grad.Weight.Data
	}
	if grad.Bias != nil {
		kernel.BiasBackward(grad.Bias.Data, dattn, t.out.n(), o.out)
	}
	return g.resultsBackward(l, t, dattn, o, dw)
}

// linear is the twin of pass.linear, y = x·wᵀ + bias: dx (+)= dy·w, and the
// gradients of weight and bias are added to grad where it has them. add says
// whether dx is added to or written.
func (g *backward) linear(dx, dy, x []float32, w *linearWeights, grad LinearParams, add bool) {
	packed := g.matrix(w)
	if packed == nil {
		return
	}
	g.chunks(len(x)/w.in, 2*w.in*w.out, func(lo, hi int) {
		rows, dy, x := hi-lo, dy[lo*w.out:hi*w.out], x[lo*w.in:hi*w.in]
		backInPieces(dx[lo*w.in:hi*w.in], dy, packed, rows, mostWork, add, g.stopped)
		if grad.Weight != nil {
			kernel.MatMulTN(grad.Weight.Data, dy, x, w.out, rows, w.in, true)
		}
		if grad.Bias != nil {
			kernel.BiasBackward(grad.Bias.Data, dy, rows, w.out)
		}
	})
}

// activateBackward is the twin of activate: dpost [B,T,F] to dpre and, for a
// gated MLP, dlin.
func (g *backward) activateBackward(t *blockTrace, dpost []float32) (dpre, dlin []float32) {
	f, act := g.m.Config.MLPWidth, activations[g.m.Config.Activation]
	dpre = g.take(len(t.pre))
	if t.lin != nil {
		dlin = g.take(len(t.pre))
	}
	perRow(t.out.n(), 8*f, func(lo, hi int) {
		lo, hi = lo*f, hi*f
		dact := dpost[lo:hi]
		if t.lin != nil {
			kernel.Mul(dlin[lo:hi], dact, t.act[lo:hi])
			kernel.Mul(dpre[lo:hi], dact, t.lin[lo:hi])
			dact = dpre[lo:hi]
		}
		kernel.ActivateBackward(dpre[lo:hi], dact, t.pre[lo:hi], act)
	})
	return dpre, dlin
}
