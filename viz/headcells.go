package viz

import "fmt"

// HeadCells says which attention head each cell of a panel is about, so that its
// card can show what that head reads and writes in the run of a prompt: one of
// Provenance.PromptIDs.
type HeadCells struct {
	// Rows and Columns hold one place an index. The place of a cell is that of its
	// row plus that of its column, field by field.
	Rows    []HeadPlace `json:"rows"`
	Columns []HeadPlace `json:"columns"`
	// Names are what the runs of a cell are called: of one name, each prompt is a run;
	// of two, "clean run" and "corrupted run", the prompts are pairs of them in turn.
	Names []string `json:"names"`
	// Note says what else a cell is about: heads that share its keys and values.
	Note string `json:"note,omitempty"`
}

// HeadPlace is an attention head and the query that it is read at; Query counts
// from the end where it is negative.
type HeadPlace struct {
	Layer int `json:"layer"`
	Head  int `json:"head"`
	Query int `json:"query"`
}

// At is the head of a cell.
func (h *HeadCells) At(row, column int) HeadPlace {
	a, b := h.Rows[row], h.Columns[column]
	return HeadPlace{a.Layer + b.Layer, a.Head + b.Head, a.Query + b.Query}
}

// Prompts is how many prompts, or pairs of them, a figure has the runs of.
func (h *HeadCells) Prompts(f *Figure) int { return len(f.Provenance.PromptIDs) / len(h.Names) }

// checkHeads is the part of Validate for the heads of a panel's cells.
func (f *Figure) checkHeads(p Panel) error {
	h := p.Heads
	if h == nil {
		return nil
	}
	r, c := len(p.Rows.Labels), len(p.Columns.Labels)
	if len(h.Rows) != r || len(h.Columns) != c {
		return fmt.Errorf("heads has places for %d rows and %d columns, the panel has %d and %d", len(h.Rows), len(h.Columns), r, c)
	}
	names := len(h.Names)
	if names != 1 && names != 2 {
		return fmt.Errorf("heads names %d runs, and a cell has one or two", names)
	}
	if n := len(f.Provenance.PromptIDs); n == 0 || n%names != 0 {
		return fmt.Errorf("heads needs prompts for %d runs each, and there are %d", names, n)
	}
	for i := range r {
		for j := range c {
			if at := h.At(i, j); at.Layer < 0 || at.Head < 0 {
				return fmt.Errorf("heads: the cell in row %d, column %d is of head %d.%d", i, j, at.Layer, at.Head)
			}
		}
	}
	return nil
}
