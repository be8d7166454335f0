package viz

import (
	"image/color"
	"math"
)

// pointColour is how a point is filled.
type pointColour struct {
	fill    color.RGBA
	hollow  bool // its value is not there
	odd     bool // its value is not finite
	clipped bool // its value is beyond the limits
}

// pointColour is the colour of a number on a scale.
func (s *sheet) pointColour(scale Scale, a *Array, i int) pointColour {
	v, state := a.At(i)
	switch {
	case state != Done:
		return pointColour{fill: s.th.ui("edge"), hollow: true}
	case !finite(float64(v)):
		return pointColour{fill: s.th.ui("warn"), odd: true}
	}
	_, out := scale.Position(float64(v))
	return pointColour{fill: s.th.colour(scale, float64(v)), clipped: out != 0}
}

// faintPoint is the contrast to the card below which a point has an outline.
const faintPoint = 1.35

// point draws a point with a thin halo of the card, so that points that touch
// can be told apart; one near the card's colour has an outline, so that it is there.
func (s *sheet) point(x, y, r float64, c pointColour) {
	card := s.th.ui("card")
	switch {
	case c.odd:
		s.c.SetColor(s.th.ui("warn_bg"))
		s.c.Fill(s.disc(x, y, r+0.5))
		s.stroke(s.disc(x, y, r), 1.25, s.th.ui("warn"))
		return
	case c.hollow:
		s.c.SetColor(card)
		s.c.Fill(s.disc(x, y, r))
		s.stroke(s.disc(x, y, r-0.5), 1, c.fill)
		return
	}
	s.c.SetColor(card)
	s.c.Fill(s.disc(x, y, r+0.6))
	s.c.SetColor(c.fill)
	s.c.Fill(s.disc(x, y, r))
	if contrast(c.fill, card) <= faintPoint {
		s.stroke(s.disc(x, y, r-0.25), 0.75, s.th.ui("edge"))
	}
	if c.clipped {
		s.stroke(s.disc(x, y, r+1.5), 1, s.th.ui("ink"))
	}
}

// outward marks a point at the edge that lies further out in a direction.
func (s *sheet) outward(x, y, dx, dy float64, c color.RGBA) {
	r := math.Hypot(dx, dy)
	if r == 0 {
		return
	}
	dx, dy = dx/r, dy/r
	s.polygon(c, x, y, x-7*dx-4*dy, y-7*dy+4*dx, x-7*dx+4*dy, y-7*dy-4*dx)
}

// pointRadius is smaller where there are many points.
func pointRadius(n int) float64 {
	switch {
	case n <= 150:
		return 3.5
	case n <= 1000:
		return 2.5
	}
	return 1.5
}

// boxes are the places that labels have taken.
type boxes [][4]float64

// claim takes a place if it is free.
func (b *boxes) claim(x, y, w, h float64) bool {
	for _, o := range *b {
		if x < o[0]+o[2] && o[0] < x+w && y < o[1]+o[3] && o[1] < y+h {
			return false
		}
	}
	*b = append(*b, [4]float64{x, y, w, h})
	return true
}

// maxLabelled is the number of points from which on none is labelled.
const maxLabelled = 3000

// mostLabels is the number of labels that are tried at most: of more points
// only every so many, a round number, has one.
const mostLabels = 24

// labelStride is every how many of n points are labelled.
func labelStride(n int) int {
	for _, every := range []int{1, 2, 5, 10, 20, 50, 100, 200, 500, 1000} {
		if n <= every*mostLabels {
			return every
		}
	}
	return 2000
}

// labelOrder is the order in which points claim room for their labels: every
// tenth first, then every fifth, then the others; nil where they are too many.
func labelOrder(n int) []int {
	if n > maxLabelled {
		return nil
	}
	out := make([]int, 0, n)
	for _, keep := range []func(i int) bool{
		func(i int) bool { return i%10 == 0 },
		func(i int) bool { return i%5 == 0 && i%10 != 0 },
		func(i int) bool { return i%5 != 0 },
	} {
		for i := range n {
			if keep(i) {
				out = append(out, i)
			}
		}
	}
	return out
}
