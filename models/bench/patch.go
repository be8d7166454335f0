package bench

import (
	"context"
	"fmt"

	"orrery/models"
	"orrery/models/tensor"
)

// cell is one number of a sweep of activation patching: the corrupted prompts
// run with the clean run's values at one place, and the metric is the mean
// difference of two logits. A position or a head of -1 stands for all.
type cell struct {
	layer, pos, head int
	cost             Cost // of one pair
}

// residPre patches the stream before each block at each position.
func residPre(l layout) prepare {
	return func(_ context.Context, s *subject) (*task, error) {
		var cells []cell
		for layer := range s.m.Config.Layers {
			for pos := range s.Tokens {
				cells = append(cells, cell{layer, pos, -1, count(s.m.Config).residCell(layer, pos, s.Tokens, s.first(l))})
			}
		}
		return s.sweep(l, models.ResidPre, cells), nil
	}
}

// heads patches each head's z at all positions.
func heads(l layout) prepare {
	return func(_ context.Context, s *subject) (*task, error) {
		var cells []cell
		for layer := range s.m.Config.Layers {
			for head := range s.m.Config.Heads {
				cells = append(cells, cell{layer, -1, head, count(s.m.Config).headCell(layer, 0, s.Tokens, s.first(l), false)})
			}
		}
		return s.sweep(l, models.Z, cells), nil
	}
}

// headsByPosition patches each head's z at each position.
func headsByPosition(l layout) prepare {
	return func(_ context.Context, s *subject) (*task, error) {
		var cells []cell
		for layer := range s.m.Config.Layers {
			for pos := range s.Tokens {
				for head := range s.m.Config.Heads {
					cells = append(cells, cell{layer, pos, head, count(s.m.Config).headCell(layer, pos, s.Tokens, s.first(l), true)})
				}
			}
		}
		return s.sweep(l, models.Z, cells), nil
	}
}

// sweep is the task of computing cells, the recording of the clean and of the
// corrupted run included.
func (s *subject) sweep(l layout, kind models.Kind, cells []cell) *task {
	clean, corrupted := s.pairs(l)
	t := &task{sweep: &Sweep{Cells: len(cells)}}
	for i := range cells {
		t.cost = t.cost.plus(cells[i].cost)
	}
	t.cost = t.cost.times(s.Pairs).plus(count(s.m.Config).run(2*s.Pairs, s.Tokens, 0, s.bytes))
	var variants []models.Variant
	kept := map[int]*tensor.Dense{} // of a sample of the variants, their logits
	t.run = func(ctx context.Context) error {
		cache := models.NewCache()
		record := models.Record(cache, func(at models.Site) bool { return at.Kind == kind })
		if _, err := s.m.RunFor(ctx, clean, s.metric(), record); err != nil {
			return err
		}
		base, err := s.m.NewBase(ctx, corrupted)
		if err != nil {
			return err
		}
		variants = variants[:0]
		for _, c := range cells {
			x, _ := cache.Get(models.Site{Layer: c.layer, Kind: kind})
			for row := range s.Pairs {
				variants = append(variants, models.Variant{Row: row, Edits: []models.Edit{c.edit(kind, x.Sub(row))}})
			}
		}
		for i := range sample {
			kept[(2*i+1)*len(variants)/(2*sample)] = nil
		}
		effects := make([]float64, len(cells))
		t.sweep.Report, err = base.Rerun(ctx, variants, s.metric(), models.RerunOptions{}, func(c models.Cell) error {
			effects[c.Variant/s.Pairs] += float64(c.Logits.Data[0]-c.Logits.Data[1]) / float64(s.Pairs)
			if _, ok := kept[c.Variant]; ok {
				kept[c.Variant] = c.Logits
			}
			return nil
		})
		return err
	}
	t.check = func(ctx context.Context) error {
		for i, got := range kept {
			v := variants[i]
			hooks, err := s.m.Edits(v.Edits...)
			if err != nil {
				return err
			}
			row := corrupted.IDs[v.Row*corrupted.T : (v.Row+1)*corrupted.T]
			full, err := s.m.RunFor(ctx, models.Prompt(row...), s.metric(), hooks...)
			if err != nil {
				return fmt.Errorf("variant %d as a full pass: %w", i, err)
			}
			t.sweep.Report.Checked++
			if !full.Logits.Sub(0).EqualBits(got) {
				t.sweep.Report.Different++
			}
		}
		return nil
	}
	return t
}

// sample is how many variants of a sweep are compared with full passes.
const sample = 8

// edit sets the place of a cell to the value that it has in x, one clean run's
// [T,D] or [T,H,K].
func (c cell) edit(kind models.Kind, x *tensor.Dense) models.Edit {
	e := models.Edit{Site: models.Site{Layer: c.layer, Kind: kind}.String(), Op: models.Set}
	switch {
	case c.head < 0:
		e.Positions, e.Value = []int{c.pos}, models.List(x.Sub(c.pos).Data...)
	case c.pos < 0:
		n, k := x.Dim(0), x.Dim(2)
		column := tensor.New(1, n, 1, k)
		for t := range n {
			copy(column.Data[t*k:], x.Sub(t, c.head).Data)
		}
		e.Heads, e.Value = []int{c.head}, models.Tensor(column)
	default:
		e.Positions, e.Heads, e.Value = []int{c.pos}, []int{c.head}, models.List(x.Sub(c.pos, c.head).Data...)
	}
	return e
}
