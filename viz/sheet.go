package viz

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// sheet draws on a vg.Canvas in figure pixels with the origin at the top left
// and y downwards. One figure pixel is one vg unit.
type sheet struct {
	c     vg.Canvas
	h     float64 // height of the canvas
	th    *theme
	fonts *typefaces
	// keep is set where the reader's own fonts may draw what ours cannot.
	keep bool
	// dots is set where the canvas draws dots and not shapes.
	dots bool
}

// align says where a text stands to its x.
type align int

const (
	left align = iota
	centre
	right
)

// pen is how text is written.
type pen struct {
	face  face
	size  float64
	color color.RGBA
	align align
}

func (s *sheet) pt(x, y float64) vg.Point {
	return vg.Point{X: vg.Length(x), Y: vg.Length(s.h - y)}
}

// text writes a line with its baseline at y.
func (s *sheet) text(x, y float64, text string, p pen) {
	text = plain(text)
	if text == "" {
		return
	}
	switch p.align {
	case centre:
		x -= s.width(text, p) / 2
	case right:
		x -= s.width(text, p)
	}
	s.c.SetColor(p.color)
	for _, r := range s.fonts.runs(p.face, text, s.keep) {
		f := s.fonts.sized(r.face, p.size)
		s.c.FillString(f, s.pt(x, y), r.text)
		x += float64(f.Width(r.text))
	}
}

// upright writes a line that reads upwards, its baseline at x, beginning at y.
func (s *sheet) upright(x, y float64, text string, p pen) {
	s.c.Push()
	s.c.Translate(s.pt(x, y))
	s.c.Rotate(math.Pi / 2)
	turned := *s
	turned.h = 0
	turned.text(0, 0, text, p)
	s.c.Pop()
}

// width is the width of a line.
func (s *sheet) width(text string, p pen) float64 {
	return s.fonts.width(p.face, p.size, plain(text), s.keep)
}

// fit reports whether a line fits a width.
func (s *sheet) fit(p pen, width float64) func(string) bool {
	return func(t string) bool { return s.width(t, p) <= width }
}

// rect is the path of a rectangle with corners of radius r.
func (s *sheet) rect(x, y, w, h, r float64) vg.Path {
	r = min(r, w/2, h/2)
	var p vg.Path
	if r <= 0 {
		p.Move(s.pt(x, y))
		p.Line(s.pt(x+w, y))
		p.Line(s.pt(x+w, y+h))
		p.Line(s.pt(x, y+h))
		p.Close()
		return p
	}
	k := r * (1 - 0.5522847498) // control points of a quarter circle
	p.Move(s.pt(x+r, y))
	p.Line(s.pt(x+w-r, y))
	p.CubeTo(s.pt(x+w-k, y), s.pt(x+w, y+k), s.pt(x+w, y+r))
	p.Line(s.pt(x+w, y+h-r))
	p.CubeTo(s.pt(x+w, y+h-k), s.pt(x+w-k, y+h), s.pt(x+w-r, y+h))
	p.Line(s.pt(x+r, y+h))
	p.CubeTo(s.pt(x+k, y+h), s.pt(x, y+h-k), s.pt(x, y+h-r))
	p.Line(s.pt(x, y+r))
	p.CubeTo(s.pt(x, y+k), s.pt(x+k, y), s.pt(x+r, y))
	p.Close()
	return p
}

func (s *sheet) fillRect(x, y, w, h, r float64, c color.RGBA) {
	s.c.SetColor(c)
	s.c.Fill(s.rect(x, y, w, h, r))
}

// frame strokes a rectangle's outline, the line inside its edge.
func (s *sheet) frame(x, y, w, h, r, line float64, c color.RGBA, dash ...float64) {
	s.stroke(s.rect(x+line/2, y+line/2, w-line, h-line, r), line, c, dash...)
}

func (s *sheet) stroke(p vg.Path, line float64, c color.RGBA, dash ...float64) {
	s.c.SetColor(c)
	s.c.SetLineWidth(vg.Length(line))
	s.c.SetLineDash(lengths(dash), 0)
	s.c.Stroke(p)
}

func (s *sheet) line(x0, y0, x1, y1, line float64, c color.RGBA, dash ...float64) {
	var p vg.Path
	p.Move(s.pt(x0, y0))
	p.Line(s.pt(x1, y1))
	s.stroke(p, line, c, dash...)
}

// dashed is a line that begins so far into its dashes.
func (s *sheet) dashed(x0, y0, x1, y1, line float64, c color.RGBA, dash []float64, offset float64) {
	var p vg.Path
	p.Move(s.pt(x0, y0))
	p.Line(s.pt(x1, y1))
	s.c.SetColor(c)
	s.c.SetLineWidth(vg.Length(line))
	s.c.SetLineDash(lengths(dash), vg.Length(offset))
	s.c.Stroke(p)
}

// polygon fills corners given as x, y, x, y, ...
func (s *sheet) polygon(c color.RGBA, xy ...float64) {
	var p vg.Path
	p.Move(s.pt(xy[0], xy[1]))
	for i := 2; i < len(xy); i += 2 {
		p.Line(s.pt(xy[i], xy[i+1]))
	}
	p.Close()
	s.c.SetColor(c)
	s.c.Fill(p)
}

// disc is the path of a circle.
func (s *sheet) disc(x, y, r float64) vg.Path {
	var p vg.Path
	p.Move(s.pt(x+r, y))
	p.Arc(s.pt(x, y), vg.Length(r), 0, 2*math.Pi)
	p.Close()
	return p
}

// hatch draws the mark of what is not computed yet: a frame and diagonals,
// step apart, cut at the rectangle's rounded edges.
func (s *sheet) hatch(x, y, w, h, step float64) {
	var p vg.Path
	r := min(cellRadius, w/5, h/5)
	step *= math.Sqrt2
	// Diagonals are x + y = d from the rectangle's corner, seen from its upper end.
	for d := step / 2; d < w+h-r; d += step {
		if d < r {
			continue // outside the rounded corner
		}
		x0, y0 := min(d, w), max(0, d-w)
		x1, y1 := max(0, d-h), min(d, h)
		a, b := cutCorner(w-x0, y0, r), cutCorner(h-y1, x1, r)
		p.Move(s.pt(x+x0-a, y+y0+a))
		p.Line(s.pt(x+x1+b, y+y1-b))
	}
	s.stroke(p, house().Hatch.Width, mix(s.th.ui("card"), s.th.ui("edge"), 0.45))
	s.frame(x, y, w, h, r, 1, s.th.ui("line2"))
}

// cutCorner is how far along both axes a diagonal must be cut that meets the
// edges at u and v from a corner of radius r, one of them 0.
func cutCorner(u, v, r float64) float64 {
	// The diagonal's points are (u+t, v+t) from the corner; the arc is the
	// circle of radius r about (r, r).
	if u >= r || v >= r {
		return 0
	}
	p, q := u-r, v-r
	root := (p+q)*(p+q) - 2*(p*p+q*q-r*r)
	if root < 0 {
		return 0
	}
	return max(0, (-(p+q)-math.Sqrt(root))/2)
}

// mix is a with u of b laid over it, in sRGB as a browser's opacity does.
func mix(a, b color.RGBA, u float64) color.RGBA {
	f := func(p, q uint8) uint8 { return uint8(math.Round(float64(p)*(1-u) + float64(q)*u)) }
	return color.RGBA{R: f(a.R, b.R), G: f(a.G, b.G), B: f(a.B, b.B), A: 255}
}

func lengths(v []float64) []vg.Length {
	out := make([]vg.Length, len(v))
	for i, x := range v {
		out[i] = vg.Length(x)
	}
	return out
}
