package models

import (
	"fmt"
	"math"

	"orrery/models/tensor"
)

// sweep carries a chunk of variants through the model. Its sequences are
// states: variants of one row whose edits up to here are the same share one.
// The rows of a pass are the places at which a state's stream differs from the
// base's by a bit, or may; everything else is read from the base.
type sweep struct {
	base    *Base
	plans   []*plan
	need    *wanted
	columns *linearWeights // the unembedding of the needed tokens; nil for all
	states  []state
	stage   int // of the edits in force: -1, a layer, or L

	kv       *rowSet // of the present block: the places whose keys or values differ
	recorded *rowSet // places whose present value is the base's, its edits included
	forward  int64   // rows whose feed-forward was computed, summed over layers
}

// state is one or more variants that are the same so far.
type state struct {
	row      int
	variants []*plan
	parent   int // the state of the stage before it, -1 for the base
	full     bool
	own, all []*placed // edits of the present stage: the variants', and the base's before them
}

// fork splits the states by their edits of a stage, and adds the variants that
// begin there.
func (w *sweep) fork(stage int) {
	w.stage = stage
	var next []state
	index := map[string]int{}
	add := func(parent int, v *plan) {
		k := fmt.Sprint(parent, ",", v.row, ",", v.keys[stage])
		i, ok := index[k]
		if !ok {
			i = len(next)
			index[k] = i
			next = append(next, state{
				row: v.row, parent: parent, full: v.full <= stage, own: v.stages[stage],
				all: append(w.ofRow(w.base.now[stage], v.row), v.stages[stage]...),
			})
		}
		next[i].variants = append(next[i].variants, v)
	}
	for i := range w.states {
		for _, v := range w.states[i].variants {
			add(i, v)
		}
	}
	for _, v := range w.plans {
		if v.first == stage {
			add(-1, v)
		}
	}
	w.states = next
}

// ofRow are those base edits that are about a row of the batch.
func (w *sweep) ofRow(edits []*placed, row int) (out []*placed) {
	for _, e := range edits {
		if e.rowAt[row] >= 0 {
			out = append(out, e)
		}
	}
	return out
}

// hooked reports whether an edit or a hook of any state is about s.
func (w *sweep) hooked(s Site) bool {
	for i := range w.states {
		for _, e := range w.states[i].all {
			if e.site == s {
				return true
			}
		}
		if w.states[i].full {
			for _, h := range w.states[i].variants[0].hooks {
				if h.Sites(s) {
					return true
				}
			}
		}
	}
	return false
}

// visit applies edits to the rows of each state, the base's first, and then
// calls its hooks.
func (w *sweep) visit(p *pass, s Site, rows *rowSet, x []float32) {
	if p.stopped() {
		return
	}
	square := s.Kind.square()
	width := 0
	if rows.n() > 0 {
		width = len(x) / rows.n()
	}
	for seq := range w.states {
		st := &w.states[seq]
		for i, e := range st.all {
			if e.site != s {
				continue
			}
			row := 0 // variants are runs of one row
			if i < len(st.all)-len(st.own) {
				row = st.row
			}
			for _, pos := range e.places {
				r := rows.find(seq, pos)
				if r < 0 || i < len(st.all)-len(st.own) && w.recorded != nil && w.recorded.has(seq, pos) {
					continue
				}
				if square {
					e.apply(x[(seq*e.shape[1]*rows.T+pos)*rows.T:], row, pos)
				} else {
					e.apply(x[r*width:(r+1)*width], row, pos)
				}
			}
		}
		if st.full {
			w.call(p, s, st.variants[0], w.view(p, s, rows, x, seq))
		}
	}
	w.recorded = nil
}

// call hands a variant's own value to its hooks.
func (w *sweep) call(p *pass, s Site, v *plan, x *tensor.Dense) {
	for _, h := range v.hooks {
		if !h.Sites(s) || p.stopped() {
			continue
		}
		if err := h.Fn(s, x); err != nil {
			p.err = fmt.Errorf("variant %d: hook at %s: %w", v.index, s, err)
		}
	}
}

// view is the value of one state, all of whose places are rows, as a run of one
// row has it.
func (w *sweep) view(p *pass, s Site, rows *rowSet, x []float32, seq int) *tensor.Dense {
	shape := p.m.Shape(s, 1, rows.T)
	n := 1
	for _, d := range shape {
		n *= d
	}
	at := seq * n
	if !s.Kind.square() {
		lo, _ := rows.of(seq)
		at = lo * (n / rows.T)
	}
	return tensor.From(x[at:at+n], shape...)
}

// enter splits the states at block l and adds the places where an edit begins
// before the attention, with the base's stream.
func (w *sweep) enter(p *pass, l int, s stream) stream {
	w.fork(l)
	rows := newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		st := &w.states[seq]
		return st.full || st.parent >= 0 && s.rows.has(st.parent, pos) || at(st.own, 0, pos, startsIn)
	})
	w.recorded = newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		parent := w.states[seq].parent
		return rows.has(seq, pos) && (parent < 0 || !s.rows.has(parent, pos))
	})
	return w.inherit(p, rows, s, w.base.entering(l))
}

// inherit brings a stream from the states before a fork to those behind it; the
// base has the rows that it lacks.
func (w *sweep) inherit(p *pass, to *rowSet, s stream, base []float32) stream {
	d := p.m.Config.Width
	y := p.stream(to)
	for r := range to.n() {
		from := base[p.place(to, r)*d:][:d]
		if parent := w.states[to.seq[r]].parent; parent >= 0 {
			if at := s.rows.find(parent, int(to.pos[r])); at >= 0 {
				from = s.x[at*d : (at+1)*d]
			}
		}
		copy(y.x[r*d:(r+1)*d], from)
	}
	return y
}

// changed drops the places whose stream has the base's bits and where no edit
// of a later kind begins, and adds those where one does.
func (w *sweep) changed(p *pass, l int, s stream, base []float32, starts func(Kind) bool) stream {
	d := p.m.Config.Width
	rows := newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		st := &w.states[seq]
		if st.full || at(st.own, 0, pos, starts) && (!w.last(l) || w.needed(seq, pos) || starts(K)) {
			return true
		}
		r := s.rows.find(seq, pos)
		return r >= 0 && !equalBits(s.x[r*d:(r+1)*d], base[p.place(s.rows, r)*d:][:d])
	})
	return w.move(p, rows, s, base)
}

// fresh drops the places at which there is no more to do in block l, or behind
// it, and adds those at which an edit begins.
func (w *sweep) fresh(p *pass, l int, kind Kind, s stream) stream {
	switch kind {
	case ResidPre:
		return w.changed(p, l, s, w.base.entering(l), startsHeads)
	case ResidMid:
		return w.changed(p, l, s, w.base.values(l, ResidMid), startsForward)
	}
	return w.changed(p, l, s, w.base.entering(l+1), nothing)
}

// ending adds the places at which an edit begins behind the last block, and
// drops those that nobody needs.
func (w *sweep) ending(p *pass, s stream) stream {
	l := p.m.Config.Layers
	rows := s.rows
	w.fork(l)
	to := newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
		st := &w.states[seq]
		return w.needed(seq, pos) && (st.full || st.parent >= 0 && rows.has(st.parent, pos) || at(st.own, 0, pos, startsEnding))
	})
	if w.need.tokens != nil && !w.hooked(Site{-1, Logits}) {
		p.columns = w.columns
	}
	return w.inherit(p, to, s, w.base.entering(l))
}

// move brings a stream to other rows; the base has those that it lacks.
func (w *sweep) move(p *pass, to *rowSet, s stream, base []float32) stream {
	if same(to, s.rows) {
		return s
	}
	y := p.move(to, s)
	w.fill(p, to, s.rows, y.x, base, p.m.Config.Width)
	return y
}

// fill copies the base's values [B·T,width] to the rows of x that from lacks.
func (w *sweep) fill(p *pass, to, from *rowSet, x, base []float32, width int) {
	for r := range to.n() {
		if !from.has(int(to.seq[r]), int(to.pos[r])) {
			copy(x[r*width:(r+1)*width], base[p.place(to, r)*width:][:width])
		}
	}
}

// filled lists the places that to has and from lacks.
func (w *sweep) filled(p *pass, to, from *rowSet) *rowSet {
	return newRowSet(len(w.states), p.in.T, func(seq, pos int) bool { return to.has(seq, pos) && !from.has(seq, pos) })
}

// same reports whether two sets over the same sequences have the same rows.
func same(a, b *rowSet) bool {
	if a == b {
		return true
	}
	if a.n() != b.n() || len(a.at) != len(b.at) {
		return false
	}
	for i, r := range a.at {
		if (r < 0) != (b.at[i] < 0) {
			return false
		}
	}
	return true
}

// needed reports whether somebody reads what the last block makes of a place.
func (w *sweep) needed(seq, pos int) bool {
	if w.states[seq].full {
		return true
	}
	for _, at := range w.need.places[w.states[seq].row] {
		if at == pos {
			return true
		}
	}
	return false
}

// sameRow reports whether the rows r of x and at of y, both of width n, have the
// same bits.
func sameRow(x []float32, r int, y []float32, at, n int) bool {
	for i, v := range x[r*n : (r+1)*n] {
		if math.Float32bits(v) != math.Float32bits(y[at*n+i]) {
			return false
		}
	}
	return true
}
