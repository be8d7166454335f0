package train

import (
	"fmt"
	"math"
	"slices"

	"orrery/models"
)

// edits are the recipe's, made to the first of a batch's prompts. The order of
// prompts is random, so that no prompt is always among them.
func (r Recipe) edits() []models.Edit {
	rows := make([]int, int(math.Round(r.Edited*float64(r.Batch))))
	for i := range rows {
		rows[i] = i
	}
	out := slices.Clone(r.Edits)
	for i := range out {
		out[i].Rows = rows
	}
	return out
}

// validateEdits reports edits that the model or its batches cannot have.
func (r Recipe) validateEdits() (errs []error) {
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf("recipe: "+format, args...)) }
	if r.Edits == nil && r.Edited == 0 {
		return nil
	}
	if !(r.Edited > 0 && r.Edited <= 1) || math.Round(r.Edited*float64(r.Batch)) < 1 {
		bad("edited is %g of a batch of %d prompts for %d edits, want a share in (0,1] that is at least a prompt", r.Edited, r.Batch, len(r.Edits))
	}
	if r.Edits == nil {
		bad("edited is %g without edits", r.Edited)
	}
	if r.Model.Validate() != nil {
		return errs
	}
	m, err := models.New(r.Model, models.NewParams(r.Model))
	if err != nil {
		return append(errs, err)
	}
	for i, e := range r.Edits {
		if e.Rows != nil {
			bad("edit %d has rows %v, and edited says which prompts it is made to", i, e.Rows)
		}
		if _, err := m.Edits(e); err != nil {
			bad("edit %d: %w", i, err)
		}
	}
	return errs
}
