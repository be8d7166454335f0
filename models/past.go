package models

import "orrery/models/tensor"

// past holds the keys and values of the tokens that a generation has computed,
// so that a step computes its new tokens only. They have the bits that a run of
// the whole sequence gives them.
type past struct {
	k, v  [][]float32        // [L] of [B,T,G,K]; places that are not there yet hold nothing
	edits map[Site][]*placed // applied to the new rows, before the hooks
}

// newPast makes room for a batch in a pass over m.
func (m *Model) newPast(in Batch, edits []*placed) *past {
	a := &past{edits: map[Site][]*placed{}}
	n := in.B * in.T * m.Config.KVHeads * m.Config.HeadWidth
	for range m.Config.Layers {
		a.k, a.v = append(a.k, make([]float32, n)), append(a.v, make([]float32, n))
	}
	for _, e := range edits {
		a.edits[e.site] = append(a.edits[e.site], e)
	}
	return a
}

// extend adds the keys and values of t's rows to those of block l and gives all
// of them: one stretch a sequence.
func (a *past) extend(p *pass, l int, t *blockTrace) [][]keyRun {
	width := p.m.Config.KVHeads * p.m.Config.HeadWidth
	for r := range t.in.n() {
		at := p.place(t.in, r) * width
		copy(a.k[l][at:at+width], t.k[r*width:])
		copy(a.v[l][at:at+width], t.v[r*width:])
	}
	n := p.in.T * width
	runs := make([][]keyRun, p.in.B)
	for b := range runs {
		runs[b] = []keyRun{{0, p.in.T, a.k[l][b*n : (b+1)*n], a.v[l][b*n : (b+1)*n]}}
	}
	return runs
}

// edit applies the edits at a site to the rows that are computed.
func (a *past) edit(p *pass, s Site, rows *rowSet, x []float32) {
	width := len(x) / max(rows.n(), 1)
	for _, e := range a.edits[s] {
		for r := range rows.n() {
			seq, pos := int(rows.seq[r]), int(rows.pos[r])
			switch {
			case !e.touches(seq, pos):
			case e.square:
				e.apply(x[(seq*e.shape[1]*p.in.T+pos)*p.in.T:], seq, pos)
			default:
				e.apply(x[r*width:(r+1)*width], seq, pos)
			}
		}
	}
}

// squares calls fn with the part of a square [B,H,T,T] that a step computes,
// [S,H,n,t]: its rows of new tokens, over all t places so far. What fn writes
// goes back into the square.
func (p *pass) squares(rows *rowSet, x []float32, fn func(view *tensor.Dense)) {
	T, H, seqs := p.in.T, p.m.Config.Heads, rows.present()
	n := rows.n() / len(seqs)
	so := int(rows.pos[rows.n()-1]) + 1
	view := tensor.New(len(seqs), H, n, so)
	each := func(move func(part, whole []float32)) {
		for i, seq := range seqs {
			lo, hi := rows.of(seq)
			for h := range H {
				for r := lo; r < hi; r++ {
					at := ((seq*H+h)*T + int(rows.pos[r])) * T
					move(view.Sub(i, h, r-lo).Data, x[at:at+so])
				}
			}
		}
	}
	each(func(part, whole []float32) { copy(part, whole) })
	fn(view)
	each(func(part, whole []float32) { copy(whole, part) })
}
