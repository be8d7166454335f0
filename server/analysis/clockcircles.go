package analysis

import (
	"context"
	"fmt"
	"strings"

	"orrery/probe"
	"orrery/viz"
)

// patternNames are the formulas in words, in the order of probe.LogitPatterns.
var patternNames = map[probe.LogitPattern]string{
	probe.ClockPattern: "clock", probe.PizzaPattern: "pizza", probe.PizzaPrimePattern: "pizza′", probe.AccompanyingPattern: "accomp.",
}

// circles draws what the logits follow when a circle of the embedding is left.
func (r *clockRun) circles(ctx context.Context) (*viz.Figure, error) {
	n := r.a["circles"].(int)
	r.beginCircles(n)
	done := 0
	var said []string
	for i, m := range r.models {
		circles, err := probe.MeasureCircleLogits(ctx, m, r.adders[i], n, probe.CircleChoice(r.a["by"].(string)), func(c probe.CircleLogits) error {
			if err := r.showCircle(i, n, c); err != nil {
				return err
			}
			done++
			r.emit.Progress(done, n*len(r.models), "circles")
			return ctx.Err()
		})
		if err != nil {
			return r.fig, fmt.Errorf("%s: %w", m.Name, err)
		}
		said = append(said, describeCircles(m.Name, circles))
	}
	said = append(said, "In the paper's Model A, a pizza, circles 1 to 3 are explained to 75.4, 75.6 and 75.4 % by the clock, to 98.3, 98.3 and 98.4 % by the pizza, and circles 4 to 6 to 97.6, 97.2 and 97.7 % as the pizzas that accompany them.",
		"Measured: 1 − var(L − Q) of logits L and formula Q, each with mean 0 and variance 1 over all (a, b, c), which is 1 for the formula itself and −1 where nothing of it is there; all but the mean of W_E and the circle is taken away at both numbers.")
	r.fig.Caption = strings.Join(said, " ")
	r.emit.Figure(r.fig)
	return r.fig, nil
}

// beginCircles shows the empty figure: bars a model, and the numbers.
func (r *clockRun) beginCircles(n int) {
	rows := n * len(r.models)
	f := &viz.Figure{
		Kind: viz.KindMultiples, Title: "Clock or pizza, circle by circle",
		Subtitle: fmt.Sprintf("variance of the logits over all (a, b, c) that a formula explains, when one circle of the embedding is left · circles by %s", r.a["by"]),
		Arrays:   map[string]*viz.Array{"frequency": viz.NewArray([]string{"circle"}, rows)},
		Texts:    map[string]*viz.Text{"model": viz.NewText(rows), "circle": viz.NewText(rows)},
		Scales:   map[string]viz.Scale{"explained": {Kind: viz.ScaleLinear, Lo: -1, Hi: 1, Label: "variance explained", Format: "%.3f"}},
	}
	f.Multiples = &viz.Multiples{Columns: min(2, len(r.models))}
	table := &viz.Table{Rows: rows, Columns: []viz.Column{{Name: "model", Text: "model"}, {Name: "circle", Text: "circle"}, {Name: "k", Values: "frequency", Format: "%.0f"}}}
	for i, m := range r.models {
		bars := &viz.Bars{YScale: "explained", Categories: viz.Axis{Name: r.circleAxis()}}
		for c := range n {
			bars.Categories.Labels = append(bars.Categories.Labels, r.circleName(c))
			f.Texts["model"].Values[i*n+c], f.Texts["circle"].Values[i*n+c] = m.Name, r.circleName(c)
		}
		for _, q := range probe.LogitPatterns {
			name := fmt.Sprintf("%s%d", q, i)
			f.Arrays[name] = viz.NewArray([]string{"circle"}, n)
			bars.Series = append(bars.Series, viz.Series{Name: patternNames[q], Y: name})
		}
		f.Multiples.Items = append(f.Multiples.Items, viz.Item{Title: m.Name, Subtitle: "by the formula of the circle's own frequency", Kind: viz.KindBars, Bars: bars})
	}
	for _, q := range probe.LogitPatterns {
		f.Arrays[string(q)] = viz.NewArray([]string{"circle"}, rows)
		table.Columns = append(table.Columns, viz.Column{Name: patternNames[q], Values: string(q), Format: "%.4f"})
	}
	f.Multiples.Items = append(f.Multiples.Items, viz.Item{Title: "Explained", Subtitle: "clock: cos w(a+b−c); pizza: |cos w(a−b)/2| (|cos w(a+b−c)/2| − |sin w(a+b−c)/2|); pizza′: its sizes along four directions; accompanying: −cos h(a−b) cos h(a+b−c), 2h = w", Kind: viz.KindTable, Table: table})
	f.Provenance = provenance(r.models[0], "clock_or_pizza", 1, r.a)
	r.fig = f
	r.emit.Figure(f)
	r.emit.Progress(0, rows, "circles")
}

// circleAxis and circleName say what a circle is of.
func (r *clockRun) circleAxis() string {
	if r.a["by"] == string(probe.CirclesByComponents) {
		return "principal components of W_E"
	}
	return "circle of W_E, the strongest first"
}

func (r *clockRun) circleName(i int) string {
	if r.a["by"] == string(probe.CirclesByComponents) {
		return fmt.Sprintf("%d, %d", 2*i+1, 2*i+2)
	}
	return fmt.Sprint(i + 1)
}

// showCircle adds one circle of n of model i.
func (r *clockRun) showCircle(i, n int, c probe.CircleLogits) error {
	part := viz.Part{Arrays: []viz.ArrayRun{one("frequency", i*n+c.Circle, float64(c.Frequency))}}
	scale := r.fig.Scales["explained"]
	for _, q := range probe.LogitPatterns {
		part.Arrays = append(part.Arrays, one(fmt.Sprintf("%s%d", q, i), c.Circle, c.Explained[q]), one(string(q), i*n+c.Circle, c.Explained[q]))
		scale = widen(scale, []float64{c.Explained[q]})
	}
	part.Scales = map[string]viz.Scale{"explained": scale}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

// describeCircles says which formula explains most of each circle. What is below 0 is
// nearer to nothing of a formula than to the formula.
func describeCircles(name string, circles []probe.CircleLogits) string {
	var said []string
	for i, c := range circles {
		best := probe.ClockPattern
		for _, q := range probe.LogitPatterns {
			if c.Explained[q] > c.Explained[best] {
				best = q
			}
		}
		what := fmt.Sprintf("%s, %.1f %%", spelledPattern(best), 100*c.Explained[best])
		if best != probe.ClockPattern && c.Explained[probe.ClockPattern] > 0 {
			what += fmt.Sprintf(" (clock %.1f %%)", 100*c.Explained[probe.ClockPattern])
		}
		if c.Explained[best] < 0 {
			what = "none of them"
		}
		said = append(said, fmt.Sprintf("%d (k = %d) %s", i+1, c.Frequency, what))
	}
	return fmt.Sprintf("%s: the formula that explains most of each circle is in %s.", name, strings.Join(said, "; "))
}

// spelledPattern is a formula's name in a sentence.
func spelledPattern(q probe.LogitPattern) string {
	if q == probe.AccompanyingPattern {
		return "accompanying pizza"
	}
	return patternNames[q]
}
