package viz

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Measures of a line plot, in pixels.
const (
	plotWidth   = 560.0
	plotHeight  = 300.0
	legendWidth = 190.0
	legendRow   = 22.0
	maxMarks    = 48 // more points than this are drawn without marks
)

// linesBody is a gonum/plot with marks and a legend of our own.
type linesBody struct {
	f          *Figure
	plot       *plot.Plot
	w, h       float64 // of the plot alone
	legend     [][]int // series in the legend, one line each
	beside     bool    // the legend stands at the right
	x          []float64
	legendWide float64
	notes      []item
}

func newLinesBody(s *sheet, f *Figure, avail float64) body {
	b := &linesBody{f: f, w: plotWidth, h: plotHeight}
	for _, v := range f.Arrays[f.Lines.X].Data {
		b.x = append(b.x, float64(v))
	}
	for i := range f.Lines.Series {
		b.legendWide = max(b.legendWide, b.legendItem(s, i))
	}
	b.beside = avail == 0 || avail-b.legendWide-18 >= 320
	switch {
	case avail > 0 && b.beside:
		b.w = avail - b.legendWide - 18
	case avail > 0:
		b.w = max(avail, 240)
	}
	b.flowLegend(s)
	b.plot = b.newPlot(s)
	b.notes = b.findNotes()
	return b
}

func (b *linesBody) legendItem(s *sheet, i int) float64 {
	return 34 + min(s.width(b.f.Lines.Series[i].Name, pen{face: sans, size: cellText}), legendWidth-34)
}

func (b *linesBody) flowLegend(s *sheet) {
	x := 0.0
	for i := range b.f.Lines.Series {
		w := b.legendItem(s, i) + 18
		if b.beside || len(b.legend) == 0 || x+w-18 > b.w {
			b.legend, x = append(b.legend, nil), 0
		}
		b.legend[len(b.legend)-1] = append(b.legend[len(b.legend)-1], i)
		x += w
	}
}

func (b *linesBody) size() (w, h float64) {
	w, h = b.w, b.h
	rows := legendRow * float64(len(b.legend))
	if b.beside {
		w, h = w+18+b.legendWide, max(h, rows+8)
	} else {
		h += rows + 6
	}
	if len(b.notes) > 0 {
		h += 20
	}
	return w, h
}

// newPlot sets up axes, bands and lines.
func (b *linesBody) newPlot(s *sheet) *plot.Plot {
	l := b.f.Lines
	p := plot.New()
	p.BackgroundColor = nil
	xs, ys := b.f.Scales[l.XScale], b.f.Scales[l.YScale]
	b.axis(s, &p.X, xs, int(max(b.w/80, 2)))
	b.axis(s, &p.Y, ys, 6)
	if len(l.XLabels) > 0 {
		widest := 0.0
		labels := make([]string, len(l.XLabels))
		for i, t := range l.XLabels {
			labels[i] = truncate(s.fonts.spelled(sans, plain(t), s.keep), s.fit(pen{face: sans, size: smallSize}, 120))
			widest = max(widest, s.width(labels[i], pen{face: sans, size: smallSize})+10)
		}
		p.X.Tick.Marker = plot.ConstantTicks(labelTicks(b.x, labels, xs, widest, b.w-60))
	}
	g := plotter.NewGrid()
	g.Vertical.Color = nil
	g.Horizontal = draw.LineStyle{Color: s.th.ui("line"), Width: 1}
	p.Add(g)
	for i, sr := range l.Series {
		c := b.style(s, i)
		for _, part := range b.segments(sr) {
			if band := b.band(sr, part, c); band != nil {
				p.Add(band)
			}
		}
	}
	// Controls lie under the lines that they are there to judge.
	for _, control := range []bool{true, false} {
		for i, sr := range l.Series {
			if sr.Control == control {
				b.addLines(s, p, i)
			}
		}
	}
	// Adding data widens the axes; the scales alone decide.
	p.X.Min, p.X.Max = span(xs)
	p.Y.Min, p.Y.Max = span(ys)
	return p
}

func (b *linesBody) axis(s *sheet, a *plot.Axis, scale Scale, n int) {
	style := text.Style{Color: s.th.ui("soft"), Font: font.From(s.fonts.fonts[sans].Font, smallSize), Handler: text.Plain{Fonts: s.fonts.cache}}
	lo, hi := span(scale)
	a.Label.Text = truncate(s.fonts.spelled(sans, plain(unitLabel(scale.Label, scale.Unit)), s.keep), s.fit(pen{face: sans, size: smallSize}, plotHeight-60))
	label := style
	label.XAlign, label.YAlign = a.Label.TextStyle.XAlign, a.Label.TextStyle.YAlign
	label.Rotation = a.Label.TextStyle.Rotation
	a.Label.TextStyle = label
	a.Label.Padding = 6
	tick := style
	tick.XAlign, tick.YAlign = a.Tick.Label.XAlign, a.Tick.Label.YAlign
	a.Tick.Label = tick
	a.Tick.LineStyle = draw.LineStyle{Color: s.th.ui("edge"), Width: 1}
	a.Tick.Length = 4
	a.LineStyle = a.Tick.LineStyle
	a.Padding = 6
	a.Tick.Marker = plot.ConstantTicks(ticks(Scale{Kind: scale.Kind, Lo: lo, Hi: hi}, n))
	if scale.Kind == ScaleLog {
		a.Scale = plot.LogScale{}
	}
	if scale.Reverse {
		a.Scale = plot.InvertedScale{Normalizer: a.Scale}
	}
}

// span is the stretch of an axis, widened where its limits are equal.
func span(s Scale) (lo, hi float64) {
	switch {
	case s.Lo < s.Hi:
		return s.Lo, s.Hi
	case s.Kind == ScaleLog:
		return s.Lo / 2, s.Hi * 2
	}
	half := max(math.Abs(s.Lo), 1) / 2
	return s.Lo - half, s.Hi + half
}

func (b *linesBody) addLines(s *sheet, p *plot.Plot, i int) {
	sr, c := b.f.Lines.Series[i], b.style(s, i)
	for _, part := range b.segments(sr) {
		pts := make(plotter.XYs, len(part))
		for k, at := range part {
			pts[k] = b.point(sr, at)
		}
		line := &plotter.Line{XYs: pts, LineStyle: draw.LineStyle{Color: c.color, Width: vg.Length(c.width), Dashes: lengths(c.dash)}}
		p.Add(line)
	}
}

// band is one standard error up and down, nil where there are no errors.
func (b *linesBody) band(sr Series, part []int, c lineStyle) plot.Plotter {
	errs := b.f.Arrays[sr.Errors]
	if errs == nil || len(part) < 2 {
		return nil
	}
	y := b.f.Scales[b.f.Lines.YScale]
	ring := make(plotter.XYs, 2*len(part))
	for k, at := range part {
		e, state := errs.At(at)
		if state != Done || !finite(float64(e)) {
			e = 0
		}
		p := b.point(sr, at)
		ring[k] = plotter.XY{X: p.X, Y: min(max(p.Y+float64(e), y.Lo), y.Hi)}
		ring[2*len(part)-1-k] = plotter.XY{X: p.X, Y: min(max(p.Y-float64(e), y.Lo), y.Hi)}
	}
	fill := c.color
	return &plotter.Polygon{XYs: []plotter.XYs{ring}, Color: color.NRGBA{R: fill.R, G: fill.G, B: fill.B, A: 38}}
}
