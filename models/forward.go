package models

import "orrery/models/internal/kernel"

// trace holds what the backward pass reads again. Values are those behind the
// hooks, as they flowed on, unless they are called raw.
type trace struct {
	embed    normTrace    // of the embedding
	blocks   []blockTrace // L of them, when the values are kept
	last     *rowSet      // rows behind the last block
	out      *rowSet      // and those of them that are unembedded
	final    normTrace    // of the rows that are unembedded
	uncapped []float32    // their logits before the cap, where there is one
}

// blockTrace holds the values of one block. Some stages of a block compute all
// rows and others only those that somebody needs: in, of R rows, and out, of
// R′. They differ in the last block, when not every row is needed, and in
// re-runs.
type blockTrace struct {
	before    stream // of the block, when the rest is computed again
	in, out   *rowSet
	once      *rowSet      // the distinct rows of in, where many are alike; else in
	onceQ     *rowSet      // and those of queries
	queries   *rowSet      // rows whose q is computed
	ln1, ln2  normTrace    // [once], [out]
	behind    [2]normTrace // [out] of attention and feed-forward
	inputs    *headInputs  // what heads read on their own; nil when they did not
	clipped   [3][]float32 // q, k and v before they were brought into a range
	heads     [2]normTrace // the norms of q and k
	q, k, v   []float32    // [out,H,K], [in,G,K] twice; q and k normed and turned
	keys      [][]keyRun   // where each sequence's keys and values stand
	pattern   []float32    // [S,H,T,T]; nil when neither kept nor hooked
	rawPat    []float32    // pattern before its hooks; pattern itself without hooks
	z         []float32    // [out,H,K]
	pre, lin  []float32    // [out,F]; lin is nil when the MLP is plain
	act, post []float32    // act(pre), and act·lin; one and the same when plain
}

// stream is the residual stream of some rows, x [rows,D].
type stream struct {
	rows *rowSet
	x    []float32
}

// forward computes the logits of the batch.
func (p *pass) forward() {
	s := p.stack(p.m.Config.Layers)
	if !p.stopped() {
		p.unembed(s)
	}
}

// stack computes the residual stream behind the first blocks.
func (p *pass) stack(blocks int) stream {
	s := p.embed()
	p.trace.blocks = make([]blockTrace, p.m.Config.Layers)
	keep := p.keep
	defer func() { p.keep = keep }()
	p.keep = keep && !p.recompute
	for l := range blocks {
		if p.stopped() {
			return s
		}
		if p.recompute {
			p.trace.blocks[l].before = stream{s.rows, p.clone(s.x)}
		}
		mark, t := p.mark(), &p.trace.blocks[l]
		if !p.keep {
			t = &blockTrace{}
		}
		s = p.block(l, s, t)
		if !p.keep {
			p.release(mark)
		}
	}
	return s
}

// embed looks up tokens and learned positions of all rows.
func (p *pass) embed() stream {
	cfg, s := &p.m.Config, p.stream(p.all)
	p.lookUp(s.x, &p.m.embed, func(r int) int { return p.in.IDs[p.place(s.rows, r)] })
	if cfg.EmbedScale != 0 {
		scale(s.x, float32(cfg.EmbedScale))
	}
	if cfg.EmbedNorm {
		p.norm(-1, EmbedLNScale, s.rows, s.x, &p.m.embedNorm, &p.trace.embed)
		copy(s.x, p.trace.embed.out)
	}
	p.visit(-1, Embed, s.rows, s.x)
	if cfg.Positions == Learned {
		pos := p.take(len(s.x)) // [R,D]
		p.lookUp(pos, &p.m.pos, func(r int) int { return p.position(s.rows, r) })
		p.visit(-1, PosEmbed, s.rows, pos)
		kernel.Add(s.x, pos)
	}
	return s
}

// block adds the two halves of block l to the residual stream, one behind the
// other or, in a parallel block, both read from the same stream:
//
//	x += post1(attn(ln1(x)));  x += post2(mlp(ln2(x)))
//	x += attn(ln1(x)) + mlp(ln2(x))
//
// A config has those of the norms that it asks for; without one its input
// passes as it is. Every value is shown to the hooks before the next is computed
// from it. The rows of s are those whose stream is new; enter, fresh, reach,
// middle, between and leave say which rows the following stages compute: the
// same ones in a plain run.
func (p *pass) block(l int, s stream, t *blockTrace) stream {
	cfg, w := &p.m.Config, &p.m.blocks[l]

	// Attention. Each head reads the normed stream, [R,D] -> [R,H,K].
	s = p.enter(l, s)
	p.visit(l, ResidPre, s.rows, s.x)
	s = p.fresh(l, ResidPre, s)
	t.in = s.rows
	t.inputs = p.headInputs(l, s)
	t.once = p.distinct(l, t.in)
	p.norm(l, LN1Scale, t.once, p.gather(t.once, t.in, s.x, cfg.Width), &w.ln1, &t.ln1)
	t.queries = p.queries(l, t)
	t.onceQ = p.distinct(l, t.queries)
	t.q = p.linear(p.gather(t.onceQ, t.once, t.ln1.out, cfg.Width), &w.q)
	t.k, t.v = p.linear(t.ln1.out, &w.k), p.linear(t.ln1.out, &w.v)
	p.project(t.inputs, t, w)
	p.visit(l, Q, t.onceQ, t.q)
	p.visit(l, K, t.once, t.k)
	p.visit(l, V, t.once, t.v)
	p.clip(t)
	if cfg.QKNorm != NoQKNorm {
		p.norm(l, QNormScale, t.onceQ, t.q, &w.qNorm, &t.heads[0])
		p.norm(l, KNormScale, t.once, t.k, &w.kNorm, &t.heads[1])
		t.q, t.k = t.heads[0].out, t.heads[1].out
	}
	if cfg.Positions == Rotary {
		p.rotate(l, t.onceQ, t.q, cfg.Heads, kernel.Rotary.Apply)
		p.rotate(l, t.once, t.k, cfg.KVHeads, kernel.Rotary.Apply)
		p.visit(l, RotQ, t.onceQ, t.q)
		p.visit(l, RotK, t.once, t.k)
	}
	t.q = p.gather(t.queries, t.onceQ, t.q, w.q.out)
	t.k, t.v = p.gather(t.in, t.once, t.k, w.k.out), p.gather(t.in, t.once, t.v, w.v.out)
	s = p.reach(l, s, t)
	p.attend(l, t) // scores, pattern [S,H,T,T]; z [R′,H,K]
	p.visit(l, Z, t.out, t.z)
	attn := p.linear(t.z, &w.o)
	p.results(l, attn, t, &w.o)
	if cfg.behind() {
		p.norm(l, LN1PostScale, t.out, attn, &w.ln1Post, &t.behind[0])
		attn = t.behind[0].out
	}
	s, attn = p.middle(l, s, attn)
	p.visit(l, AttnOut, s.rows, attn)
	if cfg.AttnOnly {
		kernel.Add(s.x, attn)
		p.visit(l, ResidPost, s.rows, s.x)
		return p.fresh(l, ResidPost, s)
	}
	s, read := p.between(l, s, attn) // x += attn

	// Feed-forward, [R″,D] -> [R″,F] -> [R″,D].
	t.out = read.rows
	in := read.x
	if p.hooked(Site{l, MLPIn}) {
		in = p.clone(in)
		p.visit(l, MLPIn, t.out, in)
	}
	p.norm(l, LN2Scale, t.out, in, &w.ln2, &t.ln2)
	if cfg.Gated {
		t.pre = p.linear(t.ln2.out, &w.gate)
		t.lin = p.linear(t.ln2.out, &w.in)
		p.visit(l, Pre, t.out, t.pre)
		p.visit(l, PreLinear, t.out, t.lin)
	} else {
		t.pre = p.linear(t.ln2.out, &w.in)
		p.visit(l, Pre, t.out, t.pre)
	}
	p.activate(t)
	p.visit(l, Post, t.out, t.post)
	mlp := p.linear(t.post, &w.out)
	if cfg.behind() {
		p.norm(l, LN2PostScale, t.out, mlp, &w.ln2Post, &t.behind[1])
		mlp = t.behind[1].out
	}
	s, mlp = p.leave(l, s, t.out, mlp)
	p.visit(l, MLPOut, s.rows, mlp)
	kernel.Add(s.x, mlp)
	p.visit(l, ResidPost, s.rows, s.x)
	return p.fresh(l, ResidPost, s)
}

// unembed reads the logits off the residual stream, [R,D] -> [R,V]: of the rows,
// and of the tokens, that are needed.
func (p *pass) unembed(s stream) {
	p.trace.last = s.rows
	s = p.ending(s)
	p.trace.out = s.rows
	p.norm(-1, FinalScale, s.rows, s.x, &p.m.final, &p.trace.final)
	head := p.unembedding()
	p.logits = make([]float32, s.rows.n()*head.out) // the caller keeps them
	p.linearInto(p.logits, p.trace.final.out, head)
	p.capLogits(p.logits)
	p.visit(-1, Logits, s.rows, p.logits)
}

// activate fills act and post of t from pre and lin, [R′,F].
func (p *pass) activate(t *blockTrace) {
	f, act := p.m.Config.MLPWidth, activations[p.m.Config.Activation]
	t.act = p.take(len(t.pre))
	t.post = t.act
	if t.lin != nil {
		t.post = p.take(len(t.pre))
	}
	perRow(t.out.n(), 4*f, func(lo, hi int) {
		lo, hi = lo*f, hi*f
		kernel.Activate(t.act[lo:hi], t.pre[lo:hi], act)
		if t.lin != nil {
			kernel.Mul(t.post[lo:hi], t.act[lo:hi], t.lin[lo:hi])
		}
	})
}
