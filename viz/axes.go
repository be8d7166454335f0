package viz

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg/draw"
)

// newPlot is a plot of a width with the house's axes and a grid of its
// heights. Data widens its axes; set them to span again after adding some.
func newPlot(s *sheet, xs, ys Scale, w float64) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	s.axis(&p.X, xs, int(max(w/80, 2)))
	s.axis(&p.Y, ys, 6)
	if ys.Kind == ScaleLog && p.Y.Label.Text != "" {
		p.Y.Label.Text = " " // see drawPlot
	}
	g := plotter.NewGrid()
	g.Vertical.Color = nil
	g.Horizontal = draw.LineStyle{Color: s.th.ui("line"), Width: 1}
	p.Add(g)
	p.X.Min, p.X.Max = span(xs)
	p.Y.Min, p.Y.Max = span(ys)
	return p
}

// drawPlot draws a plot of newPlot. The name of an upright log axis is written
// here: gonum/plot keeps room for it about the mean of the limits, which on such
// an axis lies at its very end, so that the plot would give way to nothing.
func (s *sheet) drawPlot(p *plot.Plot, area draw.Canvas, ys Scale) {
	p.Draw(area)
	if name := s.axisText(ys); ys.Kind == ScaleLog && name != "" {
		style, data := p.Y.Label.TextStyle, p.DataCanvas(area)
		x := area.Min.X + style.Height(" ") - style.FontExtents().Descent
		ink := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
		s.upright(float64(x), s.h-float64(data.Center().Y)+s.width(name, ink)/2, name, ink)
	}
}

// axisText is an axis' name as it stands at the axis.
func (s *sheet) axisText(scale Scale) string {
	return truncate(s.fonts.spelled(sans, plain(unitLabel(scale.Label, scale.Unit)), s.keep), s.fit(pen{face: sans, size: smallSize}, plotHeight-60))
}

// axis gives an axis its label, about n ticks and the house's style.
func (s *sheet) axis(a *plot.Axis, scale Scale, n int) {
	style := text.Style{Color: s.th.ui("soft"), Font: font.From(s.fonts.fonts[sans].Font, smallSize), Handler: text.Plain{Fonts: s.fonts.cache}}
	lo, hi := span(scale)
	a.Label.Text = s.axisText(scale)
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

// tickText is a label as it stands at a tick.
func (s *sheet) tickText(label string) string {
	return truncate(s.fonts.spelled(sans, plain(label), s.keep), s.fit(pen{face: sans, size: smallSize}, 120))
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
