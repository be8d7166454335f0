package models

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Chunk is a part of a sweep as a value: it can be written down as JSON,
// repeated, or computed on another machine that has the model.
type Chunk struct {
	Model    string    `json:"model"` // Model.Hash, computed when the chunk is written down
	Batch    Batch     `json:"batch"` // the base's input
	Base     []Edit    `json:"base"`  // and its edits
	Need     Need      `json:"need"`
	Index    []int     `json:"index"` // of each variant in the sweep
	Variants []Variant `json:"variants"`

	of    *Base // where it was cut; nil when it came from elsewhere
	plans []*plan
	want  *wanted
}

// MarshalJSON refuses hooks, which are no values.
func (c Chunk) MarshalJSON() ([]byte, error) {
	for i, v := range c.Variants {
		if len(v.Hooks) > 0 {
			return nil, fmt.Errorf("chunk: variant %d: %w", c.Index[i], ErrHooksStay)
		}
	}
	if c.of != nil {
		c.Model = c.of.m.Hash()
	}
	type plain Chunk
	return json.Marshal(plain(c))
}

// Sizes of chunks. Rows beyond maxRows gain nothing: their activations no
// longer stay in the caches. Fewer than fewRows are not worth a product of
// their own, so that chunks of several start layers are put together.
const (
	chunkMemory = 256 << 20
	maxRows     = 1536
	fewRows     = 96
)

// Chunks cuts a sweep into chunks of bounded memory, those that start in the
// deepest layers first. Variants that share a beginning stand together.
func (b *Base) Chunks(variants []Variant, need Need, opt RerunOptions) ([]*Chunk, error) {
	want, err := need.resolve(b.in, b.m.Config.Outputs())
	if err != nil {
		return nil, err
	}
	plans := make([]*plan, len(variants))
	for i, v := range variants {
		p, err := b.plan(i, v)
		if err != nil {
			return nil, fmt.Errorf("variant %d: %w", i, err)
		}
		p.order = p.path(b.m.Config.Layers)
		plans[i] = p
	}
	slices.SortStableFunc(plans, func(x, y *plan) int {
		if x.first != y.first {
			return y.first - x.first
		}
		if x.row != y.row {
			return x.row - y.row
		}
		return strings.Compare(x.order, y.order)
	})
	memory, most := opt.Memory, opt.Rows
	if memory <= 0 {
		memory = chunkMemory
	}
	if most <= 0 {
		most = maxRows
	}
	var chunks []*Chunk
	rows, bytes := 0, int64(0)
	for _, p := range plans {
		r := b.widest(p)
		size := b.scratch(p, r)
		var last *Chunk
		if len(chunks) > 0 {
			last = chunks[len(chunks)-1]
		}
		if last == nil || rows+r > most || bytes+size > memory || rows >= fewRows && last.plans[0].first != p.first {
			last = &Chunk{of: b, Batch: b.in, Base: b.edits, Need: need, want: want}
			chunks = append(chunks, last)
			rows, bytes = 0, 0
		}
		rows, bytes = rows+r, bytes+size
		last.plans = append(last.plans, p)
		last.Index = append(last.Index, p.index)
		last.Variants = append(last.Variants, variants[p.index])
	}
	return chunks, nil
}

// path is what tells a variant's edits from others', in the order of stages.
func (p *plan) path(layers int) string {
	var s strings.Builder
	for stage := -1; stage <= layers; stage++ {
		if k, ok := p.keys[stage]; ok {
			fmt.Fprintf(&s, "%06d:%s;", stage+1, k)
		}
	}
	return s.String()
}

// RunChunk computes a chunk, which may come from elsewhere: it must be of this
// base. It returns the row-layers that were computed.
func (b *Base) RunChunk(ctx context.Context, c *Chunk, emit func(Cell) error) (int64, error) {
	if err := b.adopt(c); err != nil {
		return 0, err
	}
	base, err := b.Logits(ctx, c.Need)
	if err != nil {
		return 0, fmt.Errorf("base: %w", err)
	}
	return b.run(ctx, c, base.Logits, emit)
}

// adopt checks a chunk that came from elsewhere.
func (b *Base) adopt(c *Chunk) error {
	if c.of == b {
		return nil
	}
	if own := b.m.Hash(); c.Model != own {
		return fmt.Errorf("chunk: it is of model %.12s, and the base of %.12s", c.Model, own)
	}
	mine, err := json.Marshal([]any{b.in, b.edits})
	if err != nil {
		return fmt.Errorf("chunk: %w", err)
	}
	theirs, err := json.Marshal([]any{c.Batch, c.Base})
	if err != nil {
		return fmt.Errorf("chunk: %w", err)
	}
	if !bytes.Equal(mine, theirs) {
		return fmt.Errorf("chunk: it is of another base: other tokens or edits")
	}
	if len(c.Index) != len(c.Variants) {
		return fmt.Errorf("chunk: %d indices for %d variants", len(c.Index), len(c.Variants))
	}
	if c.want, err = c.Need.resolve(b.in, b.m.Config.Outputs()); err != nil {
		return err
	}
	c.plans = nil
	twice := map[int]bool{} // cells are told apart by their index
	for i, v := range c.Variants {
		if at := c.Index[i]; at < 0 || twice[at] {
			return fmt.Errorf("chunk: index[%d] is %d, want a number from 0 that no other variant has", i, at)
		}
		twice[c.Index[i]] = true
		p, err := b.plan(c.Index[i], v)
		if err != nil {
			return fmt.Errorf("variant %d: %w", c.Index[i], err)
		}
		c.plans = append(c.plans, p)
	}
	return nil
}
