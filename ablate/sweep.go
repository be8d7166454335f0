package ablate

import (
	"context"

	"orrery/models"
)

// checkedVariants is how many runs of a sweep are compared with full passes
// unless the caller says otherwise.
const checkedVariants = 4

// Budget bounds a sweep.
type Budget struct {
	Memory int64 // scratch memory in bytes; 0 for the engine's own bound
	Rows   int   // most rows at once; 0 for the engine's own bound
	// Variants is how many edited runs are written down at once, some hundred bytes
	// each and what they set; 0 stands for 131,072. Fewer than there are cost
	// nothing but what runs of different parts could share.
	Variants int
	// Check is how many runs, evenly spread, are compared with full passes, bit
	// by bit; 0 stands for 4, -1 for none.
	Check int
}

func (b Budget) options() models.RerunOptions {
	check := b.Check
	switch {
	case check == 0:
		check = checkedVariants
	case check < 0:
		check = 0
	}
	return models.RerunOptions{Memory: b.Memory, Rows: b.Rows, Check: check}
}

// grid is a sweep of cells over the rows of a base run: every row once a cell.
type grid struct {
	base  *models.Base
	need  models.Need
	vocab int
	cells int
	edits func(cell, row int) ([]models.Edit, error)
	// measure reads width numbers off the logits of a cell's row, [V], or [T,V] where
	// need asks for every position. Where need names tokens, only theirs are set. They
	// are valid during the call.
	width   int
	measure func(cell, row int, logits []float32, into []float64)
	// take puts these numbers where they belong, whether they were measured now or kept
	// from before (see Resume): all that a run leaves is in them, unless the grid is
	// whole. Then measure may leave more, and no run is kept.
	take  func(cell, row int, numbers []float64)
	whole bool
	done  func(cell int) error // all of its rows were taken
}

// variantsAtOnce is the default of Budget.Variants.
const variantsAtOnce = 1 << 17

// sweep computes the cells of a grid through exact re-runs, the last cells and
// of those the deepest layers first, and looks at the context between any two
// runs.
func (g grid) sweep(ctx context.Context, budget Budget) (models.Report, error) {
	most := budget.Variants
	if most <= 0 {
		most = variantsAtOnce
	}
	rows := g.base.Batch().B
	step := max(1, most/rows)
	blocks := (g.cells + step - 1) / step
	check := budget.options().Check
	before, err := g.resumed(ctx)
	if err != nil {
		return models.Report{}, err
	}
	total, err := before.repeat(ctx, budget.options())
	if err == nil {
		err = before.wrong(total)
	}
	if err != nil {
		return total, err
	}
	left := make([]int, g.cells)
	for cell := range left {
		left[cell] = rows
	}
	put := func(cell, row int, numbers []float64) error {
		g.take(cell, row, numbers)
		if left[cell]--; left[cell] > 0 {
			return nil
		}
		return g.done(cell)
	}
	if err := before.take(ctx, put); err != nil {
		return total, err
	}
	for i := blocks - 1; i >= 0; i-- {
		opt := budget.options()
		opt.Check = check*(i+1)/blocks - check*i/blocks
		report, err := g.block(ctx, i*step, min((i+1)*step, g.cells), opt, before, put)
		total = total.Plus(report)
		if err == nil {
			err = before.wrong(total)
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// block computes the cells lo ≤ c < hi, without the runs that are kept.
func (g grid) block(ctx context.Context, lo, hi int, opt models.RerunOptions, before *resumedSweep, put func(cell, row int, numbers []float64) error) (models.Report, error) {
	rows := g.base.Batch().B
	variants := make([]models.Variant, 0, (hi-lo)*rows)
	cells := make([]int, 0, (hi-lo)*rows) // of each variant
	for cell := lo; cell < hi; cell++ {
		for row := range rows {
			if before.has(cell, row) {
				continue
			}
			edits, err := g.edits(cell, row)
			if err != nil {
				return models.Report{}, err
			}
			variants, cells = append(variants, models.Variant{Row: row, Edits: edits}), append(cells, cell)
		}
	}
	if len(variants) == 0 {
		return models.Report{}, nil
	}
	numbers := make([]float64, g.width)
	return g.rerun(ctx, variants, opt, func(i int, logits []float32) error {
		cell, row := cells[i], variants[i].Row
		g.measure(cell, row, logits, numbers)
		before.keep(cell, row, numbers)
		if err := put(cell, row, numbers); err != nil {
			return err
		}
		return ctx.Err()
	})
}

// rerun computes variants and gives read their logits.
func (g grid) rerun(ctx context.Context, variants []models.Variant, opt models.RerunOptions, read func(i int, logits []float32) error) (models.Report, error) {
	wide := make([]float32, g.vocab)
	report, err := g.base.Rerun(ctx, variants, g.need, opt, func(c models.Cell) error {
		logits := c.Logits.Data
		if g.need.Tokens != nil {
			for i, id := range g.need.Tokens {
				wide[id] = logits[i]
			}
			logits = wide
		}
		return read(c.Variant, logits)
	})
	if report == nil { // it did not begin
		report = &models.Report{}
	}
	return *report, err
}
