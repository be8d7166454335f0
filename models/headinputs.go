package models

import (
	"orrery/models/internal/kernel"
)

// headInputs is what the heads of one block read when hooks select their own
// copies of the residual stream: hook_attn_in, hook_q_input, hook_k_input and
// hook_v_input. All heads read the same stream otherwise, so only what a hook
// changed is computed again, head by head; the rest keeps its bits. Such a head
// norms its row by the row's own statistics, and ln1's hooks do not see it.
type headInputs struct {
	q, k, v *roleInputs
}

// roleInputs belongs to the queries, the keys or the values.
type roleInputs struct {
	kind  Kind // QInput, KInput or VInput
	heads int
	x     []float32     // [R,heads,D]; nil when nobody asked
	own   []headOverlay // [heads]
}

// headOverlay holds one head's changed rows.
type headOverlay struct {
	rows  []int     // of R, ascending
	trace normTrace // of these rows
}

// headInputs shows the copies of x [R,D] to the hooks and finds what they
// changed. It returns nil when no hook selects any.
func (p *pass) headInputs(l int, s stream) *headInputs {
	cfg := &p.m.Config
	asked := false
	for k := AttnIn; k <= VInput; k++ {
		asked = asked || p.hooked(Site{l, k})
	}
	if !asked {
		return nil
	}
	var attn []float32 // [R,H,D]
	if p.hooked(Site{l, AttnIn}) {
		attn = p.repeat(s.x, cfg.Heads)
		p.visit(l, AttnIn, s.rows, attn)
	}
	in := &headInputs{
		q: &roleInputs{kind: QInput, heads: cfg.Heads},
		k: &roleInputs{kind: KInput, heads: cfg.KVHeads},
		v: &roleInputs{kind: VInput, heads: cfg.KVHeads},
	}
	for _, role := range []*roleInputs{in.q, in.k, in.v} {
		p.roleInput(l, role, s, attn)
	}
	return in
}

// repeat copies each row of x [R,D] for each head, [R,heads,D].
func (p *pass) repeat(x []float32, heads int) []float32 {
	d := p.m.Config.Width
	y := p.take(len(x) * heads)
	for i := range len(y) / d {
		copy(y[i*d:(i+1)*d], x[i/heads*d:])
	}
	return y
}

// roleInput fills role from the stream x [R,D], or from attn [R,H,D] when
// there is one. A key-value head reads the copy of the first query head of its
// group.
func (p *pass) roleInput(l int, role *roleInputs, s stream, attn []float32) {
	d, asked := p.m.Config.Width, p.hooked(Site{l, role.kind})
	role.own = make([]headOverlay, role.heads)
	if !asked && attn == nil {
		return
	}
	role.x = p.repeat(s.x, role.heads)
	if attn != nil {
		every := p.m.Config.Heads / role.heads
		for i := range s.rows.n() * role.heads {
			copy(role.x[i*d:(i+1)*d], attn[i*every*d:])
		}
	}
	p.visit(l, role.kind, s.rows, role.x)
	for i := range s.rows.n() * role.heads {
		row := i / role.heads
		if !equalBits(role.x[i*d:(i+1)*d], s.x[row*d:(row+1)*d]) {
			own := &role.own[i%role.heads]
			own.rows = append(own.rows, row)
		}
	}
}

// project computes q, k and v of t again for the heads and rows that read an
// input of their own.
func (p *pass) project(in *headInputs, t *blockTrace, w *blockWeights) {
	if in == nil {
		return
	}
	p.projectRole(in.q, t.q, &w.q, &w.ln1)
	p.projectRole(in.k, t.k, &w.k, &w.ln1)
	p.projectRole(in.v, t.v, &w.v, &w.ln1)
}

func (p *pass) projectRole(role *roleInputs, y []float32, w *linearWeights, ln *normWeights) {
	d, k := p.m.Config.Width, p.m.Config.HeadWidth
	for head := range role.own {
		own := &role.own[head]
		n := len(own.rows)
		if n == 0 || p.stopped() {
			continue
		}
		x := p.take(n * d)
		for j, row := range own.rows {
			copy(x[j*d:(j+1)*d], role.x[(row*role.heads+head)*d:])
		}
		t := normTrace{out: x}
		if ln.d > 0 {
			t.scale, t.norm = p.take(n), p.take(n*d)
			t.rawScale, t.rawNorm = t.scale, t.norm
			p.normalise(t.norm, t.scale, x)
			t.out = p.affine(t.norm, ln)
		}
		own.trace = t
		packed := p.matrix(w)
		if packed == nil {
			return
		}
		part := p.take(n * k)
		packed.Part(head*k, (head+1)*k, 0, d).MatMul(part, k, t.out, d, n, false)
		if w.bias != nil {
			kernel.AddBias(part, w.bias[head*k:(head+1)*k], n, k)
		}
		for j, row := range own.rows {
			copy(y[(row*role.heads+head)*k:], part[j*k:(j+1)*k])
		}
	}
}

// split reports whether the backward pass must treat each head's input on its
// own: a hook edits one, or its gradient is wanted.
func (g *backward) split(l int) bool {
	for k := AttnIn; k <= VInput; k++ {
		if g.wanted(Site{l, k}) || g.hooked(Site{l, k}) {
			return true
		}
	}
	return false
}

// splitBackward takes dq, dk and dv [R,heads,K] back through the projections
// and ln1, head by head, and adds to the gradient of the stream dx [R,D].
func (g *backward) splitBackward(l int, t *blockTrace, dq, dk, dv, dx []float32) {
	cfg, w := &g.m.Config, &g.m.blocks[l]
	in := t.inputs
	if in == nil { // nobody changed anything
		in = &headInputs{
			q: &roleInputs{kind: QInput, heads: cfg.Heads, own: make([]headOverlay, cfg.Heads)},
			k: &roleInputs{kind: KInput, heads: cfg.KVHeads, own: make([]headOverlay, cfg.KVHeads)},
			v: &roleInputs{kind: VInput, heads: cfg.KVHeads, own: make([]headOverlay, cfg.KVHeads)},
		}
	}
	b := g.block(l)
	for k := LN1Scale; k <= LN1Out; k++ {
		if g.source[Site{l, k}] != nil { // the norm of the stream itself, of which the heads read copies
			g.normBackward(l, LN1Scale, t.in, &w.ln1, &t.ln1, g.zeros(len(dx)), dx, b.LN1)
			break
		}
	}
	dqin := g.roleBackward(l, in.q, t, dq, &w.q, b.Q)
	dkin := g.roleBackward(l, in.k, t, dk, &w.k, b.K)
	dvin := g.roleBackward(l, in.v, t, dv, &w.v, b.V)

	d, H, G := cfg.Width, cfg.Heads, cfg.KVHeads
	if attn := (Site{l, AttnIn}); g.wanted(attn) || g.hooked(attn) {
		for i := range t.in.n() * G { // [R,G,D] onto the first head of each group
			first := dqin[i*(H/G)*d : i*(H/G)*d+d]
			kernel.Add(first, dkin[i*d:(i+1)*d])
			kernel.Add(first, dvin[i*d:(i+1)*d])
		}
		g.visitBack(l, AttnIn, t.in, dqin)
		g.sumHeads(dx, dqin, H)
		return
	}
	g.sumHeads(dx, dqin, H)
	g.sumHeads(dx, dkin, G)
	g.sumHeads(dx, dvin, G)
}

// sumHeads adds dy [R,heads,D] over its heads to dx [R,D].
func (g *backward) sumHeads(dx, dy []float32, heads int) {
	d := g.m.Config.Width
	for i := range len(dy) / d {
		row := i / heads
		kernel.Add(dx[row*d:(row+1)*d], dy[i*d:(i+1)*d])
	}
}

// roleBackward returns the gradient of one role's inputs, [R,heads,D].
func (g *backward) roleBackward(l int, role *roleInputs, t *blockTrace, dy []float32, w *linearWeights, grad LinearParams) []float32 {
	d, k, rows := g.m.Config.Width, g.m.Config.HeadWidth, t.in.n()
	dinput := g.take(rows * role.heads * d)
	if grad.Bias != nil {
		kernel.BiasBackward(grad.Bias.Data, dy, rows, w.out)
	}
	packed := g.matrix(w)
	if packed == nil {
		return dinput
	}
	for head := range role.own {
		mark := g.mark()
		own := &role.own[head]
		part := g.take(rows * k)
		for r := range rows {
			copy(part[r*k:(r+1)*k], dy[(r*role.heads+head)*k:])
		}
		dout := g.take(rows * d) // behind ln1
		packed.Part(head*k, (head+1)*k, 0, d).MatMulNN(dout, d, part, k, rows, false)
		if grad.Weight != nil {
			out := t.ln1.out
			if len(own.rows) > 0 {
				out = g.clone(out)
				for j, row := range own.rows {
					copy(out[row*d:(row+1)*d], own.trace.out[j*d:(j+1)*d])
				}
			}
			kernel.MatMulTN(grad.Weight.Data[head*k*d:(head+1)*k*d], part, out, k, rows, d, true)
		}
		dx := g.zeros(rows * d)
		g.overlayBackward(l, own, dout, dx)
		g.normBackward(l, LN1Scale, t.in, &g.m.blocks[l].ln1, &t.ln1, dout, dx, g.block(l).LN1)
		for r := range rows {
			copy(dinput[(r*role.heads+head)*d:], dx[r*d:(r+1)*d])
		}
		g.release(mark)
	}
	g.visitBack(l, role.kind, t.in, dinput)
	return dinput
}

// overlayBackward moves the rows of one head's own inputs from dout to dx
// [R,D] through their own norm, and leaves 0 in dout for the shared one.
func (g *backward) overlayBackward(l int, own *headOverlay, dout, dx []float32) {
	d, n := g.m.Config.Width, len(own.rows)
	if n == 0 {
		return
	}
	part, back := g.take(n*d), g.zeros(n*d)
	for j, row := range own.rows {
		copy(part[j*d:(j+1)*d], dout[row*d:(row+1)*d])
		clear(dout[row*d : (row+1)*d])
	}
	g.plainNormBackward(&g.m.blocks[l].ln1, &own.trace, part, back, g.block(l).LN1)
	for j, row := range own.rows {
		copy(dx[row*d:(row+1)*d], back[j*d:(j+1)*d])
	}
}
