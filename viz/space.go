package viz

import (
	"image/color"
	"math"
	"sort"
)

// camera looks at a cube of half side 1 from infinitely far away (see
// Scatter.Turn).
type camera struct{ sa, ca, se, ce float64 }

func newCamera(turn [2]float64) camera {
	sa, ca := math.Sincos(turn[0] * math.Pi / 180)
	se, ce := math.Sincos(turn[1] * math.Pi / 180)
	return camera{sa, ca, se, ce}
}

// project returns where a point of the cube is seen: to the right, upwards and
// towards the eye.
func (c camera) project(p [3]float64) (right, up, near float64) {
	x := p[0]*c.ca - p[1]*c.sa
	y := p[0]*c.sa + p[1]*c.ca
	return x, p[2]*c.ce + y*c.se, p[2]*c.se - y*c.ce
}

// space is a view in space on the sheet.
type space struct {
	camera
	x, y, unit float64 // the cube's centre and half side
}

// at is where a point of the cube is drawn.
func (v *space) at(p [3]float64) (x, y, near float64) {
	right, up, near := v.project(p)
	return v.x + v.unit*right, v.y - v.unit*up, near
}

// corner is a corner of the cube by its bits: x, y, z.
func corner(bits int) (p [3]float64) {
	for k := range p {
		p[k] = float64(2*(bits>>k&1) - 1)
	}
	return p
}

// cube is a coordinate within the cube: its place between the limits.
func cube(scale Scale, v float64) float64 {
	lo, hi := span(scale)
	scale.Lo, scale.Hi = lo, hi
	t, _ := scale.Position(v)
	return 2*t - 1
}

// solid is something in space that is drawn from the far to the near; a line
// lies behind both of its points.
type solid struct {
	near float64
	draw func()
}

// drawSpace draws a view of three coordinates.
func (b *scatterBody) drawSpace(s *sheet, x, y float64) {
	v := &space{camera: newCamera(b.f.Scatter.Turn), x: x + b.w/2, y: y + b.h/2}
	v.unit = min((b.w-110)/2/math.Sqrt2, (b.h-56)/2/(v.ce+math.Sqrt2*math.Abs(v.se)))
	if b.allPending() {
		s.hatch(x, y, b.w, b.h, house().Hatch.Step)
	}
	b.box(s, v)
	coordinates := b.view.coordinates()
	at := func(p place) [3]float64 {
		var c [3]float64
		for k, axis := range coordinates {
			c[k] = cube(b.f.Scales[axis.Scale], p.at[k])
		}
		return c
	}
	var all []solid
	for i := range b.f.Scatter.Paths {
		style := b.pathStyle(s, i)
		for _, run := range b.runs(i) {
			walked := 0.0 // so that dashes go on from segment to segment
			for k := 1; k < len(run); k++ {
				x0, y0, n0 := v.at(at(run[k-1]))
				x1, y1, n1 := v.at(at(run[k]))
				middle, offset := (n0+n1)/2, walked
				walked += math.Hypot(x1-x0, y1-y0)
				ink := fade(s, style.color, middle)
				all = append(all, solid{min(n0, n1) - 1e-6, func() { s.dashed(x0, y0, x1, y1, style.width, ink, style.dash, offset) }})
			}
		}
	}
	var taken boxes
	odd := 0
	for i, p := range b.points {
		if p.state != Done {
			continue
		}
		if p.odd { // in a row along the foot
			s.oddMark(x+7+float64(odd)*13, y+b.h-7)
			odd = min(odd+1, int(b.w/13)-1)
			continue
		}
		px, py, near := v.at(at(p))
		r := b.radius(i) * (1 + 0.2*near/math.Sqrt(3))
		c := b.colourOf(s, i)
		if b.backdrop(i) {
			near -= 10
		}
		all = append(all, solid{near, func() {
			s.point(px, py, r, c)
			if p.out != [3]int{} {
				s.stroke(s.disc(px, py, r+1.5), 1, s.th.ui("ink"), 2, 1.5)
			}
		}})
		if !b.backdrop(i) {
			taken = append(taken, [4]float64{px - r, py - r, 2 * r, 2 * r})
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].near < all[j].near })
	for _, o := range all {
		o.draw()
	}
	b.labels(s, &taken, x+b.w, func(i int) (px, py float64, ok bool) {
		if !b.points[i].inside() {
			return 0, 0, false
		}
		px, py, _ = v.at(at(b.points[i]))
		return px, py, true
	})
}

// fade is a line's colour at a depth: near ones stand out.
func fade(s *sheet, c color.RGBA, near float64) color.RGBA {
	u := min(max((near/math.Sqrt(3)+1)/2, 0), 1)
	return mix(s.th.ui("card"), c, 0.3+0.7*u)
}

// box draws the cube's far edges and an axis on each of three outer ones.
func (b *scatterBody) box(s *sheet, v *space) {
	nearest, best := 0, math.Inf(-1)
	for bits := range 8 {
		if _, _, near := v.at(corner(bits)); near > best {
			nearest, best = bits, near
		}
	}
	for bits := range 8 {
		for k := range 3 {
			other := bits | 1<<k
			if other == bits || bits == nearest || other == nearest {
				continue
			}
			x0, y0, _ := v.at(corner(bits))
			x1, y1, _ := v.at(corner(other))
			s.line(x0, y0, x1, y1, 1, s.th.ui("line"))
		}
	}
	for k, c := range b.view.coordinates() {
		b.spaceAxis(s, v, k, b.f.Scales[c.Scale])
	}
}

// spaceAxis draws one axis on that of its four edges which is lowest, or for
// the upright axis furthest to the left, with its limits and name outside.
func (b *scatterBody) spaceAxis(s *sheet, v *space, k int, scale Scale) {
	var from, to [3]float64
	best := math.Inf(-1)
	for bits := range 8 {
		if bits>>k&1 == 1 {
			continue
		}
		a, z := corner(bits), corner(bits|1<<k)
		x0, y0, n0 := v.at(a)
		x1, y1, n1 := v.at(z)
		worth := y0 + y1 + 1e-3*(n0+n1)
		if k == 2 {
			worth = -(x0 + x1) + 1e-3*(n0+n1)
		}
		if worth > best+1e-9 {
			best, from, to = worth, a, z
		}
	}
	x0, y0, _ := v.at(from)
	x1, y1, _ := v.at(to)
	s.line(x0, y0, x1, y1, 1.25, s.th.ui("edge"))
	// Away from the cube's middle, square to the axis.
	dx, dy := y1-y0, x0-x1
	if mx, my := (x0+x1)/2-v.x, (y0+y1)/2-v.y; dx*mx+dy*my < 0 {
		dx, dy = -dx, -dy
	}
	if r := math.Hypot(dx, dy); r > 1 {
		dx, dy = dx/r, dy/r
	} else {
		return // seen along the axis
	}
	lo, hi := span(scale)
	if scale.Reverse {
		lo, hi = hi, lo
	}
	p := pen{face: sans, size: smallSize, color: s.th.ui("mute")}
	s.beside(x0+(x1-x0)*0.06+8*dx, y0+(y1-y0)*0.06+8*dy, dx, limit(scale, lo), p)
	s.beside(x1-(x1-x0)*0.06+8*dx, y1-(y1-y0)*0.06+8*dy, dx, limit(scale, hi), p)
	p.color = s.th.ui("soft")
	b.axisName(s, v, k, (x0+x1)/2, (y0+y1)/2, dx, dy, unitLabel(scale.Label, scale.Unit), p)
}

// axisName writes an axis' name off its middle, as long as the plot has room:
// beside it, or for the upright axis along it.
func (b *scatterBody) axisName(s *sheet, v *space, k int, x, y, dx, dy float64, name string, p pen) {
	if k == 2 && math.Abs(dx) > 0.9 {
		name = truncate(name, s.fit(p, 2*v.unit*v.ce))
		s.upright(x+38*dx+4, y+s.width(name, p)/2, name, p)
		return
	}
	x, y = x+16*dx, y+16*dy
	room := 2 * min(x-(v.x-b.w/2), v.x+b.w/2-x)
	if side := sideOf(dx); side == left {
		room = v.x + b.w/2 - x
	} else if side == right {
		room = x - (v.x - b.w/2)
	}
	s.beside(x, y, dx, truncate(name, s.fit(p, max(room, 0))), p)
}

// beside writes a text that begins at, ends at or is centred on a place,
// according to the direction in which it stands off.
func (s *sheet) beside(x, y, dx float64, text string, p pen) {
	p.align = sideOf(dx)
	s.text(x, y+4, text, p)
}

// sideOf is how a text stands that lies off a line in a direction, so that it
// does not cross the line.
func sideOf(dx float64) align {
	switch {
	case dx > 0.12:
		return left
	case dx < -0.12:
		return right
	}
	return centre
}
