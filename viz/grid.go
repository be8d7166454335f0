package viz

import (
	"image/color"
	"math"
)

// Measures of a grid of cells, in pixels.
const (
	cellRadius  = 4.0
	cellText    = 12.0
	minCellText = 9.5
	chipHeight  = 20.0
)

// cell is what stands in one cell of a grid.
type cell struct {
	value float64
	state State
	// text is written in the cell where it fits, shortened if cut is set.
	text string
	cut  bool
	face face
}

// grid is cells over two axes: row 0 at the bottom, column 0 at the left.
type grid struct {
	rows, columns Axis
	scale         Scale
	cells         func(row, column int) cell
	// focus is the column that is framed, -1 for none.
	focus int

	pitchX, pitchY, gap float64
	nameW, labelW       float64 // the rows' name and labels, with the space after them
	everyX, everyY      int     // of so many labels one is drawn, the last always
	labelSize           float64
}

// layout chooses sizes: cells as wide as prefer allows within avail (0 is
// no limit), never so small that one is lost.
func (g *grid) layout(s *sheet, avail, prefer, height float64) {
	g.labelSize = cellText
	n := float64(len(g.columns.Labels))
	g.pitchY = min(height, max(1100/float64(len(g.rows.Labels)), 5))
	if g.pitchY < 15 {
		g.labelSize = smallSize - 1
	}
	for _, l := range g.rows.Labels {
		g.labelW = max(g.labelW, s.width(g.rowLabel(l), g.rowPen()))
	}
	g.labelW = min(g.labelW, 160) + 10
	if g.rows.Name != "" {
		g.nameW = s.width(g.rows.Name, g.namePen()) + 10
	}
	widest := 0.0
	for _, l := range g.columns.Labels {
		widest = max(widest, s.width(g.columnLabel(l), g.columnPen())+14)
	}
	if avail > 0 {
		g.pitchX = min(max((avail-g.nameW-g.labelW)/n, 5), max(prefer, widest)*1.3)
	} else {
		g.pitchX = min(max(prefer, min(widest, 134)), max(1400/n, 6))
	}
	switch small := min(g.pitchX, g.pitchY); {
	case small >= 18:
		g.gap = 3
	case small >= 9:
		g.gap = 1
	}
	g.everyX, g.everyY = 1, 1
	if g.pitchX < 22 || (g.pitchX < widest-10 && !g.isPrompt()) {
		g.everyX = int(math.Ceil(widest / g.pitchX))
	}
	if need := g.labelSize + 2; g.pitchY < need {
		g.everyY = int(math.Ceil(need / g.pitchY))
	}
}

func (g *grid) isPrompt() bool { return len(g.columns.Roles) > 0 }

func (g *grid) rowLabel(l string) string {
	if len(g.rows.Roles) > 0 {
		return TokenText(l)
	}
	return l
}

func (g *grid) columnLabel(l string) string {
	if g.isPrompt() {
		return TokenText(l)
	}
	return l
}

func (g *grid) rowPen() pen {
	f := sans
	if len(g.rows.Roles) > 0 {
		f = mono
	}
	return pen{face: f, size: g.labelSize, align: right}
}

func (g *grid) columnPen() pen {
	f := sans
	if g.isPrompt() {
		f = mono
	}
	return pen{face: f, size: cellText, align: centre}
}

func (g *grid) namePen() pen { return pen{face: sans, size: smallSize} }

// left is the width of what stands left of the cells.
func (g *grid) left() float64 { return g.nameW + g.labelW }

func (g *grid) size() (w, h float64) {
	h = g.pitchY*float64(len(g.rows.Labels)) + 6 + chipHeight
	if !g.isPrompt() && g.columns.Name != "" {
		h += 14
	}
	return g.left() + g.pitchX*float64(len(g.columns.Labels)), h
}

func (g *grid) draw(s *sheet, x, y float64) {
	rows, columns := len(g.rows.Labels), len(g.columns.Labels)
	x0 := x + g.left()
	bottom := y + g.pitchY*float64(rows)
	name := g.namePen()
	name.color = s.th.ui("mute")
	s.text(x, y+g.pitchY/2+3, g.rows.Name, name)
	label := g.rowPen()
	label.color = s.th.ui("soft")
	for r := range rows {
		cy := bottom - g.pitchY*float64(r+1)
		if (rows-1-r)%g.everyY == 0 {
			l := truncate(g.rowLabel(g.rows.Labels[r]), s.fit(label, g.labelW-10))
			s.text(x0-10, cy+(g.pitchY-g.gap)/2+4, l, label)
		}
		for c := range columns {
			s.cell(x0+g.pitchX*float64(c), cy, g.pitchX-g.gap, g.pitchY-g.gap, g.cells(r, c), g.scale)
		}
	}
	for c := range columns {
		if (columns-1-c)%g.everyX == 0 {
			g.drawColumnLabel(s, c, x0+g.pitchX*float64(c)+(g.pitchX-g.gap)/2, bottom+4)
		}
	}
	if !g.isPrompt() && g.columns.Name != "" {
		name.align = centre
		s.text(x0+(g.pitchX*float64(columns)-g.gap)/2, bottom+chipHeight+14, g.columns.Name, name)
	}
	if g.focus >= 0 {
		s.frame(x0+g.pitchX*float64(g.focus)-3, y-3, g.pitchX-g.gap+6, bottom-y-g.gap+6, 6, 1.5, s.th.ui("brass"))
	}
}

// drawColumnLabel writes a label, or draws a token's chip, centred at x.
func (g *grid) drawColumnLabel(s *sheet, c int, x, y float64) {
	p := g.columnPen()
	room := g.pitchX * float64(g.everyX)
	text := g.columnLabel(g.columns.Labels[c])
	if !g.isPrompt() {
		p.color = s.th.ui("soft")
		s.text(x, y+14, truncate(text, s.fit(p, room-2)), p)
		return
	}
	style, ok := house().Roles[g.columns.Roles[c]]
	if !ok {
		style = house().Roles[RoleNone]
	}
	pad := min(12, max(room-g.pitchX/4, 4))
	text = truncate(text, s.fit(p, max(room-pad-2, 8)))
	w := max(s.width(text, p)+pad, min(22, room-2))
	s.fillRect(x-w/2, y, w, chipHeight, 5, s.th.ui(style.Fill))
	s.frame(x-w/2, y, w, chipHeight, 5, 1, s.th.ui(style.Stroke), style.Dash...)
	p.color = s.th.ui(style.Text)
	s.text(x, y+14, text, p)
}

// cell draws one cell with its corner at x, y.
func (s *sheet) cell(x, y, w, h float64, c cell, scale Scale) {
	r := min(cellRadius, h/5, w/5)
	switch {
	case c.state == Blank:
		return
	case c.state == Pending:
		s.hatch(x, y, w, h)
		return
	case !finite(c.value):
		s.fillRect(x, y, w, h, r, s.th.ui("warn_bg"))
		s.frame(x, y, w, h, r, 1, s.th.ui("warn"))
		p := pen{face: sans, size: cellText, color: s.th.ui("warn"), align: centre}
		if text := FormatNumber("", c.value); s.width(text, p) <= w-4 && h >= 13 {
			s.text(x+w/2, y+h/2+4, text, p)
		} else {
			s.line(x, y, x+w, y+h, 1, s.th.ui("warn"))
			s.line(x, y+h, x+w, y, 1, s.th.ui("warn"))
		}
		return
	}
	back := s.th.colour(scale, c.value)
	s.fillRect(x, y, w, h, r, back)
	if contrast(back, s.th.ui("card")) < 1.2 && min(w, h) >= 8 {
		s.frame(x, y, w, h, r, 1, s.th.ui("line"))
	}
	ink := TextOn(back)
	if _, clipped := scale.Position(c.value); clipped != 0 {
		s.notch(x, y, w, h, clipped, ink)
	}
	s.cellText(x, y, w, h, c, ink)
}

func (s *sheet) cellText(x, y, w, h float64, c cell, ink color.RGBA) {
	if h < 13 || c.text == "" {
		return
	}
	for size := cellText; size >= minCellText; size -= 0.5 {
		p := pen{face: c.face, size: size, color: ink, align: centre}
		if s.width(c.text, p) <= w-4 {
			s.text(x+w/2, y+h/2+size*0.36, c.text, p)
			return
		}
	}
	if c.cut {
		p := pen{face: c.face, size: minCellText, color: ink, align: centre}
		s.text(x+w/2, y+h/2+minCellText*0.36, truncate(c.text, s.fit(p, w-2)), p)
	}
}

// notch marks a cell whose value was clipped: top right above the limits,
// bottom right below them.
func (s *sheet) notch(x, y, w, h float64, clipped int, ink color.RGBA) {
	k := min(6, w/2, h/2)
	if clipped > 0 {
		s.polygon(ink, x+w-k, y, x+w, y, x+w, y+k)
	} else {
		s.polygon(ink, x+w-k, y+h, x+w, y+h, x+w, y+h-k)
	}
}

// written reports whether a heatmap writes a value in its cell: from 8 % of
// the limit on, on a log scale from 8 % of the way.
func (s Scale) written(v float64) bool {
	from := house().WriteFrom
	if s.Kind == ScaleLog {
		t, _ := s.Position(v)
		return t >= from
	}
	return math.Abs(v) >= from*max(math.Abs(s.Lo), math.Abs(s.Hi))
}
