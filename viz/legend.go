package viz

// Measures of a legend, in pixels.
const (
	legendWidth = 360.0 // of one entry; a longer name is cut
	legendAside = 190.0 // a wider entry stands under its plot, not beside it
	legendRow   = 22.0
)

// legend names series beside or under a plot.
type legend struct {
	entries []entry
	rows    [][]int
	wide    float64
}

// entry is one name with its line and mark, or with a box where box is set.
type entry struct {
	name  string
	style lineStyle
	soft  bool
	box   bool
}

func newLegend(series []Series, style func(i int) lineStyle) *legend {
	l := &legend{}
	for i, sr := range series {
		l.entries = append(l.entries, entry{name: sr.Name, style: style(i), soft: sr.Control})
	}
	return l
}

func (l *legend) item(s *sheet, i int) float64 {
	return 34 + min(s.width(l.entries[i].name, pen{face: sans, size: cellText}), legendWidth-34)
}

// width is the width of the widest entry.
func (l *legend) width(s *sheet) float64 {
	for i := range l.entries {
		l.wide = max(l.wide, l.item(s, i))
	}
	return l.wide
}

// flow breaks the entries into rows of a width, or sets one in each row.
func (l *legend) flow(s *sheet, room float64, column bool) {
	x := 0.0
	for i := range l.entries {
		w := l.item(s, i) + 18
		if column || len(l.rows) == 0 || x+w-18 > room {
			l.rows, x = append(l.rows, nil), 0
		}
		l.rows[len(l.rows)-1] = append(l.rows[len(l.rows)-1], i)
		x += w
	}
}

func (l *legend) height() float64 { return legendRow * float64(len(l.rows)) }

func (l *legend) draw(s *sheet, x, top float64) {
	for _, row := range l.rows {
		at := x
		for _, i := range row {
			e := l.entries[i]
			switch {
			case e.box && e.soft:
				s.fillRect(at+8, top+3, 18, 12, 3, s.th.ui("line2"))
				s.frame(at+8, top+3, 18, 12, 3, 1, e.style.color, e.style.dash...)
			case e.box:
				s.fillRect(at+8, top+3, 18, 12, 3, e.style.color)
			default:
				if e.style.width > 0 {
					s.line(at, top+9, at+26, top+9, e.style.width, e.style.color, e.style.dash...)
				}
				s.mark(e.style.mark, at+13, top+9, e.style.color)
			}
			p := pen{face: sans, size: cellText, color: s.th.ui("ink")}
			if e.soft {
				p.color = s.th.ui("soft")
			}
			s.text(at+34, top+13, truncate(e.name, s.fit(p, legendWidth-34)), p)
			at += l.item(s, i) + 18
		}
		top += legendRow
	}
}

// notes are the signs that need a word, under a plot.
type notes struct{ rows [][]item }

func (n item) noteWidth(s *sheet) float64 {
	return 36 + s.width(n.text, pen{face: sans, size: smallSize})
}

// flowNotes breaks notes into rows of a width.
func flowNotes(s *sheet, room float64, all []item) notes {
	var n notes
	x := 0.0
	for _, i := range all {
		w := i.noteWidth(s)
		if len(n.rows) == 0 || x+w-16 > room {
			n.rows, x = append(n.rows, nil), 0
		}
		n.rows[len(n.rows)-1] = append(n.rows[len(n.rows)-1], i)
		x += w
	}
	return n
}

func (n notes) height() float64 { return 20 * float64(len(n.rows)) }

func (n notes) draw(s *sheet, x, top float64) {
	p := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
	for _, row := range n.rows {
		bottom, at := top+20, x
		for _, i := range row {
			s.noteSign(at, bottom, i.sign)
			s.text(at+20, bottom-5, i.text, p)
			at += i.noteWidth(s)
		}
		top = bottom
	}
}

// noteSign draws a sign as it stands in a plot.
func (s *sheet) noteSign(x, bottom float64, sign string) {
	switch sign {
	case "pending":
		s.hatch(x, bottom-15, 14, 12, 3)
	case "blank":
		s.frame(x, bottom-15, 14, 12, 3, 1, s.th.ui("edge"), 1, 2)
	case "beyond":
		s.polygon(s.th.ui("ink"), x+3, bottom-6, x+11, bottom-6, x+7, bottom-12)
	case "face":
		s.point(x+7, bottom-9, 3.5, pointColour{fill: s.th.ui("edge")})
		s.stroke(s.disc(x+7, bottom-9, 5), 1, s.th.ui("ink"), 2, 1.5)
	default:
		s.oddMark(x+7, bottom-9)
	}
}
