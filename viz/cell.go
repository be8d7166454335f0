package viz

import (
	"image/color"
	"math"
)

// cell is what stands in one cell of a grid.
type cell struct {
	value float64
	state State
	// text is written in the cell where it fits, shortened if cut is set.
	text string
	cut  bool
	face face
	// faded marks a cell that only repeats another one.
	faded bool
}

// fadedShare is how much of its colour a faded cell keeps: so little that soft
// text reads on it.
const fadedShare = 0.25

// cell draws one cell with its corner at x, y.
func (s *sheet) cell(x, y, w, h float64, c cell, g *grid) {
	r := min(cellRadius, h/5, w/5)
	if g.gap < 3 {
		r = g.gap
	}
	switch {
	case c.state == Blank:
		return
	case c.state == Pending:
		s.hatch(x, y, w, h, house().Hatch.Step)
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
	back := s.th.colour(g.scale, c.value)
	if c.faded {
		back = mix(s.th.ui("card"), back, fadedShare)
	}
	s.fillRect(x, y, w, h, r, back)
	if g.gap > 0 && contrast(back, s.th.ui("card")) < 1.13 && min(w, h) >= 8 {
		s.frame(x, y, w, h, r, 1, s.th.ui("line"))
	}
	ink := TextOn(back)
	if c.faded {
		ink = s.th.ui("soft")
	}
	if _, clipped := g.scale.Position(c.value); clipped != 0 {
		s.notch(x, y, w, h, clipped, ink)
	}
	s.cellText(x, y, w, h, c, ink, g.textSize)
}

// cellText writes what stands in a cell where it fits: numbers all in one
// size, tokens as large as they may be and shortened at the least size.
func (s *sheet) cellText(x, y, w, h float64, c cell, ink color.RGBA, size float64) {
	if h < 13 || c.text == "" {
		return
	}
	least := size
	if c.cut {
		least = minCellText
	}
	for ; size >= least; size -= 0.5 {
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
// the limit on, on a log scale from 8 % of the way, a category or a phase always.
func (s Scale) written(v float64) bool {
	if s.Kind == ScaleCategory || s.Kind == ScaleCyclic {
		return true
	}
	from := house().WriteFrom
	if s.Kind == ScaleLog {
		t, _ := s.Position(v)
		return t >= from
	}
	return math.Abs(v) >= from*max(math.Abs(s.Lo), math.Abs(s.Hi))
}
