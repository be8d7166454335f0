package viz

import (
	"fmt"
	"strings"
)

// Opening says how the edited run behind a cell of a heatmap is written as a
// call, so that a click can open it: a source with places that the cell fills.
type Opening struct {
	// Call is the source, with places that are filled in this order: {row} and
	// {column} for the cell's own arguments ({column} may stand in {row}), {model}
	// for the model, {prompts} for the figure's own argument of that name, {pair}
	// for the prompts.
	Call string `json:"call"`
	// Pairs holds what stands for {pair}, one a pair or prompt; Rows and Columns
	// what stands for {row} and {column}, one an index.
	Pairs   []string `json:"pairs"`
	Rows    []string `json:"rows"`
	Columns []string `json:"columns"`
}

// Source is the call of a cell with model as its model and prompts as its set of
// prompts.
func (o *Opening) Source(model, prompts string, pair, row, column int) string {
	text := o.Call
	for _, r := range [...][2]string{{"{row}", o.Rows[row]}, {"{column}", o.Columns[column]}, {"{model}", model}, {"{prompts}", prompts}, {"{pair}", o.Pairs[pair]}} {
		text = strings.ReplaceAll(text, r[0], r[1])
	}
	return text
}

// checkOpening is the part of Validate for how cells open, behind that for the
// values of pairs.
func (f *Figure) checkOpening(p Panel) error {
	r, c := len(p.Rows.Labels), len(p.Columns.Labels)
	o := p.Open
	if o == nil {
		return nil
	}
	if len(o.Pairs) == 0 || len(o.Rows) != r || len(o.Columns) != c {
		return fmt.Errorf("open has arguments for %d pairs, %d rows and %d columns, the panel has %d rows and %d columns", len(o.Pairs), len(o.Rows), len(o.Columns), r, c)
	}
	if p.Each != "" {
		if n := f.Arrays[p.Each].Shape[2]; n != len(o.Pairs) {
			return fmt.Errorf("open has arguments for %d pairs, and there are values of %d", len(o.Pairs), n)
		}
	}
	return nil
}
