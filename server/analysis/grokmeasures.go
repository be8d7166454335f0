package analysis

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// measuresView is the progress measures beyond the first figure.
var measuresView = grokView{build: buildMeasures, weights: measuresWeights, runs: measuresRuns}

// weightGroups are the parts of the squared weights, by what their names hold.
var weightGroups = []struct{ key, name, holds string }{
	{"squares_embed", "W_E", "embed.weight"}, {"squares_attention", "attention", ".attn."}, {"squares_mlp", "MLP", ".mlp."}, {"squares_unembed", "W_U", "unembed."},
}

// buildMeasures lays the panels out: sparsity and fit, squared weights, excluded
// loss by key, cosines, 2-D spectra.
func buildMeasures(r *grokRun) {
	f := r.fig
	r.curve("gini_embedding", "gini_readout", "trig", "cosines_fit", "squares")
	f.Scales["share"] = viz.Scale{Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "share", Format: "%.3f"}
	f.Scales["squares"] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1, Label: "sum of squared weights", Format: "%.0f"}
	r.lossScales("keyloss", "cross-entropy")
	squares := []viz.Series{{Name: "all weights", Y: "squares"}}
	for _, g := range weightGroups {
		r.curve(g.key)
		squares = append(squares, viz.Series{Name: g.name, Y: g.key})
	}
	r.framed("readout", []string{"frequency"}, (r.adder.P-1)/2)
	f.Scales["readout"] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: "‖F W_L‖", Format: "%.2f"}
	r.framed("alpha", []string{"frequency"}, (r.adder.P-1)/2)
	f.Scales["alpha"] = viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: "α_k", Format: "%.2f"}
	var byKey []viz.Series
	for _, k := range r.keys.chosen {
		name := fmt.Sprintf("without%d", k)
		r.curve(name)
		byKey = append(byKey, viz.Series{Name: fmt.Sprintf("without k = %d", k), Y: name})
	}
	r.curve("whole")
	byKey = append(byKey, viz.Series{Name: "all frequencies", Y: "whole", Control: true})
	axis := viz.Axis{Name: fmt.Sprintf("frequency k, period %d/k", r.adder.P)}
	for k := 1; k <= (r.adder.P-1)/2; k++ {
		axis.Labels = append(axis.Labels, fmt.Sprint(k))
	}
	f.Multiples.Columns = 2
	f.Multiples.Items = []viz.Item{
		{Title: "How sparse, how well explained", Subtitle: "Gini of ‖F W_E‖ and ‖F W_L‖ by frequency; share of the logits' variance in the keys' waves of a + b, and in cos(w(a+b−c))", Kind: viz.KindLines, Lines: byStep(stepAxes("share"),
			viz.Series{Name: "Gini of W_E", Y: "gini_embedding"}, viz.Series{Name: "Gini of W_L", Y: "gini_readout"},
			viz.Series{Name: "waves of a + b", Y: "trig"}, viz.Series{Name: "cosine fit", Y: "cosines_fit"})},
		{Title: "Squared weights", Subtitle: "what weight decay pulls at", Kind: viz.KindLines, Lines: byStep(stepAxes("squares"), squares...)},
		{Title: "Loss without one key", Subtitle: "excluded loss " + pairsInWords(r.pairsOf("all")), Kind: viz.KindLines, Lines: byStep(lossAxes("keyloss"), byKey...)},
		{Title: "Fourier spectrum of the read-out", Subtitle: "‖F W_L‖ of W_L = W_out W_U by frequency; brass: key", Kind: viz.KindBars, Bars: &viz.Bars{Categories: axis, YScale: "readout", Stems: true, Marks: marks(r.keys.chosen), Series: []viz.Series{{Name: "W_L", Y: "readout"}}}},
		{Title: "Cosines in the logits", Subtitle: "logits = Σ α_k cos(w_k(a+b−c)) + rest", Kind: viz.KindBars, Bars: &viz.Bars{Categories: axis, YScale: "alpha", Stems: true, Marks: marks(r.keys.chosen), Series: []viz.Series{{Name: "α", Y: "alpha"}}}},
		r.planesItem("logit_waves", "Logits, 2-D spectrum", "norm over the classes of each pair of waves of a and b", []string{"logit_waves"}, []string{"logits"}),
		r.neuronPlanes(),
	}
}

// planesItem is heatmaps of frequencies of a by those of b, the constant as 0.
func (r *grokRun) planesItem(scale, title, subtitle string, arrays, titles []string) viz.Item {
	n := (r.adder.P-1)/2 + 1
	var labels []string
	for k := range n {
		labels = append(labels, fmt.Sprint(k))
	}
	r.fig.Scales[scale] = viz.Scale{Kind: viz.ScaleSequential, Hi: 1e-3, Label: "size", Format: "%.2f"}
	h := &viz.Heatmap{Scale: scale}
	for i, name := range arrays {
		r.framed(name, []string{"frequency of a", "frequency of b"}, n, n)
		h.Panels = append(h.Panels, viz.Panel{Title: titles[i], Rows: viz.Axis{Name: "k of a", Labels: labels}, Columns: viz.Axis{Name: "k of b", Labels: labels}, Values: name})
	}
	return viz.Item{Title: title, Subtitle: subtitle + "; sine and cosine joined, 0 is the constant", Kind: viz.KindHeatmap, Heatmap: h}
}

func (r *grokRun) neuronPlanes() viz.Item {
	var arrays, titles []string
	for i := range r.neurons {
		arrays, titles = append(arrays, fmt.Sprintf("neuron_waves%d", i)), append(titles, r.neuronTitle(i))
	}
	return r.planesItem("neuron_waves", "Neurons, 2-D spectra", "size of each pair of waves, the mean left out", arrays, titles)
}

// measuresWeights is what a frame's weights add.
func measuresWeights(r *grokRun, part *viz.Part, at int, _ *models.Model, g *probe.GrokFrame) error {
	add := r.filler(part, at)
	add("gini_embedding", g.GiniEmbedding)
	add("gini_readout", g.GiniReadout)
	add("squares", g.Squares)
	part.Scales["squares"] = grow(r.fig.Scales["squares"], []float64{g.Squares})
	sizes := map[string]float64{}
	for _, w := range g.Weights {
		for _, group := range weightGroups {
			if w.Name == group.holds || strings.Contains(w.Name, group.holds) && group.holds != "embed.weight" {
				sizes[group.key] += w.Value
			}
		}
	}
	for _, group := range weightGroups {
		add(group.key, sizes[group.key])
	}
	add("readout", g.Readout.Frequencies...)
	part.Scales["readout"] = grow(r.fig.Scales["readout"], g.Readout.Frequencies)
	return nil
}

// measuresRuns is what the runs of all pairs add.
func measuresRuns(r *grokRun, part *viz.Part, at int, _ *models.Model, g *probe.GrokFrame) error {
	add := r.filler(part, at)
	add("trig", g.TrigShare)
	add("cosines_fit", g.Fit.RowExplained)
	losses := []float64{lossOver(g.Loss, r.pairsOf("all"))}
	add("whole", losses...)
	for i, k := range r.keys.chosen {
		losses = append(losses, lossOver(g.ExcludedOne[i], r.pairsOf("all")))
		add(fmt.Sprintf("without%d", k), losses[i+1])
	}
	p := float64(r.adder.P)
	alpha := make([]float64, len(g.Cosines))
	floats.ScaleTo(alpha, 1/(p*math.Sqrt(p/2)), g.Cosines) // ⟨L, cos⟩/|cos|²
	add("alpha", alpha...)
	logits, err := r.plane2D(g.Run.Logits)
	if err != nil {
		return err
	}
	add("logit_waves", logits...)
	scale := r.fig.Scales["neuron_waves"]
	for i, n := range r.neurons {
		y := mat.NewDense(r.adder.P*r.adder.P, 1, mat.Col(nil, n, g.Run.Neurons))
		waves, err := r.plane2D(y)
		if err != nil {
			return err
		}
		waves[0] = 0 // the mean
		add(fmt.Sprintf("neuron_waves%d", i), waves...)
		scale = grow(scale, waves)
	}
	part.Scales["neuron_waves"] = scale
	part.Scales["logit_waves"] = grow(r.fig.Scales["logit_waves"], logits)
	part.Scales["alpha"] = widen(r.fig.Scales["alpha"], alpha)
	r.losses(part, "keyloss", losses...)
	return nil
}

// plane2D is the size of each pair of frequencies of y [P·P, C] over its columns,
// sines and cosines joined, [K+1, K+1] with the constant first; the mean over
// pairs is left out.
func (r *grokRun) plane2D(y *mat.Dense) ([]float64, error) {
	waves, err := r.basis.Transform2D(y)
	if err != nil {
		return nil, err
	}
	norms, err := r.basis.Norms2D(waves)
	if err != nil {
		return nil, err
	}
	n := r.basis.Highest() + 1
	out := make([]float64, n*n)
	for i, a := range r.basis.K {
		for j, b := range r.basis.K {
			out[a*n+b] = math.Hypot(out[a*n+b], norms.At(i, j))
		}
	}
	out[0] = 0
	return out, nil
}
