package viz_test

import (
	"fmt"
	"math"

	"orrery/viz"
)

// The figures that the tests draw: one of each kind as an analysis would make
// it, and one of each with everything that can be missing or odd.

func sampleTokens() *viz.Figure {
	cells := []string{
		"<bos>", "34", "+", "57", "=",
		"+", "+", "3", "=", "=",
		"+", "+", "5", "=", "=",
		"1", "+", "5", "=", "81",
		"2", "+", "5", "=", "92",
		"3", "+", "5", "=", "91",
		"1", "+", "5", "=", "91",
	}
	prob := []float32{
		.10, .20, .20, .30, .30,
		.20, .50, .05, .40, .20,
		.20, .80, .06, .60, .12,
		.10, .90, .07, .90, .18,
		.10, .95, .06, .97, .31,
		.10, .97, .08, .98, .86,
		.10, .98, .08, .99, .97,
	}
	n := len(prob)
	logit, rank, entropy, kl, diff := make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n), make([]float32, n)
	top, topP := make([]string, 0, 3*n), make([]float32, 0, 3*n)
	for i, p := range prob {
		logit[i] = 8*p - 2
		rank[i] = float32(math.Ceil(100 * math.Pow(float64(1-p), 3)))
		entropy[i] = 4.6 * (1 - p)
		kl[i] = 3 * (1 - p) * float32(6-i/5) / 6
		diff[i] = 10*p - 4
		top = append(top, cells[i], "7", "12")
		topP = append(topP, p, (1-p)/2, (1-p)/4)
	}
	grid := []string{"layer", "pos"}
	f := &viz.Figure{
		Kind: viz.KindTokens, Title: "Logit lens", Subtitle: "top token after each block · colour = probability",
		Caption: "The answer 91 is the top token from block 3 on and has probability 0.97 at the end.",
		Tokens: &viz.Tokens{
			Rows: viz.Axis{Name: "layer", Labels: []string{"embed", "0", "1", "2", "3", "4", "5"}},
			Columns: viz.Axis{Name: "position", Labels: []string{"<bos>", "34", "+", "57", "="}, IDs: []int{1, 36, 102, 59, 104},
				Roles: []viz.TokenRole{viz.RoleBOS, viz.RoleOperandA, viz.RoleOperator, viz.RoleOperandB, viz.RoleEquals}},
			Cell: "cell", TopTokens: "top", TopValues: "top_prob", Show: "prob", Focus: 4,
			Target: []string{"34", "+", "57", "=", "91"},
			Metrics: []viz.TokenMetric{
				{Name: "prob", Label: "probability", Help: "colour = probability of the target", Values: "prob", Scale: "prob"},
				{Name: "logit", Label: "logit", Help: "colour = logit of the target", Values: "logit", Scale: "logit"},
				{Name: "rank", Label: "rank", Help: "colour = rank of the target, 1 is best", Values: "rank", Scale: "rank"},
				{Name: "entropy", Label: "entropy", Help: "colour = entropy of the distribution, in nats", Values: "entropy", Scale: "entropy"},
				{Name: "kl", Label: "KL to final", Help: "colour = KL divergence from the final distribution, in nats", Values: "kl", Scale: "kl"},
				{Name: "logprob_diff", Label: "log-prob difference", Help: "colour = log-probability of the target less that of the best other token", Values: "diff", Scale: "diff"},
			},
		},
		Arrays: map[string]*viz.Array{
			"prob": viz.Values(prob, grid, 7, 5), "logit": viz.Values(logit, grid, 7, 5), "rank": viz.Values(rank, grid, 7, 5),
			"entropy": viz.Values(entropy, grid, 7, 5), "kl": viz.Values(kl, grid, 7, 5), "diff": viz.Values(diff, grid, 7, 5),
			"top_prob": viz.Values(topP, []string{"layer", "pos", "k"}, 7, 5, 3),
		},
		Texts: map[string]*viz.Text{"cell": {Shape: []int{7, 5}, Values: cells}, "top": {Shape: []int{7, 5, 3}, Values: top}},
		Scales: map[string]viz.Scale{
			"prob":    {Kind: viz.ScaleSequential, Lo: 0, Hi: 1, Label: "probability", Format: "%.2f"},
			"logit":   {Kind: viz.ScaleDiverging, Lo: -6, Hi: 6, Label: "logit", Format: "%.1f"},
			"rank":    {Kind: viz.ScaleLog, Lo: 1, Hi: 103, Label: "rank", Reverse: true, Format: "%d"},
			"entropy": {Kind: viz.ScaleSequential, Lo: 0, Hi: 4.6, Label: "entropy", Unit: "nats", Format: "%.2f"},
			"kl":      {Kind: viz.ScaleSequential, Lo: 0, Hi: 3, Label: "KL to final", Unit: "nats", Format: "%.2f"},
			"diff":    {Kind: viz.ScaleDiverging, Lo: -6, Hi: 6, Label: "log-prob difference", Unit: "nats", Format: "%.1f"},
		},
		Badges:     []viz.Badge{{Text: "last layer = logits", OK: true, Value: 2e-7, Bound: 1e-5, Help: "greatest difference between the last row and the model's logits"}},
		Provenance: sampleProvenance("logit_lens"),
	}
	return f
}

func sampleProvenance(analysis string) viz.Provenance {
	seed := uint64(1)
	return viz.Provenance{Model: "mental-2op", Hash: "3f9c02d1a4b7e6885c01", Analysis: analysis, Version: 1, Basis: "raw", Seed: &seed,
		PromptIDs: [][]int{{1, 36, 102, 59, 104}}, Program: "0.1.0", Kernel: "fma", Params: map[string]any{"prompt": "34+57="}}
}

func sampleHeatmap() *viz.Figure {
	mlp := []float32{
		1.42, .12, .06, .05,
		1.01, .09, -.08, -.03,
		.61, -.09, -.05, .31,
		.11, -.07, .12, 1.63,
		-.02, .13, .09, 1.96,
		-.03, -.13, -.10, .46,
	}
	attn := []float32{
		.12, .02, .05, .03,
		.09, -.05, -.14, .31,
		.16, -.06, -.02, 1.81,
		.14, -.19, .07, .62,
		.06, .03, -.04, .21,
		-.02, .04, .01, -.33,
	}
	layers := viz.Axis{Name: "layer", Labels: []string{"0", "1", "2", "3", "4", "5"}}
	tokens := viz.Axis{Name: "position", Labels: []string{"34", "+", "57", "="}, Roles: []viz.TokenRole{viz.RoleOperandA, viz.RoleOperator, viz.RoleOperandB, viz.RoleEquals}}
	axes := []string{"layer", "pos"}
	return &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Indirect effect", Subtitle: "log(1 + IE) of each component on the answer, mean of 200 pairs",
		Caption: "The MLP of block 4 at = has the greatest effect, 1.96; the attention of block 2 at = has 1.81.",
		Heatmap: &viz.Heatmap{Scale: "effect", Panels: []viz.Panel{
			{Title: "MLP output", Rows: layers, Columns: tokens, Values: "mlp"},
			{Title: "Attention output", Rows: layers, Columns: tokens, Values: "attn"},
		}},
		Arrays:     map[string]*viz.Array{"mlp": viz.Values(mlp, axes, 6, 4), "attn": viz.Values(attn, axes, 6, 4)},
		Scales:     map[string]viz.Scale{"effect": {Kind: viz.ScaleDiverging, Lo: -2.4, Hi: 2.4, Label: "log(1 + IE)", Format: "%.2f"}},
		Badges:     []viz.Badge{{Text: "= naive re-run", OK: true, Value: 3e-6, Bound: 1e-5}},
		Provenance: sampleProvenance("causal_mediation"),
	}
}

func sampleLines() *viz.Figure {
	x := []float32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	y := map[string][]float32{
		"cama":       {100, 99.8, 99.6, 99.4, 99.2, 99.0, 98.7, 41.2, 12, 4, 1.5, 1.1, 1},
		"positional": {100, 97, 92.4, 84, 69, 53, 36, 12, 7, 4, 2, 1.2, 1},
		"isolated":   {100, 91, 80, 66, 57, 51, 40, 16, 8, 4, 2, 1.2, 1},
		"mean":       {100, 88, 71, 60, 44, 38, 30, 14, 6, 3, 2, 1, 1},
		"zero":       {100, 14, 5, 3, 2, 1.6, 1.4, 1.2, 1.1, 1.1, 1, 1, 1},
	}
	f := &viz.Figure{
		Kind: viz.KindLines, Title: "How long can it wait?", Subtitle: "answers kept when blocks 0 to w carry no word of the other operand",
		Lines: &viz.Lines{X: "x", XScale: "wait", YScale: "kept", XLabels: []string{"none", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"},
			Series: []viz.Series{
				{Name: "CAMA", Y: "cama", Errors: "cama_se"}, {Name: "positional", Y: "positional", Kin: viz.KinNear}, {Name: "isolated", Y: "isolated", Errors: "isolated_se", Kin: viz.KinNear},
				{Name: "mean", Y: "mean", Kin: viz.KinCrude}, {Name: "zero ablation", Y: "zero", Control: true},
			}},
		Arrays: map[string]*viz.Array{"x": viz.Values(x, []string{"wait"}, len(x))},
		Scales: map[string]viz.Scale{
			"wait": {Kind: viz.ScaleLinear, Lo: 0, Hi: 12, Label: "wait through block w", Format: "%d"},
			"kept": {Kind: viz.ScaleLinear, Lo: 0, Hi: 100, Label: "answers kept", Unit: "%", Format: "%.1f"},
		},
		Interval:   viz.Student(1000),
		Badges:     []viz.Badge{{Text: "no intervention = full run, bit for bit", OK: true}, {Text: "attention rows sum to 1", OK: false, Value: 3e-4, Bound: 1e-6}},
		Provenance: sampleProvenance("wait"),
	}
	for name, v := range y {
		f.Arrays[name] = viz.Values(v, []string{"wait"}, len(v))
	}
	se := make([]float32, len(x))
	for i := range se {
		se[i] = 1 + 3*float32(math.Sin(float64(i)/4))
	}
	f.Arrays["cama_se"] = viz.Values(se, []string{"wait"}, len(se))
	f.Arrays["isolated_se"] = viz.Values(se, []string{"wait"}, len(se))
	return f
}

func sampleTable() *viz.Figure {
	one := func(v ...float32) *viz.Array { return viz.Values(v, []string{"row"}, len(v)) }
	return &viz.Figure{
		Kind: viz.KindTable, Title: "Tried so far", Subtitle: "clean value of one cell put into the corrupted run",
		Table: &viz.Table{Rows: 4, Columns: []viz.Column{
			{Name: "cell", Text: "cell"}, {Name: "P(91)", Values: "p", Format: "%.3f"}, {Name: "restored", Unit: "%", Values: "restored", Format: "%.0f"},
			{Name: "logit change", Values: "change", Format: "%+.2f"},
		}},
		Arrays:     map[string]*viz.Array{"p": one(.941, .003, .962, .002), "restored": one(97, 1, 99, 0), "change": one(8.31, -.42, 8.7, -1e-4)},
		Texts:      map[string]*viz.Text{"cell": {Shape: []int{4}, Values: []string{"block 3 · 34", "block 8 · 34", "block 8 · =", "block 3 · +"}}},
		Provenance: sampleProvenance("patch"),
	}
}

var nan, inf = float32(math.NaN()), float32(math.Inf(1))

// oddTokens is a token grid in the middle of a run, with tokens that need care.
func oddTokens() *viz.Figure {
	f := sampleTokens()
	p := f.Arrays["prob"]
	p.State = make([]viz.State, len(p.Data))
	for i := range p.State {
		if i < 25 {
			p.State[i] = viz.Done
		}
	}
	p.Data[6], p.Data[7], p.Data[8], p.Data[9] = nan, inf, -inf, 1.25
	p.State[3] = viz.Blank
	copy(f.Texts["cell"].Values, []string{" the", "\n", "\t", "", "\x1b[0m", "中文", "<script>&", "Ġhello", "a very long token indeed", "é"})
	f.Tokens.Columns.Labels = []string{"<|begin_of_text|>", " 34", "\n", "", "="}
	f.Caption = ""
	return f
}

func oddHeatmap() *viz.Figure {
	f := sampleHeatmap()
	a := f.Arrays["attn"]
	a.State = make([]viz.State, len(a.Data))
	for i := range a.State {
		if i < 15 {
			a.State[i] = viz.Done
		}
	}
	a.State[0], a.State[1] = viz.Blank, viz.Blank
	a.Data[5], a.Data[6], a.Data[8], a.Data[9] = nan, inf, 3, -3
	return f
}

func oddLines() *viz.Figure {
	f := sampleLines()
	c := f.Arrays["cama"]
	c.State = make([]viz.State, len(c.Data))
	for i := range c.State {
		if i < 9 {
			c.State[i] = viz.Done
		}
	}
	f.Arrays["mean"].Data[3], f.Arrays["zero"].Data[4], f.Arrays["isolated"].Data[2] = nan, inf, 120
	f.Lines.XLabels = nil
	return f
}

func oddTable() *viz.Figure {
	f := sampleTable()
	f.Arrays["p"].Data[1] = nan
	f.Arrays["restored"].State = []viz.State{viz.Done, viz.Pending, viz.Blank, viz.Done}
	f.Texts["cell"].Values[2] = "a, \"quoted\"\nlabel that is far too long for the column that it was put in by the analysis"
	return f
}

// samples are all of them by name.
func samples() map[string]*viz.Figure {
	return map[string]*viz.Figure{
		"tokens": sampleTokens(), "heatmap": sampleHeatmap(), "lines": sampleLines(), "guides": sampleGuides(), "table": sampleTable(),
		"tokens-odd": oddTokens(), "heatmap-odd": oddHeatmap(), "lines-odd": oddLines(), "table-odd": oddTable(),
		"helix": sampleHelix(), "scatter": samplePlane(), "spectrum": sampleSpectrum(), "bars": sampleBars(), "dials": sampleDials(), "multiples": sampleMultiples(),
		"helix-odd": oddHelix(), "scatter-odd": oddPlane(), "bars-odd": oddBars(), "dials-odd": oddDials(), "multiples-odd": oddMultiples(),
	}
}

// wideHeatmap is one panel of many layers over many tokens.
func wideHeatmap(rows, columns int) *viz.Figure {
	f := sampleHeatmap()
	p := viz.Panel{Title: "all", Values: "wide", Rows: viz.Axis{Name: "layer"}, Columns: viz.Axis{Name: "position"}}
	v := make([]float32, rows*columns)
	for i := range v {
		v[i] = float32(i%37)/10 - 1.8
	}
	for r := range rows {
		p.Rows.Labels = append(p.Rows.Labels, fmt.Sprint("L", r))
	}
	for c := range columns {
		p.Columns.Labels = append(p.Columns.Labels, fmt.Sprint("t", c))
		p.Columns.Roles = append(p.Columns.Roles, viz.RoleNone)
	}
	f.Heatmap.Panels = []viz.Panel{p}
	f.Arrays["wide"] = viz.Values(v, []string{"layer", "pos"}, rows, columns)
	return f
}
