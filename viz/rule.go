package viz

import (
	"image/color"
	"sort"

	"gonum.org/v1/plot/vg/draw"
)

// faint is how much of a curve's colour is left after the slider's frame.
const faint = 0.35

// split cuts a stretch of a series' points at the slider's frame, which both
// parts hold; without a rule all of it is past.
func (b *linesBody) split(part []int) (past, future []int) {
	if !b.f.Lines.Rule {
		return part, nil
	}
	k := sort.SearchInts(part, b.f.Slider.Show+1)
	if k == len(part) {
		return part, nil
	}
	return part[:k], part[max(k-1, 0):]
}

// colourAt is a series' colour at a point: faint after the slider's frame.
func (b *linesBody) colourAt(s *sheet, c color.RGBA, i int) color.RGBA {
	if b.f.Lines.Rule && i > b.f.Slider.Show {
		return mix(s.th.ui("card"), c, faint)
	}
	return c
}

// bands tints the slider's bands behind a plot with a rule.
func (b *linesBody) bands(s *sheet, area draw.Canvas) {
	if !b.f.Lines.Rule {
		return
	}
	data := b.plot.DataCanvas(area)
	tx, _ := b.plot.Transforms(&data)
	lo, hi := float64(data.Min.X), float64(data.Max.X)
	top, height := s.h-float64(data.Max.Y), float64(data.Max.Y-data.Min.Y)
	xs := b.f.Scales[b.f.Lines.XScale]
	place := func(v float64) float64 {
		if xs.Kind == ScaleLog {
			v = max(v, xs.Lo)
		}
		return min(max(float64(tx(v)), lo), hi)
	}
	for i, band := range b.f.Slider.Bands {
		x0, x1 := place(band.From), place(band.To)
		if x1 < x0 {
			x0, x1 = x1, x0
		}
		if tint := bandTint(i, len(b.f.Slider.Bands)); tint != "" {
			s.fillRect(x0, top, x1-x0, height, 0, s.th.ui(tint))
		}
	}
}

// rule draws the slider's frame over a plot, with each series' value there.
func (b *linesBody) rule(s *sheet, area draw.Canvas) {
	if !b.f.Lines.Rule {
		return
	}
	at := b.f.Slider.Show
	data := b.plot.DataCanvas(area)
	tx, ty := b.plot.Transforms(&data)
	if _, out := b.f.Scales[b.f.Lines.XScale].Position(b.x[at]); out != 0 || !b.drawable(b.x[at], 1) {
		return
	}
	x := float64(tx(b.x[at]))
	top, bottom := s.h-float64(data.Max.Y), s.h-float64(data.Min.Y)
	s.line(x, top, x, bottom, 1, s.th.ui("ink"))
	ys := b.f.Scales[b.f.Lines.YScale]
	var values []ruled
	for i, sr := range b.f.Lines.Series {
		v, state := b.f.Arrays[sr.Y].At(at)
		if _, out := ys.Position(float64(v)); state != Done || out != 0 || !b.drawable(1, float64(v)) {
			continue
		}
		y := s.h - float64(ty(float64(v)))
		values = append(values, ruled{y, y, FormatNumber(ys.Format, float64(v)), b.style(s, i).color})
	}
	spread(values, top+8, bottom-8)
	p := pen{face: sans, size: smallSize, color: s.th.ui("ink")}
	for _, v := range values {
		s.c.SetColor(s.th.ui("card"))
		s.c.Fill(s.disc(x, v.y, 4.5))
		s.c.SetColor(v.color)
		s.c.Fill(s.disc(x, v.y, 3.5))
		w := s.width(v.text, p)
		left := x - 8 - w
		if left-3 < float64(data.Min.X) {
			left = x + 8
		}
		s.fillRect(left-3, v.label-8, w+6, 15, 3, s.th.ui("card"))
		s.text(left, v.label+4, v.text, p)
	}
}

// ruled is a value on a rule: where it is and where its label stands.
type ruled struct {
	y, label float64
	text     string
	color    color.RGBA
}

// spread moves labels apart that would lie on one another.
func spread(v []ruled, top, bottom float64) {
	const height = 15.0
	sort.SliceStable(v, func(i, j int) bool { return v[i].y < v[j].y })
	for i := range v {
		v[i].label = max(v[i].y, top)
		if i > 0 {
			v[i].label = max(v[i].label, v[i-1].label+height)
		}
	}
	for i := len(v) - 1; i >= 0; i-- {
		v[i].label = min(v[i].label, bottom)
		if i < len(v)-1 {
			v[i].label = min(v[i].label, v[i+1].label-height)
		}
	}
}
