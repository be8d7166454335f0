package models

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"orrery/models/tensor"
)

// Cell is the result of one variant.
type Cell struct {
	Variant int           // its index in the list
	Logits  *tensor.Dense // [P,V] in the order of need's positions, or [P,len(Tokens)]
	Same    bool          // no bit of the base's streams changed: the logits are the base's
}

// Report says what a sweep cost. A row-layer is one row of one layer's
// feed-forward: a run of T places, padding included, through L layers
// computes T·L of them.
type Report struct {
	Variants  int   `json:"variants"`
	Chunks    int   `json:"chunks"`
	Full      int64 `json:"full_row_layers"`      // of full passes over every variant
	Predicted int64 `json:"predicted_row_layers"` // of every variant alone, were each edit to change its rows
	Computed  int64 `json:"computed_row_layers"`  // in fact: less where variants share a beginning or change nothing
	Same      int   `json:"same"`                 // variants that are the base to the bit

	// Checked variants were compared with full passes; Different of them were
	// not equal to the bit, which would be a mistake of this program.
	Checked   int `json:"checked"`
	Different int `json:"different"`
}

// Plus is what two sweeps cost together.
func (r Report) Plus(o Report) Report {
	return Report{
		Variants: r.Variants + o.Variants, Chunks: r.Chunks + o.Chunks, Full: r.Full + o.Full, Predicted: r.Predicted + o.Predicted,
		Computed: r.Computed + o.Computed, Same: r.Same + o.Same, Checked: r.Checked + o.Checked, Different: r.Different + o.Different,
	}
}

// RerunOptions bound a sweep. The zero value is good.
type RerunOptions struct {
	Memory int64 // scratch memory of a chunk in bytes; 0 stands for 256 MiB
	Rows   int   // most rows of a chunk at once; 0 for as many as fit, at most 1,536
	Check  int   // how many variants, evenly spread, to compare with full passes
}

// Rerun computes variants of a base run. A variant's logits are those of a full
// run of its row under the base's and its own edits, to the last bit, but only
// what its edits can reach, and what need asks for, is computed:
//
//   - an edit at layer l and position p can change layers from l on at positions
//     from p on; what has the base's bits is dropped at once;
//   - the rows of many variants pass a layer as one matrix;
//   - variants that begin with the same edits share what follows from them;
//   - of the last block, only the needed rows are computed, and of the
//     unembedding only the needed tokens.
//
// The sweep is cut into chunks, those that start deepest first, so that the
// first cells are there after one layer's work. emit receives each cell once,
// and its error ends the sweep. A cancelled context ends it within 100 ms with
// the context's error; the cells that came before are right.
//
// For L layers and T positions a sweep of resid_pre by position costs about a
// quarter of full passes; one that starts at the last position, L/2 of L·T.
func (b *Base) Rerun(ctx context.Context, variants []Variant, need Need, opt RerunOptions, emit func(Cell) error) (*Report, error) {
	chunks, err := b.Chunks(variants, need, opt)
	if err != nil {
		return nil, err
	}
	base, err := b.Logits(ctx, need)
	if err != nil {
		return nil, fmt.Errorf("base: %w", err)
	}
	report := &Report{Variants: len(variants), Chunks: len(chunks)}
	check := spread(len(variants), opt.Check)
	for _, c := range chunks {
		for i, p := range c.plans {
			report.Predicted += p.rowLayers(b, c.Variants[i].Row, c.want)
			report.Full += int64(b.in.T * b.m.Config.Layers)
		}
		computed, err := b.run(ctx, c, base.Logits, func(cell Cell) error {
			if cell.Same {
				report.Same++
			}
			if check[cell.Variant] && len(variants[cell.Variant].Hooks) == 0 {
				full, err := b.full(ctx, variants[cell.Variant], need)
				if err != nil {
					return fmt.Errorf("variant %d as a full pass: %w", cell.Variant, err)
				}
				report.Checked++
				if !full.EqualBits(cell.Logits) {
					report.Different++
				}
			}
			return emit(cell)
		})
		report.Computed += computed
		if err != nil {
			return report, err
		}
	}
	return report, nil
}

// spread chooses k of n indices, evenly.
func spread(n, k int) map[int]bool {
	out := map[int]bool{}
	for i := range min(k, n) {
		out[(2*i+1)*n/(2*min(k, n))] = true
	}
	return out
}

// run computes one chunk; base are the base run's logits.
func (b *Base) run(ctx context.Context, c *Chunk, base *tensor.Dense, emit func(Cell) error) (computed int64, err error) {
	p, err := b.m.begin(ctx, b.in, nil)
	if err != nil {
		return 0, err
	}
	defer p.end()
	w := &sweep{base: b, plans: c.plans, need: c.want}
	if c.want.tokens != nil {
		w.columns = p.choose(&b.m.head, c.want.distinct)
	}
	p.sweep = w
	p.forwardSweep()
	if p.stopped() {
		return w.forward, p.err
	}
	live := map[int]int{} // the state of each variant
	for i := range w.states {
		for _, v := range w.states[i].variants {
			live[v.index] = i
		}
	}
	for _, v := range c.plans {
		cell := Cell{Variant: v.index, Same: true}
		own := base.Sub(v.row)
		cell.Logits = tensor.New(own.Shape...)
		copy(cell.Logits.Data, own.Data)
		if seq, ok := live[v.index]; ok {
			for i, at := range c.want.places[v.row] {
				if r := p.trace.out.find(seq, at); r >= 0 {
					cell.Same = false
					w.read(cell.Logits.Sub(i).Data, p, r)
				}
			}
		}
		if err := finite(Site{-1, Logits}.String(), cell.Logits); err != nil {
			return w.forward, fmt.Errorf("variant %d: %w", v.index, err)
		}
		if err := emit(cell); err != nil {
			return w.forward, err
		}
	}
	return w.forward, nil
}

// read copies the wanted logits of a row.
func (w *sweep) read(to []float32, p *pass, r int) {
	row := p.logits[r*p.unembedding().out:]
	for i := range to {
		to[i] = row[w.need.column(i, p.columns != nil)]
	}
}

// forwardSweep takes a sweep's variants through the model.
func (p *pass) forwardSweep() {
	w, layers := p.sweep, p.m.Config.Layers
	start := layers
	for _, v := range w.plans {
		start = min(start, v.first)
	}
	s := stream{rows: newRowSet(0, p.in.T, nil)}
	if start < 0 {
		w.fork(start)
		p.all = newRowSet(len(w.states), p.in.T, func(seq, pos int) bool {
			return w.states[seq].full || at(w.states[seq].own, 0, pos, startsEmbed)
		})
		s = w.changed(p, start, p.embed(), w.base.entering(0), nothing)
	}
	for l := max(start, 0); l < layers; l++ {
		if p.stopped() {
			return
		}
		mark := p.mark()
		s = p.block(l, s, &blockTrace{})
		p.release(mark)
	}
	if p.stopped() {
		return
	}
	p.unembed(s)
}

// full is a variant as a full run of its row, for comparison: the logits of
// Cell.
func (b *Base) full(ctx context.Context, v Variant, need Need) (*tensor.Dense, error) {
	in := Batch{B: 1, T: b.in.T, IDs: b.in.IDs[v.Row*b.in.T : (v.Row+1)*b.in.T]}
	if b.in.Start != nil {
		in.Start, in.End = b.in.Start[v.Row:v.Row+1], b.in.End[v.Row:v.Row+1]
	}
	var hooks []Hook
	for _, stage := range slices.Sorted(maps.Keys(b.now)) {
		for _, e := range b.now[stage] {
			hooks = append(hooks, e.alone(v.Row))
		}
	}
	own, err := b.m.Edits(v.Edits...)
	if err != nil {
		return nil, err
	}
	out, err := b.m.RunFor(ctx, in, need, append(append(hooks, own...), v.Hooks...)...)
	if err != nil {
		return nil, err
	}
	return out.Logits.Sub(0), nil
}
