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
	// read takes the logits of a cell's row, [V]. Where need names tokens, only
	// theirs are set. They are valid during the call.
	read func(cell, row int, logits []float32)
	done func(cell int) error // all of its rows were read
}

// sweep computes the cells of a grid through exact re-runs, the deepest layers
// first, and looks at the context between any two runs.
func (g grid) sweep(ctx context.Context, budget Budget) (models.Report, error) {
	rows := g.base.Batch().B
	variants := make([]models.Variant, 0, g.cells*rows)
	for cell := range g.cells {
		for row := range rows {
			edits, err := g.edits(cell, row)
			if err != nil {
				return models.Report{}, err
			}
			variants = append(variants, models.Variant{Row: row, Edits: edits})
		}
	}
	left := make([]int, g.cells)
	for i := range left {
		left[i] = rows
	}
	wide := make([]float32, g.vocab)
	report, err := g.base.Rerun(ctx, variants, g.need, budget.options(), func(c models.Cell) error {
		cell, row := c.Variant/rows, c.Variant%rows
		logits := c.Logits.Data
		if g.need.Tokens != nil {
			for i, id := range g.need.Tokens {
				wide[id] = logits[i]
			}
			logits = wide
		}
		g.read(cell, row, logits)
		if left[cell]--; left[cell] == 0 {
			if err := g.done(cell); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
	if report == nil { // it did not begin
		return models.Report{}, err
	}
	if err == nil && report.Different > 0 {
		err = fmt.Errorf("%d of %d runs that were compared with full passes are not equal to the bit: the program is at fault", report.Different, report.Checked)
	}
	return *report, err
}
