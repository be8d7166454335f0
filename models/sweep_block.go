package models

// last reports whether block l is the last one, of which only needed places are
// computed.
func (w *sweep) last(l int) bool { return l == w.base.m.Config.Layers-1 }

// queries are the rows of t.in whose attention somebody may need.
func (w *sweep) queries(p *pass, l int, t *blockTrace) *rowSet {
	if !w.last(l) || t.inputs != nil {
		return t.in
	}
	return both(t.in, newRowSet(len(w.states), p.in.T, w.needed))
}

// reach finds the places whose attention can differ from the base's: those whose
// stream or query does, those that see a key or a value that does, and those
// where an edit begins. It brings streams and queries there and lays out where
// each state's keys and values stand.
func (w *sweep) reach(p *pass, l int, s stream, t *blockTrace) stream {
	b, cfg := w.base, &p.m.Config
	d, qw, kw := cfg.Width, cfg.Heads*cfg.HeadWidth, cfg.KVHeads*cfg.HeadWidth
	stream0, q0, k0, v0 := b.entering(l), b.values(l, p.m.queryKind()), b.values(l, p.m.keyKind()), b.values(l, V)
	w.kv = newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		r := t.in.find(seq, pos)
		if r < 0 {
			return false
		}
		at := p.place(t.in, r)
		return !sameRow(t.k, r, k0, at, kw) || !sameRow(t.v, r, v0, at, kw)
	})
	own := func(seq, pos int) bool { // the stream or the query differs
		r := t.in.find(seq, pos)
		if r < 0 {
			return false
		}
		at := p.place(t.in, r)
		if !sameRow(s.x, r, stream0, at, d) {
			return true
		}
		q := t.queries.find(seq, pos)
		return q >= 0 && !sameRow(t.q, q, q0, at, qw)
	}
	t.out = newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		st := &w.states[seq]
		switch {
		case st.full:
			return true
		case w.last(l) && !w.needed(seq, pos):
			return false
		case own(seq, pos), at(st.own, 0, pos, startsAttention):
			return true
		case !w.sees(p, l, seq, pos):
			return false
		}
		// What it sees may have changed, but an edit overwrites all that follows from it.
		return !w.overwritten(st, pos)
	})
	t.keys = w.keys(p, t, k0, v0)
	if t.out != t.queries {
		q := p.gather(t.out, t.queries, t.q, qw)
		w.fill(p, t.out, t.queries, q, q0, qw)
		t.q = q
	}
	return w.move(p, t.out, s, stream0)
}

// sees reports whether the query at a place may see a key or value that differs.
func (w *sweep) sees(p *pass, l, seq, pos int) bool {
	first, end := w.kv.of(seq)
	if first == end {
		return false
	}
	st := &w.states[seq]
	for i, e := range st.all { // an edited score may show what the mask hides
		row := 0
		if i < len(st.all)-len(st.own) {
			row = st.row
		}
		if e.square && e.touches(row, pos) {
			return true
		}
	}
	lo, hi := p.visible(l, seq, pos)
	for r := first; r < end; r++ {
		if at := int(w.kv.pos[r]); at >= lo && at < hi {
			return true
		}
	}
	return false
}

// overwritten reports whether an edit of the state sets the whole attention
// output of a place.
func (w *sweep) overwritten(st *state, pos int) bool {
	for _, e := range st.own {
		if e.site.Kind == AttnOut && e.edit.Op == Set && e.edit.Neurons == nil && e.touches(0, pos) {
			return true
		}
	}
	return false
}

// keys lays out each state's keys and values: its own where they differ, the
// base's elsewhere.
func (w *sweep) keys(p *pass, t *blockTrace, k0, v0 []float32) [][]keyRun {
	T, width := p.in.T, p.m.Config.KVHeads*p.m.Config.HeadWidth
	out := make([][]keyRun, len(w.states))
	for seq := range out {
		for lo := 0; lo < T; {
			own, hi := w.kv.has(seq, lo), lo+1
			for hi < T && w.kv.has(seq, hi) == own {
				hi++
			}
			k, v, at := k0, v0, w.states[seq].row*T+lo
			if own {
				k, v, at = t.k, t.v, t.in.find(seq, lo)
			}
			end := at + hi - lo
			out[seq] = append(out[seq], keyRun{lo, hi, k[at*width : end*width], v[at*width : end*width]})
			lo = hi
		}
	}
	return out
}

// middle adds the places where an edit begins behind the attention.
func (w *sweep) middle(p *pass, l int, s stream, attn []float32) (stream, []float32) {
	starts := startsMiddle
	if p.m.Config.AttnOnly { // the block ends here
		starts = func(k Kind) bool { return startsMiddle(k) || startsEnd(k) }
		w.forward += int64(s.rows.n())
	}
	rows := w.with(p, l, s.rows, starts)
	if rows == s.rows {
		return s, attn
	}
	y := p.gather(rows, s.rows, attn, p.m.Config.Width)
	w.fill(p, rows, s.rows, y, w.base.values(l, AttnOut), p.m.Config.Width)
	w.recorded = w.filled(p, rows, s.rows)
	return w.move(p, rows, s, w.base.entering(l)), y
}

// between drops the places of a parallel block at which neither the stream
// before the attention, read, nor the one behind it differs from the base's, and
// adds those where an edit begins in the feed-forward. Where the attention alone
// has changed, the feed-forward is the base's.
func (w *sweep) between(p *pass, l int, s, read stream) (behind, fresh stream) {
	d, base, baseBehind := p.m.Config.Width, w.base.entering(l), w.base.values(l, ResidMid)
	differs := func(s stream, base []float32, seq, pos int) bool {
		r := s.rows.find(seq, pos)
		return r >= 0 && !sameRow(s.x, r, base, p.place(s.rows, r), d)
	}
	forward := newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		st := &w.states[seq]
		return st.full || at(st.own, 0, pos, startsForward) && (!w.last(l) || w.needed(seq, pos)) || differs(read, base, seq, pos)
	})
	rows := newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		return forward.has(seq, pos) || differs(s, baseBehind, seq, pos)
	})
	if same(forward, read.rows) {
		forward = read.rows
	}
	y := p.gather(forward, read.rows, read.x, d)
	w.fill(p, forward, read.rows, y, base, d)
	s = w.move(p, rows, s, baseBehind)
	if same(forward, s.rows) {
		forward = s.rows
	}
	return s, stream{forward, y}
}

// leave adds the places where an edit begins behind the feed-forward, of which
// outputs mlp [done,D] are there, and the base's for those that it passed over.
func (w *sweep) leave(p *pass, l int, s stream, done *rowSet, mlp []float32) (stream, []float32) {
	w.forward += int64(done.n())
	rows := w.with(p, l, s.rows, startsEnd)
	if rows == done {
		return s, mlp
	}
	y := p.gather(rows, done, mlp, p.m.Config.Width)
	w.fill(p, rows, done, y, w.base.values(l, MLPOut), p.m.Config.Width)
	w.recorded = w.filled(p, rows, done)
	return w.move(p, rows, s, w.base.values(l, ResidMid)), y
}

// with adds the places at which an edit of some kinds begins.
func (w *sweep) with(p *pass, l int, rows *rowSet, starts func(Kind) bool) *rowSet {
	any := false
	for i := range w.states {
		for _, e := range w.states[i].own {
			any = any || starts(e.site.Kind)
		}
	}
	if !any {
		return rows
	}
	more := newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		return rows.has(seq, pos) || at(w.states[seq].own, 0, pos, starts) && (!w.last(l) || w.needed(seq, pos))
	})
	if same(more, rows) {
		return rows
	}
	return more
}
