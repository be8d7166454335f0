package analysis

import (
	"context"
	"fmt"
	"strings"

	"gonum.org/v1/gonum/stat"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

func clockOrPizza() Analysis {
	return Analysis{
		Name: "clock_or_pizza", Title: "Clock or pizza", Version: 1,
		Summary: "which of two algorithms a modular adder found: gradient symmetricity, distance irrelevance and circularity among published runs",
		Paper:   "Zhong, Liu, Tegmark, Andreas, The Clock and the Pizza: Two Stories in Mechanistic Explanation of Neural Networks, NeurIPS 2023, arXiv 2306.17844",
		Example: `clock_or_pizza(load("modadd-59-pizza"), other=load("modadd-59-clock"))`,
		Params: []Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "a model of a + b mod p"},
			{Name: "other", Type: TypeModel, Help: "a second one, drawn beside it"},
			{Name: "show", Type: TypeChoice, Default: "verdict", Choices: []string{"verdict", "circles"},
				Help: "verdict: the three measures, among published runs; circles: what the logits follow when one circle of the embedding is left, the clock's formula or the pizza's (section 4 of the paper)"},
			{Name: "circles", Type: TypeInt, Default: 3, Bounds: between(1, 16), Unit: "circles", Help: "how many circles, the largest first; of show=\"circles\""},
			{Name: "by", Type: TypeChoice, Default: string(probe.CirclesByFrequency), Choices: []string{string(probe.CirclesByFrequency), string(probe.CirclesByComponents)},
				Help: "how circles are told apart: frequency, the plane of one wave of the embedding at a time; components, two principal components at a time, as in the paper, which are some of each circle where they are of about one size; of show=\"circles\""},
			{Name: "triples", Type: TypeInt, Default: 100, Bounds: atLeast(1), Unit: "triples", Help: "how many random (a, b, c) the gradients are compared at; 100 in the paper"},
			{Name: "seed", Type: TypeInt, Default: 42, Bounds: atLeast(0), Help: "of the triples"},
		},
		Run: runClockOrPizza,
	}
}

// clockRun is one call on its way.
type clockRun struct {
	a        Args
	emit     Emit
	models   []*models.Model
	adders   []probe.ModularAdder
	triples  int
	seed     uint64
	runs     *publishedRuns
	fig      *viz.Figure
	measured []*probe.ClockPizza
}

func runClockOrPizza(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &clockRun{a: a, emit: emit, models: []*models.Model{a["m"].(*models.Model)}}
	var err error
	r.seed = seedOf(a)
	r.triples = a["triples"].(int)
	if other, ok := a["other"].(*models.Model); ok {
		r.models = append(r.models, other)
	}
	for _, m := range r.models {
		adder, err := probe.FindModularAdder(m)
		if err != nil {
			return nil, &hintError{err.Error(), "take a model of a + b mod p, such as modadd-59-pizza"}
		}
		r.adders = append(r.adders, adder)
	}
	if a["show"].(string) == "circles" {
		return r.circles(ctx)
	}
	if r.runs, err = readPublishedRuns(); err != nil {
		return nil, err
	}
	r.begin()
	for i, m := range r.models {
		triples, err := probe.SampleTriples(r.adders[i].P, r.triples, r.seed)
		if err != nil {
			return r.fig, err
		}
		c, err := probe.MeasureClockPizza(ctx, m, r.adders[i], triples)
		if err != nil {
			return r.fig, fmt.Errorf("%s: %w", m.Name, err)
		}
		if err := r.show(i, c); err != nil {
			return r.fig, err
		}
	}
	r.finish()
	emit.Figure(r.fig)
	return r.fig, nil
}

// begin shows the empty figure: points among the published ones, correct logits,
// circularity by component, the numbers.
func (r *clockRun) begin() {
	backdrop, n := len(r.runs.attention), len(r.models)
	f := &viz.Figure{
		Kind: viz.KindMultiples, Title: "Clock or pizza",
		Subtitle: fmt.Sprintf("all pairs at the last token; gradients at %d random (a, b, c), seed %d · grey: %d published runs of a + b mod 59", r.triples, r.seed, backdrop),
		Arrays:   map[string]*viz.Array{}, Texts: map[string]*viz.Text{"label": viz.NewText(backdrop + n), "model": viz.NewText(n)},
		Scales: map[string]viz.Scale{
			"symmetricity": {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "gradient symmetricity", Format: "%.3f"},
			"distance":     {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "distance irrelevance (largest wrong logit)", Format: "%.3f"},
			"circularity":  {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "circularity", Format: "%.3f"},
			"attention":    {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "attention coefficient of the published runs", Format: "%.2f"},
		},
	}
	marked := make([]float32, backdrop+n)
	for i := range backdrop {
		marked[i] = 1
	}
	f.Arrays["published"] = viz.Values(marked, []string{"run"}, backdrop+n)
	for name, values := range map[string][]float64{"symmetricity": r.runs.symmetricity, "distance": r.runs.distance, "circularity": r.runs.circularity} {
		f.Arrays[name] = viz.NewArray([]string{"run"}, backdrop+n)
		f.Arrays[name].Set(0, narrow(values))
	}
	for i := range r.runs.attention {
		f.Texts["label"].Values[i] = fmt.Sprintf("published, α = %.2f", r.runs.attention[i])
	}
	heat := &viz.Heatmap{Scale: "logit"}
	circles := &viz.Bars{YScale: "circularity", Categories: viz.Axis{Name: "principal component of W_E", Labels: []string{"1", "2", "3", "4"}}}
	for i, m := range r.models {
		f.Texts["label"].Values[backdrop+i], f.Texts["model"].Values[i] = m.Name, m.Name
		name := fmt.Sprintf("correct%d", i)
		f.Arrays[name] = viz.NewArray([]string{"a+b", "a-b"}, r.adders[i].P, r.adders[i].P)
		var labels []string
		for k := range r.adders[i].P {
			labels = append(labels, fmt.Sprint(k))
		}
		heat.Panels = append(heat.Panels, viz.Panel{Title: m.Name, Rows: viz.Axis{Name: "a + b", Labels: labels}, Columns: viz.Axis{Name: "a − b", Labels: labels}, Values: name})
		circle := fmt.Sprintf("components%d", i)
		f.Arrays[circle] = viz.NewArray([]string{"component"}, 4)
		circles.Series = append(circles.Series, viz.Series{Name: m.Name, Y: circle})
	}
	f.Scales["logit"] = viz.Scale{Kind: viz.ScaleDiverging, Lo: -1e-3, Hi: 1e-3, Label: "correct logit, less its mean", Format: "%.1f"}
	table := &viz.Table{Rows: n, Columns: []viz.Column{{Name: "model", Text: "model"}}}
	for _, c := range clockColumns {
		f.Arrays[c.column.Values] = viz.NewArray([]string{"model"}, n)
		table.Columns = append(table.Columns, c.column)
	}
	view := func(name, label, help, x, y string) viz.ScatterView {
		return viz.ScatterView{Name: name, Label: label, Help: help, X: viz.Coordinate{Values: x, Scale: x}, Y: viz.Coordinate{Values: y, Scale: y}}
	}
	f.Multiples = &viz.Multiples{Columns: 2, Items: []viz.Item{
		{Title: "Among published runs", Subtitle: "a pizza lies right and low, a clock left and high", Kind: viz.KindScatter, Scatter: &viz.Scatter{
			Labels: "label", Backdrop: "published",
			Views: []viz.ScatterView{
				view("distance", "distance", "distance irrelevance against gradient symmetricity", "symmetricity", "distance"),
				view("circularity", "circularity", "circularity of the embedding against gradient symmetricity", "symmetricity", "circularity"),
			},
		}},
		{Title: "Correct logit", Subtitle: "by a + b and a − b mod p, less its mean; a clock's rows are flat", Kind: viz.KindHeatmap, Heatmap: heat},
		{Title: "Circularity by component", Subtitle: "1: the component is one wave around the numbers", Kind: viz.KindBars, Bars: circles},
		{Title: "Measures", Subtitle: "share right, gradient symmetricity, distance irrelevance of the correct logit and of the largest wrong one (as published), circularity", Kind: viz.KindTable, Table: table},
	}}
	f.Provenance = provenance(r.models[0], "clock_or_pizza", 1, r.a)
	f.Provenance.Seed = &r.seed
	r.fig = f
	r.emit.Figure(f)
	r.emit.Progress(0, n, "models")
}

// clockColumns are the numbers of a model.
var clockColumns = []struct {
	column viz.Column
	of     func(*probe.ClockPizza) float64
}{
	{viz.Column{Name: "right", Values: "accuracy", Format: "%.3f"}, func(c *probe.ClockPizza) float64 { return c.Accuracy }},
	{viz.Column{Name: "symm.", Values: "table_symmetricity", Format: "%.3f"}, func(c *probe.ClockPizza) float64 { return c.Symmetricity }},
	{viz.Column{Name: "irrel.", Values: "table_distance", Format: "%.3f"}, func(c *probe.ClockPizza) float64 { return c.Distance }},
	{viz.Column{Name: "wrong", Values: "table_wrong", Format: "%.3f"}, func(c *probe.ClockPizza) float64 { return c.DistanceWrong }},
	{viz.Column{Name: "circ.", Values: "table_circularity", Format: "%.3f"}, func(c *probe.ClockPizza) float64 { return c.Circularity }},
}

// show adds one model.
func (r *clockRun) show(i int, c *probe.ClockPizza) error {
	at := len(r.runs.attention) + i
	part := viz.Part{Arrays: []viz.ArrayRun{
		one("symmetricity", at, c.Symmetricity), one("distance", at, c.DistanceWrong), one("circularity", at, c.Circularity),
		{Name: fmt.Sprintf("components%d", i), F32: viz.EncodeFloats(narrow(c.Components))},
	}}
	grid := c.Correct.RawMatrix().Data
	mean := stat.Mean(grid, nil)
	centred := make([]float64, len(grid))
	for j, v := range grid {
		centred[j] = v - mean
	}
	part.Arrays = append(part.Arrays, viz.ArrayRun{Name: fmt.Sprintf("correct%d", i), F32: viz.EncodeFloats(narrow(centred))})
	part.Scales = map[string]viz.Scale{"logit": grow(r.fig.Scales["logit"], centred)}
	if c.Symmetricity < r.fig.Scales["symmetricity"].Lo {
		s := r.fig.Scales["symmetricity"]
		s.Lo = -1
		part.Scales["symmetricity"] = s
	}
	for _, column := range clockColumns {
		part.Arrays = append(part.Arrays, one(column.column.Values, i, column.of(c)))
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.measured = append(r.measured, c)
	r.emit.Part(part)
	r.emit.Progress(i+1, len(r.models), "models")
	return nil
}

// finish says what each model is nearer to.
func (r *clockRun) finish() {
	pizzaS, pizzaD := r.runs.near(0, 0.1)
	clockS, clockD := r.runs.near(0.9, 1)
	var said []string
	for i, c := range r.measured {
		name := r.models[i].Name
		if c.Accuracy < 0.9 {
			said = append(said, fmt.Sprintf("%s gets only %.1f %% of the pairs right: it has no algorithm to name.", name, 100*c.Accuracy))
			continue
		}
		like := fmt.Sprintf("a pizza (published runs with α ≤ 0.1 have medians %.2f and %.2f)", pizzaS, pizzaD)
		if square(c.Symmetricity-clockS)+square(c.DistanceWrong-clockD) < square(c.Symmetricity-pizzaS)+square(c.DistanceWrong-pizzaD) {
			like = fmt.Sprintf("a clock (published runs with α ≥ 0.9 have medians %.2f and %.2f)", clockS, clockD)
		}
		said = append(said, fmt.Sprintf("%s has a gradient symmetricity of %.3f and a distance irrelevance of %.3f (of the correct logit %.3f): nearer to %s.",
			name, c.Symmetricity, c.DistanceWrong, c.Distance, like))
	}
	r.fig.Caption = strings.Join(said, " ")
	r.fig.Badges = append(r.fig.Badges, r.shareBadge())
}

// shareBadge checks the identity behind distance irrelevance: the variance of the
// correct logit is that within the columns of a−b and that between them.
func (r *clockRun) shareBadge() viz.Badge {
	worst := 0.0
	for _, c := range r.measured {
		worst = max(worst, varianceGap(c))
	}
	return viz.Badge{Text: "within + between = all", Value: worst, Bound: 1e-10, OK: worst <= 1e-10,
		Help: "the variance of the correct logit less that within a−b and that between, as a share"}
}

func square(x float64) float64 { return x * x }

// varianceGap is the share of the correct logit's variance that is neither within
// the columns of a−b nor between them.
func varianceGap(c *probe.ClockPizza) float64 {
	p, _ := c.Correct.Dims()
	within, between := 0.0, make([]float64, p)
	for j := range p {
		column := make([]float64, p)
		for i := range p {
			column[i] = c.Correct.At(i, j)
		}
		between[j] = stat.Mean(column, nil)
		within += stat.PopVariance(column, nil) / float64(p)
	}
	all := stat.PopVariance(c.Correct.RawMatrix().Data, nil)
	gap := 1 - (within+stat.PopVariance(between, nil))/all
	return max(gap, -gap)
}
