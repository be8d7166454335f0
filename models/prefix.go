package models

import (
	"orrery/models/tensor"
)

// Attention is causal: what stands at a place depends on the tokens up to it and
// on nothing else. Sequences of a batch that begin alike are computed once as
// far as they do: of all sums of two numbers, {a}+{b}=, that leaves little more
// than the two rows behind the plus.

// prefixes says which sequence computes each place of a batch.
type prefixes struct {
	by  []int32 // [B·T] the first sequence with the same tokens up to this place
	all *rowSet // every place of every sequence
}

// share lets the pass compute rows that begin alike once, where nobody can tell
// them apart: a hook that may change a value can, and so can a gradient. It
// changes no bit of what is computed.
func (p *pass) share() {
	for i := range p.hooks {
		if !p.hooks[i].reads {
			return
		}
	}
	if p.in.B < 2 {
		return
	}
	type node struct {
		before int32 // the node of the places before; below 0 where a sequence begins
		id     int
		real   bool
	}
	type beginning struct {
		start  int
		regime [2]int // of the row's rotary angles, global and local
	}
	T := p.in.T
	s := &prefixes{by: make([]int32, p.in.B*T), all: p.all}
	begun, seen := map[beginning]int32{}, make(map[node]int32, p.in.B*T/2)
	firsts := make([]int32, 0, p.in.B*T/2) // [node] the sequence that has it first
	for b := range p.in.B {
		start, end := p.in.span(b)
		at := beginning{start: start}
		for i, of := range p.angles {
			if of != nil {
				at.regime[i] = of[b].regime
			}
		}
		before, ok := begun[at]
		if !ok {
			before = int32(-1 - len(begun))
			begun[at] = before
		}
		for t := range T {
			key := node{before, p.in.IDs[b*T+t], t < end}
			n, ok := seen[key]
			if !ok {
				n = int32(len(firsts))
				seen[key] = n
				firsts = append(firsts, int32(b))
			}
			s.by[b*T+t], before = firsts[n], n
		}
	}
	if 10*len(firsts) > 9*len(s.by) {
		return
	}
	p.shared = s
	p.all = newRowSet(p.in.B, T, func(seq, pos int) bool { return int(s.by[seq*T+pos]) == seq })
	p.need = p.all
}

// computes is the sequence whose row stands for a place of sequence b.
func (p *pass) computes(b, pos int) int {
	if p.shared == nil {
		return b
	}
	return int(p.shared.by[b*p.in.T+pos])
}

// keys are the keys and values of the sequences that have queries, one stretch
// each: their own rows behind those that others have computed.
func (s *prefixes) keys(p *pass, t *blockTrace) [][]keyRun {
	width, T := p.m.Config.KVHeads*p.m.Config.HeadWidth, t.in.T
	out, seqs := make([][]keyRun, t.in.sequences()), t.queries.present()
	k, v := p.take(len(seqs)*T*width), p.take(len(seqs)*T*width)
	perRow(len(seqs), T*width, func(lo, hi int) {
		for i := lo; i < hi; i++ {
			run := keyRun{0, T, k[i*T*width : (i+1)*T*width], v[i*T*width : (i+1)*T*width]}
			for pos := range T {
				from := t.in.find(p.computes(seqs[i], pos), pos) * width
				copy(run.k[pos*width:(pos+1)*width], t.k[from:])
				copy(run.v[pos*width:(pos+1)*width], t.v[from:])
			}
			out[seqs[i]] = []keyRun{run}
		}
	})
	return out
}

// view is x, values of all computed rows, as a hook sees them: of every place
// of every sequence.
func (s *prefixes) view(p *pass, site Site, rows *rowSet, x []float32) *tensor.Dense {
	T := p.in.T
	if site.Kind.square() { // [B,H,T,T]
		y := p.take(len(x))
		heads := len(x) / (p.in.B * T * T)
		perRow(p.in.B, heads*T*T, func(lo, hi int) {
			for b := lo; b < hi; b++ {
				for pos := range T {
					by := p.computes(b, pos)
					for h := range heads {
						to, from := ((b*heads+h)*T+pos)*T, ((by*heads+h)*T+pos)*T
						copy(y[to:to+T], x[from:from+T])
					}
				}
			}
		})
		return p.view(site, s.all, y)
	}
	return p.view(site, s.all, s.expand(p, rows, x, p.take))
}

// expand gives the values of every place, in memory that take finds.
func (s *prefixes) expand(p *pass, rows *rowSet, x []float32, take func(n int) []float32) []float32 {
	width := len(x) / rows.n()
	y := take(len(s.by) * width)
	perRow(len(s.by), width, func(lo, hi int) {
		for at := lo; at < hi; at++ {
			from := rows.find(int(s.by[at]), at%p.in.T) * width
			copy(y[at*width:(at+1)*width], x[from:from+width])
		}
	})
	return y
}
