package viz

import (
	"slices"

	"gonum.org/v1/plot/vg/draw"
)

// bounds is where a plot of bars lies on the sheet.
type bounds struct {
	left, right, top, bottom float64
	base                     float64 // where bars begin
	x                        func(category float64) float64
	y                        func(v float64) float64 // for v within the limits
	slot                     float64
}

func (b *barsBody) place(s *sheet, area draw.Canvas) bounds {
	data := b.plot.DataCanvas(area)
	tx, ty := b.plot.Transforms(&data)
	d := bounds{left: float64(data.Min.X), right: float64(data.Max.X), top: s.h - float64(data.Max.Y), bottom: s.h - float64(data.Min.Y)}
	d.x = func(c float64) float64 { return float64(tx(c)) }
	d.y = func(v float64) float64 { return s.h - float64(ty(v)) }
	d.slot = d.x(1) - d.x(0)
	lo, hi := span(b.f.Scales[b.f.Bars.YScale])
	base := lo
	if b.f.Scales[b.f.Bars.YScale].Kind == ScaleLinear {
		base = min(max(0, lo), hi)
	}
	d.base = d.y(base)
	return d
}

// bar draws one bar or stem with its whisker, its value at the last frame and
// its signs.
func (b *barsBody) bar(s *sheet, d bounds, category, series int) {
	bars := b.f.Bars
	sr := bars.Series[series]
	v, state := b.f.Arrays[sr.Y].At(category)
	marked := slices.Contains(bars.Marks, category) && !sr.Control
	k := float64(len(bars.Series))
	each := min(0.76*d.slot, 60) / k
	mid := d.x(float64(category)) + each*(float64(series)-(k-1)/2)
	c := b.colour(s, series)
	if marked {
		c = s.th.ui("brass")
	}
	wide := max(each*0.92, 1)
	if k == 1 {
		wide = max(each, 1)
	}
	if state == Pending {
		w := max(wide, 4)
		s.hatch(mid-w/2, d.top, w, d.bottom-d.top, house().Hatch.Step)
		return
	}
	if state == Blank {
		return
	}
	ys := b.f.Scales[bars.YScale]
	if !finite(float64(v)) || ys.Kind == ScaleLog && v <= 0 {
		edge := d.bottom - 6
		if v > 0 {
			edge = d.top + 6
		}
		s.oddMark(mid, edge)
		return
	}
	end, out := d.end(ys, float64(v))
	switch {
	case bars.Stems:
		line, r := 1.5, 2.75
		if d.slot/k < 7 {
			line, r = 1, 1.75
		}
		if marked {
			line, r = 2.5, 4
		}
		s.line(mid, d.base, mid, end, line, c)
		if out == 0 {
			s.c.SetColor(c)
			s.c.Fill(s.disc(mid, end, r))
		}
	case sr.Control:
		s.fillRect(mid-wide/2, min(d.base, end), wide, max(d.base, end)-min(d.base, end), 0, s.th.ui("line2"))
		s.frame(mid-wide/2, min(d.base, end), wide, max(d.base, end)-min(d.base, end), 0, 1, c, house().Control.Dashes[0]...)
	default:
		s.fillRect(mid-wide/2, min(d.base, end), wide, max(d.base, end)-min(d.base, end), 0, c)
	}
	if out > 0 {
		s.polygon(s.th.ui("ink"), mid-4, end+6, mid+4, end+6, mid, end)
	} else if out < 0 {
		s.polygon(s.th.ui("ink"), mid-4, end-6, mid+4, end-6, mid, end)
	}
	if out == 0 {
		b.whisker(s, d, sr, category, mid, min(wide, 12))
	}
	b.lastTick(s, d, sr, category, mid, b.tickWidth(wide))
}

// end is where a bar's value stands, at the edge when it is beyond a limit:
// out is then 1 at the upper edge and -1 at the lower.
func (d bounds) end(ys Scale, v float64) (y float64, out int) {
	_, out = ys.Position(v)
	if ys.Reverse {
		out = -out
	}
	switch {
	case out > 0:
		return d.top, out
	case out < 0:
		return d.bottom, out
	}
	return d.y(v), 0
}

// whisker is the interval of a bar's value.
func (b *barsBody) whisker(s *sheet, d bounds, sr Series, category int, x, w float64) {
	errs := b.f.Arrays[sr.Errors]
	if errs == nil {
		return
	}
	e, state := errs.At(category)
	v := float64(b.f.Arrays[sr.Y].Data[category])
	if state != Done || !finite(float64(e)) || e == 0 && b.f.Interval == nil {
		return
	}
	low, high := b.f.Interval.Ends(v, float64(e))
	ys := b.f.Scales[b.f.Bars.YScale]
	up, _ := d.end(ys, high)
	down := d.bottom
	if ys.Kind != ScaleLog || low > 0 {
		down, _ = d.end(ys, low)
	}
	ink := s.th.ui("ink")
	s.line(x, up, x, down, 1.25, ink)
	s.line(x-w/2, up, x+w/2, up, 1.25, ink)
	s.line(x-w/2, down, x+w/2, down, 1.25, ink)
}

// tickWidth is the width of the line at the last frame's value.
func (b *barsBody) tickWidth(bar float64) float64 {
	if b.f.Bars.Stems {
		return min(max(bar, 9), 16)
	}
	return max(bar, 9)
}

// lastTick marks a series' value at the slider's last frame.
func (b *barsBody) lastTick(s *sheet, d bounds, sr Series, category int, x, w float64) {
	if b.f.Slider == nil || !slices.Contains(b.f.Slider.Arrays, sr.Y) {
		return
	}
	v, state := b.f.whole(sr.Y).slice(len(b.f.Slider.Labels) - 1).At(category)
	ys := b.f.Scales[b.f.Bars.YScale]
	if state != Done || !finite(float64(v)) || ys.Kind == ScaleLog && v <= 0 {
		return
	}
	if y, out := d.end(ys, float64(v)); out == 0 {
		s.line(x-w/2, y, x+w/2, y, 1.25, s.th.ui("ink"))
	}
}

// markLabels writes the labels of emphasised categories above their bars, one
// over another where they would touch.
func (b *barsBody) markLabels(s *sheet, d bounds) {
	p := pen{face: bold, size: smallSize, color: s.th.ui("ink"), align: centre}
	marks := slices.Sorted(slices.Values(b.f.Bars.Marks))
	right, above := d.left-100, 0.0
	for _, m := range marks {
		label := truncate(b.f.Bars.Categories.text(m), s.fit(p, 80))
		x, y, w := d.x(float64(m)), b.highest(d, m)-8, s.width(label, p)
		if x-w/2 < right+4 && y > above-13 && y < above+13 {
			y = above - 13
		}
		y = max(y, d.top-8)
		s.text(x, y, label, p)
		right, above = x+w/2, y
	}
}

// highest is where the highest bar of a category ends, at this frame or at
// the last.
func (b *barsBody) highest(d bounds, category int) float64 {
	y := d.base
	ys := b.f.Scales[b.f.Bars.YScale]
	for _, sr := range b.f.Bars.Series {
		all := []*Array{b.f.Arrays[sr.Y]}
		if b.f.Slider != nil && slices.Contains(b.f.Slider.Arrays, sr.Y) {
			all = append(all, b.f.whole(sr.Y).slice(len(b.f.Slider.Labels)-1))
		}
		for _, a := range all {
			v, state := a.At(category)
			if state == Done && finite(float64(v)) && (ys.Kind != ScaleLog || v > 0) {
				end, _ := d.end(ys, float64(v))
				y = min(y, end)
			}
		}
	}
	return y
}
