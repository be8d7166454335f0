package models

import (
	"fmt"
	"slices"

	"orrery/models/tensor"
)

// wanted is a Need with its positions resolved for a batch.
type wanted struct {
	places   [][]int // [B] the places whose logits are wanted, in order
	tokens   []int   // nil for all
	distinct []int   // each of them once, ascending: what is unembedded
	at       []int   // the place of each token there
}

// resolve checks need against a batch and a vocabulary.
func (n Need) resolve(in Batch, vocab int) (*wanted, error) {
	w := &wanted{tokens: n.Tokens, places: make([][]int, in.B)}
	if n.StopAtLayer != 0 {
		return nil, fmt.Errorf("need: stop_at_layer is for runs whose hooks are all that is wanted, and here are logits")
	}
	if n.Last && n.Positions != nil {
		return nil, fmt.Errorf("need: positions %v and last are both given: take one", n.Positions)
	}
	if n.Positions != nil && len(n.Positions) == 0 {
		return nil, fmt.Errorf("need: positions is an empty list: leave it out to mean all")
	}
	if n.Tokens != nil && len(n.Tokens) == 0 {
		return nil, fmt.Errorf("need: tokens is an empty list: leave it out to mean all")
	}
	for _, id := range n.Tokens {
		if id < 0 || id >= vocab {
			return nil, fmt.Errorf("need: token %d is outside the vocabulary 0..%d", id, vocab-1)
		}
	}
	w.distinct = slices.Compact(slices.Sorted(slices.Values(n.Tokens)))
	for _, id := range n.Tokens {
		at, _ := slices.BinarySearch(w.distinct, id)
		w.at = append(w.at, at)
	}
	for b := range w.places {
		if n.Last {
			_, end := in.span(b)
			w.places[b] = []int{end - 1}
			continue
		}
		for _, pos := range n.Positions {
			at := pos
			if at < 0 {
				at += in.T
			}
			if at < 0 || at >= in.T {
				return nil, fmt.Errorf("need: position %d is outside 0..%d (or -%d..-1 from the end)", pos, in.T-1, in.T)
			}
			w.places[b] = append(w.places[b], at)
		}
		if n.Positions == nil {
			for at := range in.T {
				w.places[b] = append(w.places[b], at)
			}
		}
	}
	return w, nil
}

// all reports whether everything is asked for.
func (n Need) all() bool {
	return n.Positions == nil && !n.Last && n.Tokens == nil && n.StopAtLayer == 0
}

// narrow lets the pass compute only what need asks for, as far as nobody looks
// at the rest: no hook, and no gradient that is wanted.
func (p *pass) narrow(need Need) error {
	if need.all() {
		return nil
	}
	want, err := need.resolve(p.in, p.m.Config.Outputs())
	if err != nil {
		return err
	}
	p.want = want
	for k := FinalScale; k <= Logits; k++ {
		if p.looks(Site{-1, k}) {
			return nil
		}
	}
	asked := make([]bool, p.in.B*p.in.T)
	for b, places := range want.places {
		for _, at := range places {
			asked[p.computes(b, at)*p.in.T+at] = true
		}
	}
	p.need = both(p.all, newRowSet(p.in.B, p.in.T, func(b, t int) bool { return asked[b*p.in.T+t] }))
	if want.tokens != nil && !p.params {
		if p.columns = p.choose(&p.m.head, want.distinct); p.columns == nil {
			return p.err
		}
	}
	if !p.looksBehindKeys() {
		p.tail = p.need
	}
	return nil
}

// looksBehindKeys reports whether a hook, or a gradient that is wanted, is about
// rows of the last block beyond the keys and values that others read.
func (p *pass) looksBehindKeys() bool {
	for k := ResidPre; k <= ResidPost; k++ {
		s := Site{p.m.Config.Layers - 1, k}
		if !readsAllRows(k) && p.looks(s) {
			return true
		}
	}
	return false
}

// looks reports whether a hook, or a gradient that is wanted, is about s.
func (p *pass) looks(s Site) bool { return p.hooked(s) || p.looked != nil && p.looked(s) }

// readsAllRows reports whether the last block computes a kind for every row,
// whatever rows are needed.
func readsAllRows(k Kind) bool {
	switch k {
	case ResidPre, LN1Scale, LN1Normalized, LN1Out, K, V, KNormScale, KNormNormalized, KNormOut, RotK:
		return true
	}
	return false
}

// choose is the part of the weights that makes some of the outputs; nil when
// the run has ended.
func (p *pass) choose(w *linearWeights, outputs []int) *linearWeights {
	packed := p.matrix(w)
	if packed == nil {
		return nil
	}
	c := &linearWeights{packed: packed.Select(outputs), out: len(outputs), in: w.in}
	if w.bias != nil {
		for _, at := range outputs {
			c.bias = append(c.bias, w.bias[at])
		}
	}
	return c
}

// pick brings the logits of the computed rows, of all tokens or of the wanted
// ones, to the shape that was asked for: [B,T,V], or [B,P,V] and the wanted
// tokens only.
func (p *pass) pick(rows *rowSet, logits []float32) *tensor.Dense {
	v := p.m.Config.Outputs()
	if p.want == nil {
		if p.shared != nil {
			logits = p.shared.expand(p, rows, logits, func(n int) []float32 { return make([]float32, n) })
		}
		return tensor.From(logits, p.in.B, p.in.T, v)
	}
	y := tensor.New(p.want.shape(v)...)
	p.eachWanted(rows, func(at, from int) { y.Data[at] = logits[from] })
	return y
}

// unpick is the transpose of pick: the derivative by the logits of the computed
// rows, [R,V] or of the wanted tokens.
func (p *pass) unpick(rows *rowSet, dlogits *tensor.Dense) []float32 {
	if p.want == nil {
		return dlogits.Data
	}
	y := p.zeros(rows.n() * p.unembedding().out)
	p.eachWanted(rows, func(at, from int) { y[from] += dlogits.Data[at] })
	return y
}

// unembedding is what makes the logits that are computed.
func (p *pass) unembedding() *linearWeights {
	if p.columns != nil {
		return p.columns
	}
	return &p.m.head
}

// column is the place of the i-th wanted token among the computed logits of a
// row; few says that only wanted ones were computed.
func (w *wanted) column(i int, few bool) int {
	switch {
	case w.tokens == nil:
		return i
	case few:
		return w.at[i]
	}
	return w.tokens[i]
}

// shape is that of the wanted logits.
func (w *wanted) shape(vocab int) []int {
	if w.tokens != nil {
		vocab = len(w.tokens)
	}
	return []int{len(w.places), len(w.places[0]), vocab}
}

// eachWanted pairs every wanted logit with its place in the computed rows.
func (p *pass) eachWanted(rows *rowSet, fn func(at, from int)) {
	n, width, at := p.want.shape(p.m.Config.Outputs())[2], p.unembedding().out, 0
	for b, places := range p.want.places {
		for _, place := range places {
			row := rows.find(p.computes(b, place), place) * width
			for i := range n {
				fn(at, row+p.want.column(i, p.columns != nil))
				at++
			}
		}
	}
}
