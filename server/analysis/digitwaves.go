package analysis

import (
	"fmt"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

// digitFrequencies is the order in which waves over ten digits are added up, as the
// paper does: parity, then two turns, one, three and four.
var digitFrequencies = []int{5, 2, 1, 3, 4}

// waves draws how much of each channel over the digits stands in few frequencies.
func (r *digitsRun) waves() (*viz.Figure, error) {
	ids, err := numberTokens(r.m)
	if err != nil {
		return nil, err
	}
	ids = ids[:10]
	f, err := probe.DFT(10)
	if err != nil {
		return nil, err
	}
	params := r.m.Params()
	tables := []struct {
		key, name string
		rows      *mat.Dense // a channel a row, [N, 10]
	}{
		{"embed", "W_E", channels(params.Embed, ids)},
		{"unembed", "W_U", channels(params.Unembedding(), ids)},
	}
	last := len(params.Blocks) - 1
	if out := params.Blocks[last].Out.Weight; out != nil {
		tables = append(tables, struct {
			key, name string
			rows      *mat.Dense
		}{"neurons", fmt.Sprintf("MLP %d · W_U", last), neuronsToLogits(out, params.Unembedding(), ids)})
	}
	r.beginWaves(len(tables))
	shares, steps := &viz.Bars{YScale: "r2", Categories: viz.Axis{Name: "frequency k, period 10/k", Labels: []string{"1", "2", "3", "4", "5"}}}, &viz.Lines{X: "count", XScale: "count", YScale: "r2"}
	total := "DC"
	for _, k := range digitFrequencies {
		total += fmt.Sprintf(" +%d", k)
		steps.XLabels = append(steps.XLabels, fmt.Sprintf("+%d", k))
	}
	var said []string
	off := 0.0
	for _, t := range tables {
		each, median := make([]float64, 5), make([]float64, 5)
		sum := 0.0
		for i, k := range digitFrequencies {
			alone, err := probe.FitFrequencies(f, t.rows, []int{k})
			if err != nil {
				return r.fig, fmt.Errorf("%s: %w", t.name, err)
			}
			upTo, err := probe.FitFrequencies(f, t.rows, digitFrequencies[:i+1])
			if err != nil {
				return r.fig, fmt.Errorf("%s: %w", t.name, err)
			}
			each[k-1], median[i] = alone.Mean, upTo.Median
			sum += alone.Mean
		}
		off = max(off, sum-1, 1-sum)
		few, err := probe.FitFrequencies(f, t.rows, []int{1, 2, 5})
		if err != nil {
			return r.fig, err
		}
		n, _ := t.rows.Dims()
		said = append(said, fmt.Sprintf("%s: median R² %.3f, mean %.3f of %d channels", t.name, few.Median, few.Mean, n-len(few.Constant)))
		r.fig.Arrays[t.key+"_each"] = viz.Values(narrow(each), []string{"frequency"}, 5)
		r.fig.Arrays[t.key+"_median"] = viz.Values(narrow(median), []string{"frequencies"}, 5)
		shares.Series = append(shares.Series, viz.Series{Name: t.name, Y: t.key + "_each"})
		steps.Series = append(steps.Series, viz.Series{Name: t.name, Y: t.key + "_median"})
	}
	r.chanceWaves(f)
	shares.Series = append(shares.Series, viz.Series{Name: "chance", Y: "chance_each", Control: true})
	steps.Series = append(steps.Series, viz.Series{Name: "chance", Y: "chance_total", Control: true})
	r.fig.Multiples = &viz.Multiples{Columns: 2, Items: []viz.Item{
		{Title: "By frequency", Subtitle: "share of a channel's variance over the ten digits, mean over channels", Kind: viz.KindBars, Bars: shares},
		{Title: "Added up", Subtitle: "median over channels of R², " + total + "; chance: the mean of rows of noise", Kind: viz.KindLines, Lines: steps},
	}}
	r.fig.Caption = "With k = 1, 2 and 5, as in the paper: " + strings.Join(said, "; ") + fmt.Sprintf(". Rows of noise have a mean of %.3f: six columns of ten fit them that well.", 5.0/9)
	r.fig.Badges = []viz.Badge{{Text: "five shares = all", Value: off, Bound: 1e-9, OK: off <= 1e-9, Help: "the shares of the five frequencies add up to 1"}}
	r.begin(1, "tables")
	r.emit.Progress(1, 1, "tables")
	return r.fig, nil
}

// beginWaves makes the figure.
func (r *digitsRun) beginWaves(tables int) {
	r.fig = &viz.Figure{
		Kind: viz.KindMultiples, Title: "Waves over the digits",
		Subtitle: fmt.Sprintf("channels of %d tables as functions of 0 to 9, raw weights", tables),
		Arrays:   map[string]*viz.Array{"count": viz.Values([]float32{1, 2, 3, 4, 5}, []string{"frequencies"}, 5)},
		Scales: map[string]viz.Scale{
			"r2":    {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "R²", Format: "%.3f"},
			"count": {Kind: viz.ScaleLinear, Lo: 1, Hi: 5, Label: "frequencies", Format: "%.0f"},
		},
	}
}

// chanceWaves adds what rows of noise have: their waves over all nine.
func (r *digitsRun) chanceWaves(f *probe.FourierBasis) {
	waves := make([]float64, 5)
	for _, k := range f.K {
		if k > 0 {
			waves[k-1] += 1.0 / 9
		}
	}
	total, sum := make([]float64, 5), 0.0
	for i, k := range digitFrequencies {
		sum += waves[k-1]
		total[i] = sum
	}
	r.fig.Arrays["chance_each"] = viz.Values(narrow(waves), []string{"frequency"}, 5)
	r.fig.Arrays["chance_total"] = viz.Values(narrow(total), []string{"frequencies"}, 5)
}

// channels are columns of a table [V, D] over ids, [D, len(ids)].
func channels(table *tensor.Dense, ids []int) *mat.Dense {
	out := mat.NewDense(table.Dim(1), len(ids), nil)
	for j, id := range ids {
		for i, v := range table.Sub(id).Data {
			out.Set(i, j, float64(v))
		}
	}
	return out
}

// neuronsToLogits is what each neuron adds to the logits of ids, [F, len(ids)], of
// output weights [D, F].
func neuronsToLogits(out, unembed *tensor.Dense, ids []int) *mat.Dense {
	d, f := out.Dim(0), out.Dim(1)
	w := mat.NewDense(d, f, nil)
	for i := range d {
		for j, v := range out.Sub(i).Data {
			w.Set(i, j, float64(v))
		}
	}
	var y mat.Dense
	y.Mul(w.T(), channels(unembed, ids))
	return &y
}
