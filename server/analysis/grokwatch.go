package analysis

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// watchView is what one looks at while a network groks.
var watchView = grokView{build: buildWatch, weights: watchWeights, runs: watchRuns}

// shareBins is how many bars the histogram of neurons has.
const shareBins = 20

// buildWatch lays the panels out: losses, clock, spectrum, the losses by keys,
// neurons.
func buildWatch(r *grokRun) {
	f, p := r.fig, r.adder.P
	r.curve("train", "test", "restricted", "excluded")
	r.lossScales("loss", "cross-entropy")
	r.lossScales("keyloss", "cross-entropy")
	r.framed("spectrum", []string{"frequency"}, r.basis.Highest())
	f.Scales["spectrum"] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: "‖F W_E‖", Format: "%.2f"}
	r.framed("clusters", []string{"cluster"}, len(r.keys.chosen)+2)
	f.Scales["neurons"] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1, Label: "neurons", Format: "%.0f"}
	r.framed("shares", []string{"share"}, shareBins)
	f.Scales["shares"] = f.Scales["neurons"]
	f.Scales["activation"] = viz.Scale{Kind: viz.ScaleSequential, Hi: 1e-3, Label: "activation after the ReLU", Format: "%.2f"}
	r.framed("clock_x", []string{"number"}, p)
	r.framed("clock_y", []string{"number"}, p)

	losses := []viz.Series{{Name: "test", Y: "test"}, {Name: "train", Y: "train"}}
	if r.train == nil {
		delete(f.Arrays, "train")
		losses = []viz.Series{{Name: "all pairs", Y: "test"}}
	}
	axis := viz.Axis{Name: fmt.Sprintf("frequency k, period %d/k", p)}
	for k := 1; k <= r.basis.Highest(); k++ {
		axis.Labels = append(axis.Labels, fmt.Sprint(k))
	}
	f.Multiples.Columns = 2
	f.Multiples.Items = []viz.Item{
		{Title: "Loss", Subtitle: "cross-entropy at the last token, by step", Kind: viz.KindLines, Lines: byStep(lossAxes("loss"), losses...)},
		r.clock(),
		{Title: "Fourier spectrum of the embedding", Subtitle: "‖F W_E‖ by frequency, sine and cosine joined; brass: key", Kind: viz.KindBars, Bars: &viz.Bars{
			Categories: axis, YScale: "spectrum", Stems: true, Marks: marks(r.keys.chosen), Series: []viz.Series{{Name: "W_E", Y: "spectrum"}},
		}},
		{Title: "Restricted and excluded loss", Subtitle: "only, or all but, the waves of a + b at the keys", Kind: viz.KindLines, Lines: byStep(lossAxes("keyloss"),
			viz.Series{Name: "restricted, " + pairsInWords(r.pairsOf("all")), Y: "restricted"}, viz.Series{Name: "excluded, " + pairsInWords(r.pairsOf("train")), Y: "excluded"})},
		r.tilesItem(),
		{Title: "Neurons per cluster", Subtitle: fmt.Sprintf("of %d, by frequency; ≥ %g of the variance", r.m.Config.MLPWidth, r.a["threshold"].(float64)), Kind: viz.KindBars, Bars: &viz.Bars{
			Categories: r.clusterAxis(), YScale: "neurons", Series: []viz.Series{{Name: "neurons", Y: "clusters"}},
		}},
		{Title: "Best single frequency of a neuron", Subtitle: "share of its variance over all (a, b)", Kind: viz.KindBars, Bars: &viz.Bars{
			Categories: shareAxis(), YScale: "shares", Series: []viz.Series{{Name: "neurons", Y: "shares"}},
		}},
	}
}

// clock is the embedding in the plane of the strongest key, that of the last
// checkpoint at every frame.
func (r *grokRun) clock() viz.Item {
	f, p := r.fig, r.adder.P
	f.Texts["number"] = viz.NewText(p)
	digits := make([]float32, p)
	for n := range p {
		f.Texts["number"].Values[n] = fmt.Sprint(n)
		digits[n] = float32(n % 10)
	}
	r.words("clock_note")
	f.Arrays["digit"] = viz.Values(digits, []string{"number"}, p)
	f.Scales["digit"] = viz.Scale{Kind: viz.ScaleCategory, Lo: 0, Hi: 9, Label: "ones digit", Format: "%.0f"}
	dial := viz.Dial{Title: fmt.Sprintf("k = %d", r.plane.K), NoteText: "clock_note", Period: float64(p) / float64(r.plane.K), X: "clock_x", Y: "clock_y", Labels: "number", Colour: "digit", Scale: "digit"}
	for i, h := range r.hands() {
		x, y := fmt.Sprintf("hand%d_x", i), fmt.Sprintf("hand%d_y", i)
		r.framed(x, []string{"hand"}, 1)
		r.framed(y, []string{"hand"}, 1)
		dial.Hands = append(dial.Hands, viz.Hand{Name: fmt.Sprint(h), X: x, Y: y, Role: []viz.TokenRole{viz.RoleOperandA, viz.RoleOperandB, viz.RoleAnswer}[i]})
	}
	return viz.Item{Title: "Clock", Subtitle: fmt.Sprintf("W_E in the last checkpoint's plane of k = %d; the circle is the last's", r.plane.K), Kind: viz.KindDials, Dials: &viz.Dials{Items: []viz.Dial{dial}}}
}

// hands are two numbers and their sum.
func (r *grokRun) hands() [3]int {
	a, b := 3*r.adder.P/10, r.adder.P/2
	return [3]int{a, b, (a + b) % r.adder.P}
}

// tilesItem is single neurons over all pairs.
func (r *grokRun) tilesItem() viz.Item {
	p := r.adder.P
	var labels []string
	for n := range p {
		labels = append(labels, fmt.Sprint(n))
	}
	h := &viz.Heatmap{Scale: "activation"}
	keys := r.keys.first(r.a["tiles"].(int))
	for i := range r.neurons {
		name := fmt.Sprintf("neuron%d", i)
		r.framed(name, []string{"a", "b"}, p, p)
		panel := viz.Panel{Title: r.neuronTitle(i), Rows: viz.Axis{Name: "a", Labels: labels}, Columns: viz.Axis{Name: "b", Labels: labels}, Values: name}
		if i < len(keys) {
			panel.Frequency = keys[i]
		}
		h.Panels = append(h.Panels, panel)
	}
	return viz.Item{Title: "Neurons", Subtitle: "activation at the last token over all (a, b), one neuron a frequency", Kind: viz.KindHeatmap, Heatmap: h}
}

// neuronTitle names a tile's neuron; the last is the one that was chosen for
// fitting no frequency.
func (r *grokRun) neuronTitle(i int) string {
	keys := r.keys.first(r.a["tiles"].(int))
	if i < len(keys) {
		return fmt.Sprintf("k = %d · neuron %d", keys[i], r.neurons[i])
	}
	return fmt.Sprintf("least of one k · neuron %d", r.neurons[i])
}

// clusterAxis is the keys, every other frequency, and none.
func (r *grokRun) clusterAxis() viz.Axis {
	axis := viz.Axis{Name: "frequency"}
	for _, k := range r.keys.chosen {
		axis.Labels = append(axis.Labels, fmt.Sprint(k))
	}
	axis.Labels = append(axis.Labels, "other", "none")
	return axis
}

func shareAxis() viz.Axis {
	axis := viz.Axis{Name: fmt.Sprintf("share of variance explained, from (bins of %g)", 1./shareBins)}
	for i := range shareBins {
		axis.Labels = append(axis.Labels, fmt.Sprintf("%.2g", float64(i)/shareBins))
	}
	return axis
}

// watchWeights is what a frame's embedding adds: its spectrum, and its clock.
func watchWeights(r *grokRun, part *viz.Part, at int, m *models.Model, g *probe.GrokFrame) error {
	add := r.filler(part, at)
	add("spectrum", g.Embedding.Frequencies...)
	part.Scales["spectrum"] = grow(r.fig.Scales["spectrum"], g.Embedding.Frequencies)
	w, err := r.adder.Embedding(m)
	if err != nil {
		return err
	}
	x, y := r.plane.Place(w)
	part.Texts = append(part.Texts, viz.TextRun{Name: "clock_note", Offset: at, Values: []string{fmt.Sprintf("mean radius %.2f of the last", meanRadius(x, y)/r.radius)}})
	floats.Scale(1/r.radius, x)
	floats.Scale(1/r.radius, y)
	add("clock_x", x...)
	add("clock_y", y...)
	for i, n := range r.hands() {
		size := math.Max(math.Hypot(x[n], y[n]), 1e-9)
		add(fmt.Sprintf("hand%d_x", i), x[n]/math.Max(1, size))
		add(fmt.Sprintf("hand%d_y", i), y[n]/math.Max(1, size))
	}
	return nil
}

// watchRuns is what the runs of all pairs add: losses and neurons.
func watchRuns(r *grokRun, part *viz.Part, at int, _ *models.Model, g *probe.GrokFrame) error {
	add := r.filler(part, at)
	restricted, excluded := lossOver(g.Restricted, r.pairsOf("all")), lossOver(g.Excluded, r.pairsOf("train"))
	if r.train != nil {
		add("train", g.Loss.Subset)
	}
	add("test", g.Loss.Rest)
	add("restricted", restricted)
	add("excluded", excluded)
	clusters, bins := r.clusterSizes(g.Clusters), shareHistogram(g.Clusters)
	add("clusters", clusters...)
	add("shares", bins...)
	activation := r.fig.Scales["activation"]
	for i, n := range r.neurons {
		tile := make([]float64, r.adder.P*r.adder.P)
		for j := range tile {
			tile[j] = g.Run.Neurons.At(j, n)
		}
		add(fmt.Sprintf("neuron%d", i), tile...)
		activation = grow(activation, tile)
	}
	part.Scales["activation"] = activation
	part.Scales["neurons"] = grow(r.fig.Scales["neurons"], clusters)
	part.Scales["shares"] = grow(r.fig.Scales["shares"], bins)
	r.losses(part, "loss", g.Loss.Subset, g.Loss.Rest)
	r.losses(part, "keyloss", restricted, excluded)
	return nil
}

// decades widens a log scale to whole powers of ten around values above 0.
func decades(s viz.Scale, values ...float64) viz.Scale {
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 0) {
			s.Lo = math.Min(s.Lo, math.Pow(10, math.Floor(math.Log10(v))))
			s.Hi = math.Max(s.Hi, math.Pow(10, math.Ceil(math.Log10(v))))
		}
	}
	return s
}

// clusterSizes counts neurons by the categories of clusterAxis.
func (r *grokRun) clusterSizes(c *probe.NeuronClusters) []float64 {
	n := len(r.keys.chosen)
	out := make([]float64, n+2)
	for _, k := range c.Cluster {
		at := n + 1
		if k > 0 {
			if at = slices.Index(r.keys.chosen, k); at < 0 {
				at = n
			}
		}
		out[at]++
	}
	return out
}

// shareHistogram counts neurons by their best share.
func shareHistogram(c *probe.NeuronClusters) []float64 {
	out := make([]float64, shareBins)
	n, _ := c.Shares.Dims()
	for i := range n {
		out[min(int(floats.Max(c.Shares.RawRowView(i))*shareBins), shareBins-1)]++
	}
	return out
}
