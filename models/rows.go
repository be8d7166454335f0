package models

// rowSet lists the rows that a stage of a pass computes. A row is one token: a
// place of one of the pass's sequences. Sequences are the rows of the batch in
// a plain run and the variants of a chunk in a re-run. Rows are in order of
// sequence and place, so that those of a sequence lie together.
type rowSet struct {
	T     int     // places of a sequence, padding included
	seq   []int32 // [R] the sequence of each row
	pos   []int32 // [R] and its place, 0..T-1
	at    []int32 // [S·T] the row at each place, -1 where there is none
	first []int32 // [S+1] rows first[s]..first[s+1]-1 belong to sequence s
}

// newRowSet lists the rows of s sequences of t places for which has reports
// true; nil has means all.
func newRowSet(s, t int, has func(seq, pos int) bool) *rowSet {
	r := &rowSet{T: t, at: make([]int32, s*t), first: make([]int32, s+1)}
	if has == nil {
		r.seq, r.pos = make([]int32, 0, s*t), make([]int32, 0, s*t)
	}
	for seq := range s {
		for pos := range t {
			if has != nil && !has(seq, pos) {
				r.at[seq*t+pos] = -1
				continue
			}
			r.at[seq*t+pos] = int32(len(r.seq))
			r.seq, r.pos = append(r.seq, int32(seq)), append(r.pos, int32(pos))
		}
		r.first[seq+1] = int32(len(r.seq))
	}
	return r
}

// n is the number of rows.
func (r *rowSet) n() int { return len(r.seq) }

// sequences is the number of sequences.
func (r *rowSet) sequences() int { return len(r.first) - 1 }

// find is the row at a place, -1 when there is none.
func (r *rowSet) find(seq, pos int) int { return int(r.at[seq*r.T+pos]) }

// has reports whether the set has a row at the place.
func (r *rowSet) has(seq, pos int) bool { return r.at[seq*r.T+pos] >= 0 }

// of gives the rows of a sequence, lo ≤ row < hi.
func (r *rowSet) of(seq int) (lo, hi int) { return int(r.first[seq]), int(r.first[seq+1]) }

// present lists the sequences that have rows.
func (r *rowSet) present() (seqs []int) {
	for s := range r.sequences() {
		if lo, hi := r.of(s); hi > lo {
			seqs = append(seqs, s)
		}
	}
	return seqs
}

// both lists the rows that a and b have in common: a itself when b has all.
func both(a, b *rowSet) *rowSet {
	if a == b {
		return a
	}
	c := newRowSet(a.sequences(), a.T, func(seq, pos int) bool { return a.has(seq, pos) && b.has(seq, pos) })
	switch c.n() {
	case a.n():
		return a
	case b.n():
		return b
	}
	return c
}

// gather brings the rows [from,width] of x into the order of to: x itself when
// the sets are one. Rows that from lacks are the caller's to fill.
func (p *pass) gather(to, from *rowSet, x []float32, width int) []float32 {
	if to == from {
		return x
	}
	y := p.take(to.n() * width)
	for r := range to.n() {
		if at := from.find(int(to.seq[r]), int(to.pos[r])); at >= 0 {
			copy(y[r*width:(r+1)*width], x[at*width:(at+1)*width])
		}
	}
	return y
}

// scatter is the transpose of gather: y [from,width] with the rows of x
// [to,width] at their places and 0 elsewhere. It is x itself when the sets are
// one.
func (p *pass) scatter(from, to *rowSet, x []float32, width int) []float32 {
	if to == from {
		return x
	}
	y := p.zeros(from.n() * width)
	for r := range to.n() {
		if at := from.find(int(to.seq[r]), int(to.pos[r])); at >= 0 {
			copy(y[at*width:(at+1)*width], x[r*width:(r+1)*width])
		}
	}
	return y
}
