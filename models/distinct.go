package models

import "orrery/models/internal/kernel"

// Before the first block's attention a row knows nothing but its token and its
// position. Rows that have both in common are computed once there: in sets of
// short prompts, such as sums of two numbers, that is most of a one-layer
// model's norms, queries, keys and values.

// distinct gives one row for each token and position among rows, whose place
// stands for all that are like it; rows itself behind the first block, where a
// hook or a gradient looks at single rows, and where there are few alike.
func (p *pass) distinct(l int, rows *rowSet) *rowSet {
	if l > 0 || p.sweep != nil || p.past != nil || p.looksBeforeAttention() {
		return rows
	}
	type like struct {
		id, position int
		regime       [2]int // of the row's rotary angles, global and local
	}
	first := make(map[like]int32)
	once := &rowSet{T: rows.T, at: make([]int32, len(rows.at))}
	for i := range once.at {
		once.at[i] = -1
	}
	for r := range rows.n() {
		place := p.place(rows, r)
		key := like{id: p.in.IDs[place], position: p.position(rows, r)}
		for i, of := range p.angles {
			if of != nil {
				key.regime[i] = of[place/p.in.T].regime
			}
		}
		at, ok := first[key]
		if !ok {
			at = int32(len(once.seq))
			first[key] = at
			once.seq, once.pos = append(once.seq, rows.seq[r]), append(once.pos, rows.pos[r])
		}
		once.at[place] = at
	}
	if 10*once.n() > 9*rows.n() {
		return rows
	}
	return once
}

// looksBeforeAttention reports whether a hook, or a gradient that is wanted, is
// about values of single rows before the first block's attention.
func (p *pass) looksBeforeAttention() bool {
	for k := EmbedLNScale; k <= PosEmbed; k++ {
		if p.looks(Site{-1, k}) {
			return true
		}
	}
	for k := ResidPre; k <= RotK; k++ {
		if p.looks(Site{0, k}) {
			return true
		}
	}
	return false
}

// alike is the transpose of gathering from once: the sum, for each of its rows,
// of the rows of x [rows,width] that are like it, in their order.
func (p *pass) alike(once, rows *rowSet, x []float32, width int) []float32 {
	if once == rows {
		return x
	}
	y := p.zeros(once.n() * width)
	for r := range rows.n() {
		at := once.find(int(rows.seq[r]), int(rows.pos[r]))
		kernel.Add(y[at*width:(at+1)*width], x[r*width:(r+1)*width])
	}
	return y
}
