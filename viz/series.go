package viz

import (
	"fmt"
	"image/color"

	"gonum.org/v1/plot/plotter"
)

// checkLines is the part of Validate for lines.
func (f *Figure) checkLines() error {
	l := f.Lines
	x := f.Arrays[l.X]
	if x == nil || len(x.Shape) != 1 || x.Shape[0] == 0 {
		return fmt.Errorf("x %q must name an array of rank 1 that is not empty (arrays are %q)", l.X, sortedKeys(f.Arrays))
	}
	n := x.Shape[0]
	if err := first(f.scale(l.XScale, true), f.scale(l.YScale, true)); err != nil {
		return err
	}
	if len(l.XLabels) != 0 && len(l.XLabels) != n {
		return fmt.Errorf("%d x labels for %d x values", len(l.XLabels), n)
	}
	if len(l.Series) == 0 {
		return fmt.Errorf("lines need a series")
	}
	for i, s := range l.Series {
		err := f.array(s.Y, n)
		if err == nil && s.Errors != "" {
			err = f.array(s.Errors, n)
		}
		if err != nil {
			return fmt.Errorf("series %d %q: %w", i, s.Name, err)
		}
	}
	return nil
}

// segments are the stretches of a series whose points can be drawn.
func (b *linesBody) segments(sr Series) [][]int {
	y := b.f.Arrays[sr.Y]
	var out [][]int
	open := false
	for i := range b.x {
		v, state := y.At(i)
		if state != Done || !b.drawable(b.x[i], float64(v)) {
			open = false
			continue
		}
		if !open {
			out, open = append(out, nil), true
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}

func (b *linesBody) drawable(x, y float64) bool {
	l := b.f.Lines
	return finite(x) && finite(y) && (b.f.Scales[l.XScale].Kind != ScaleLog || x > 0) && (b.f.Scales[l.YScale].Kind != ScaleLog || y > 0)
}

func (b *linesBody) point(sr Series, i int) plotter.XY {
	return plotter.XY{X: b.x[i], Y: float64(b.f.Arrays[sr.Y].Data[i])}
}

// lineStyle is how a series is drawn.
type lineStyle struct {
	color color.RGBA
	dash  []float64
	mark  string
	width float64
}

func (b *linesBody) style(s *sheet, i int) lineStyle {
	p := house()
	if b.f.Lines.Series[i].Control {
		return lineStyle{s.th.ui(p.Control.Color), p.Control.Dash, p.Control.Mark, 1.25}
	}
	n := 0 // controls do not use up colours
	for _, sr := range b.f.Lines.Series[:i] {
		if !sr.Control {
			n++
		}
	}
	return lineStyle{s.th.Series[n%len(s.th.Series)].RGBA, p.SeriesDashes[n%len(p.SeriesDashes)], p.SeriesMarks[n%len(p.SeriesMarks)], 1.75}
}
