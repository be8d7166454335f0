package viz

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// oddMargin is how far inside the edge the sign of a value that is not finite
// stands, in pixels.
const oddMargin = 7.0

// drawPlane draws a view of two coordinates.
func (b *scatterBody) drawPlane(s *sheet, x, y float64) {
	area := draw.Canvas{Canvas: s.c, Rectangle: vg.Rectangle{Min: s.pt(x, y+b.h), Max: s.pt(x+b.w, y)}}
	data := b.plot.DataCanvas(area)
	tx, ty := b.plot.Transforms(&data)
	left, right := float64(data.Min.X), float64(data.Max.X)
	top, bottom := s.h-float64(data.Max.Y), s.h-float64(data.Min.Y)
	if b.allPending() {
		s.hatch(left, top, right-left, bottom-top, house().Hatch.Step)
	}
	sx, sy := b.f.Scales[b.view.X.Scale], b.f.Scales[b.view.Y.Scale]
	s.drawPlot(b.plot, area, sy)
	along := func(v float64, scale Scale, to func(float64) float64, lo, hi float64) float64 {
		if !finite(v) || scale.Kind == ScaleLog && v <= 0 {
			if v > 0 {
				return hi
			}
			return lo
		}
		return to(min(max(v, scale.Lo), scale.Hi))
	}
	at := func(p place) (px, py float64) {
		return along(p.at[0], sx, func(v float64) float64 { return float64(tx(v)) }, left+oddMargin, right-oddMargin),
			along(p.at[1], sy, func(v float64) float64 { return s.h - float64(ty(v)) }, bottom-oddMargin, top+oddMargin)
	}
	for i := range b.f.Scatter.Paths {
		style := b.pathStyle(s, i)
		for _, run := range b.runs(i) {
			var path vg.Path
			path.Move(s.pt(at(run[0])))
			for _, p := range run[1:] {
				path.Line(s.pt(at(p)))
			}
			s.stroke(path, style.width, style.color, style.dash...)
		}
	}
	var taken boxes
	for _, behind := range []bool{true, false} {
		for i, p := range b.points {
			if p.state != Done || b.backdrop(i) != behind {
				continue
			}
			px, py := at(p)
			r := b.radius(i)
			switch {
			case p.odd:
				s.oddMark(px, py)
			case p.out != [3]int{}:
				s.outward(px, py, edgeway(p.out[0], sx), -edgeway(p.out[1], sy), b.colourOf(s, i).fill)
			default:
				s.point(px, py, r, b.colourOf(s, i))
			}
			if !behind {
				taken = append(taken, [4]float64{px - r, py - r, 2 * r, 2 * r})
			}
		}
	}
	b.labels(s, &taken, right, func(i int) (px, py float64, ok bool) {
		if !b.points[i].inside() {
			return 0, 0, false
		}
		px, py = at(b.points[i])
		return px, py, true
	})
}

// edgeway is the direction on the sheet of a value beyond its limits.
func edgeway(out int, scale Scale) float64 {
	if scale.Reverse {
		out = -out
	}
	return float64(out)
}

func (b *scatterBody) allPending() bool {
	for _, p := range b.points {
		if p.state != Pending {
			return false
		}
	}
	return true
}

// runs are the stretches of a path whose points stand where their numbers say.
func (b *scatterBody) runs(path int) [][]place {
	order := b.f.Arrays[b.f.Scatter.Paths[path].Order]
	var out [][]place
	open := false
	for k := range order.Data {
		v, state := order.At(k)
		if state != Done || !b.points[int(v)].inside() {
			open = false
			continue
		}
		if !open {
			out, open = append(out, nil), true
		}
		out[len(out)-1] = append(out[len(out)-1], b.points[int(v)])
	}
	return out
}

// labels writes the points' labels beside them where there is room, but not
// those of the backdrop, which they cover; taken holds the other points.
func (b *scatterBody) labels(s *sheet, taken *boxes, right float64, at func(i int) (x, y float64, ok bool)) {
	text := b.f.Texts[b.f.Scatter.Labels]
	if text == nil {
		return
	}
	p := pen{face: sans, size: footSize, color: s.th.ui("soft")}
	own := 0
	for i := range b.points {
		if !b.backdrop(i) {
			own++
		}
	}
	every := labelStride(own)
	for _, i := range labelOrder(len(b.points)) {
		x, y, ok := at(i)
		if !ok || b.backdrop(i) || i%every != 0 || text.Values[i] == "" {
			continue
		}
		label := truncate(text.Values[i], s.fit(p, 90))
		w, r := s.width(label, p), b.radius(i)+2
		for _, side := range [][2]float64{{r, 0}, {-r - w, 0}, {-w / 2, -r - 5}, {-w / 2, r + 5}, {r, -r - 4}, {r, r + 4}, {-r - w, -r - 4}, {-r - w, r + 4}} {
			left, mid := x+side[0], y+side[1]
			if left+w <= right && taken.claim(left-1, mid-6, w+2, 12) {
				if b.f.Scatter.Backdrop != "" {
					s.fillRect(left-1, mid-6, w+2, 12, 3, s.th.ui("card"))
				}
				s.text(left, mid+3.5, label, p)
				break
			}
		}
	}
}
