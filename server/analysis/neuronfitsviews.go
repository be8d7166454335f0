package analysis

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/mat"

	"orrery/probe"
	"orrery/viz"
)

// begin shows the figure before its first number.
func (r *neuronFitsRun) begin() {
	n := len(r.neurons)
	fig := &viz.Figure{
		Kind: viz.KindMultiples, Title: "What neurons compute of two numbers",
		Arrays: map[string]*viz.Array{}, Texts: map[string]*viz.Text{"neuron": viz.NewText(n)},
		Scales: map[string]viz.Scale{
			"rank":     {Kind: viz.ScaleLinear, Lo: 1, Hi: float64(max(n, 2)), Label: "rank by effect", Format: "%.0f"},
			"nrmse":    {Kind: viz.ScaleLinear, Hi: 1e-3, Label: "NRMSE", Format: "%.3f"},
			"spectrum": {Kind: viz.ScaleLinear, Hi: 1e-3, Label: "mean size of the wave", Format: "%.3f"},
		},
		Multiples: &viz.Multiples{Columns: 2},
	}
	for i, node := range r.neurons {
		fig.Texts["neuron"].Values[i] = fmt.Sprintf("%d.%d", node.Layer, node.Index)
	}
	r.beginTiles(fig)
	ranks := make([]float32, n)
	for i := range ranks {
		ranks[i] = float32(i + 1)
	}
	fig.Arrays["rank"] = viz.Values(ranks, []string{"neuron"}, n)
	lines := &viz.Lines{X: "rank", XScale: "rank", YScale: "nrmse"}
	for _, s := range []viz.Series{
		{Name: "pairs held out", Y: "nrmse_held"}, {Name: "fitted pairs", Y: "nrmse"},
		{Name: "operands exchanged", Y: "nrmse_exchanged", Control: true}, {Name: "untrained model", Y: "nrmse_untrained", Control: true},
	} {
		fig.Arrays[s.Y] = viz.NewArray([]string{"neuron"}, n)
		lines.Series = append(lines.Series, s)
	}
	bars := &viz.Bars{Categories: r.space.axis(), YScale: "spectrum", Stems: true, Series: []viz.Series{{Name: "mean over the neurons", Y: "spectrum"}}, Marks: r.marks()}
	fig.Arrays["spectrum"] = viz.NewArray([]string{"frequency"}, len(bars.Categories.Labels))
	tables := make([]*viz.Table, 2)
	for i, columns := range [2][][3]string{
		{{"effect", "total effect", "%.3g"}, {"estimate", "by attribution", "%.3g"}, {"nrmse", "NRMSE", "%.3f"}, {"nrmse_held", "held out", "%.3f"}, {"r2_held", "R² held out", "%.3f"}, {"of_sum", "of any f(a+b)", "%.3f"}},
		{{"sum_share", "a+b of waves", "%.3f"}, {"dominant", "fit's period", "%.4g"}, {"sum_period", "period of a+b", "%.4g"}, {"written", "writes period", "%.4g"}},
	} {
		tables[i] = &viz.Table{Rows: n, Columns: []viz.Column{{Name: "neuron", Text: "neuron"}}}
		for _, c := range columns {
			if fig.Arrays[c[0]] == nil {
				fig.Arrays[c[0]] = viz.NewArray([]string{"neuron"}, n)
			}
			tables[i].Columns = append(tables[i].Columns, viz.Column{Name: c[1], Values: c[0], Format: c[2]})
		}
	}
	fig.Multiples.Items = append(fig.Multiples.Items,
		viz.Item{Title: "How well waves fit", Subtitle: "root mean square error over max − min, neuron by neuron; controls on the pairs held out, too", Kind: viz.KindLines, Lines: lines},
		viz.Item{Title: "What they write", Subtitle: "size of each wave over the number tokens in W_out · W_U, final gain folded in", Kind: viz.KindBars, Bars: bars},
		viz.Item{Title: "Neurons", Subtitle: "total effect: change of logit(r) when the neuron is set to the source's value at the last token; R² of pairs held out, and there of the best function of a+b", Kind: viz.KindTable, Table: tables[0]},
		viz.Item{Title: "Their waves", Subtitle: "a+b's part of the waves' squares; the period of the largest wave of all, of a+b, and of what the neuron writes", Kind: viz.KindTable, Table: tables[1]})
	fig.Subtitle = fmt.Sprintf("%d of %d neurons, by attribution patching · pre-activation at the last token over %d by %d operands, fitted by waves of periods %s in a, b and a+b, lines and a constant",
		n, r.m.Config.Layers*r.m.Config.MLPWidth, r.side, r.side, periodList(r.read.periods))
	fig.Provenance = provenance(r.m, "neuron_fits", 1, r.a)
	r.from.describe(fig)
	r.fig = fig
	r.emit.Figure(fig)
	r.emit.Progress(0, 2*r.cells(), "prompts")
}

// marks are the waves whose periods the fit has.
func (r *neuronFitsRun) marks() (out []int) {
	for _, p := range r.read.periods {
		if k, err := r.space.frequency(p); err == nil && k >= 1 && !slices.Contains(out, k-1) {
			out = append(out, k-1)
		}
	}
	return out
}

// beginTiles adds the tiles of the first neurons, pending.
func (r *neuronFitsRun) beginTiles(fig *viz.Figure) {
	operands := make([]string, r.side)
	for i := range operands {
		operands[i] = fmt.Sprint(r.lo + i)
	}
	for i := range min(r.a["tiles"].(int), len(r.neurons)) {
		scale := fmt.Sprintf("tile%d", i)
		fig.Scales[scale] = viz.Scale{Kind: viz.ScaleDiverging, Lo: -1e-3, Hi: 1e-3, Label: "pre-activation of neuron " + fig.Texts["neuron"].Values[i], Format: "%.2f"}
		for _, p := range [][2]string{{"pre", "pre-activation"}, {"fit", "fit"}} {
			name := fmt.Sprintf("%s%d", p[0], i)
			fig.Arrays[name] = viz.NewArray([]string{"a", "b"}, r.side, r.side)
			fig.Multiples.Items = append(fig.Multiples.Items, viz.Item{
				Title: "Neuron " + fig.Texts["neuron"].Values[i] + ", " + p[1], Kind: viz.KindHeatmap,
				Heatmap: &viz.Heatmap{Scale: scale, Panels: []viz.Panel{{Rows: viz.Axis{Name: "a", Labels: operands}, Columns: viz.Axis{Name: "b", Labels: operands}, Values: name}}},
			})
		}
	}
}

// showTiles fills the tiles.
func (r *neuronFitsRun) showTiles(y *mat.Dense, fits []probe.NeuronFit) error {
	for i := range min(r.a["tiles"].(int), len(fits)) {
		own := mat.Col(nil, i, y)
		fitted, err := fits[i].Grid(r.side, r.side, r.read.periods)
		if err != nil {
			return err
		}
		if fitted == nil {
			fitted = own // a neuron of one value
		}
		scale := fmt.Sprintf("tile%d", i)
		part := viz.Part{
			Arrays: []viz.ArrayRun{{Name: fmt.Sprintf("pre%d", i), F32: viz.EncodeFloats(narrow(own))}, {Name: fmt.Sprintf("fit%d", i), F32: viz.EncodeFloats(narrow(fitted))}},
			Scales: map[string]viz.Scale{scale: grow(r.fig.Scales[scale], []float64{largestSize(own), largestSize(fitted)})},
		}
		if err := r.fig.Apply(part); err != nil {
			return err
		}
		r.emit.Part(part)
	}
	return nil
}

// show fills lines, bars and table, and says it in words.
func (r *neuronFitsRun) show(fits [3][]probe.NeuronFit, ofSum []float64, spectrum *probe.Spectrum, written []int, standing string) error {
	columns := map[string][]float64{"of_sum": ofSum, "spectrum": spectrum.Frequencies}
	agree := 0
	for i, f := range fits[0] {
		period := 0.0
		if written[i] > 0 {
			period = r.space.basis.Period(written[i])
		}
		sum := 0.0
		if !f.Constant {
			sum = r.read.periods[largestAt(f.Amplitude[2])]
			if k, err := r.space.frequency(sum); err == nil && k == written[i] {
				agree++
			}
		}
		for key, v := range map[string]float64{"nrmse": f.NRMSE, "nrmse_held": f.HeldNRMSE, "r2_held": f.HeldR2, "sum_share": f.SumShare, "dominant": f.Dominant, "sum_period": sum, "written": period, "nrmse_untrained": fits[1][i].HeldNRMSE, "nrmse_exchanged": fits[2][i].HeldNRMSE} {
			columns[key] = append(columns[key], v)
		}
	}
	part := viz.Part{Scales: map[string]viz.Scale{
		"nrmse":    widen(r.fig.Scales["nrmse"], slices.Concat(columns["nrmse"], columns["nrmse_held"], columns["nrmse_untrained"], columns["nrmse_exchanged"])),
		"spectrum": widen(r.fig.Scales["spectrum"], columns["spectrum"]),
	}}
	if err := r.fill(part, columns); err != nil {
		return err
	}
	r.hideConstants(fits)
	nrmse, r2 := func(f probe.NeuronFit) float64 { return f.HeldNRMSE }, func(f probe.NeuronFit) float64 { return f.HeldR2 }
	r.fig.Caption = fmt.Sprintf("On the %d pairs held out the waves describe the neurons with a median NRMSE of %.3f (R² %.3f), on those that were fitted with %.3f; with the operands' numbers exchanged %.3f (R² %.3f), in an untrained model, at the same places, %.3f (R² %.3f).",
		len(r.held), medianOf(fits[0], nrmse), medianOf(fits[0], r2), medianOf(fits[0], func(f probe.NeuronFit) float64 { return f.NRMSE }),
		medianOf(fits[2], nrmse), medianOf(fits[2], r2), medianOf(fits[1], nrmse), medianOf(fits[1], r2))
	r.fig.Caption += fmt.Sprintf(" a+b holds a median of %.2f of the waves' squares, and some function of a+b alone, of whatever form, explains a median R² of %.3f of the pairs held out. %d of %d write most strongly with the period that is strongest in their fit of a+b; the strongest wave that they write together has the period %.4g. Effects: %s.",
		medianOf(fits[0], func(f probe.NeuronFit) float64 { return f.SumShare }), median(ofSum),
		agree, len(fits[0]), r.space.basis.Period(max(spectrum.Dominant(), 1)), r.made)
	r.fig.Caption += standing + " " + sweepSentence(r.report)
	if n := constants(fits[0]); n > 0 {
		r.fig.Caption += fmt.Sprintf(" %d neurons have one value on the whole grid: nothing is fitted there.", n)
	}
	r.fig.Badges = append(r.edited.badges(), sweepBadge(r.report))
	return nil
}

// fill puts whole columns into the figure.
func (r *neuronFitsRun) fill(part viz.Part, columns map[string][]float64) error {
	for key, v := range columns {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: key, F32: viz.EncodeFloats(narrow(v))})
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

// constants counts neurons of one value.
func constants(fits []probe.NeuronFit) (n int) {
	for _, f := range fits {
		if f.Constant {
			n++
		}
	}
	return n
}

// hideConstants leaves the fits of constant neurons blank.
func (r *neuronFitsRun) hideConstants(fits [3][]probe.NeuronFit) {
	for i, keys := range [][]string{{"nrmse", "nrmse_held", "r2_held", "sum_share", "dominant", "sum_period"}, {"nrmse_untrained"}, {"nrmse_exchanged"}} {
		for k, f := range fits[i] {
			if !f.Constant {
				continue
			}
			for _, key := range keys {
				r.fig.Arrays[key].State[k] = viz.Blank
			}
		}
	}
}

// largestAt is the place of the largest value.
func largestAt(v []float64) int {
	at := 0
	for i, x := range v {
		if x > v[at] {
			at = i
		}
	}
	return at
}
