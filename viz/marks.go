package viz

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// draw draws the plot, then the marks of its points, what is missing, and
// the legend.
func (b *linesBody) draw(s *sheet, x, y float64) {
	_, h := b.size()
	foot := y + h - b.notes.height()
	y += b.guideTop()
	area := draw.Canvas{Canvas: s.c, Rectangle: vg.Rectangle{Min: s.pt(x, y+b.h), Max: s.pt(x+b.w, y)}}
	b.bands(s, area)
	b.guides(s, area)
	b.missing(s, area)
	s.drawPlot(b.plot, area, b.f.Scales[b.f.Lines.YScale])
	b.breakAxis(s, area)
	for i := range b.f.Lines.Series {
		b.points(s, area, i)
	}
	b.rule(s, area)
	top, at := y+b.h+6, x
	if b.beside {
		at, top = x+b.w+18, y+4
	}
	b.legend.draw(s, at, top)
	b.notes.draw(s, x, foot)
}

// breakAxis marks a log axis at whose end 0 stands: what is between is no distance.
func (b *linesBody) breakAxis(s *sheet, area draw.Canvas) {
	if !b.zero {
		return
	}
	data := b.plot.DataCanvas(area)
	foot := s.h - float64(data.Min.Y) + 6 // the axis is as far below its data
	for _, x := range []float64{float64(data.Min.X) + 12, float64(data.Min.X) + 17} {
		s.line(x-2, foot+4, x+2, foot-4, 1, s.th.ui("edge"))
	}
}

// points draws the marks of one series; a value that is not finite is marked
// at the edge of the plot where it would be.
func (b *linesBody) points(s *sheet, area draw.Canvas, i int) {
	data := b.plot.DataCanvas(area)
	tx, ty := b.plot.Transforms(&data)
	sr, c := b.f.Lines.Series[i], b.style(s, i)
	sx, sy := b.f.Scales[b.f.Lines.XScale], b.f.Scales[b.f.Lines.YScale]
	top, bottom := s.h-float64(data.Max.Y), s.h-float64(data.Min.Y)
	for at := range b.x {
		v, state := b.f.Arrays[sr.Y].At(at)
		if state != Done || !b.drawable(b.x[at], 1) {
			continue
		}
		if _, out := sx.Position(b.x[at]); out != 0 {
			continue
		}
		px, ink := float64(tx(b.x[at])), b.colourAt(s, c.color, at)
		if !finite(float64(v)) {
			edge := bottom - 6
			if v > 0 {
				edge = top + 6
			}
			s.oddMark(px, edge)
			continue
		}
		if _, out := sy.Position(float64(v)); out != 0 {
			if (out > 0) != sy.Reverse {
				s.polygon(ink, px-4, top+6, px+4, top+6, px, top)
			} else {
				s.polygon(ink, px-4, bottom-6, px+4, bottom-6, px, bottom)
			}
			continue
		}
		if b.marked() {
			b.whisker(s, sr, at, px, func(v float64) float64 { return min(max(s.h-float64(ty(v)), top), bottom) }, ink)
			s.mark(c.mark, px, s.h-float64(ty(float64(v))), ink)
		}
	}
}

// marked says whether points have marks: few enough do.
func (b *linesBody) marked() bool { return len(b.x) <= maxMarks }

// whisker is the interval of a point, within the plot.
func (b *linesBody) whisker(s *sheet, sr Series, at int, x float64, y func(v float64) float64, ink color.RGBA) {
	errs := b.f.Arrays[sr.Errors]
	if errs == nil {
		return
	}
	e, state := errs.At(at)
	if state != Done || !finite(float64(e)) {
		return
	}
	lo, hi := b.f.Interval.Ends(float64(b.f.Arrays[sr.Y].Data[at]), float64(e))
	if b.f.Scales[b.f.Lines.YScale].Kind == ScaleLog {
		lo = max(lo, b.f.Scales[b.f.Lines.YScale].Lo)
	}
	up, down := y(hi), y(lo)
	s.line(x, up, x, down, 1.25, ink)
	s.line(x-whiskerCap, up, x+whiskerCap, up, 1.25, ink)
	s.line(x-whiskerCap, down, x+whiskerCap, down, 1.25, ink)
}

// mark draws a series' mark at a point.
func (s *sheet) mark(kind string, x, y float64, c color.RGBA) {
	const r = 3.0
	card := s.th.ui("card")
	switch kind {
	case "disc":
		s.c.SetColor(c)
		s.c.Fill(s.disc(x, y, r))
	case "ring":
		s.c.SetColor(card)
		s.c.Fill(s.disc(x, y, r))
		s.stroke(s.disc(x, y, r), 1.5, c)
	case "square":
		s.fillRect(x-r+0.3, y-r+0.3, 2*r-0.6, 2*r-0.6, 0, c)
	case "triangle":
		s.polygon(c, x-r-0.6, y+r-0.2, x+r+0.6, y+r-0.2, x, y-r-0.6)
	case "diamond":
		s.polygon(c, x-r-0.8, y, x, y-r-0.8, x+r+0.8, y, x, y+r+0.8)
	case "cross":
		s.line(x-r, y-r, x+r, y+r, 1.5, c)
		s.line(x-r, y+r, x+r, y-r, 1.5, c)
	}
}

// oddMark marks a value that is not finite.
func (s *sheet) oddMark(x, y float64) {
	c := s.th.ui("warn")
	s.c.SetColor(s.th.ui("warn_bg"))
	s.c.Fill(s.disc(x, y, 5))
	s.stroke(s.disc(x, y, 5), 1, c)
	s.line(x-2, y-2, x+2, y+2, 1.25, c)
	s.line(x-2, y+2, x+2, y-2, 1.25, c)
}

// missing hatches the stretches of x where a series that is no control has a
// number still to come.
func (b *linesBody) missing(s *sheet, area draw.Canvas) {
	data := b.plot.DataCanvas(area)
	tx, _ := b.plot.Transforms(&data)
	lo, hi := float64(data.Min.X), float64(data.Max.X)
	top, height := s.h-float64(data.Max.Y), float64(data.Max.Y-data.Min.Y)
	place := func(i int) float64 { return min(max(float64(tx(b.x[i])), lo), hi) }
	for from := 0; from < len(b.x); from++ {
		if !b.pending(from) {
			continue
		}
		to := from
		for to+1 < len(b.x) && b.pending(to+1) {
			to++
		}
		x0, x1 := place(from), place(to)
		if from > 0 && b.drawable(b.x[from-1], 1) {
			x0 = (x0 + place(from-1)) / 2
		}
		if to+1 < len(b.x) && b.drawable(b.x[to+1], 1) {
			x1 = (x1 + place(to+1)) / 2
		}
		if x1 < x0 {
			x0, x1 = x1, x0
		}
		if x1-x0 < 6 {
			x0, x1 = max(lo, x0-3), min(hi, x1+3)
		}
		s.hatch(x0, top, x1-x0, height, house().Hatch.Step)
		from = to
	}
}

func (b *linesBody) pending(i int) bool {
	if !b.drawable(b.x[i], 1) {
		return false
	}
	for _, sr := range b.f.Lines.Series {
		if _, state := b.f.Arrays[sr.Y].At(i); state == Pending {
			return true
		}
	}
	return false
}

// findNotes lists the marks that need a word.
func (b *linesBody) findNotes() []item {
	var hatched, odd bool
	for i := range b.x {
		hatched = hatched || b.pending(i)
		for _, sr := range b.f.Lines.Series {
			v, state := b.f.Arrays[sr.Y].At(i)
			odd = odd || (state == Done && !finite(float64(v)))
		}
	}
	var out []item
	if hatched {
		out = append(out, item{sign: "pending", text: "not yet computed"})
	}
	if odd {
		out = append(out, item{sign: "nan", text: "not a number, or infinite"})
	}
	return out
}
