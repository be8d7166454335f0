package ablate

import (
	"context"

	"orrery/models"
	"orrery/models/tensor"
)

// replacement runs sweeps that set, cell by cell, what stands at a site to
// other values: another run's, means, zeros.
type replacement struct {
	m      *models.Model
	base   *models.Base
	sweeps []PatchSweep
	window int
	// values gives what a site is set to in a row of the base, in the site's shape
	// without the batch.
	values func(site models.Site, row int) (*tensor.Dense, error)

	shapes [][]int
	first  []int // the number of the first cell of each sweep
	cells  int
}

func newReplacement(m *models.Model, base *models.Base, sweeps []PatchSweep, window int, values func(models.Site, int) (*tensor.Dense, error)) (*replacement, error) {
	w := &replacement{m: m, base: base, sweeps: sweeps, window: window, values: values}
	for _, s := range sweeps {
		shape, err := s.Shape(m, base.Batch().T)
		if err != nil {
			return nil, err
		}
		n := 1
		for _, d := range shape {
			n *= d
		}
		w.shapes = append(w.shapes, shape)
		w.first = append(w.first, w.cells)
		w.cells += n
	}
	return w, nil
}

// find gives the sweep of a cell, and its number there.
func (w *replacement) find(cell int) (at, within int) {
	for at = len(w.first) - 1; w.first[at] > cell; at-- {
	}
	return at, cell - w.first[at]
}

// sweep computes the cells; measure reads width numbers off a run, and take and done
// are called as those of grid, with the sweep's place and the cell's number in it.
func (w *replacement) sweep(ctx context.Context, need models.Need, budget Budget, width int, measure func(row int, logits []float32, into []float64), take func(at, cell, row int, numbers []float64), done func(at, cell int) error) (models.Report, error) {
	return grid{
		base: w.base, need: need, vocab: w.m.Config.Outputs(), cells: w.cells,
		edits: w.edits,
		width: width, measure: func(_, row int, logits []float32, into []float64) { measure(row, logits, into) },
		take: func(cell, row int, numbers []float64) {
			at, within := w.find(cell)
			take(at, within, row, numbers)
		},
		done: func(cell int) error { return done(w.find(cell)) },
	}.sweep(ctx, budget)
}

// edits are a cell's, one for each layer of its window.
func (w *replacement) edits(cell, row int) (edits []models.Edit, err error) {
	i, within := w.find(cell)
	index := unravel(within, w.shapes[i])
	at := selection{}
	for a, axis := range w.sweeps[i].Axes[1:] {
		at[axis] = index[a+1]
	}
	lo, hi := window(index[0], w.window, w.m.Config.Layers)
	for l := lo; l < hi; l++ {
		site, err := w.sweeps[i].site(w.m, l)
		if err != nil {
			return nil, err
		}
		value, err := w.values(site, row)
		if err != nil {
			return nil, err
		}
		edits = append(edits, editOf(w.m, site, value, at))
	}
	return edits, nil
}

// unravel turns a row-major number into an index for each axis.
func unravel(i int, shape []int) []int {
	index := make([]int, len(shape))
	for a := len(shape) - 1; a >= 0; a-- {
		index[a] = i % shape[a]
		i /= shape[a]
	}
	return index
}
