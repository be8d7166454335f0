package ablate

import (
	"context"
	"fmt"

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
	// read takes the logits of a cell's row, [V], or [T,V] where need asks for every
	// position. Where need names tokens, only
	// theirs are set. They are valid during the call.
	read func(cell, row int, logits []float32)
	done func(cell int) error // all of its rows were read
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
	step := max(1, most/g.base.Batch().B)
	blocks := (g.cells + step - 1) / step
	check := budget.options().Check
	var total models.Report
	for i := blocks - 1; i >= 0; i-- {
		opt := budget.options()
		opt.Check = check*(i+1)/blocks - check*i/blocks
		report, err := g.block(ctx, i*step, min((i+1)*step, g.cells), opt)
		if report != nil {
			total = total.Plus(*report)
		}
		if err == nil && total.Different > 0 {
			err = fmt.Errorf("%d of %d runs that were compared with full passes are not equal to the bit: the program is at fault", total.Different, total.Checked)
		}
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// block computes the cells lo ≤ c < hi. The report is nil when it did not begin.
func (g grid) block(ctx context.Context, lo, hi int, opt models.RerunOptions) (*models.Report, error) {
	rows := g.base.Batch().B
	variants := make([]models.Variant, 0, (hi-lo)*rows)
	left := make([]int, hi-lo)
	for cell := lo; cell < hi; cell++ {
		left[cell-lo] = rows
		for row := range rows {
			edits, err := g.edits(cell, row)
			if err != nil {
				return nil, err
			}
			variants = append(variants, models.Variant{Row: row, Edits: edits})
		}
	}
	wide := make([]float32, g.vocab)
	return g.base.Rerun(ctx, variants, g.need, opt, func(c models.Cell) error {
		cell, row := lo+c.Variant/rows, c.Variant%rows
		logits := c.Logits.Data
		if g.need.Tokens != nil {
			for i, id := range g.need.Tokens {
				wide[id] = logits[i]
			}
			logits = wide
		}
		g.read(cell, row, logits)
		if left[cell-lo]--; left[cell-lo] == 0 {
			if err := g.done(cell); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}
