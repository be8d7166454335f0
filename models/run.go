package models

import (
	"context"
	"fmt"

	"orrery/models/internal/kernel"
	"orrery/models/tensor"
)

// Output is what a run returns.
type Output struct {
	Logits   *tensor.Dense // [B,T,V]; rows of padding hold no meaning; nil with Need.StopAtLayer
	Warnings []string      // what a reader of the numbers must know: see Model.Warnings
}

// Need says which logits somebody will read. What nothing needs is not
// computed: rows that are not unembedded do not pass the last block either,
// beyond the keys and values that others read there. It never changes a bit of
// what is computed. The zero value asks for everything.
type Need struct {
	// Positions are places in the batch's rows, padding included; negative ones
	// count from the end. Nil means all.
	Positions []int `json:"positions,omitempty"`

	// Last stands for the last real token of each row, in place of Positions.
	Last bool `json:"last,omitempty"`

	// Tokens are ids whose logits are wanted, in this order. Nil means all.
	Tokens []int `json:"tokens,omitempty"`

	// StopAtLayer ends a run before that block, for what hooks see until then:
	// there are no logits, Positions, Last and Tokens are left out, and a hook that
	// selects a later site is an error. 0 for all blocks.
	StopAtLayer int `json:"stop_at_layer,omitempty"`
}

// Run computes the logits of in, calling the hooks on the way, in argument
// order. It is a pure function of its arguments: two runs of the same input
// agree to the last bit, alone or in a batch, padded or not, recorded or not.
//
// It ends with ctx's error within 100 ms of its cancellation, with an error
// that names id, row and position or range for an impossible input, with a
// hook's own error, and with a NumericError when the logits are not finite.
func (m *Model) Run(ctx context.Context, in Batch, hooks ...Hook) (*Output, error) {
	return m.RunFor(ctx, in, Need{}, hooks...)
}

// RunFor is Run for the logits of some positions, [B,P,V] in the order of
// need's positions ([B,1,V] with Last), and of some tokens, [..,len(Tokens)].
// Hooks see every row of the sites that they select.
func (m *Model) RunFor(ctx context.Context, in Batch, need Need, hooks ...Hook) (*Output, error) {
	p, err := m.begin(ctx, in, hooks)
	if err != nil {
		return nil, err
	}
	defer p.end()
	p.share()
	if need.StopAtLayer != 0 {
		return p.upTo(need)
	}
	if err := p.narrow(need); err != nil {
		return nil, err
	}
	p.forward()
	return p.output()
}

// upTo is a run that stops before a block.
func (p *pass) upTo(need Need) (*Output, error) {
	stop, layers := need.StopAtLayer, p.m.Config.Layers
	if stop < 1 || stop > layers {
		return nil, fmt.Errorf("need: stop_at_layer is %d, outside 1..%d", stop, layers)
	}
	if need.Positions != nil || need.Last || need.Tokens != nil {
		return nil, fmt.Errorf("need: a run that stops at layer %d has no logits: leave positions, last and tokens out", stop)
	}
	for _, s := range p.m.Sites() {
		if (s.Layer >= stop || s.Kind >= FinalScale) && p.selected(s) {
			return nil, fmt.Errorf("need: %s lies behind the end of a run that stops at layer %d", s, stop)
		}
	}
	s := p.stack(stop)
	if p.stopped() {
		return nil, p.err
	}
	if err := finite(Site{stop - 1, ResidPost}.String(), tensor.From(s.x, len(s.x))); err != nil {
		return nil, err
	}
	return &Output{Warnings: p.m.Warnings(p.in)}, nil
}

// pass is one run on its way through the model. The first error stays in err;
// from then on products and hooks do nothing, so that a block need not ask
// after each step.
type pass struct {
	*arena
	m     *Model
	ctx   context.Context
	in    Batch   // the rows of the batch; of a re-run, those of its base
	all   *rowSet // the rows that are embedded
	hooks []Hook
	err   error

	want    *wanted        // the logits to return; nil for all
	need    *rowSet        // the rows that are unembedded
	columns *linearWeights // the unembedding of the wanted tokens; nil for all of it
	tail    *rowSet        // the rows that pass the whole last block; nil for all

	sweep  *sweep    // set in a re-run
	past   *past     // set in a generation: keys and values of earlier tokens
	shared *prefixes // set in a run in which sequences that begin alike share rows

	angles    [2][]*angles // [B] for each row of the batch, in layers without and with a window
	alibi     []float64    // [H,T] what it adds to the scores of a key at each position
	keep      bool         // a backward pass follows: values stay until end
	looked    Selector     // the sites whose gradient is wanted; nil for none
	params    bool         // and whether those of the weights are
	recompute bool         // or only the streams between the blocks do
	trace     trace        // the values kept
	logits    []float32    // [trace.out,V], or of the wanted tokens when columns is set
}

// begin checks the input and takes scratch memory.
func (m *Model) begin(ctx context.Context, in Batch, hooks []Hook) (*pass, error) {
	if err := in.check(m.Config); err != nil {
		return nil, err
	}
	for i, h := range hooks {
		if h.Sites == nil || h.Fn == nil {
			return nil, fmt.Errorf("hook %d lacks its sites or its function", i)
		}
	}
	p := &pass{arena: m.arenas.Get().(*arena), m: m, ctx: ctx, in: in, hooks: hooks}
	p.all = newRowSet(in.B, in.T, nil)
	p.need = p.all
	p.positions()
	return p, nil
}

// end gives the scratch memory back.
func (p *pass) end() {
	p.release([2]int{})
	p.m.arenas.Put(p.arena)
	p.arena = nil
}

// place is the place of row r in the batch's rows, b·T + t.
func (p *pass) place(rows *rowSet, r int) int {
	return p.row(int(rows.seq[r]))*p.in.T + int(rows.pos[r])
}

// row is the row of the batch that a sequence stands for.
func (p *pass) row(seq int) int {
	if p.sweep != nil {
		return p.sweep.states[seq].row
	}
	return seq
}

// position is the position of row r, counted from its first real token.
func (p *pass) position(rows *rowSet, r int) int {
	return p.in.position(p.row(int(rows.seq[r])), int(rows.pos[r]))
}

// visible gives the places that the query at a place of a sequence attends to in
// layer l.
func (p *pass) visible(l, seq, pos int) (lo, hi int) {
	lo, hi = p.in.visible(p.row(seq), pos)
	if w := p.m.Config.window(l); w > 0 {
		lo = max(lo, hi-w)
	}
	return lo, hi
}

// output is the logits, if all went well and they are numbers.
func (p *pass) output() (*Output, error) {
	if p.stopped() {
		return nil, p.err
	}
	logits := p.pick(p.trace.out, p.logits)
	if err := finite(Site{-1, Logits}.String(), logits); err != nil {
		return nil, err
	}
	return &Output{Logits: logits, Warnings: p.m.Warnings(p.in)}, nil
}

// stopped reports whether the run has failed or was cancelled.
func (p *pass) stopped() bool {
	if p.err == nil {
		p.err = p.ctx.Err()
	}
	return p.err != nil
}

// hooked reports whether any hook selects s.
func (p *pass) hooked(s Site) bool {
	if p.sweep != nil {
		return p.sweep.hooked(s)
	}
	return p.past != nil && len(p.past.edits[s]) > 0 || p.selected(s)
}

// edited reports whether a hook may change the value at s.
func (p *pass) edited(s Site) bool {
	if p.sweep != nil {
		return p.sweep.hooked(s)
	}
	for i := range p.hooks {
		if !p.hooks[i].reads && p.hooks[i].Sites(s) {
			return true
		}
	}
	return p.past != nil && len(p.past.edits[s]) > 0
}

// visit shows the values of some rows at a site to the hooks that select it.
// Squares [S,H,T,T] have a place for every query, whether it is a row or not.
func (p *pass) visit(layer int, kind Kind, rows *rowSet, x []float32) {
	s := Site{layer, kind}
	if p.sweep != nil {
		p.sweep.visit(p, s, rows, x)
		return
	}
	if p.past != nil {
		p.past.edit(p, s, rows, x)
		if s.Kind.square() && p.selected(s) {
			p.squares(rows, x, func(view *tensor.Dense) { p.call(s, view) })
			return
		}
	}
	switch {
	case !p.selected(s):
	case p.shared != nil:
		p.call(s, p.shared.view(p, s, rows, x))
	default:
		p.call(s, p.view(s, rows, x))
	}
}

// selected reports whether a hook of the pass selects s.
func (p *pass) selected(s Site) bool {
	for i := range p.hooks {
		if p.hooks[i].Sites(s) {
			return true
		}
	}
	return false
}

// call shows a value to the hooks that select its site.
func (p *pass) call(s Site, view *tensor.Dense) {
	for i := range p.hooks {
		if !p.hooks[i].Sites(s) || p.stopped() {
			continue
		}
		if err := p.hooks[i].Fn(s, view); err != nil {
			p.err = fmt.Errorf("hook at %s: %w", s, err)
		}
	}
}

// view is x, the values of some rows, in the shape of the site s. Every
// sequence that has rows has the same number of them.
func (p *pass) view(s Site, rows *rowSet, x []float32) *tensor.Dense {
	n := len(rows.present())
	return tensor.From(x, p.m.Shape(s, n, rows.n()/n)...)
}

// Work is cut into pieces of about so many multiplications: large enough to
// outweigh the handing over, small enough to notice a cancellation.
const (
	grainWork = 1 << 14 // for a worker
	chunkWork = 1 << 29 // between two looks at the context,
	mostWork  = 1 << 32 // and at most, where rows together read the weights once
)

// perRow calls fn on ranges of the rows, in parallel; width is the work a row.
func perRow(rows, width int, fn func(lo, hi int)) {
	kernel.Do(rows, 1+grainWork/max(width, 1), fn)
}

// chunks calls fn on ranges of rows in order and stops when the run does;
// work is that of one row.
func (p *pass) chunks(rows, work int, fn func(lo, hi int)) {
	step := max(64, chunkWork/max(work, 1))
	for lo := 0; lo < rows && !p.stopped(); lo += step {
		fn(lo, min(lo+step, rows))
	}
}

// linear is y[rows,out] = x[rows,in]·wᵀ + bias.
func (p *pass) linear(x []float32, w *linearWeights) []float32 {
	rows := len(x) / w.in
	y := p.take(rows * w.out)
	p.linearInto(y, x, w)
	return y
}

// linearInto is linear with y given.
func (p *pass) linearInto(y, x []float32, w *linearWeights) {
	packed := p.matrix(w)
	if packed == nil {
		return
	}
	p.chunks(len(x)/w.in, w.in*w.out, func(lo, hi int) {
		part := y[lo*w.out : hi*w.out]
		inPieces(part, x[lo*w.in:hi*w.in], packed, hi-lo, mostWork, p.stopped)
		if w.bias != nil {
			perRow(hi-lo, w.out, func(a, b int) { kernel.AddBias(part[a*w.out:b*w.out], w.bias, b-a, w.out) })
		}
	})
}

// outputsAtOnce is a number of outputs, whole panels, of which a product of rows
// has no more than most multiplications, if 256 have not.
func outputsAtOnce(rows, in, most int) int {
	const grain = 256
	return max(grain, most/max(rows*in, 1)/grain*grain)
}

// inPieces is y[rows,out] = x[rows,in]·wᵀ, with the bits of MatMul, some outputs
// at a time. Between two pieces it asks whether to stop.
func inPieces(y, x []float32, w *kernel.Packed, rows, most int, stopped func() bool) {
	out, in := w.Size()
	step := outputsAtOnce(rows, in, most)
	for lo := 0; lo < out && !stopped(); lo += step {
		w.Part(lo, min(lo+step, out), 0, in).MatMul(y[lo:], out, x, in, rows, false)
	}
}

// backInPieces is dx[rows,in] = dy[rows,out]·w, or dx += with add, with the bits
// of MatMulNN, as inPieces: each element's chain goes on from piece to piece.
func backInPieces(dx, dy []float32, w *kernel.Packed, rows, most int, add bool, stopped func() bool) {
	out, in := w.Size()
	step := outputsAtOnce(rows, in, most)
	for lo := 0; lo < out && !stopped(); lo += step {
		w.Part(lo, min(lo+step, out), 0, in).MatMulNN(dx, in, dy[lo:], out, rows, add || lo > 0)
	}
}
