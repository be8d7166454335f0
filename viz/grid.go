package viz

import (
	"math"
	"strconv"
)

// Measures of a grid of cells, in pixels.
const (
	cellRadius  = 4.0
	cellText    = 12.0
	minCellText = 9.5
	chipHeight  = 20.0
	maxGrid     = 2000.0 // natural width at most, where cells can be smaller
	maxUpright  = 110.0
	focusOut    = 2.25 // a focus frame lies in the gap between cells
)

// grid is cells over two axes: row 0 at the bottom, column 0 at the left.
type grid struct {
	rows, columns Axis
	scale         Scale
	cells         func(row, column int) cell
	// focus is the column that is framed, -1 for none.
	focus int
	ring  []int // flat indices of cells in a brass ring

	pitchX, pitchY, gap float64
	nameW, labelW       float64 // the rows' name and labels, with the space after them
	everyX, everyY      int     // of so many labels one is drawn
	labelSize           float64
	labelH              float64 // height of the columns' labels
	upright             bool    // they read upwards
	textSize            float64 // of what stands in the cells, the same in all
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
	widest, words := 0.0, g.isPrompt()
	for _, l := range g.columns.Labels {
		widest = max(widest, s.width(g.columnLabel(l), g.columnPen())+14)
		if _, err := strconv.ParseFloat(l, 64); err != nil {
			words = true
		}
	}
	least := 4.0
	if n > 64 && len(g.rows.Labels) > 64 { // tiles over two operands
		least = 2
	}
	room := max((maxGrid-g.left())/n, 4)
	if avail > 0 {
		room = max((avail-g.left())/n, least)
	}
	g.pitchX = min(room, max(prefer, min(widest, 134)))
	if avail > 0 {
		g.pitchX = min(room, 1.3*max(prefer, widest))
	}
	if g.pitchX < 18 || g.pitchY < 18 {
		g.pitchX, g.pitchY = math.Floor(g.pitchX), math.Floor(g.pitchY)
	}
	both := n >= 10 && len(g.rows.Labels) >= 10 && !words
	if n >= 20 && g.pitchY < 18 || both { // many small cells are square
		g.pitchX = min(g.pitchX, g.pitchY)
		g.pitchY = g.pitchX
	}
	switch small := min(g.pitchX, g.pitchY); {
	case min(len(g.rows.Labels), len(g.columns.Labels)) >= manyRows: // tiles touch
	case small >= 18:
		g.gap = 3
	case small >= 12:
		g.gap = 1
	}
	g.everyX, g.everyY, g.labelH = 1, 1, chipHeight
	tooWide := 0
	for _, l := range g.columns.Labels {
		if s.width(g.columnLabel(l), g.columnPen())+10 > g.pitchX {
			tooWide++
		}
	}
	if 3*tooWide > len(g.columns.Labels) && g.pitchX < 56 {
		// Words stand upright; numbers keep lying and some are left out.
		g.upright = words
		need := widest
		if words {
			need = chipHeight + 1
			g.labelH = min(widest, maxUpright)
		}
		g.everyX = stride(g.columns, need/g.pitchX)
	}
	need := g.labelSize + 2
	if len(g.rows.Labels) >= manyLabels {
		need = 2 * need
	}
	if g.pitchY < need {
		g.everyY = stride(g.rows, need/g.pitchY)
	}
	g.textSize = cellText
	for r := range g.rows.Labels {
		for c := range g.columns.Labels {
			if t := g.cells(r, c); !t.cut && t.text != "" {
				g.textSize = min(g.textSize, cellText*(g.pitchX-g.gap-4)/s.width(t.text, pen{face: t.face, size: cellText}))
			}
		}
	}
	g.textSize = max(math.Floor(2*g.textSize)/2, minCellText)
}

// manyLabels is the number of rows from which on their labels stand loosely.
const manyLabels = 40

// stride is every how many labels of an axis one is written so that so many
// cells lie between two: a round number where the labels count.
func stride(a Axis, apart float64) int {
	least := int(math.Ceil(apart - 1e-9))
	if least > 1 && counts(a) {
		for _, n := range []int{2, 5, 10, 20, 50, 100, 200, 500, 1000} {
			if n >= least {
				return n
			}
		}
	}
	return least
}

// written reports whether a label is one of every so many: of labels that
// count the multiples, of others the last and every so many before it.
func written(a Axis, i, every int) bool {
	if every > 1 && counts(a) {
		v, _ := strconv.Atoi(a.Labels[i])
		return v%every == 0
	}
	return (len(a.Labels)-1-i)%every == 0
}

// counts reports labels that are whole numbers, each one more than the last.
func counts(a Axis) bool {
	first, err := strconv.Atoi(a.Labels[0])
	for i, l := range a.Labels {
		if v, e := strconv.Atoi(l); e != nil || v != first+i {
			return false
		}
	}
	return err == nil && len(a.Roles) == 0
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
	h = g.pitchY*float64(len(g.rows.Labels)) + 6 + g.labelH
	if !g.isPrompt() && g.columns.Name != "" {
		h += 14
	}
	return g.left() + g.pitchX*float64(len(g.columns.Labels)), h
}

func (g *grid) draw(s *sheet, x, y float64) {
	rows, columns := len(g.rows.Labels), len(g.columns.Labels)
	x0 := x + g.left()
	if g.gap == 0 { // cells that touch lie on whole pixels
		x0, y = math.Round(x0), math.Round(y)
	}
	bottom := y + g.pitchY*float64(rows)
	name := g.namePen()
	name.color = s.th.ui("mute")
	s.text(x, y+g.pitchY/2+3, g.rows.Name, name)
	label := g.rowPen()
	label.color = s.th.ui("soft")
	tiled := g.tiled(s)
	if tiled {
		g.tiles(s, x0, y)
	}
	for r := range rows {
		cy := bottom - g.pitchY*float64(r+1)
		if written(g.rows, r, g.everyY) {
			l := truncate(g.rowLabel(g.rows.Labels[r]), s.fit(label, g.labelW-10+1e-9)) // the widest fits, whatever adding and taking away has rounded
			s.text(x0-10, cy+(g.pitchY-g.gap)/2+4, l, label)
		}
		for c := range columns {
			if cell := g.cells(r, c); !tiled || !g.plain(cell) {
				s.cell(x0+g.pitchX*float64(c), cy, g.pitchX-g.gap, g.pitchY-g.gap, cell, g)
			}
		}
	}
	for c := range columns {
		if written(g.columns, c, g.everyX) {
			g.drawColumnLabel(s, c, x0+g.pitchX*float64(c)+(g.pitchX-g.gap)/2, bottom+4)
		}
	}
	if !g.isPrompt() && g.columns.Name != "" {
		name.align = centre
		s.text(x0+(g.pitchX*float64(columns)-g.gap)/2, bottom+g.labelH+14, g.columns.Name, name)
	}
	for _, at := range g.ring {
		r, c := at/columns, at%columns
		s.frame(x0+g.pitchX*float64(c)-1.5, bottom-g.pitchY*float64(r+1)-1.5, g.pitchX-g.gap+3, g.pitchY-g.gap+3, 6, 2.5, s.th.ui("brass"))
	}
	if g.focus >= 0 {
		s.frame(x0+g.pitchX*float64(g.focus)-focusOut, y-focusOut, g.pitchX-g.gap+2*focusOut, bottom-y-g.gap+2*focusOut, 6, 1.5, s.th.ui("brass"))
	}
}

// drawColumnLabel writes a label, or draws a token's chip, centred at x.
func (g *grid) drawColumnLabel(s *sheet, c int, x, y float64) {
	p := g.columnPen()
	room := g.pitchX * float64(g.everyX)
	text := g.columnLabel(g.columns.Labels[c])
	if g.upright {
		room = maxUpright
	}
	if !g.isPrompt() {
		p.color = s.th.ui("soft")
		g.label(s, x, y, truncate(text, s.fit(p, room-2)), p)
		return
	}
	style, ok := house().Roles[g.columns.Roles[c]]
	if !ok {
		style = house().Roles[RoleNone]
	}
	pad := min(12, max(room-2-s.width(text, p), 6))
	text = truncate(text, s.fit(p, max(room-2-pad, 8)))
	w, h := max(s.width(text, p)+pad, min(22, room-2)), chipHeight
	if g.upright {
		w, h = min(chipHeight, g.pitchX*float64(g.everyX)-1), w
	}
	s.fillRect(x-w/2, y, w, h, 5, s.th.ui(style.Fill))
	s.frame(x-w/2, y, w, h, 5, 1, s.th.ui(style.Stroke), style.Dash...)
	p.color = s.th.ui(style.Text)
	if g.upright {
		y += pad/2 - 3
	}
	g.label(s, x, y, text, p)
}

// label writes a column's label under y, lying or upright.
func (g *grid) label(s *sheet, x, y float64, text string, p pen) {
	if !g.upright {
		s.text(x, y+14, text, p)
		return
	}
	p.align = left
	s.upright(x+4, y+3+s.width(text, p), text, p)
}
