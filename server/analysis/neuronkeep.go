package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/ablate"
	"orrery/probe"
	"orrery/viz"
)

// keepPanels are what is measured with few neurons.
var keepPanels = [...]struct{ metric, key, title, label, format string }{
	{"accuracy", "accuracy", "Accuracy", "share of the prompts that are right", "%.2f"},
	{"logit_change", "logit", "Logit of the answer", "change of logit(r)", "%.2f"},
}

// keepSeries are the lines of each panel.
var keepSeries = [...]viz.Series{
	{Name: "their own values", Y: "own"}, {Name: "their fits", Y: "fit"},
	{Name: "random neurons, mean", Y: "random", Control: true}, {Name: "random, least", Y: "least", Control: true}, {Name: "random, most", Y: "most", Control: true},
	{Name: "none kept", Y: "none", Control: true},
}

// beginKeep shows the figure of kept neurons before its first number.
func (r *neuronFitsRun) beginKeep() {
	sizes := ablate.KeepSizes(len(r.neurons))[1:]
	x := make([]float32, len(sizes))
	for i, k := range sizes {
		x[i] = float32(k)
	}
	fig := &viz.Figure{
		Kind: viz.KindMultiples, Title: "What few neurons do",
		Arrays:    map[string]*viz.Array{"k": viz.Values(x, []string{"k"}, len(sizes))},
		Scales:    map[string]viz.Scale{"k": {Kind: viz.ScaleLog, Lo: 1, Hi: float64(max(2, len(r.neurons))), Label: "neurons kept", Format: "%.0f"}},
		Multiples: &viz.Multiples{Columns: 2},
	}
	table := &viz.Table{Rows: len(sizes), Columns: []viz.Column{{Name: "kept", Values: "k", Format: "%.0f"}}}
	for _, p := range keepPanels {
		scale := viz.Scale{Kind: viz.ScaleLinear, Hi: 1, Label: p.label, Format: p.format}
		fig.Scales[p.key] = scale
		lines := &viz.Lines{X: "k", XScale: "k", YScale: p.key}
		for _, s := range keepSeries {
			s.Y = p.key + "_" + s.Y
			fig.Arrays[s.Y] = viz.NewArray([]string{"k"}, len(sizes))
			lines.Series = append(lines.Series, s)
		}
		fig.Multiples.Items = append(fig.Multiples.Items, viz.Item{Title: p.title, Subtitle: fmt.Sprintf("random: of all layers, %d draws", ablate.MinDraws), Kind: viz.KindLines, Lines: lines})
		for i, s := range keepSeries[:3] {
			name := [...]string{"own", "fits", "random"}[i]
			if p.key == "logit" {
				name = "Δ " + name
			}
			table.Columns = append(table.Columns, viz.Column{Name: name, Values: p.key + "_" + s.Y, Format: p.format})
		}
	}
	fig.Multiples.Items = append(fig.Multiples.Items, viz.Item{Title: "By how many", Subtitle: "share right and, with Δ, the change of logit(r); all other neurons at their mean", Kind: viz.KindTable, Table: table})
	fig.Subtitle = fmt.Sprintf("the first k neurons %s keep their values at the last token, or have their fits by waves of periods %s there; all others of all layers are set to their mean over %d prompts · n = %d prompts, whose pairs no fit has seen",
		map[string]string{"effect": "by attribution patching", "fit": "by their fit on pairs held out"}[r.a["order"].(string)], periodList(r.read.periods), len(r.from.Set.Prompts), len(r.cleans()))
	fig.Provenance = provenance(r.m, "neuron_fits", 1, r.a, idsOf(r.cleans())...)
	r.from.describe(fig)
	r.fig = fig
	r.emit.Figure(fig)
	r.emit.Progress(0, (len(sizes)+1)*(2+ablate.MinDraws), "sets of neurons")
}

// cleans are the clean prompts of the pairs, each once.
func (r *neuronFitsRun) cleans() (out []ablate.Prompt) {
	seen := map[int]bool{}
	for _, c := range r.pairs {
		if row := r.row(c.Clean); !seen[row] {
			seen[row] = true
			out = append(out, c.Clean)
		}
	}
	return out
}

// keep measures what is left with the first k neurons: with their own values, and
// those of random ones, and when these are drawn with their fits. An order by the
// fits needs them before all that.
func (r *neuronFitsRun) keep(ctx context.Context) error {
	prompts := r.cleans()
	opt := ablate.KeepOptions{Seed: r.seed, Order: r.neurons, Emit: r.showKept}
	for _, p := range r.from.Set.Prompts {
		opt.Reference = append(opt.Reference, p.IDs)
	}
	for _, p := range keepPanels {
		metric, err := ablate.MetricByName(p.metric)
		if err != nil {
			return err
		}
		opt.Metrics = append(opt.Metrics, metric)
	}
	if r.a["order"].(string) == "fit" {
		fits, err := r.fitAll(ctx)
		if err != nil {
			return err
		}
		order := byFit(fits)
		opt.Order = nil
		for _, i := range order {
			opt.Order = append(opt.Order, r.neurons[i])
		}
		if opt.Fits, err = r.fitsOf(prompts, fits, order); err != nil {
			return err
		}
	} else {
		opt.FitLater = func(ctx context.Context) ([][]float32, error) {
			fits, err := r.fitAll(ctx)
			if err != nil {
				return nil, err
			}
			order := make([]int, len(fits))
			for i := range order {
				order[i] = i
			}
			return r.fitsOf(prompts, fits, order)
		}
	}
	curves, err := ablate.KeepNeurons(ctx, r.m, prompts, opt)
	if err != nil {
		return err
	}
	r.finishKeep(curves)
	return nil
}

// fitAll fits every chosen neuron over the grid.
func (r *neuronFitsRun) fitAll(ctx context.Context) ([]probe.NeuronFit, error) {
	if err := r.list(ctx); err != nil {
		return nil, err
	}
	y, err := r.activations(ctx, r.m, r.cells())
	if err != nil {
		return nil, err
	}
	fits, err := probe.FitNeurons(y, r.side, r.side, r.read.periods, r.held)
	if err != nil {
		return nil, fewNumbers(err)
	}
	return fits, nil
}

// byFit orders fits by their error on pairs held out, those of one value last.
func byFit(fits []probe.NeuronFit) []int {
	order := make([]int, len(fits))
	for i := range order {
		order[i] = i
	}
	rank := func(f probe.NeuronFit) float64 {
		if f.Constant {
			return math.Inf(1)
		}
		return f.HeldNRMSE
	}
	slices.SortStableFunc(order, func(i, j int) int { return sign(rank(fits[i]) - rank(fits[j])) })
	return order
}

// fitsOf is what fits say of prompts, [prompt][neuron] in an order; NaN of a neuron
// of one value, which keeps it.
func (r *neuronFitsRun) fitsOf(prompts []ablate.Prompt, fits []probe.NeuronFit, order []int) ([][]float32, error) {
	var rows []int
	for _, p := range prompts {
		rows = append(rows, r.row(p))
	}
	out := make([][]float32, len(prompts))
	for _, i := range order {
		said, err := fits[i].At(rows, r.side, r.side, r.read.periods)
		if err != nil {
			return nil, err
		}
		for k := range prompts {
			v := math.NaN()
			if said != nil {
				v = said[k]
			}
			out[k] = append(out[k], float32(v))
		}
	}
	return out, nil
}

// showKept adds a point of a curve, or of the random band when the last of its
// draws is there. The point of no neuron is a line beside the others.
func (r *neuronFitsRun) showKept(c *ablate.KeepCurves, curve ablate.KeepCurve, size int) error {
	r.sets++
	r.emit.Progress(r.sets, len(c.Sizes)*(2+ablate.MinDraws), "sets of neurons")
	draw := int(curve - ablate.KeptRandom)
	if draw >= 0 {
		if r.drawn == nil {
			r.drawn = make([]int, len(c.Sizes))
		}
		if r.drawn[size]++; r.drawn[size] < len(c.Random) {
			return nil
		}
	}
	part := viz.Part{Scales: map[string]viz.Scale{}}
	for i, p := range keepPanels {
		mean := func(v [][][]float64) float64 { return ablate.Summarise(v[size][i]).Mean }
		var draws []float64
		points := map[string]float64{}
		switch {
		case draw >= 0:
			for _, d := range c.Random {
				draws = append(draws, mean(d))
			}
			points["random"], points["least"], points["most"] = ablate.Summarise(draws).Mean, slices.Min(draws), slices.Max(draws)
		case curve == ablate.KeptFits:
			points["fit"] = mean(c.Fitted)
		default:
			points["own"] = mean(c.Own)
		}
		scale := r.fig.Scales[p.key]
		for _, s := range keepSeries {
			v, ok := points[s.Y]
			if !ok || size == 0 && s.Y != "own" {
				continue
			}
			run := viz.ArrayRun{Name: p.key + "_" + s.Y, Offset: size - 1, F32: viz.EncodeFloats([]float32{float32(v)})}
			if size == 0 {
				line := make([]float32, len(c.Sizes)-1)
				for i := range line {
					line[i] = float32(v)
				}
				run = viz.ArrayRun{Name: p.key + "_none", F32: viz.EncodeFloats(line)}
			}
			part.Arrays = append(part.Arrays, run)
			scale = widen(scale, []float64{v})
		}
		part.Scales[p.key] = scale
	}
	if part.Arrays == nil {
		return nil
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

// finishKeep says it in words.
func (r *neuronFitsRun) finishKeep(c *ablate.KeepCurves) {
	accuracy := func(key string) []float32 { return r.fig.Arrays["accuracy_"+key].Data }
	base := ablate.Summarise(c.Base[0]).Mean
	r.fig.Caption = fmt.Sprintf("Without edits %.1f %% of the prompts are right, and %.1f %% with every neuron of the MLPs at its mean.", 100*base, 100*accuracy("none")[0])
	for _, curve := range []struct{ name, key string }{{"their own values", "own"}, {"their fits", "fit"}, {"random neurons, on average of the draws,", "random"}} {
		at := slices.IndexFunc(accuracy(curve.key), func(v float32) bool { return v >= float32(0.9*base) })
		if at < 0 {
			r.fig.Caption += fmt.Sprintf(" With %s nine tenths of that are not reached with %s.", curve.name, manyNeurons(c.Sizes[len(c.Sizes)-1]))
			continue
		}
		r.fig.Caption += fmt.Sprintf(" With %s nine tenths of that take %s.", curve.name, manyNeurons(c.Sizes[at+1]))
	}
	if r.m.Config.Gated {
		r.fig.Caption += " Fits are of the gates; what they multiply is the run's own."
	}
	r.fig.Caption += " Order: " + r.made + ". " + sweepSentence(c.Report)
	r.fig.Badges = []viz.Badge{sweepBadge(c.Report)}
}

// manyNeurons is a count with its noun.
func manyNeurons(n int) string {
	if n == 1 {
		return "1 neuron"
	}
	return thousands(int64(n)) + " neurons"
}
