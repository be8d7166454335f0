package analysis

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

const helixPaper = "Kantamneni, Tegmark, Language Models Use Trigonometry to Do Addition, 2025, arXiv 2502.00873"

func helix() Analysis {
	params := append([]Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("the prompts"),
		{Name: "show", Type: TypeChoice, Default: "numbers", Choices: []string{"numbers", "layers", "periods", "clock"},
			Help: "numbers: the numbers in space, by principal components and on each period's circle; layers: what helix and rivals explain of unseen numbers in every layer; periods: how much of the variance each period holds; clock: one dial a period"},
		{Name: "layer", Type: TypeInt, Default: -1, Bounds: atLeast(-1), Index: "layers", Help: "the layer that numbers and clock show; -1 for the one whose helix explains unseen numbers best"},
		parametersParam("of every fit in layers, a number: 3, 5, 7 or 9; the helix of each set of so many periods is tried; 0 for all periods"),
		{Name: "prompt", Type: TypePrompt, Default: Prompt{Text: "34+57="}, Help: "whose a, b and a+b are the hands of the clock"},
		{Name: "score", Type: TypeChoice, Default: "r2", Choices: []string{"r2", "mse"}, Help: "what layers draws of numbers that no fit has seen: R², or the mean squared error over numbers and channels, in the square of the activations' unit, which differs from layer to layer and is another in the untrained model"},
	}, numberParams("a")...)
	return Analysis{
		Name: "helix", Title: "Numbers on a helix", Version: 1,
		Summary: "fits activations by circles and a line in the number, beside rivals of equal size, and draws the numbers there",
		Paper:   helixPaper,
		Example: `helix(load("mental-2op"), show="layers", n=300)`,
		Params:  append(params, setParams("{a}+{b}=", 1000)...),
		Run:     runHelix,
	}
}

// parametersParam declares the size of fits.
func parametersParam(help string) Param {
	return Param{Name: "parameters", Type: TypeInt, Default: 0, Bounds: between(0, 17), Unit: "parameters", Help: help}
}

// settleParameters checks the size of fits against the periods; 0 becomes that of
// all of them.
func settleParameters(a Args) error {
	p, most := a["parameters"].(int), 2*len(a["periods"].([]float64))+1
	if p == 0 {
		p = most
	}
	if most > 1 && (p < 3 || p%2 == 0 || p > most) { // readNumbers refuses having no periods
		return &hintError{fmt.Sprintf("parameters: %d: a circle a period and a line make 3, 5 and so on, up to %d with the %d periods", p, most, (most-1)/2), "use 3, 5 or 7, or 0 for all periods"}
	}
	a["parameters"] = p
	return nil
}

// helixRun is one call on its way.
type helixRun struct {
	m     *models.Model
	a     Args
	emit  Emit
	seed  uint64
	from  *BoundPrompts
	set   *ablate.PromptSet
	read  *numberReading
	sweep *numberSweep
	fig   *viz.Figure

	fitChecks
}

func runHelix(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &helixRun{m: a["m"].(*models.Model), a: a, emit: emit}
	show := a["show"].(string)
	if err := r.check(show); err != nil {
		return nil, err
	}
	var err error
	if r.from, err = singlesOf(ctx, r.m, a); err != nil {
		return nil, err
	}
	r.set, r.seed = r.from.Set, r.from.seed()
	if r.read, err = readNumbers(r.m, a, r.set); err != nil {
		return nil, err
	}
	draw := map[string]func(context.Context) error{"numbers": r.numbers, "layers": r.layers, "periods": r.periods, "clock": r.clock}
	if err := draw[show](ctx); err != nil {
		return r.fig, err
	}
	r.finish()
	emit.Figure(r.fig)
	return r.fig, nil
}

func (r *helixRun) check(show string) error {
	if err := settleParameters(r.a); err != nil {
		return err
	}
	if of := r.a["of"].(string); show != "layers" && strings.Contains(of, ",") {
		return &hintError{fmt.Sprintf("of: show=%q draws one number, not %q", show, of), `use of="a", "b" or "a+b", or show="layers"`}
	}
	if l := r.a["layer"].(int); l < -1 || l >= r.m.Config.Layers {
		return &hintError{fmt.Sprintf("layer: %d is outside 0..%d", l, r.m.Config.Layers-1), "use -1 for the best one"}
	}
	return nil
}

// begin shows the figure before its first number.
func (r *helixRun) begin(fig *viz.Figure, subtitle string, total int, unit string) {
	r.fig = fig
	fig.Title = "Numbers on a helix"
	fig.Subtitle = subtitle
	fig.Provenance = provenance(r.m, "helix", 1, r.a)
	r.from.describe(fig)
	r.emit.Figure(fig)
	r.emit.Progress(0, total, unit)
}

// take runs the model over the prompts.
func (r *helixRun) take(ctx context.Context) (err error) {
	r.sweep, err = r.read.sweep(ctx, r.m, r.read.distinct(r.set.Prompts))
	return err
}

// rivals fits one layer of a sweep; the split is that of the model's own numbers.
func (r *helixRun) rivals(s *numberSweep, layer, parameters int, families ...probe.Family) (*probe.Rivals, error) {
	fits, err := probe.FitRivals(s.layers[layer], s.numbers, probe.RivalOptions{
		Periods: r.read.periods, Parameters: parameters, Families: families, HeldOut: s.heldOut(r.seed), Seed: r.seed,
	})
	if err != nil {
		return nil, fmt.Errorf("layer %d: %w", layer, fewNumbers(err))
	}
	r.checked(fits.Residual, fits.Normal, fits.Null)
	return fits, nil
}

// fewNumbers says what to do about fits that would be exact.
func fewNumbers(err error) error {
	if strings.Contains(err.Error(), "would be exact") || strings.Contains(err.Error(), "at least 2 are needed") || strings.Contains(err.Error(), "both sides need some") {
		return &hintError{err.Error(), "take a wider range of operands, fewer periods, or fewer parameters"}
	}
	if strings.Contains(err.Error(), "are constant") {
		return &hintError{err.Error(), "read a token that the number can reach: it or a later one"}
	}
	return err
}

// finish adds badges and what the prompts were.
func (r *helixRun) finish() {
	r.fig.Badges = append(r.fig.Badges, r.badges()...)
	r.fig.Caption += fmt.Sprintf(" Activations: %s of %d prompts that differ there. Prompts: %s.", r.read.where(), len(r.sweep.prompts), r.from.Report())
}

// fitChecks are the largest errors of all fits of a call.
type fitChecks struct{ residual, normal, null float64 }

func (c *fitChecks) checked(residual, normal, null float64) {
	c.residual, c.normal, c.null = max(c.residual, residual), max(c.normal, normal), max(c.null, null)
}

// badges say that fits are those of least squares and least norm, and how exact
// the components are that they saw.
func (c *fitChecks) badges() []viz.Badge {
	badges := []viz.Badge{
		{Text: "fit residual orthogonal to basis", Value: c.normal, Bound: 1e-8, OK: c.normal <= 1e-8,
			Help: "largest product of a fit's residual with a column of its basis, over the sizes of both: 0 for least squares"},
		{Text: "map of minimum norm", Value: c.null, Bound: 1e-8, OK: c.null <= 1e-8,
			Help: "largest part of a fit's map that its basis does not see, over the map's size: 0 for the shortest of the maps that fit equally well (the sine of period 2 is 0 on whole numbers)"},
	}
	if c.residual > 0 {
		badges = append(badges, viz.Badge{Text: "components by chance", Value: c.residual, Bound: 1e-2, OK: c.residual <= 1e-2,
			Help: "how far the principal components that the fits saw, found by a randomised method, are from exact ones: |Cv − λv| over the first λ"})
	}
	return badges
}

// bestRival is the fit of a family with the largest score, the first of equals.
func bestRival(fits []probe.Rival, family probe.Family, score func(i int) float64) (best int, found bool) {
	for i := range fits {
		if fits[i].Family == family && (!found || score(i) > score(best)) {
			best, found = i, true
		}
	}
	return best, found
}

// periodList writes periods as a set, four digits of each.
func periodList(periods []float64) string {
	var parts []string
	for _, p := range periods {
		parts = append(parts, strconv.FormatFloat(p, 'g', 4, 64))
	}
	return strings.Join(parts, ", ")
}

// rivalName is how a family's line is called; sets is how many were tried.
func rivalName(c probe.Compared, sets int) string {
	switch {
	case c.Family == probe.PCAFamily:
		return "PCA"
	case (c.Family == probe.HelixFamily || c.Family == probe.CircleFamily) && sets > 1:
		return fmt.Sprintf("%s, best of %d sets", c.Family, sets)
	}
	return string(c.Family)
}

// layerAxis is x and its labels.
func layerAxis(layers int) (x *viz.Array, labels []string) {
	values := make([]float32, layers)
	for l := range values {
		values[l] = float32(l)
		labels = append(labels, fmt.Sprint(l))
	}
	return viz.Values(values, []string{"layer"}, layers), labels
}

// layerLines is a figure of lines over the layers, one for each key and name.
func layerLines(layers int, y viz.Scale, lines [][2]string, controls ...string) *viz.Figure {
	x, labels := layerAxis(layers)
	along := viz.Scale{Kind: viz.ScaleLinear, Hi: float64(layers - 1), Label: "layer", Format: "%.0f"}
	if layers == 1 { // an axis needs a length
		along.Lo, along.Hi = -1, 1
	}
	fig := &viz.Figure{
		Kind: viz.KindLines, Arrays: map[string]*viz.Array{"layer": x}, Scales: map[string]viz.Scale{"x": along, "y": y},
		Lines: &viz.Lines{X: "layer", XScale: "x", YScale: "y", XLabels: labels},
	}
	for _, line := range lines {
		fig.Arrays[line[0]] = viz.NewArray([]string{"layer"}, layers)
		fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: line[1], Y: line[0], Control: slices.Contains(controls, line[0])})
	}
	return fig
}

// show adds numbers at a layer to the lines.
func (r *helixRun) show(layer int, values map[string]float64) error {
	part := viz.Part{}
	s := r.fig.Scales["y"]
	for name, v := range values {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: name, Offset: layer, F32: viz.EncodeFloats([]float32{float32(v)})})
		s = widen(s, []float64{v})
	}
	s.Lo = max(s.Lo, -1) // a power far from its numbers says nothing by how far
	if s != r.fig.Scales["y"] {
		part.Scales = map[string]viz.Scale{"y": s}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}
