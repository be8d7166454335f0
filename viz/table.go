package viz

import "fmt"

// Measures of a table, in pixels.
const (
	tableRow   = 24.0
	tableGap   = 28.0
	leastGap   = 10.0
	maxColumn  = 320.0
	maxRows    = 200
	tableSmall = 48.0
)

// tableBody is a table's first rows; a note says how many more there are.
type tableBody struct {
	f      *Figure
	widths []float64
	rows   int
	gap    float64 // between two columns
}

func newTableBody(s *sheet, f *Figure, avail float64) body {
	b := &tableBody{f: f, rows: min(f.Table.Rows, maxRows), gap: tableGap}
	total, flexible := 0.0, 0.0
	for _, c := range f.Table.Columns {
		w := s.width(unitLabel(c.Name, c.Unit), tableHead)
		for r := range b.rows {
			text, _, _ := f.tableCell(c, r)
			w = max(w, s.width(text, tableCellPen(c)))
		}
		w = min(w, maxColumn)
		b.widths = append(b.widths, w)
		total += w + tableGap
		if c.Text != "" {
			flexible += w
		}
	}
	total -= tableGap
	over := total - avail
	// The gaps give way first, then text columns; numbers are never cut.
	if n := len(b.widths) - 1; avail > 0 && over > 0 && n > 0 {
		b.gap = max(tableGap-over/float64(n), leastGap)
		over -= (tableGap - b.gap) * float64(n)
	}
	if avail > 0 && over > 0 && flexible > 0 {
		for i, c := range f.Table.Columns {
			if c.Text != "" {
				b.widths[i] = min(b.widths[i], max(tableSmall, b.widths[i]*(1-over/flexible)))
			}
		}
	}
	return b
}

var tableHead = pen{face: sans, size: smallSize}

func tableCellPen(c Column) pen {
	p := pen{face: sans, size: textSize}
	if c.Values != "" {
		p.align = right
	}
	return p
}

// tableCell is the text of a cell, its state, and whether it is a number that
// is not finite.
func (f *Figure) tableCell(c Column, r int) (text string, state State, odd bool) {
	if c.Text != "" {
		return f.Texts[c.Text].Values[r], Done, false
	}
	v, state := f.Arrays[c.Values].At(r)
	if state != Done {
		return "", state, false
	}
	return FormatNumber(c.Format, float64(v)), Done, !finite(float64(v))
}

func (b *tableBody) size() (w, h float64) {
	for _, c := range b.widths {
		w += c + b.gap
	}
	h = tableRow * float64(b.rows+1)
	if b.rows < b.f.Table.Rows {
		h += tableRow
	}
	return w - b.gap, h
}

func (b *tableBody) draw(s *sheet, x, y float64) {
	width, _ := b.size()
	at := x
	for i, c := range b.f.Table.Columns {
		p := tableHead
		p.color = s.th.ui("mute")
		cx := at
		if c.Values != "" {
			p.align, cx = right, at+b.widths[i]
		}
		s.text(cx, y+15, truncate(unitLabel(c.Name, c.Unit), s.fit(p, b.widths[i])), p)
		at += b.widths[i] + b.gap
	}
	s.line(x, y+tableRow-0.5, x+width, y+tableRow-0.5, 1, s.th.ui("line2"))
	for r := range b.rows {
		y += tableRow
		at = x
		for i, c := range b.f.Table.Columns {
			b.drawCell(s, c, r, at, y, b.widths[i])
			at += b.widths[i] + b.gap
		}
		if r < b.rows-1 {
			s.line(x, y+tableRow-0.5, x+width, y+tableRow-0.5, 1, s.th.ui("line"))
		}
	}
	if more := b.f.Table.Rows - b.rows; more > 0 {
		s.text(x, y+tableRow+16, fmt.Sprintf("%d more rows in the data exports", more), pen{face: sans, size: smallSize, color: s.th.ui("mute")})
	}
}

func (b *tableBody) drawCell(s *sheet, c Column, r int, x, y, w float64) {
	text, state, odd := b.f.tableCell(c, r)
	if state == Pending {
		s.hatch(x+w-min(w, 40), y+4, min(w, 40), tableRow-9, 4)
		return
	}
	p := tableCellPen(c)
	p.color = s.th.ui("ink")
	if odd {
		p.color = s.th.ui("warn")
	}
	if p.align == right {
		s.text(x+w, y+16, text, p)
		return
	}
	s.text(x, y+16, truncate(text, s.fit(p, w)), p)
}

// checkTable is the part of Validate for tables.
func (f *Figure) checkTable() error { return f.checkTableOf(f.Table) }

// checkTableOf checks a table, which may be a part of another kind.
func (f *Figure) checkTableOf(t *Table) error {
	if len(t.Columns) == 0 {
		return fmt.Errorf("a table needs a column")
	}
	for i, c := range t.Columns {
		var err error
		switch {
		case (c.Values == "") == (c.Text == ""):
			err = fmt.Errorf("exactly one of values %q and text %q must be set", c.Values, c.Text)
		case c.Values != "":
			_, err = parseFormat(c.Format)
			err = first(err, f.array(c.Values, t.Rows))
		default:
			err = f.text(c.Text, t.Rows)
		}
		if err != nil {
			return fmt.Errorf("column %d %q: %w", i, c.Name, err)
		}
	}
	return nil
}
