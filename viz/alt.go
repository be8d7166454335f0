package viz

import (
	"fmt"
	"math"
	"strings"
)

// Alt is the text that stands for the figure where it cannot be seen: kind,
// title, axes, limits and the key numbers, in sentences. The figure must be valid.
func Alt(f *Figure) string { return f.frame().alt("") }

func (f *Figure) alt(show string) string {
	var b strings.Builder
	switch f.Kind {
	case KindTokens:
		f.altTokens(&b, show)
	case KindHeatmap:
		f.altHeatmap(&b)
	case KindLines:
		f.altLines(&b)
	case KindTable:
		f.altTable(&b)
	case KindScatter:
		f.altScatter(&b)
	case KindBars:
		f.altBars(&b)
	case KindDials:
		f.altDials(&b)
	case KindMultiples:
		f.altMultiples(&b)
	}
	if sl := f.Slider; sl != nil {
		fmt.Fprintf(&b, " Shown at %s %s, %d of %d.", named(sl.Name, "frame"), sl.Labels[sl.Show], sl.Show+1, len(sl.Labels))
	}
	if f.Caption != "" {
		b.WriteString(" " + strings.TrimSuffix(f.Caption, ".") + ".")
	}
	return plain(b.String())
}

func (f *Figure) head(kind, show string) string {
	s := kind + ": " + f.Title
	if sub := f.subtitle(show); sub != "" {
		s += ", " + sub
	}
	return s + "."
}

// span says an axis in words: "7 rows (layer), embed to 5".
func (x Axis) span(what string) string {
	n := len(x.Labels)
	if n == 1 {
		return "1 " + what + ", " + TokenText(x.Labels[0])
	}
	return fmt.Sprintf("%d %ss (%s), %s to %s", n, what, x.Name, x.Labels[0], x.Labels[n-1])
}

func (f *Figure) altTokens(b *strings.Builder, show string) {
	t := f.Tokens
	m := f.shown(show)
	values, scale := f.Arrays[m.Values], f.Scales[m.Scale]
	tokens := tokenTexts(t.Columns)
	b.WriteString(f.head("Token grid", show))
	fmt.Fprintf(b, " %s over the %d tokens %s. Colour is %s from %s to %s.", t.Rows.span("row"), len(tokens), strings.Join(tokens, " "),
		unitLabel(m.Label, scale.Unit), limit(scale, scale.Lo), limit(scale, scale.Hi))
	c := t.Focus
	if c < 0 {
		c = len(tokens) - 1
	}
	panels, _ := t.panels()
	for i := range panels {
		columns, from := f.panel(i)
		where := "At " + tokens[c]
		if len(t.Panels) > 0 {
			tokens := tokenTexts(columns)
			where = fmt.Sprintf("%s, %s: at %s", t.Panels[i].Title, strings.Join(tokens, " "), tokens[c])
		}
		var parts []string
		for r, label := range t.Rows.Labels {
			at := from + r*len(tokens) + c
			if v, state := values.At(at); state == Done {
				parts = append(parts, fmt.Sprintf("%s: %s (%s)", label, TokenText(f.Texts[t.Cell].Values[at]), FormatNumber(scale.Format, float64(v))))
			}
		}
		if len(parts) > 0 {
			fmt.Fprintf(b, " %s, from the bottom up: %s.", where, strings.Join(parts, ", "))
		}
	}
	b.WriteString(rest(values))
}

func tokenTexts(x Axis) []string {
	out := make([]string, len(x.Labels))
	for i, l := range x.Labels {
		out[i] = TokenText(l)
	}
	return out
}

func (f *Figure) altHeatmap(b *strings.Builder) {
	scale := f.Scales[f.Heatmap.Scale]
	b.WriteString(f.head("Heatmap", ""))
	fmt.Fprintf(b, " Colour is %s from %s to %s%s.", unitLabel(scale.Label, scale.Unit), limit(scale, scale.Lo), limit(scale, scale.Hi), suffix(scale))
	for _, p := range f.Heatmap.Panels {
		values := f.Arrays[p.Values]
		fmt.Fprintf(b, " %s: %s, %s.", p.Title, p.Rows.span("row"), p.Columns.span("column"))
		n := len(p.Columns.Labels)
		lo, hi := extremes(values)
		say := func(what string, i int) {
			v, _ := values.At(i)
			fmt.Fprintf(b, " %s %s at row %s, column %s.", what, FormatNumber(scale.Format, float64(v)), p.Rows.Labels[i/n], TokenText(p.Columns.Labels[i%n]))
		}
		if hi >= 0 {
			say("Greatest", hi)
			say("Least", lo)
		}
		b.WriteString(rest(values))
	}
}

func (f *Figure) altLines(b *strings.Builder) {
	l := f.Lines
	xs, ys := f.Scales[l.XScale], f.Scales[l.YScale]
	x := f.Arrays[l.X]
	b.WriteString(f.head("Lines", ""))
	fmt.Fprintf(b, " %s from %s to %s over %s from %s to %s.", unitLabel(ys.Label, ys.Unit), limit(ys, ys.Lo), limit(ys, ys.Hi), unitLabel(xs.Label, xs.Unit), limit(xs, xs.Lo), limit(xs, xs.Hi))
	at := func(i int) string {
		if len(l.XLabels) > 0 {
			return l.XLabels[i]
		}
		return FormatNumber(xs.Format, float64(x.Data[i]))
	}
	f.altSeries(b, l.Series, ys, at)
	for i, g := range l.Guides {
		if i == 0 {
			b.WriteString(" Marked:")
		}
		fmt.Fprintf(b, " %s at %s%s", g.Label, FormatNumber(xs.Format, g.X), map[bool]string{true: ".", false: ";"}[i == len(l.Guides)-1])
	}
}

// altSeries says the extremes of each series.
func (f *Figure) altSeries(b *strings.Builder, series []Series, ys Scale, at func(i int) string) {
	for _, s := range series {
		y := f.Arrays[s.Y]
		name := s.Name
		if s.Control {
			name += " (control)"
		}
		lo, hi := extremes(y)
		if hi < 0 {
			fmt.Fprintf(b, " %s: no numbers yet.", name)
			continue
		}
		num := func(i int) string { return FormatNumber(ys.Format, float64(y.Data[i])) + " at " + at(i) }
		fmt.Fprintf(b, " %s: greatest %s, least %s.%s", name, num(hi), num(lo), rest(y))
	}
}

func (f *Figure) altTable(b *strings.Builder) {
	t := f.Table
	b.WriteString(f.head("Table", ""))
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = unitLabel(c.Name, c.Unit)
	}
	fmt.Fprintf(b, " %d rows; columns %s.", t.Rows, strings.Join(names, "; "))
	for r := range min(t.Rows, 5) {
		cells := make([]string, len(t.Columns))
		for i, c := range t.Columns {
			text, state, _ := f.tableCell(c, r)
			if state == Pending {
				text = "not yet computed"
			}
			cells[i] = text
		}
		fmt.Fprintf(b, " %s.", strings.Join(cells, "; "))
	}
}

// extremes returns the flat indices of the least and the greatest finite
// number, -1 where there is none.
func extremes(a *Array) (lo, hi int) {
	lo, hi = -1, -1
	for i := range a.Data {
		v, state := a.At(i)
		if state != Done || !finite(float64(v)) {
			continue
		}
		if lo < 0 || v < a.Data[lo] {
			lo = i
		}
		if hi < 0 || v > a.Data[hi] {
			hi = i
		}
	}
	return lo, hi
}

// rest says how many numbers are missing or not finite.
func rest(a *Array) string {
	var pending, odd int
	for i := range a.Data {
		switch v, state := a.At(i); {
		case state == Pending:
			pending++
		case state == Done && (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)):
			odd++
		}
	}
	s := ""
	if pending > 0 {
		s += fmt.Sprintf(" %d of %d not yet computed.", pending, len(a.Data))
	}
	if odd > 0 {
		s += fmt.Sprintf(" %d not finite.", odd)
	}
	return s
}
