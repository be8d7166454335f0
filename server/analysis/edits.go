package analysis

import (
	"fmt"
	"math"
	"slices"

	"orrery/models"
	"orrery/models/tensor"
)

// editsParam declares the edits under which an analysis runs the model.
func editsParam() Param {
	return Param{Name: "edits", Type: TypeEdits, Default: []models.Edit(nil), Help: `edits of the run, as in run_with_cache: [{"site": "blocks.1.attn.hook_z", "heads": [1], "op": "set", "value": 0}]`}
}

// editHooks reads the parameter as hooks.
func editHooks(m *models.Model, a Args) ([]models.Hook, error) {
	edits, _ := a["edits"].([]models.Edit)
	hooks, err := EditHooks(m, edits)
	if err != nil {
		return nil, fmt.Errorf("edits: %w", err)
	}
	return hooks, nil
}

// EditHooks are edits as hooks of a model, with one more where some are masks: it
// refuses a run in which a query is left no key to read. The model would give it
// nothing, which is no attention pattern.
func EditHooks(m *models.Model, edits []models.Edit) ([]models.Hook, error) {
	hooks, err := m.Edits(edits...)
	if err != nil {
		return nil, err
	}
	masked := map[models.Site]bool{}
	for _, e := range edits {
		if e.Op != models.Mask {
			continue
		}
		site, err := m.Site(e.Site)
		if err != nil {
			return nil, err
		}
		masked[site] = true
	}
	if len(masked) == 0 {
		return hooks, nil
	}
	return append(hooks, models.Hook{Sites: func(s models.Site) bool { return masked[s] }, Fn: func(_ models.Site, x *tensor.Dense) error {
		for b := range x.Dim(0) {
			for h := range x.Dim(1) {
				for q := range x.Dim(2) {
					if row := x.Sub(b, h, q).Data; math.IsInf(float64(slices.Max(row)), -1) {
						return &hintError{fmt.Sprintf("the masks leave query %d of head %d none of its keys 0..%d to read", q, h, q), "leave it one, such as key 0 or its own; to take a head away there, set its hook_z to 0"}
					}
				}
			}
		}
		return nil
	}}), nil
}

// underEdits is what a subtitle says of edits, empty for none.
func underEdits(a Args) string {
	switch edits, _ := a["edits"].([]models.Edit); len(edits) {
	case 0:
		return ""
	case 1:
		return ", under an edit of " + edits[0].Site
	default:
		return fmt.Sprintf(", under %d edits", len(edits))
	}
}
