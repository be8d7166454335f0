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
	if l.Rule {
		if err := f.checkRule(n); err != nil {
			return err
		}
	}
	if err := first(f.checkLinesViews(), l.checkGuides()); err != nil {
		return err
	}
	return f.checkSeries(l.Series, n)
}

// checkLinesViews checks that the views have names of their own and axes, and that
// the first is the one that is shown.
func (f *Figure) checkLinesViews() error {
	l := f.Lines
	names := map[string]bool{}
	for i, v := range l.Views {
		if v.Name == "" || v.Label == "" || names[v.Name] {
			return fmt.Errorf("view %d: name %q and label %q must be given, the name once", i, v.Name, v.Label)
		}
		names[v.Name] = true
		if err := first(f.scale(v.XScale, true), f.scale(v.YScale, true)); err != nil {
			return fmt.Errorf("view %q: %w", v.Name, err)
		}
	}
	if len(l.Views) > 0 && (l.Views[0].XScale != l.XScale || l.Views[0].YScale != l.YScale) {
		return fmt.Errorf("the first view %q has the scales %q and %q, the lines %q and %q", l.Views[0].Name, l.Views[0].XScale, l.Views[0].YScale, l.XScale, l.YScale)
	}
	return nil
}

// checkRule checks that n points are the slider's frames.
func (f *Figure) checkRule(n int) error {
	switch {
	case f.Slider == nil:
		return fmt.Errorf("a rule needs a slider, there is none")
	case n != len(f.Slider.Labels):
		return fmt.Errorf("a rule needs a point a frame: %d x values for %d frames", n, len(f.Slider.Labels))
	}
	x, steps := f.Arrays[f.Lines.X], f.Arrays[f.Slider.Values]
	for i := range n {
		if v, state := x.At(i); state == Done && v != steps.Data[i] {
			return fmt.Errorf("with a rule x is the slider's axis: array %q holds %v at %d, %q holds %v", f.Lines.X, v, i, f.Slider.Values, steps.Data[i])
		}
	}
	return nil
}

// checkSeries checks that each of several series has n numbers.
func (f *Figure) checkSeries(series []Series, n int) error {
	for i, s := range series {
		err := f.array(s.Y, n)
		if err == nil && s.Errors != "" {
			err = f.array(s.Errors, n)
		}
		if err == nil && s.Each != "" {
			err = f.each(s.Each, n)
		}
		if err == nil && s.Kin != "" && s.Kin != KinNear && s.Kin != KinCrude {
			err = fmt.Errorf("kin is %q, want %q, %q or none", s.Kin, KinNear, KinCrude)
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

// seriesStyle is the style of the nth control or of the nth other series.
func (s *sheet) seriesStyle(n int, control bool) lineStyle {
	p := house()
	if control {
		k := p.Control
		return lineStyle{s.th.ui(k.Color), k.Dashes[n%len(k.Dashes)], k.Marks[n%len(k.Marks)], 1.25}
	}
	return lineStyle{s.th.Series[n%len(s.th.Series)].RGBA, p.SeriesDashes[n%len(p.SeriesDashes)], p.SeriesMarks[n%len(p.SeriesMarks)], 1.75}
}

// ordinal counts the series before one that are controls as it is, or no controls
// as it is: controls do not use up colours.
func ordinal(series []Series, i int) int {
	n := 0
	for _, sr := range series[:i] {
		if sr.Control == series[i].Control {
			n++
		}
	}
	return n
}

func (b *linesBody) style(s *sheet, i int) lineStyle {
	l := b.f.Lines
	style := s.seriesStyle(ordinal(l.Series, i), l.Series[i].Control)
	switch l.Series[i].Kin {
	case KinNear:
		style.color = s.th.ui("blue")
	case KinCrude:
		style.color = s.th.ui("mute")
	}
	return style
}
