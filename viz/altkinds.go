package viz

import (
	"fmt"
	"math"
	"strings"
)

func (f *Figure) altScatter(b *strings.Builder) {
	s, v := f.Scatter, f.shownView()
	points := f.places(v)
	b.WriteString(f.head("Scatter", ""))
	where := "in a plane"
	if v.Z.Values != "" {
		where = fmt.Sprintf("in space, azimuth %.3g and elevation %.3g degrees", s.Turn[0], s.Turn[1])
	}
	fmt.Fprintf(b, " %d points %s.", len(points), where)
	label := func(i int) string {
		if s.Labels != "" && f.Texts[s.Labels].Values[i] != "" {
			return f.Texts[s.Labels].Values[i]
		}
		return fmt.Sprint("point ", i)
	}
	for _, c := range v.coordinates() {
		a, scale := f.Arrays[c.Values], f.Scales[c.Scale]
		name := named(unitLabel(scale.Label, scale.Unit), c.Values)
		lo, hi := extremes(a)
		if hi < 0 {
			fmt.Fprintf(b, " %s: no numbers yet.", name)
			continue
		}
		num := func(i int) string { return FormatNumber(scale.Format, float64(a.Data[i])) + " at " + label(i) }
		fmt.Fprintf(b, " %s: greatest %s, least %s.", name, num(hi), num(lo))
	}
	if len(s.Colours) > 0 {
		c := s.Colours[0]
		scale := f.Scales[c.Scale]
		fmt.Fprintf(b, " Colour is %s from %s to %s%s.", c.Label, limit(scale, scale.Lo), limit(scale, scale.Hi), suffix(scale))
	}
	for _, p := range s.Paths {
		fmt.Fprintf(b, " A line, %s, joins %d points.", named(p.Name, "without a name"), len(f.Arrays[p.Order].Data))
	}
	for _, n := range placeNotes(points, v.Z.Values != "") {
		b.WriteString(" " + n.text + ".")
	}
}

func (f *Figure) altBars(b *strings.Builder) {
	bars := f.Bars
	ys := f.Scales[bars.YScale]
	kind := "Bars"
	if bars.Stems {
		kind = "Stems"
	}
	b.WriteString(f.head(kind, ""))
	at := bars.Categories.text
	fmt.Fprintf(b, " %s from %s to %s over %s.", unitLabel(ys.Label, ys.Unit), limit(ys, ys.Lo), limit(ys, ys.Hi), bars.Categories.span(strings.TrimSuffix(strings.ToLower(kind), "s")))
	f.altSeries(b, bars.Series, ys, at)
	if len(bars.Marks) == 0 {
		return
	}
	marks := make([]string, len(bars.Marks))
	for i, m := range bars.Marks {
		marks[i] = at(m)
		if v, state := f.Arrays[bars.Series[0].Y].At(m); state == Done {
			marks[i] += " (" + FormatNumber(ys.Format, float64(v)) + ")"
		}
	}
	fmt.Fprintf(b, " Marked: %s.", strings.Join(marks, ", "))
}

func (f *Figure) altDials(b *strings.Builder) {
	b.WriteString(f.head("Dials", ""))
	for _, d := range f.Dials.Items {
		name := d.Title
		if note := f.dialNote(d); note != "" {
			name += " (" + note + ")"
		}
		fmt.Fprintf(b, " %s: %d points around a circle of period %.6g.", name, len(f.Arrays[d.X].Data), d.Period)
		if none := f.orderless(d); none != "" {
			b.WriteString(" " + strings.ToUpper(none[:1]) + none[1:] + ".")
		}
		for _, h := range d.Hands {
			p := f.dialSpot(h.X, h.Y, 0)
			switch {
			case p.state != Done:
				fmt.Fprintf(b, " Hand %s not yet computed.", h.Name)
			case p.odd:
				fmt.Fprintf(b, " Hand %s not finite.", h.Name)
			default:
				turn := math.Atan2(p.x, p.y) / (2 * math.Pi)
				if turn < 0 {
					turn++
				}
				fmt.Fprintf(b, " Hand %s at %.3g of %.6g.", h.Name, turn*d.Period, d.Period)
			}
		}
		b.WriteString(rest(f.Arrays[d.X]))
	}
}

func (f *Figure) altMultiples(b *strings.Builder) {
	b.WriteString(f.head("Multiples", ""))
	fmt.Fprintf(b, " %d panels.", len(f.Multiples.Items))
	for i, item := range f.Multiples.Items {
		p := f.item(item)
		p.Slider = nil // said once, for all
		fmt.Fprintf(b, " Panel %d. %s", i+1, p.alt(""))
	}
}
