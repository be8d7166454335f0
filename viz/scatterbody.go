package viz

import (
	"fmt"
	"strconv"

	"gonum.org/v1/plot"
)

// Measures of a scatter, in pixels.
const (
	scatterWidth  = 520.0
	scatterHeight = 420.0
	spaceHeight   = 460.0
)

// scatterBody is points in a plane or in space over their key.
type scatterBody struct {
	f      *Figure
	view   ScatterView
	colour *ScatterColour // nil for none
	points []place
	plot   *plot.Plot // of a plane
	w, h   float64    // of the plot alone
	legend *legend
	key    *key
	notes  notes
}

// place is where a point stands: its coordinates and what keeps it from
// standing there.
type place struct {
	at    [3]float64
	state State
	odd   bool   // a coordinate is not finite, or not above 0 on a log axis
	out   [3]int // -1 and 1 are beyond the limits
}

// inside reports a point that is drawn as it is.
func (p place) inside() bool { return p.state == Done && !p.odd && p.out == [3]int{} }

func newScatterBody(s *sheet, f *Figure, avail float64) body {
	sc := f.Scatter
	b := &scatterBody{f: f, view: f.shownView(), w: scatterWidth, h: scatterHeight}
	if b.spatial() {
		b.h = spaceHeight
	}
	if avail > 0 {
		ratio := b.h / b.w
		b.w = max(avail, 240)
		b.h = min(b.h, max(minPlot, ratio*b.w))
	}
	b.points = f.places(b.view)
	if !b.spatial() {
		b.plot = newPlot(s, f.Scales[b.view.X.Scale], f.Scales[b.view.Y.Scale], b.w)
	}
	b.legend = b.newLegend(s)
	b.legend.flow(s, b.w, false)
	if len(sc.Colours) > 0 {
		b.colour = &sc.Colours[0]
		scale := f.Scales[b.colour.Scale]
		if scale.Label == "" {
			scale.Label = b.colour.Label
		}
		b.key = f.key(b.colour.Scale, scale, f.Arrays[b.colour.Values])
		b.key.points = true
		b.key.layout(s, 0, keyRoom(b.w, avail))
	}
	b.notes = flowNotes(s, b.w, placeNotes(b.points, b.spatial()))
	return b
}

// shownView is the view that is drawn.
func (f *Figure) shownView() ScatterView {
	for _, v := range f.Scatter.Views {
		if v.Name == f.Scatter.Show {
			return v
		}
	}
	return f.Scatter.Views[0]
}

func (b *scatterBody) spatial() bool { return b.view.Z.Values != "" }

// coordinates are the view's two or three.
func (v ScatterView) coordinates() []Coordinate {
	if v.Z.Values == "" {
		return []Coordinate{v.X, v.Y}
	}
	return []Coordinate{v.X, v.Y, v.Z}
}

// places looks the points of a view up; of several states Pending outranks
// Blank.
func (f *Figure) places(v ScatterView) []place {
	points := make([]place, len(f.Arrays[v.X.Values].Data))
	for i := range points {
		p := place{state: Done}
		for k, c := range v.coordinates() {
			x, state := f.Arrays[c.Values].At(i)
			scale := f.Scales[c.Scale]
			if state != Done && p.state != Pending {
				p.state = state
			}
			p.at[k] = float64(x)
			_, p.out[k] = scale.Position(float64(x))
			p.odd = p.odd || !finite(float64(x)) || scale.Kind == ScaleLog && x <= 0
		}
		points[i] = p
	}
	return points
}

func (b *scatterBody) backdrop(i int) bool {
	a := b.f.Arrays[b.f.Scatter.Backdrop]
	if a == nil {
		return false
	}
	v, state := a.At(i)
	return state == Done && v == 1
}

// colourOf is a point's colour.
func (b *scatterBody) colourOf(s *sheet, i int) pointColour {
	switch {
	case b.backdrop(i):
		return pointColour{fill: mix(s.th.ui("card"), s.th.ui("edge"), 0.55)}
	case b.colour == nil:
		return pointColour{fill: s.th.ui("blue")}
	}
	return s.pointColour(b.f.Scales[b.colour.Scale], b.f.Arrays[b.colour.Values], i)
}

func (b *scatterBody) radius(i int) float64 {
	r := pointRadius(len(b.points))
	if b.backdrop(i) {
		r *= 0.7
	}
	return r
}

func (b *scatterBody) newLegend(s *sheet) *legend {
	l := &legend{}
	for i, p := range b.f.Scatter.Paths {
		if p.Name != "" {
			style := b.pathStyle(s, i)
			style.mark = "none"
			l.entries = append(l.entries, entry{name: p.Name, style: style, soft: p.Control})
		}
	}
	if b.f.Scatter.BackdropLabel != "" {
		grey := mix(s.th.ui("card"), s.th.ui("edge"), 0.55)
		l.entries = append(l.entries, entry{name: b.f.Scatter.BackdropLabel, style: lineStyle{color: grey, mark: "disc"}, soft: true})
	}
	return l
}

func (b *scatterBody) pathStyle(s *sheet, i int) lineStyle {
	n, paths := 0, b.f.Scatter.Paths // controls do not use up colours
	for _, p := range paths[:i] {
		if p.Control == paths[i].Control {
			n++
		}
	}
	c := s.seriesStyle(n, paths[i].Control)
	c.width = 1.25
	return c
}

// placeNotes counts what does not stand where its numbers say.
func placeNotes(points []place, spatial bool) []item {
	var pending, blank, odd, out int
	for _, p := range points {
		switch {
		case p.state == Pending:
			pending++
		case p.state == Blank:
			blank++
		case p.odd:
			odd++
		case p.out != [3]int{}:
			out++
		}
	}
	count := func(n int, what string) string {
		if n == 1 {
			return "1 point " + what
		}
		return strconv.Itoa(n) + " points " + what
	}
	var notes []item
	if pending > 0 {
		notes = append(notes, item{sign: "pending", text: fmt.Sprintf("%d of %d points not yet computed", pending, len(points))})
	}
	if odd > 0 {
		notes = append(notes, item{sign: "nan", text: count(odd, "with no finite place, at the margin")})
	}
	if out > 0 && spatial {
		notes = append(notes, item{sign: "face", text: count(out, "beyond the limits, on the box")})
	} else if out > 0 {
		notes = append(notes, item{sign: "beyond", text: count(out, "beyond the limits, at the edge")})
	}
	if blank > 0 {
		notes = append(notes, item{sign: "blank", text: count(blank, "blank: cannot exist")})
	}
	return notes
}

func (b *scatterBody) size() (w, h float64) {
	h = b.h
	if len(b.legend.rows) > 0 {
		h += b.legend.height() + 6
	}
	h += b.notes.height()
	if b.key != nil {
		_, kh := b.key.size()
		h += 8 + kh
	}
	return b.w, h
}

func (b *scatterBody) takeKeys(shared func(scale string) bool) []*key { return takeKey(&b.key, shared) }

func (b *scatterBody) draw(s *sheet, x, y float64) {
	if b.spatial() {
		b.drawSpace(s, x, y)
	} else {
		b.drawPlane(s, x, y)
	}
	y += b.h
	if len(b.legend.rows) > 0 {
		b.legend.draw(s, x, y+6)
		y += b.legend.height() + 6
	}
	if b.key != nil {
		b.key.draw(s, x, y+8)
		_, kh := b.key.size()
		y += 8 + kh
	}
	b.notes.draw(s, x, y)
}
