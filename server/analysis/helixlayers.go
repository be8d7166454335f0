package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/probe"
	"orrery/viz"
)

// helixLines are the lines of the fits by layer; the last two are controls.
var helixLines = []struct {
	key    string
	family probe.Family
}{
	{"helix", probe.HelixFamily}, {"circle", probe.CircleFamily}, {"polynomial", probe.PolynomialFamily}, {"pca", probe.PCAFamily}, {"shuffled", probe.ShuffledFamily},
}

// setsOf is how many sets of periods have so many parameters.
func setsOf(periods, parameters int) int {
	n, k := 1, (parameters-1)/2
	for i := range k {
		n = n * (periods - i) / (i + 1)
	}
	return n
}

// layers draws what each family explains of numbers that its fit has not seen.
func (r *helixRun) layers(ctx context.Context) error {
	L, parameters := r.m.Config.Layers, r.a["parameters"].(int)
	sets := setsOf(len(r.read.periods), parameters)
	var lines [][2]string
	for _, line := range helixLines {
		lines = append(lines, [2]string{line.key, rivalName(probe.Compared{Family: line.family}, sets)})
	}
	lines = append(lines, [2]string{"untrained", "helix, untrained model"})
	y, score, what := viz.Scale{Kind: viz.ScaleLinear, Hi: 1, Label: "R² on held-out numbers", Format: "%.3f"}, func(f probe.Fit) float64 { return f.R2 }, "variance explained"
	if r.a["score"] == "mse" {
		y, score, what = viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-6, Label: "mean squared error on held-out numbers", Format: "%.3g"}, func(f probe.Fit) float64 { return f.MSE }, "mean squared error"
	}
	each := fmt.Sprintf("%d parameters", parameters)
	if n := len(r.read.names); n > 1 {
		each += fmt.Sprintf(" a number, %d numbers", n)
	}
	r.begin(layerLines(L, y, lines, "shuffled", "untrained"),
		fmt.Sprintf("%s of %s by %s · %s each · fitted on three quarters of the values of %s, tested on the others", what, r.read.where(), r.read.of, each, r.read.names[0]), L, "layers")
	if err := r.take(ctx); err != nil {
		return err
	}
	blank, err := untrained(r.m, r.seed)
	if err != nil {
		return err
	}
	control, err := r.read.sweep(ctx, blank, r.sweep.prompts)
	if err != nil {
		return err
	}
	best := map[string]layerBest{}
	for l := range L {
		if err := ctx.Err(); err != nil {
			return err
		}
		values := map[string]float64{}
		fits, err := r.rivals(r.sweep, l, parameters)
		if err != nil {
			return err
		}
		for _, line := range helixLines {
			at, found := bestRival(fits.Fits, line.family, func(i int) float64 { return fits.Fits[i].Train.R2 })
			if !found {
				r.fig.Arrays[line.key].State[l] = viz.Blank // fewer components than parameters
				continue
			}
			values[line.key] = score(fits.Fits[at].Test)
			if b, ok := best[line.key]; !ok || fits.Fits[at].Test.R2 > b.r2 {
				best[line.key] = layerBest{l, fits.Fits[at].Test.R2, fits.Fits[at].Compared}
			}
		}
		if fits, err = r.rivals(control, l, parameters, probe.HelixFamily); err != nil {
			return err
		}
		at, _ := bestRival(fits.Fits, probe.HelixFamily, func(i int) float64 { return fits.Fits[i].Train.R2 })
		values["untrained"] = score(fits.Fits[at].Test)
		if err := r.show(l, values); err != nil {
			return err
		}
		r.emit.Progress(l+1, L, "layers")
	}
	r.fig.Caption = layersSentence(best)
	return nil
}

// layerBest is a family's best layer.
type layerBest struct {
	layer int
	r2    float64
	fit   probe.Compared
}

func (b layerBest) String() string {
	return fmt.Sprintf("R² %.3f (mean squared error %.2g) in layer %d", b.r2, b.fit.Test.MSE, b.layer)
}

// smoothCurve is how much of unseen numbers a polynomial has to explain to be what
// the activations are, and not just better than the helix.
const smoothCurve = 0.9

// layersSentence says who is best, and where.
func layersSentence(best map[string]layerBest) string {
	h := best["helix"]
	text := fmt.Sprintf("Of numbers that no fit has seen, the helix of periods %s explains at best %s", periodList(h.fit.Periods), h)
	var rest []string
	for _, line := range helixLines[1:] {
		if b, ok := best[line.key]; ok {
			rest = append(rest, fmt.Sprintf("%s %s", rivalName(b.fit, 1), b))
		}
	}
	text += "; " + strings.Join(rest, ", ") + "."
	if p, ok := best["polynomial"]; ok && p.r2 > h.r2 {
		text += " The polynomial of equal size explains more"
		if p.r2 >= smoothCurve {
			text += ": these activations are a smooth curve in the number rather than a helix of these periods"
		}
		text += "."
	}
	return text
}

// periods draws how much of the variance each part of the helix holds.
func (r *helixRun) periods(ctx context.Context) error {
	L := r.m.Config.Layers
	lines := [][2]string{{"all", "whole helix"}}
	for i, p := range r.read.periods {
		lines = append(lines, [2]string{fmt.Sprintf("period%d", i), "period " + periodList([]float64{p})})
	}
	lines = append(lines, [2]string{"line", "line"}, [2]string{"shuffled", "whole helix of shuffled numbers"}, [2]string{"untrained", "whole helix, untrained model"})
	y := viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: "share of the variance", Format: "%.4f"}
	r.begin(layerLines(L, y, lines, "shuffled", "untrained"),
		fmt.Sprintf("what R² of the helix loses without the part · %s, by %s · fitted to all numbers", r.read.where(), r.read.of), L, "layers")
	if err := r.take(ctx); err != nil {
		return err
	}
	blank, err := untrained(r.m, r.seed)
	if err != nil {
		return err
	}
	control, err := r.read.sweep(ctx, blank, r.sweep.prompts)
	if err != nil {
		return err
	}
	exchanged := slices.Clone(r.sweep.numbers[0].Values)
	image := probe.ExchangeNumbers(exchanged, r.seed)
	for i, v := range exchanged {
		exchanged[i] = image[v]
	}
	top, where, name, atChance := -1.0, 0, "", 0.0
	for l := range L {
		if err := ctx.Err(); err != nil {
			return err
		}
		shares, err := probe.FitPeriodShares(r.sweep.layers[l], r.sweep.numbers[0].Values, r.read.periods, probe.HelixOptions{})
		if err != nil {
			return fewNumbers(err)
		}
		r.checked(shares.Whole.Residual, shares.Whole.Normal, shares.Whole.Null)
		chance, err := probe.FitPeriodShares(control.layers[l], control.numbers[0].Values, r.read.periods, probe.HelixOptions{})
		if err != nil {
			return fewNumbers(err)
		}
		atChance = max(atChance, slices.Max(chance.Periods))
		shuffled, err := probe.FitHelix(r.sweep.layers[l], []probe.HelixTerm{probe.HelixOf(r.read.names[0], exchanged, r.read.periods, 0)}, probe.HelixOptions{})
		if err != nil {
			return fewNumbers(err)
		}
		values := map[string]float64{"all": shares.All, "line": shares.Line, "shuffled": shuffled.Fit.R2, "untrained": chance.All}
		for i, v := range shares.Periods {
			values[fmt.Sprintf("period%d", i)] = v
			if v > top {
				top, where, name = v, l, periodList(r.read.periods[i:i+1])
			}
		}
		if err := r.show(l, values); err != nil {
			return err
		}
		r.emit.Progress(l+1, L, "layers")
	}
	columns := 2*len(r.read.periods) + 1
	if slices.Contains(r.read.periods, 2) {
		columns-- // its sine is 0
	}
	r.fig.Caption = fmt.Sprintf("The largest share of a period is %.3g, of period %s in layer %d; in the untrained model %.2g. By chance %d functions of the number explain about %.2g of the variance of %d values.",
		top, name, where, atChance, columns, float64(columns)/float64(max(r.distinctValues()-1, 1)), r.distinctValues())
	return nil
}

// distinctValues is how many values the first number has.
func (r *helixRun) distinctValues() int {
	seen := map[int]bool{}
	for _, v := range r.sweep.numbers[0].Values {
		seen[v] = true
	}
	return len(seen)
}
