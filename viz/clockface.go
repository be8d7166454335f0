package viz

import (
	"math"
	"strconv"
)

// dial draws one dial with its corner at x, y.
func (b *dialsBody) dial(s *sheet, d Dial, x, y float64) {
	title := pen{face: bold, size: textSize, color: s.th.ui("ink")}
	note := pen{face: sans, size: textSize, color: s.th.ui("soft")}
	name := truncate(d.Title, s.fit(title, b.each-8))
	s.text(x, y+12, name, title)
	at := x + 8 + s.width(name, title)
	s.text(at, y+12, truncate(b.f.dialNote(d), s.fit(note, x+b.each-8-at)), note)
	face := &clockFace{s: s, x: x + b.each/2, y: y + dialHead + b.each/2, r: (b.each/2 - dialMargin) / dialText}
	face.circle()
	whole := d.Period == math.Trunc(d.Period) && d.Period <= maxTicks
	if whole {
		face.residues(int(d.Period))
	}
	b.points(face, d, !whole)
	var taken boxes
	for _, h := range d.Hands {
		b.hand(face, h, &taken)
	}
	for _, h := range d.Hands {
		if at := b.f.dialSpot(h.X, h.Y, 0); at.state == Done && at.odd {
			s.oddMark(face.x, face.y)
		}
	}
}

func (b *dialsBody) points(c *clockFace, d Dial, labelled bool) {
	x, s := b.f.Arrays[d.X], c.s
	r := pointRadius(len(x.Data))
	odd := 0
	var taken boxes
	for i := range x.Data {
		p := b.f.dialSpot(d.X, d.Y, i)
		if p.state != Done {
			continue
		}
		if p.odd { // in a row at the dial's foot
			s.oddMark(c.x+(float64(odd)+0.5)*12-b.each/2+6, c.y+b.each/2-8)
			odd = min(odd+1, int(b.each/12)-2)
			continue
		}
		colour := pointColour{fill: s.th.ui("blue")}
		if d.Scale != "" {
			colour = s.pointColour(b.f.Scales[d.Scale], b.f.Arrays[d.Colour], i)
		}
		px, py := c.at(p.x, p.y)
		if p.clipped {
			s.outward(px, py, p.x, -p.y, colour.fill)
			continue
		}
		s.point(px, py, r, colour)
		taken = append(taken, [4]float64{px - r, py - r, 2 * r, 2 * r})
	}
	if labelled && d.Labels != "" {
		b.pointLabels(c, d, &taken)
	}
}

// pointLabels writes points' labels outside of them, where there is room.
func (b *dialsBody) pointLabels(c *clockFace, d Dial, taken *boxes) {
	p := pen{face: sans, size: footSize, color: c.s.th.ui("soft"), align: centre}
	for _, i := range labelOrder(len(b.f.Arrays[d.X].Data)) {
		at := b.f.dialSpot(d.X, d.Y, i)
		label := b.f.Texts[d.Labels].Values[i]
		r := math.Hypot(at.x, at.y)
		if at.state != Done || at.odd || at.clipped || r == 0 || label == "" {
			continue
		}
		x, y := c.at(at.x*(1+0.17/r), at.y*(1+0.17/r))
		w := c.s.width(label, p)
		if taken.claim(x-w/2-1, y-6, w+2, 12) {
			c.s.text(x, y+3.5, label, p)
		}
	}
}

func (b *dialsBody) hand(c *clockFace, h Hand, taken *boxes) {
	at := b.f.dialSpot(h.X, h.Y, 0)
	s := c.s
	if at.state != Done || at.odd {
		return
	}
	name, ok := house().Hands[h.Role]
	if !ok {
		name = house().Hands[RoleNone]
	}
	ink := s.th.ui(name)
	x, y := c.at(at.x, at.y)
	width := 1.75
	if h.Role == RoleAnswer {
		width = 2.5
	}
	s.line(c.x, c.y, x, y, width, ink)
	if at.clipped {
		s.outward(x, y, at.x, -at.y, ink)
	} else {
		s.c.SetColor(s.th.ui("card"))
		s.c.Fill(s.disc(x, y, 5.5))
		s.c.SetColor(ink)
		s.c.Fill(s.disc(x, y, 4.5))
	}
	s.c.SetColor(s.th.ui("ink"))
	s.c.Fill(s.disc(c.x, c.y, 2.5))
	p := pen{face: bold, size: cellText, color: ink, align: centre}
	r := max(math.Hypot(at.x, at.y), 1e-9)
	text := truncate(h.Name, s.fit(p, 60))
	w := s.width(text, p)
	// On the hand within the circle, where no residue and few points are;
	// hands that coincide have their names one after another.
	var lx, ly float64
	for back := 0.34; back < 1.2; back += 0.22 {
		lx, ly = c.at(at.x/r*(r-back), at.y/r*(r-back))
		if taken.claim(lx-w/2-3, ly-8, w+6, 16) {
			break
		}
	}
	s.fillRect(lx-w/2-3, ly-8, w+6, 16, 3, s.th.ui("card"))
	s.text(lx, ly+4, text, p)
}

// clockFace is the face of one dial on the sheet.
type clockFace struct {
	s       *sheet
	x, y, r float64
}

// at is a place in radii on the sheet.
func (c *clockFace) at(x, y float64) (px, py float64) { return c.x + c.r*x, c.y - c.r*y }

// circle draws the unit circle and its axes.
func (c *clockFace) circle() {
	line := c.s.th.ui("line2")
	c.s.line(c.x-c.r, c.y, c.x+c.r, c.y, 1, c.s.th.ui("line"))
	c.s.line(c.x, c.y-c.r, c.x, c.y+c.r, 1, c.s.th.ui("line"))
	c.s.stroke(c.s.disc(c.x, c.y, c.r), 1, line)
}

// residues marks the whole numbers of one turn and labels as many as have room.
func (c *clockFace) residues(period int) {
	p := pen{face: sans, size: smallSize, color: c.s.th.ui("soft"), align: centre}
	every := 1
	for _, k := range []int{1, 2, 5, 10, 20, 25, 50, 100, 200, 500} {
		if every = k; period/k <= 14 {
			break
		}
	}
	for v := range period {
		if v%every != 0 {
			continue
		}
		sin, cos := math.Sincos(2 * math.Pi * float64(v) / float64(period))
		x0, y0 := c.at(sin*0.97, cos*0.97)
		x1, y1 := c.at(sin*1.03, cos*1.03)
		c.s.line(x0, y0, x1, y1, 1, c.s.th.ui("edge"))
		if v > 0 && period-v < every/2 {
			continue // too near to 0
		}
		x, y := c.at(sin*dialText, cos*dialText)
		c.s.text(x, y+4, strconv.Itoa(v), p)
	}
}
