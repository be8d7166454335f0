package models

import "slices"

// places are the positions of one row at which a stage computes something.
type places []bool

// rowLayers predicts the feed-forward rows of a variant, summed over layers: what
// its edits can reach, were each of them to change its rows, and what is needed
// of the last block.
func (p *plan) rowLayers(b *Base, row int, need *wanted) int64 {
	total := 0
	p.follow(b, func(l int, _, forward places) {
		for pos, on := range forward {
			if on && (l < b.m.Config.Layers-1 || p.full <= l || slices.Contains(need.places[row], pos)) {
				total++
			}
		}
	})
	return int64(total)
}

// widest predicts the most rows that a variant has at once.
func (b *Base) widest(p *plan) int {
	most := 1
	p.follow(b, func(_ int, reached, _ places) {
		n := 0
		for _, on := range reached {
			if on {
				n++
			}
		}
		most = max(most, n)
	})
	return most
}

// follow calls fn with the places that each layer changes, and with those of its
// feed-forward: the same, but that of a parallel block does not see what its
// attention alone changes.
func (p *plan) follow(b *Base, fn func(l int, reached, forward places)) {
	T, layers := b.in.T, b.m.Config.Layers
	live := make(places, T)
	for stage := p.first; stage <= layers; stage++ {
		edits, full := p.stages[stage], p.full <= stage
		if stage < 0 {
			for pos := range live {
				live[pos] = full || at(edits, 0, pos, startsEmbed)
			}
			continue
		}
		if stage == layers {
			return
		}
		kv := make(places, T) // where keys and values change
		for pos := range live {
			kv[pos] = live[pos] || at(edits, 0, pos, func(k Kind) bool { return startsIn(k) && !queriesOnly(k) })
		}
		reached, forward := make(places, T), make(places, T)
		for pos := range reached {
			sees := false
			lo, hi := b.in.visible(p.row, pos)
			if at(b.now[stage], p.row, pos, Kind.square) { // it may show what the mask hides
				lo, hi = 0, T
			}
			for s := lo; s < hi; s++ {
				sees = sees || kv[s]
			}
			reached[pos] = full || live[pos] || sees || at(edits, 0, pos, func(k Kind) bool { return k >= ResidPre && k <= LN2PostOut })
			forward[pos] = reached[pos] && (!b.m.Config.Parallel || full || live[pos] ||
				at(edits, 0, pos, func(k Kind) bool { return k == ResidPre || startsForward(k) }))
		}
		fn(stage, reached, forward)
		for pos := range live {
			live[pos] = reached[pos] || at(edits, 0, pos, startsEnd)
		}
	}
}

// scratch is the memory of r rows of a variant in a chunk, in bytes.
func (b *Base) scratch(p *plan, r int) int64 {
	c := &b.m.Config
	perRow := 12*c.Width + 4*c.Heads*c.HeadWidth + 2*c.KVHeads*c.HeadWidth + 4*c.MLPWidth
	floats := int64(r) * int64(perRow)
	for _, edits := range p.stages {
		for _, e := range edits {
			if e.square {
				floats += 2 * int64(c.Heads) * int64(b.in.T) * int64(b.in.T)
				break
			}
		}
	}
	return 4 * floats
}
