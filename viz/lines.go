package viz

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Measures of a line plot, in pixels.
const (
	plotWidth  = 560.0
	plotHeight = 300.0
	minPlot    = 200.0 // height of a plot at most so wide
	maxMarks   = 48    // more points than this are drawn without marks
	whiskerCap = 3.0   // half of a cap's width
)

// linesBody is a gonum/plot with marks and a legend of our own.
type linesBody struct {
	f      *Figure
	plot   *plot.Plot
	w, h   float64 // of the plot alone
	legend *legend
	beside bool      // the legend stands at the right
	x      []float64 // 0 stands at the end of a log axis
	zero   bool      // true when it does
	notes  notes
}

func newLinesBody(s *sheet, f *Figure, avail float64) body {
	b := &linesBody{f: f, w: plotWidth, h: plotHeight}
	xs := f.Scales[f.Lines.XScale]
	for _, v := range f.Arrays[f.Lines.X].Data {
		x := float64(v)
		if x == 0 && xs.Kind == ScaleLog {
			b.zero, x = true, xs.Lo
		}
		b.x = append(b.x, x)
	}
	b.legend = newLegend(f.Lines.Series, func(i int) lineStyle { return b.style(s, i) })
	wide := b.legend.width(s)
	b.beside = wide <= legendAside && (avail == 0 || avail-wide-18 >= 320)
	switch {
	case avail > 0 && b.beside:
		b.w = avail - wide - 18
	case avail > 0:
		b.w = max(avail, 240)
		b.h = plotHeightFor(b.w)
	}
	b.legend.flow(s, b.w, b.beside)
	b.plot = b.newPlot(s)
	b.notes = flowNotes(s, b.w, b.findNotes())
	return b
}

// plotHeightFor keeps a narrow plot from being a tower.
func plotHeightFor(w float64) float64 { return min(plotHeight, max(minPlot, 0.72*w)) }

func (b *linesBody) size() (w, h float64) {
	w, h = b.w, b.h
	if b.beside {
		w, h = w+18+b.legend.wide, max(h, b.legend.height()+8)
	} else {
		h += b.legend.height() + 6
	}
	return w, h + b.guideTop() + b.notes.height()
}

// newPlot sets up axes, bands and lines.
func (b *linesBody) newPlot(s *sheet) *plot.Plot {
	l := b.f.Lines
	xs, ys := b.f.Scales[l.XScale], b.f.Scales[l.YScale]
	p := newPlot(s, xs, ys, b.w)
	if len(l.XLabels) > 0 {
		widest := 0.0
		labels := make([]string, len(l.XLabels))
		for i, t := range l.XLabels {
			labels[i] = s.tickText(t)
			widest = max(widest, s.width(labels[i], pen{face: sans, size: smallSize})+10)
		}
		p.X.Tick.Marker = plot.ConstantTicks(labelTicks(b.x, labels, xs, widest, b.w-60))
	} else if b.zero {
		p.X.Tick.Marker = plot.ConstantTicks(append([]plot.Tick{{Value: xs.Lo, Label: "0"}}, p.X.Tick.Marker.Ticks(span(xs))...))
	}
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

func (b *linesBody) addLines(s *sheet, p *plot.Plot, i int) {
	sr, c := b.f.Lines.Series[i], b.style(s, i)
	add := func(part []int, c lineStyle) {
		if len(part) == 0 {
			return
		}
		pts := make(plotter.XYs, len(part))
		for k, at := range part {
			pts[k] = b.point(sr, at)
		}
		p.Add(&plotter.Line{XYs: pts, LineStyle: draw.LineStyle{Color: c.color, Width: vg.Length(c.width), Dashes: lengths(c.dash)}})
	}
	for _, part := range b.segments(sr) {
		past, future := b.split(part)
		dim := c
		dim.color = mix(s.th.ui("card"), c.color, faint)
		add(future, dim)
		add(past, c)
	}
}

// band is the interval of a series with too many points for whiskers, nil where
// there are no errors.
func (b *linesBody) band(sr Series, part []int, c lineStyle) plot.Plotter {
	errs := b.f.Arrays[sr.Errors]
	if errs == nil || len(part) < 2 || b.marked() {
		return nil
	}
	y := b.f.Scales[b.f.Lines.YScale]
	ring := make(plotter.XYs, 2*len(part))
	for k, at := range part {
		p := b.point(sr, at)
		lo, hi := p.Y, p.Y
		if e, state := errs.At(at); state == Done && finite(float64(e)) {
			lo, hi = b.f.Interval.Ends(p.Y, float64(e))
		}
		ring[k] = plotter.XY{X: p.X, Y: min(max(hi, y.Lo), y.Hi)}
		ring[2*len(part)-1-k] = plotter.XY{X: p.X, Y: min(max(lo, y.Lo), y.Hi)}
	}
	fill := c.color
	return &plotter.Polygon{XYs: []plotter.XYs{ring}, Color: color.NRGBA{R: fill.R, G: fill.G, B: fill.B, A: 38}}
}
