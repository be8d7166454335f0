package viz

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/vg/draw"
)

// Measures of guides, in pixels: the room over the plot for their labels, and how far
// two labels stay apart.
const (
	guideRoom = 22.0
	guideGap  = 8.0
)

// checkGuides is the part of Validate for guides.
func (l *Lines) checkGuides() error {
	for i, g := range l.Guides {
		if !finite(g.X) || g.Label == "" {
			return fmt.Errorf("guide %d %q at %v: want a label and a finite x", i, g.Label, g.X)
		}
		if i > 0 && g.X < l.Guides[i-1].X {
			return fmt.Errorf("guide %d %q at %v stands before the one at %v: they are in the order of x", i, g.Label, g.X, l.Guides[i-1].X)
		}
	}
	return nil
}

// guideTop is the room that guides take over the plot.
func (b *linesBody) guideTop() float64 {
	if len(b.f.Lines.Guides) == 0 {
		return 0
	}
	return guideRoom
}

// guides draws labelled lines across the plot, from their labels over it down to the
// axis. One beyond the axis is not drawn.
func (b *linesBody) guides(s *sheet, area draw.Canvas) {
	data := b.plot.DataCanvas(area)
	tx, _ := b.plot.Transforms(&data)
	top, bottom := s.h-float64(data.Max.Y), s.h-float64(data.Min.Y)
	p := pen{face: sans, size: smallSize, color: s.th.ui("mute"), align: centre}
	var xs, widths []float64
	var labels []string
	for _, g := range b.f.Lines.Guides {
		if _, out := b.f.Scales[b.f.Lines.XScale].Position(g.X); out != 0 || !b.drawable(g.X, 1) {
			continue
		}
		xs, labels, widths = append(xs, float64(tx(g.X))), append(labels, g.Label), append(widths, s.width(g.Label, p))
	}
	at := abreast(xs, widths, float64(area.Min.X), float64(area.Max.X)+guideGap)
	for i, x := range xs {
		ink := s.th.ui("edge")
		s.line(x, top, x, bottom, 1, ink, 3, 3)
		s.line(x, top, at[i], top-8, 1, ink)
		s.text(at[i], top-11, labels[i], p)
	}
}

// abreast are the middles of labels of some widths, each as near its own place as the
// others let it be between two ends: moved to the right where they would touch, then
// back from the right end.
func abreast(places, widths []float64, left, right float64) []float64 {
	out := append([]float64(nil), places...)
	edge := left
	for i, w := range widths {
		out[i] = math.Max(out[i], edge+w/2)
		edge = out[i] + w/2 + guideGap
	}
	edge = right
	for i := len(out) - 1; i >= 0; i-- {
		out[i] = math.Min(out[i], edge-widths[i]/2)
		edge = out[i] - widths[i]/2 - guideGap
	}
	return out
}
