package models

import "orrery/models/internal/kernel"

// The functions here say which rows each stage of a block computes. In a plain
// run these are all rows, and in the last block those that are needed; in a
// re-run, those that can differ from the base.

// enter gives the rows whose stream is new where block l begins.
func (p *pass) enter(l int, s stream) stream {
	if p.sweep != nil {
		return p.sweep.enter(p, l, s)
	}
	return s
}

// queries gives the rows of t.in whose query is wanted.
func (p *pass) queries(l int, t *blockTrace) *rowSet {
	if p.sweep != nil {
		return p.sweep.queries(p, l, t)
	}
	if p.tail != nil && l == p.m.Config.Layers-1 && t.inputs == nil {
		return both(t.in, p.tail)
	}
	return t.in
}

// reach sets t.out to the rows whose attention is computed, brings the queries
// into their order, finds the keys, and returns their stream.
func (p *pass) reach(l int, s stream, t *blockTrace) stream {
	switch {
	case p.sweep != nil:
		return p.sweep.reach(p, l, s, t)
	case p.past != nil:
		t.keys = p.past.extend(p, l, t)
	default:
		t.keys = p.ownKeys(t)
	}
	t.out = t.queries
	return p.move(t.out, s)
}

// middle gives the rows whose stream is new behind the attention, with their
// attention outputs; attn is [t.out,D].
func (p *pass) middle(l int, s stream, attn []float32) (stream, []float32) {
	if p.sweep != nil {
		return p.sweep.middle(p, l, s, attn)
	}
	return s, attn
}

// between adds the attention to the stream, and gives the rows with which there
// is more to do and what the feed-forward reads: the new stream, or in a parallel
// block the one before, of the rows where it is new.
func (p *pass) between(l int, s stream, attn []float32) (behind, read stream) {
	if !p.m.Config.Parallel {
		kernel.Add(s.x, attn)
		p.visit(l, ResidMid, s.rows, s.x)
		s = p.fresh(l, ResidMid, s)
		return s, s
	}
	read = stream{s.rows, p.clone(s.x)}
	kernel.Add(s.x, attn)
	if p.sweep != nil {
		return p.sweep.between(p, l, s, read)
	}
	return s, read
}

// fresh gives the rows of the stream at a site, ResidPre, ResidMid or ResidPost,
// with which there is more to do.
func (p *pass) fresh(l int, kind Kind, s stream) stream {
	if p.sweep != nil {
		return p.sweep.fresh(p, l, kind, s)
	}
	return s
}

// leave gives the rows whose stream is new behind the block, with their
// feed-forward outputs; mlp is [rows,D].
func (p *pass) leave(l int, s stream, rows *rowSet, mlp []float32) (stream, []float32) {
	if p.sweep != nil {
		return p.sweep.leave(p, l, s, rows, mlp)
	}
	return s, mlp
}

// ending gives the rows that are unembedded.
func (p *pass) ending(s stream) stream {
	if p.sweep != nil {
		return p.sweep.ending(p, s)
	}
	return p.move(both(s.rows, p.need), s)
}

// stream is a stream of rows of any content: one of two buffers in turn, since
// no stage needs more than the stream before it.
func (p *pass) stream(rows *rowSet) stream {
	p.turn = 1 - p.turn
	n := rows.n() * p.m.Config.Width
	if cap(p.streams[p.turn]) < n {
		p.streams[p.turn] = make([]float32, n)
	}
	return stream{rows, p.streams[p.turn][:n]}
}

// move brings a stream to other rows: itself when they are the same.
func (p *pass) move(to *rowSet, s stream) stream {
	if to == s.rows {
		return s
	}
	d := p.m.Config.Width
	y := p.stream(to)
	for r := range to.n() {
		if at := s.rows.find(int(to.seq[r]), int(to.pos[r])); at >= 0 {
			copy(y.x[r*d:(r+1)*d], s.x[at*d:(at+1)*d])
		}
	}
	return y
}

// keyRun is a stretch of neighbouring places of a sequence, lo ≤ place < hi,
// whose keys and values [hi-lo,G,K] stand in memory one after the other.
type keyRun struct {
	lo, hi int
	k, v   []float32
}

// ownKeys are the keys and values of t where every place of every sequence is
// a row of t.in, or of one that begins alike: one stretch a sequence.
func (p *pass) ownKeys(t *blockTrace) [][]keyRun {
	if p.shared != nil {
		return p.shared.keys(p, t)
	}
	width := p.m.Config.KVHeads * p.m.Config.HeadWidth
	out := make([][]keyRun, t.in.sequences())
	for s := range out {
		lo, hi := t.in.of(s)
		out[s] = []keyRun{{0, hi - lo, t.k[lo*width : hi*width], t.v[lo*width : hi*width]}}
	}
	return out
}
