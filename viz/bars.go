package viz

import (
	"fmt"
	"image/color"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Measures of bars, in pixels.
const (
	slotWidth = 34.0 // of a category, where there is room
	stemSlot  = 10.0
	barsLeft  = 64.0 // what stands left of the plot, about
)

// barsBody is bars or stems over the plot's axes.
type barsBody struct {
	f      *Figure
	plot   *plot.Plot
	w, h   float64 // of the plot alone
	legend *legend
	notes  notes
	head   float64 // room above the plot for the labels of marks

	labels  []string // of the categories, empty where there is no room
	upright bool     // they read upwards
	labelH  float64  // their height
}

func newBarsBody(s *sheet, f *Figure, avail float64) body {
	b := &barsBody{f: f, h: plotHeight}
	bars := f.Bars
	n := float64(len(bars.Categories.Labels))
	slot := max(slotWidth, 16*float64(len(bars.Series)))
	if bars.Stems {
		slot = stemSlot
	}
	b.w = min(max(barsLeft+slot*n, 360), 760)
	if avail > 0 {
		b.w = max(avail, 240)
		b.h = plotHeightFor(b.w)
	}
	if len(bars.Marks) > 0 {
		b.head = 20
	}
	b.legend = newLegend(nil, nil)
	if len(bars.Series) > 1 {
		for i, sr := range bars.Series {
			style := lineStyle{color: b.colour(s, i), width: 2, mark: "disc"}
			if sr.Control {
				style.color, style.dash = s.th.ui("edge"), house().Control.Dashes[0]
			}
			b.legend.entries = append(b.legend.entries, entry{name: sr.Name, style: style, soft: sr.Control, box: !bars.Stems})
		}
		b.legend.flow(s, b.w, false)
	}
	b.plot = b.newPlot(s)
	b.layoutLabels(s)
	b.notes = flowNotes(s, b.w, b.findNotes())
	return b
}

// newPlot sets up the axes: categories stand at 0, 1, 2, ...; their labels are
// drawn by drawLabels.
func (b *barsBody) newPlot(s *sheet) *plot.Plot {
	n := len(b.f.Bars.Categories.Labels)
	p := newPlot(s, Scale{Kind: ScaleLinear, Lo: -0.5, Hi: float64(n) - 0.5}, b.f.Scales[b.f.Bars.YScale], b.w)
	p.X.Tick.Marker = plot.ConstantTicks(nil)
	p.X.Padding = 0
	return p
}

// colour is a series' colour; brass is left to the marks.
func (b *barsBody) colour(s *sheet, i int) color.RGBA {
	if b.f.Bars.Series[i].Control {
		return s.th.ui("edge")
	}
	n := len(s.th.Series)
	return s.th.Series[1+ordinal(b.f.Bars.Series, i)%(n-1)].RGBA
}

func (b *barsBody) size() (w, h float64) {
	h = b.head + b.h
	if len(b.legend.rows) > 0 {
		h += b.legend.height() + 6
	}
	return b.w, h + b.notes.height()
}

func (b *barsBody) findNotes() []item {
	var pending, odd, clipped int
	ys := b.f.Scales[b.f.Bars.YScale]
	for _, sr := range b.f.Bars.Series {
		a := b.f.Arrays[sr.Y]
		for i := range a.Data {
			v, state := a.At(i)
			_, out := ys.Position(float64(v))
			switch {
			case state == Pending:
				pending++
			case state == Done && !finite(float64(v)):
				odd++
			case state == Done && out != 0:
				clipped++
			}
		}
	}
	return counted(pending, odd, clipped)
}

// counted lists the signs that need a word, each with how many there are.
func counted(pending, odd, clipped int) []item {
	var out []item
	if pending > 0 {
		out = append(out, item{sign: "pending", text: strconv.Itoa(pending) + " not yet computed"})
	}
	if odd > 0 {
		out = append(out, item{sign: "nan", text: strconv.Itoa(odd) + " not a number, or infinite"})
	}
	if clipped > 0 {
		out = append(out, item{sign: "beyond", text: strconv.Itoa(clipped) + " beyond the limits"})
	}
	return out
}

func (b *barsBody) draw(s *sheet, x, y float64) {
	y += b.head
	area := draw.Canvas{Canvas: s.c, Rectangle: vg.Rectangle{Min: s.pt(x, y+b.h-b.feet()), Max: s.pt(x+b.w, y)}}
	s.drawPlot(b.plot, area, b.f.Scales[b.f.Bars.YScale])
	d := b.place(s, area)
	for c := range b.f.Bars.Categories.Labels {
		for i := range b.f.Bars.Series {
			b.bar(s, d, c, i)
		}
	}
	if d.base > d.top && d.base < d.bottom {
		s.line(d.left, d.base, d.right, d.base, 1, s.th.ui("edge"))
	}
	b.markLabels(s, d)
	b.drawLabels(s, d)
	if len(b.legend.rows) > 0 {
		b.legend.draw(s, x, y+b.h+6)
	}
	_, h := b.size()
	b.notes.draw(s, x, y-b.head+h-b.notes.height())
}

// checkBars is the part of Validate for bars.
func (f *Figure) checkBars() error {
	b := f.Bars
	if err := first(b.Categories.check("categories"), f.scale(b.YScale, true)); err != nil {
		return err
	}
	n := len(b.Categories.Labels)
	seen := map[int]bool{}
	for _, m := range b.Marks {
		if m < 0 || m >= n || seen[m] {
			return fmt.Errorf("mark %d is not a category of %d, or marked twice", m, n)
		}
		seen[m] = true
	}
	if len(b.Series) == 0 {
		return fmt.Errorf("bars need a series")
	}
	return f.checkSeries(b.Series, n)
}
