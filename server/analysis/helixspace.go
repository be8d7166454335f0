package analysis

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
	"orrery/viz"
)

// layerOf is the layer that a figure of one layer shows: the one that was asked
// for, or the one whose helix of all periods explains unseen numbers best.
func (r *helixRun) layerOf(ctx context.Context, s *numberSweep) (int, error) {
	if l := r.a["layer"].(int); l >= 0 {
		return l, nil
	}
	best, at := math.Inf(-1), -1
	var refused error
	for l := range s.layers {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		fits, err := r.rivals(s, l, 2*len(r.read.periods)+1, probe.HelixFamily)
		if err != nil {
			refused = err
			continue // the input of layer 0 at a token that says nothing of the number
		}
		if v := fits.Fits[0].Test.R2; v > best {
			best, at = v, l
		}
	}
	if at < 0 {
		return 0, refused
	}
	return at, nil
}

// helixAt is the fit to all rows of a layer, its numbers' mean activations and
// where they stand.
type helixAt struct {
	layer  int
	fit    *probe.Helix
	values []int
	means  *mat.Dense // [values, D]
	places *mat.Dense // [values, columns]: on the circles and the line
	ideal  *mat.Dense // [values, D]: what the fit says
}

func (r *helixRun) fitAt(ctx context.Context, s *numberSweep) (*helixAt, error) {
	l, err := r.layerOf(ctx, s)
	if err != nil {
		return nil, err
	}
	return r.fitLayer(s, l)
}

// fitLayer is fitAt for a layer.
func (r *helixRun) fitLayer(s *numberSweep, l int) (h *helixAt, err error) {
	h = &helixAt{layer: l}
	n := s.numbers[0]
	if h.fit, err = probe.FitHelix(s.layers[l], []probe.HelixTerm{probe.HelixOf(n.Name, n.Values, r.read.periods, 0)}, probe.HelixOptions{}); err != nil {
		return nil, fewNumbers(err)
	}
	r.checked(h.fit.Residual, h.fit.Normal, h.fit.Null)
	h.values, h.means = s.means(l)
	if h.places, err = h.fit.Coordinates(h.means); err != nil {
		return nil, err
	}
	_, d := h.means.Dims()
	h.ideal = mat.NewDense(len(h.values), d, nil)
	for i, v := range h.values {
		row, err := h.fit.At(v)
		if err != nil {
			return nil, err
		}
		h.ideal.SetRow(i, row)
	}
	return h, nil
}

// numbers draws the mean activation of each number in space: along the principal
// components, and on each period's circle with the line upright. The fit's own
// points are the backdrop. The last view is the control: the same in a model that
// learnt nothing.
func (r *helixRun) numbers(ctx context.Context) error {
	if err := r.take(ctx); err != nil {
		return err
	}
	h, err := r.fitAt(ctx, r.sweep)
	if err != nil {
		return err
	}
	n := len(h.values)
	fig := &viz.Figure{
		Kind: viz.KindScatter, Arrays: map[string]*viz.Array{}, Texts: map[string]*viz.Text{}, Scales: map[string]viz.Scale{},
		Scatter: &viz.Scatter{Labels: "number", Backdrop: "fitted", Turn: [2]float64{-50, 22}},
	}
	labels := make([]string, 2*n) // none at the fit's points
	for i, v := range h.values {
		labels[i] = fmt.Sprint(v)
	}
	fig.Texts["number"] = &viz.Text{Shape: []int{2 * n}, Values: labels}
	r.colourNumbers(fig, h.values)
	if err := componentView(fig, h, "pc", viz.ScatterView{Name: "components", Label: "principal components",
		Help: "the mean activations along their own principal components, in the unit of the activations, with their shares of the variance: the most that there is, whatever makes it"}); err != nil {
		return err
	}
	for i := range r.read.periods {
		r.periodView(fig, h, i)
	}
	control, blank, err := r.controlAt(ctx, h.layer)
	if err != nil {
		return err
	}
	if err := componentView(fig, blank, "untrained_pc", viz.ScatterView{Name: "untrained", Label: "untrained model",
		Help: "the control: the same activations before any training, along principal components of their own; grey: the helix that is fitted to them"}); err != nil {
		return err
	}
	for i, path := range []viz.Path{{Name: "numbers in order", Order: "order"}, {Name: "the fit", Order: "fit_order", Control: true}} {
		order := make([]float32, n)
		for k := range order {
			order[k] = float32(i*n + k)
		}
		fig.Arrays[path.Order] = viz.Values(order, []string{"step"}, n)
		fig.Scatter.Paths = append(fig.Scatter.Paths, path)
	}
	r.begin(fig, fmt.Sprintf("mean activation of each value of %s · %s, layer %d · grey: what the helix of periods %s says", r.read.of, r.read.where(), h.layer, periodList(r.read.periods)), 1, "layers")
	fits, err := r.rivals(r.sweep, h.layer, 2*len(r.read.periods)+1)
	if err != nil {
		return err
	}
	own, err := r.rivals(control, h.layer, 2*len(r.read.periods)+1, probe.HelixFamily)
	if err != nil {
		return err
	}
	score := map[probe.Family]float64{}
	for _, f := range fits.Fits {
		score[f.Family] = f.Test.R2
	}
	r.fig.Caption = fmt.Sprintf("In layer %d the helix explains R² %.3f of what the numbers do, and %.3f of numbers that it has not seen", h.layer, h.fit.Fit.R2, score[probe.HelixFamily])
	for i, rival := range []struct {
		family probe.Family
		words  string
	}{{probe.CircleFamily, "the circles alone"}, {probe.PolynomialFamily, "a polynomial of equal size"}, {probe.PCAFamily, "as many principal components"}, {probe.ShuffledFamily, "the helix of shuffled numbers"}} {
		if v, there := score[rival.family]; there {
			r.fig.Caption += fmt.Sprintf("%s %s %.3f", [...]string{";", ","}[min(i, 1)], rival.words, v)
		}
	}
	r.fig.Caption += fmt.Sprintf("; in an untrained model its helix explains R² %.3f, and %.3f of unseen numbers.", blank.fit.Fit.R2, own.Fits[0].Test.R2)
	r.emit.Progress(1, 1, "layers")
	return nil
}

// controlAt is what a model that learnt nothing has of the same prompts, with its own
// fit at a layer.
func (r *helixRun) controlAt(ctx context.Context, layer int) (*numberSweep, *helixAt, error) {
	m, err := untrained(r.m, r.seed)
	if err != nil {
		return nil, nil, err
	}
	s, err := r.read.sweep(ctx, m, r.sweep.prompts)
	if err != nil {
		return nil, nil, err
	}
	h, err := r.fitLayer(s, layer)
	if err != nil {
		return nil, nil, fmt.Errorf("untrained model: %w", err)
	}
	return s, h, nil
}

// colourNumbers adds the ways to colour numbers; the fit's points have those of
// theirs.
func (r *helixRun) colourNumbers(fig *viz.Figure, values []int) {
	n := len(values)
	backdrop := make([]float32, 2*n)
	for i := range n {
		backdrop[n+i] = 1
	}
	fig.Arrays["fitted"] = viz.Values(backdrop, []string{"point"}, 2*n)
	mod := func(v, m int) int { return ((v % m) + m) % m }
	lo, hi := values[0], values[n-1]
	for _, c := range []struct {
		name, label, help string
		of                func(v int) int
		scale             viz.Scale
	}{
		{"value", "value", "the number itself", func(v int) int { return v }, viz.Scale{Kind: viz.ScaleSequential, Lo: float64(lo), Hi: float64(hi), Label: r.read.of, Format: "%.0f"}},
		{"units", "last digit", "the number modulo 10", func(v int) int { return mod(v, 10) }, viz.Scale{Kind: viz.ScaleCategory, Hi: 9, Label: "last digit", Format: "%.0f"}},
		{"tens", "tens", "the number's tens digit", func(v int) int { return mod(v/10, 10) }, viz.Scale{Kind: viz.ScaleCategory, Hi: 9, Label: "tens digit", Format: "%.0f"}},
		{"parity", "parity", "0 for even, 1 for odd numbers", func(v int) int { return mod(v, 2) }, viz.Scale{Kind: viz.ScaleCategory, Hi: 1, Label: "parity", Names: "parities", Format: "%.0f"}},
	} {
		colours := make([]float32, 2*n)
		for i, v := range values {
			colours[i], colours[n+i] = float32(c.of(v)), float32(c.of(v))
		}
		fig.Arrays[c.name], fig.Scales[c.name] = viz.Values(colours, []string{"point"}, 2*n), c.scale
		fig.Scatter.Colours = append(fig.Scatter.Colours, viz.ScatterColour{Name: c.name, Label: c.label, Help: c.help, Values: c.name, Scale: c.name})
	}
	fig.Texts["parities"] = &viz.Text{Shape: []int{2}, Values: []string{"even", "odd"}}
}

// componentView adds the principal components of the mean activations as a view, with
// arrays of a prefix.
func componentView(fig *viz.Figure, h *helixAt, prefix string, view viz.ScatterView) error {
	k := min(3, len(h.values)-1)
	pca, err := probe.FitPCA(h.means, k)
	if err != nil {
		return err
	}
	own, err := pca.Scores(h.means)
	if err != nil {
		return err
	}
	fitted, err := pca.Scores(h.ideal)
	if err != nil {
		return err
	}
	at := []*viz.Coordinate{&view.X, &view.Y, &view.Z}
	for i := range min(pca.K(), 3) {
		name := fmt.Sprintf("%s%d", prefix, i+1)
		points(fig, name, fmt.Sprintf("PC %d · %.1f %%", i+1, 100*pca.Ratio[i]), own, fitted, i)
		*at[i] = viz.Coordinate{Values: name, Scale: name}
	}
	if pca.K() >= 2 {
		fig.Scatter.Views = append(fig.Scatter.Views, view)
	}
	return nil
}

// periodView adds one period's circle with the line upright; period 2 has no sine
// and is a plane.
func (r *helixRun) periodView(fig *viz.Figure, h *helixAt, i int) {
	period := periodList(r.read.periods[i : i+1])
	if fig.Arrays["line"] == nil {
		points(fig, "line", "along the line", h.places, r.idealPlaces(h), 2*len(r.read.periods))
	}
	names := [2]string{fmt.Sprintf("cos%d", i), fmt.Sprintf("sin%d", i)}
	for k, word := range []string{"cosine", "sine"} {
		points(fig, names[k], fmt.Sprintf("%s of period %s", word, period), h.places, r.idealPlaces(h), 2*i+k)
	}
	view := viz.ScatterView{
		Name: fmt.Sprintf("period%d", i), Label: "T = " + period,
		Help: fmt.Sprintf("the mean activations in the fit's own directions: along cos(2πn/%s) and sin(2πn/%s), in radii of the fit's circle, and along the line upwards; grey: where the fit has them", period, period),
		X:    viz.Coordinate{Values: names[0], Scale: names[0]}, Y: viz.Coordinate{Values: names[1], Scale: names[1]}, Z: viz.Coordinate{Values: "line", Scale: "line"},
	}
	if r.read.periods[i] == 2 {
		view.Y, view.Z = view.Z, viz.Coordinate{}
		view.Help = "the mean activations in the fit's own directions: along cos(πn), which is +1 for even and −1 for odd numbers, and along the line; the sine of period 2 is 0"
	}
	fig.Scatter.Views = append(fig.Scatter.Views, view)
}

// idealPlaces is where the fit has its numbers: at their cosines and sines.
func (r *helixRun) idealPlaces(h *helixAt) *mat.Dense {
	columns := len(h.fit.Labels) - 1
	out := mat.NewDense(len(h.values), columns, nil)
	scale := h.fit.Terms[0].Basis.Scale
	for i, v := range h.values {
		for k, period := range r.read.periods {
			sin, cos := math.Sincos(2 * math.Pi * math.Mod(float64(v), period) / period)
			out.Set(i, 2*k, cos)
			out.Set(i, 2*k+1, sin)
		}
		out.Set(i, columns-1, float64(v)/scale)
	}
	return out
}

// points adds a column of both clouds as an axis.
func points(fig *viz.Figure, name, label string, own, fitted *mat.Dense, column int) {
	n, _ := own.Dims()
	values := make([]float64, 2*n)
	for i := range n {
		values[i], values[n+i] = own.At(i, column), fitted.At(i, column)
	}
	s := viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: label, Format: "%.2f"}
	fig.Scales[name] = widen(s, values)
	fig.Arrays[name] = viz.Values(narrow(values), []string{"point"}, 2*n)
}
