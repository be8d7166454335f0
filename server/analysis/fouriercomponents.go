package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// components draws what each component adds to the logits of the numbers, wave by
// wave: mean |F·W_U·out| over prompts at the last token.
func (r *spectrumRun) components(ctx context.Context) (*viz.Figure, error) {
	from, err := singlesOf(ctx, r.m, r.a)
	if err != nil {
		return nil, err
	}
	prompts := idsOf(from.Set.Prompts)
	gain := r.a["gain"].(bool)
	sites, names := componentSites(r.m)
	rows := viz.Axis{Name: "component", Labels: names}
	axis := r.space.axis()
	r.fig = &viz.Figure{
		Kind: viz.KindMultiples, Title: "Fourier features of the logits",
		Subtitle: fmt.Sprintf("mean |F·W_U·out| over n = %d prompts at the last token, sine and cosine joined · %s · %s", len(prompts), r.space.what(), readoutName(gain, r.m)),
		Arrays: map[string]*viz.Array{
			"components": viz.NewArray([]string{"component", "frequency"}, len(sites), len(axis.Labels)),
			"stream":     viz.NewArray([]string{"frequency"}, len(axis.Labels)),
			"shuffled":   viz.NewArray([]string{"frequency"}, len(axis.Labels)),
		},
		Scales: map[string]viz.Scale{
			"size": {Kind: viz.ScaleSequential, Hi: 1e-3, Label: "mean |F·W_U·out|", Format: "%.2f"},
			"y":    {Kind: viz.ScaleLinear, Hi: 1e-3, Label: "mean |F·W_U·h|", Format: "%.2f"},
		},
		Multiples: &viz.Multiples{Columns: 1, Items: []viz.Item{
			{Title: "What each component adds", Kind: viz.KindHeatmap, Heatmap: &viz.Heatmap{Scale: "size", Panels: []viz.Panel{{Rows: rows, Columns: axis, Values: "components"}}}},
			{Title: "The logits", Subtitle: fmt.Sprintf("control: mean of %d orders of the numbers", spectrumDraws), Kind: viz.KindBars, Bars: &viz.Bars{
				Categories: axis, YScale: "y", Stems: true,
				Series: []viz.Series{{Name: "numbers in order", Y: "stream"}, {Name: "numbers shuffled", Y: "shuffled", Control: true}},
			}},
		}},
	}
	total := len(sites) + 1
	r.begin(total, "components", from, prompts...)
	last := models.Site{Layer: r.m.Config.Layers - 1, Kind: models.ResidPost}
	read := append(append([]models.Site(nil), sites...), last)
	if gain && r.m.Config.Norm != models.NoNorm {
		read = append(read, models.Site{Layer: -1, Kind: models.FinalScale})
	}
	sweep, err := probe.SweepPrompts(ctx, r.m, prompts, -1, read, func(int) error { return ctx.Err() })
	if err != nil {
		return r.fig, err
	}
	if len(read) > total {
		divideRows(sweep.Values[:total], sweep.Values[total])
	}
	w := r.space.readout(gain)
	strongest, parseval := -1, 0.0
	var top float64
	for i := range sites {
		transform, s, err := probe.ContributionSpectrum(r.space.basis, sweep.Values[i], w)
		if err != nil {
			return r.fig, err
		}
		parseval = math.Max(parseval, logitParseval(transform, sweep.Values[i], w))
		part := viz.Part{Arrays: []viz.ArrayRun{{Name: "components", Offset: i * len(axis.Labels), F32: viz.EncodeFloats(narrow(s.Frequencies))}}}
		if grown := grow(r.fig.Scales["size"], s.Frequencies); grown != r.fig.Scales["size"] {
			part.Scales = map[string]viz.Scale{"size": grown}
		}
		if err := r.fig.Apply(part); err != nil {
			return r.fig, err
		}
		r.emit.Part(part)
		r.emit.Progress(i+1, total, "components")
		if k := s.Dominant(); k > 0 && s.Frequencies[k-1] > top {
			top, strongest = s.Frequencies[k-1], i
			r.fig.Caption = fmt.Sprintf("The strongest wave that a component adds is that of %s at period %s: %.3g on average.", names[strongest], r.space.periods([]int{k}), top)
		}
	}
	c, s, err := r.logits(sweep.Values[len(sites)], w)
	if err != nil {
		return r.fig, err
	}
	if err := r.part(total, total, "components", []string{"stream", "shuffled"}, "y", s.Frequencies, c.mean); err != nil {
		return r.fig, err
	}
	r.fig.Multiples.Items[1].Bars.Marks = marks(c.found)
	r.fig.Caption += " Logits: " + c.describe(r.space, s) + " Prompts: " + from.Report() + "."
	r.finish(parseval)
	return r.fig, nil
}

// logits is the spectrum of the logits of the numbers, and of other orders of
// them.
func (r *spectrumRun) logits(h, w *mat.Dense) (control, *probe.Spectrum, error) {
	_, s, err := probe.ContributionSpectrum(r.space.basis, h, w)
	if err != nil {
		return control{}, nil, err
	}
	c := control{mean: make([]float64, len(s.Frequencies))}
	rng := rand.New(rand.NewPCG(r.seed, 2))
	for range spectrumDraws {
		_, other, err := probe.ContributionSpectrum(r.space.basis, h, shuffled(w, rng))
		if err != nil {
			return control{}, nil, err
		}
		c.add(other.Frequencies)
	}
	for _, k := range s.Order() {
		if s.Frequencies[k-1] > c.highest {
			c.found = append(c.found, k)
		}
	}
	return c, s, nil
}

// componentSites are the outputs of attention blocks and MLPs, with the names of
// an axis; they and the embedding add up to the stream.
func componentSites(m *models.Model) (sites []models.Site, names []string) {
	for l := range m.Config.Layers {
		sites = append(sites, models.Site{Layer: l, Kind: models.AttnOut})
		names = append(names, fmt.Sprintf("attn %d", l))
		if !m.Config.AttnOnly {
			sites = append(sites, models.Site{Layer: l, Kind: models.MLPOut})
			names = append(names, fmt.Sprintf("mlp %d", l))
		}
	}
	return sites, names
}

// divideRows divides each prompt's outputs by the scale that the final norm has
// there, so that they are what it reads.
func divideRows(values []*mat.Dense, scale *mat.Dense) {
	for _, v := range values {
		n, _ := v.Dims()
		for i := range n {
			row := v.RawRowView(i)
			for j := range row {
				row[j] /= scale.At(i, 0)
			}
		}
	}
}

// logitParseval is how far the length of transformed logits is from theirs, as a
// share.
func logitParseval(transform, h, w *mat.Dense) float64 {
	var logits mat.Dense
	logits.Mul(h, w.T())
	total := mat.Norm(&logits, 2)
	if total == 0 {
		return 0
	}
	return math.Abs(mat.Norm(transform, 2)/total - 1)
}
