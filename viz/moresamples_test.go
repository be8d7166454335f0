package viz_test

import (
	"fmt"
	"math"

	"orrery/viz"
)

// The kinds that came with the helix and with training runs: each as an
// analysis would make it, and each with what can be missing or odd. Numbers
// are closed formulas, so that a picture can be judged by eye.

// wobble is a repeatable number within ±1 that looks like noise.
func wobble(i int) float64 {
	x := math.Sin(float64(i)*12.9898) * 43758.5453
	return 2*(x-math.Floor(x)) - 1
}

func column(name string, n int, fn func(i int) float64) *viz.Array {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(fn(i))
	}
	return viz.Values(v, []string{name}, n)
}

func numbers(n int) *viz.Text {
	t := viz.NewText(n)
	for i := range t.Values {
		t.Values[i] = fmt.Sprint(i)
	}
	return t
}

// sampleHelix is 0 to 99 on a helix of period 10 along the line of the number.
func sampleHelix() *viz.Figure {
	const n = 100
	turn := func(i int) float64 { return 2 * math.Pi * float64(i) / 10 }
	f := &viz.Figure{
		Kind: viz.KindScatter, Title: "Numbers on a helix", Subtitle: "resid_post of block 2 at the last token, in the plane of T = 10 and along the number",
		Caption: "The fit with T = 2, 5, 10, 100 explains 0.91 of the variance that the first 9 PCs hold.",
		Scatter: &viz.Scatter{
			Views: []viz.ScatterView{
				{Name: "helix", Label: "helix, T = 10", Help: "cosine, sine and number", X: viz.Coordinate{Values: "cos", Scale: "cos"}, Y: viz.Coordinate{Values: "sin", Scale: "sin"}, Z: viz.Coordinate{Values: "number", Scale: "number"}},
				{Name: "plane", Label: "plane of T = 10", Help: "cosine and sine", X: viz.Coordinate{Values: "cos", Scale: "cos"}, Y: viz.Coordinate{Values: "sin", Scale: "sin"}},
			},
			Show: "helix", Labels: "name", Turn: [2]float64{30, 20},
			Colours: []viz.ScatterColour{
				{Name: "digit", Label: "last digit", Help: "colour = a mod 10", Values: "digit", Scale: "digit"},
				{Name: "value", Label: "number", Help: "colour = a", Values: "a", Scale: "a"},
				{Name: "phase", Label: "phase of T = 100", Help: "colour = a / 100 of a turn", Values: "a", Scale: "phase"},
			},
			Paths: []viz.Path{{Name: "in order", Order: "order"}},
		},
		Arrays: map[string]*viz.Array{
			"cos":    column("number", n, func(i int) float64 { return math.Cos(turn(i)) + 0.12*wobble(i) }),
			"sin":    column("number", n, func(i int) float64 { return math.Sin(turn(i)) + 0.12*wobble(i+500) }),
			"number": column("number", n, func(i int) float64 { return float64(i)/10 - 5 + 0.3*wobble(i+900) }),
			"digit":  column("number", n, func(i int) float64 { return float64(i % 10) }),
			"a":      column("number", n, func(i int) float64 { return float64(i) }),
			"order":  column("place", n, func(i int) float64 { return float64(i) }),
		},
		Texts: map[string]*viz.Text{"name": numbers(n)},
		Scales: map[string]viz.Scale{
			"cos":    {Kind: viz.ScaleLinear, Lo: -1.5, Hi: 1.5, Label: "cos 2πa/10", Format: "%.1f"},
			"sin":    {Kind: viz.ScaleLinear, Lo: -1.5, Hi: 1.5, Label: "sin 2πa/10", Format: "%.1f"},
			"number": {Kind: viz.ScaleLinear, Lo: -6, Hi: 6, Label: "linear part", Format: "%.0f"},
			"digit":  {Kind: viz.ScaleCategory, Lo: 0, Hi: 9, Label: "last digit", Format: "%d"},
			"a":      {Kind: viz.ScaleSequential, Lo: 0, Hi: 99, Label: "a", Format: "%d"},
			"phase":  {Kind: viz.ScaleCyclic, Lo: 0, Hi: 100, Label: "a", Format: "%d"},
		},
		Badges:     []viz.Badge{{Text: "fit is in its span", OK: true, Value: 4e-7, Bound: 1e-5}},
		Provenance: sampleProvenance("helix"),
	}
	return f
}

// samplePlane is models by two measures, with published ones behind.
func samplePlane() *viz.Figure {
	const n = 64
	pizza := func(i int) float64 { return float64(i % 2) }
	f := &viz.Figure{
		Kind: viz.KindScatter, Title: "Clock or pizza", Subtitle: "each point one trained network",
		Scatter: &viz.Scatter{
			Views:   []viz.ScatterView{{Name: "metrics", Label: "both measures", Help: "distance irrelevance against gradient symmetricity", X: viz.Coordinate{Values: "symmetricity", Scale: "symmetricity"}, Y: viz.Coordinate{Values: "irrelevance", Scale: "irrelevance"}}},
			Colours: []viz.ScatterColour{{Name: "kind", Label: "trained as", Help: "attention rate 1 or 0", Values: "kind", Scale: "kind"}},
			Labels:  "name", Backdrop: "published", BackdropLabel: "published runs", Turn: [2]float64{},
		},
		Arrays: map[string]*viz.Array{
			"symmetricity": column("run", n, func(i int) float64 { return 0.3 + 0.65*pizza(i) + 0.1*wobble(i) }),
			"irrelevance":  column("run", n, func(i int) float64 { return 0.75 - 0.55*pizza(i) + 0.12*wobble(i+77) }),
			"kind":         column("run", n, pizza),
			"published":    column("run", n, func(i int) float64 { return math.Min(1, float64(i/6)) }),
		},
		Texts: map[string]*viz.Text{"name": viz.NewText(n), "kinds": {Shape: []int{2}, Values: []string{"clock", "pizza"}}},
		Scales: map[string]viz.Scale{
			"symmetricity": {Kind: viz.ScaleLinear, Lo: 0, Hi: 1.1, Label: "gradient symmetricity", Format: "%.2f"},
			"irrelevance":  {Kind: viz.ScaleLinear, Lo: 0, Hi: 1, Label: "distance irrelevance", Format: "%.2f"},
			"kind":         {Kind: viz.ScaleCategory, Lo: 0, Hi: 1, Label: "", Names: "kinds", Format: "%d"},
		},
		Provenance: sampleProvenance("pizza"),
	}
	for i := range 6 {
		f.Texts["name"].Values[i] = fmt.Sprint("seed ", i/2+1)
	}
	return f
}

// keyFrequencies are those of sampleSpectrum.
var keyFrequencies = []int{13, 34, 40, 41, 51}

func spectrumAt(frame, frames, k int) float64 {
	height := 1.6 + 0.3*wobble(k)
	for i, key := range keyFrequencies {
		if k == key {
			s := 1 / (1 + math.Exp(-8*(float64(frame)/float64(frames-1)-0.5)))
			return height*(1-s) + (4+0.5*float64(i))*s
		}
	}
	return height * (1 - 0.5*float64(frame)/float64(frames-1))
}

// sampleSpectrum is stems of 56 frequencies with five key ones.
func sampleSpectrum() *viz.Figure {
	const n = 56
	f := &viz.Figure{
		Kind: viz.KindBars, Title: "Fourier spectrum of the embedding", Subtitle: "norm of the component by frequency, sine and cosine joined · brass = key",
		Bars: &viz.Bars{Categories: viz.Axis{Name: "frequency k, period 113 / k"}, Series: []viz.Series{{Name: "embedding", Y: "norm"}}, YScale: "norm", Stems: true, Marks: keyFrequencies},
		Arrays: map[string]*viz.Array{"norm": column("frequency", n, func(i int) float64 {
			return spectrumAt(9, 10, i)
		})},
		Scales:     map[string]viz.Scale{"norm": {Kind: viz.ScaleLinear, Lo: 0, Hi: 7, Label: "‖F W_E‖", Format: "%.2f"}},
		Badges:     []viz.Badge{{Text: "F is orthogonal", OK: true, Value: 4e-7, Bound: 1e-5}},
		Provenance: sampleProvenance("spectrum"),
	}
	for k := 1; k <= n; k++ {
		f.Bars.Categories.Labels = append(f.Bars.Categories.Labels, fmt.Sprint(k))
	}
	return f
}

// sampleBars is two series over components, one a control, with errors.
func sampleBars() *viz.Figure {
	labels := []string{"embed", "L0 attn", "L0 MLP", "L1 attn", "L1 MLP", "L2 attn", "L2 MLP", "L3 attn", "L3 MLP", "bias", "remainder"}
	direct := []float64{0.2, 0.31, -0.4, 1.2, 0.7, 2.6, 1.9, -0.8, 3.1, 0.4, 0.00001}
	return &viz.Figure{
		Kind: viz.KindBars, Title: "Direct logit attribution", Subtitle: "change of the answer's logit by component, mean of 100 prompts",
		Bars: &viz.Bars{Categories: viz.Axis{Name: "component", Labels: labels}, YScale: "logit",
			Series: []viz.Series{{Name: "answer", Y: "direct", Errors: "se"}, {Name: "random token", Y: "control", Control: true}}},
		Arrays: map[string]*viz.Array{
			"direct":  column("component", len(labels), func(i int) float64 { return direct[i] }),
			"control": column("component", len(labels), func(i int) float64 { return 0.3 * wobble(i) }),
			"se":      column("component", len(labels), func(i int) float64 { return 0.1 + 0.1*math.Abs(wobble(i)) }),
		},
		Scales:     map[string]viz.Scale{"logit": {Kind: viz.ScaleLinear, Lo: -2, Hi: 4, Label: "logit", Format: "%+.2f"}},
		Interval:   viz.Student(100),
		Badges:     []viz.Badge{{Text: "bars sum to the logit", OK: true, Value: 2e-6, Bound: 1e-4}},
		Provenance: sampleProvenance("dla"),
	}
}

// sampleDials is the clock of four periods with 34, 57 and their sum.
func sampleDials() *viz.Figure {
	const n = 100
	f := &viz.Figure{
		Kind: viz.KindDials, Title: "Clock", Subtitle: "numbers in the plane of each period; hands at a = 34, b = 57 and a + b = 91",
		Dials:      &viz.Dials{},
		Arrays:     map[string]*viz.Array{"digit": column("number", n, func(i int) float64 { return float64(i % 10) }), "a": column("number", n, func(i int) float64 { return float64(i) })},
		Texts:      map[string]*viz.Text{"number": numbers(n)},
		Scales:     map[string]viz.Scale{"digit": {Kind: viz.ScaleCategory, Lo: 0, Hi: 9, Label: "last digit", Format: "%d"}},
		Provenance: sampleProvenance("clock"),
	}
	for k, t := range []float64{10, 5, 2, 100} {
		name := fmt.Sprintf("T%v_", t)
		angle := func(v int) float64 { return 2 * math.Pi * float64(v) / t }
		f.Arrays[name+"cos"] = column("number", n, func(i int) float64 { return (1 + 0.15*wobble(i+31*k)) * math.Cos(angle(i)+0.1*wobble(i+17*k)) })
		f.Arrays[name+"sin"] = column("number", n, func(i int) float64 { return (1 + 0.15*wobble(i+31*k)) * math.Sin(angle(i)+0.1*wobble(i+17*k)) })
		d := viz.Dial{Title: fmt.Sprintf("T = %v", t), Note: fmt.Sprintf("0.%d of the variance", 93-11*k), Period: t, X: name + "cos", Y: name + "sin", Labels: "number", Colour: "digit", Scale: "digit"}
		for _, h := range []struct {
			name string
			v    int
			role viz.TokenRole
		}{{"34", 34, viz.RoleOperandA}, {"57", 57, viz.RoleOperandB}, {"91", 91, viz.RoleAnswer}} {
			f.Arrays[name+h.name+"_cos"] = column("hand", 1, func(int) float64 { return math.Cos(angle(h.v)) })
			f.Arrays[name+h.name+"_sin"] = column("hand", 1, func(int) float64 { return math.Sin(angle(h.v)) })
			d.Hands = append(d.Hands, viz.Hand{Name: h.name, X: name + h.name + "_cos", Y: name + h.name + "_sin", Role: h.role})
		}
		f.Dials.Items = append(f.Dials.Items, d)
	}
	return f
}

// sampleMultiples is a training run under one slider: losses with a rule, a
// spectrum, a clock, and three neurons over (a, b) on one scale.
func sampleMultiples() *viz.Figure {
	const frames, p = 10, 13
	steps := []float32{1, 10, 100, 300, 1000, 3000, 6000, 9400, 14000, 20000}
	framed := func(axis string, n int, fn func(frame, i int) float64) *viz.Array {
		v := make([]float32, frames*n)
		for i := range v {
			v[i] = float32(fn(i/n, i%n))
		}
		return viz.Values(v, []string{"checkpoint", axis}, frames, n)
	}
	grown := func(frame int) float64 { return 1 / (1 + math.Exp(-(float64(frame) - 5.5))) }
	axis := viz.Axis{Name: "a"}
	for i := range p {
		axis.Labels = append(axis.Labels, fmt.Sprint(i))
	}
	other := axis
	other.Name = "b"
	frequencies := viz.Axis{Name: "frequency"}
	for k := 1; k <= 6; k++ {
		frequencies.Labels = append(frequencies.Labels, fmt.Sprint(k))
	}
	f := &viz.Figure{
		Kind: viz.KindMultiples, Title: "Watching it grok", Subtitle: "a + b mod 13 at each checkpoint",
		Slider: &viz.Slider{Name: "checkpoint", Labels: []string{"1", "10", "100", "300", "1,000", "3,000", "6,000", "9,400", "14,000", "20,000"}, Values: "step", Show: 7,
			Bands:  []viz.Band{{Label: "circuit formation", From: 1000, To: 9400}, {Label: "cleanup", From: 9400, To: 14000}},
			Arrays: []string{"norm", "cos", "sin", "n0", "n1", "n2"}},
		Multiples: &viz.Multiples{Columns: 3, Items: []viz.Item{
			{Title: "Loss", Subtitle: "cross-entropy", Kind: viz.KindLines, Lines: &viz.Lines{X: "step", XScale: "step", YScale: "loss", Rule: true,
				Views: []viz.LinesView{
					{Name: "loglog", Label: "log–log", Help: "both logarithmic", XScale: "step", YScale: "loss"},
					{Name: "linear", Label: "linear", Help: "both linear", XScale: "step_linear", YScale: "loss_linear"},
				},
				Series: []viz.Series{{Name: "test", Y: "test"}, {Name: "train", Y: "train"}}}},
			{Title: "Spectrum", Subtitle: "of the embedding", Kind: viz.KindBars, Bars: &viz.Bars{Categories: frequencies, Series: []viz.Series{{Name: "norm", Y: "norm"}}, YScale: "norm", Stems: true, Marks: []int{3, 4}}},
			{Title: "Clock", Subtitle: "plane of k = 4", Kind: viz.KindDials, Dials: &viz.Dials{Items: []viz.Dial{{Title: "k = 4", Period: 13.0 / 4, X: "cos", Y: "sin", Labels: "number", Colour: "a", Scale: "a"}}}},
		}},
		Arrays: map[string]*viz.Array{
			"step":  viz.Values(steps, []string{"checkpoint"}, frames),
			"test":  column("checkpoint", frames, func(i int) float64 { return 4 * math.Pow(1e-6, math.Max(0, float64(i)-6)/3) }),
			"train": column("checkpoint", frames, func(i int) float64 { return 4 * math.Pow(1e-7, math.Min(1, float64(i)/6)) }),
			"norm": framed("frequency", 6, func(fr, i int) float64 {
				if i == 3 || i == 4 {
					return 1.5 + 3*grown(fr)
				}
				return (1.6 + 0.3*wobble(i)) * (1 - 0.5*grown(fr))
			}),
			"cos": framed("number", p, func(fr, i int) float64 { g := grown(fr); return g*math.Cos(8*math.Pi*float64(i)/p) + (1-g)*wobble(i) }),
			"sin": framed("number", p, func(fr, i int) float64 {
				g := grown(fr)
				return g*math.Sin(8*math.Pi*float64(i)/p) + (1-g)*wobble(i+60)
			}),
			"a": column("number", p, func(i int) float64 { return float64(i) }),
		},
		Texts: map[string]*viz.Text{"number": numbers(p)},
		Scales: map[string]viz.Scale{
			"step":        {Kind: viz.ScaleLog, Lo: 1, Hi: 20000, Label: "epoch", Format: "%d"},
			"step_linear": {Kind: viz.ScaleLinear, Lo: 0, Hi: 20000, Label: "epoch", Format: "%d"},
			"loss_linear": {Kind: viz.ScaleLinear, Lo: 0, Hi: 5, Label: "loss", Unit: "nats", Format: "%.1e"},
			"loss":        {Kind: viz.ScaleLog, Lo: 1e-8, Hi: 10, Label: "loss", Unit: "nats", Format: "%.1e"},
			"norm":        {Kind: viz.ScaleLinear, Lo: 0, Hi: 6, Label: "norm", Format: "%.1f"},
			"a":           {Kind: viz.ScaleCyclic, Lo: 0, Hi: 13, Label: "number", Format: "%d"},
			"neuron":      {Kind: viz.ScaleSequential, Lo: 0, Hi: 2, Label: "activation after ReLU", Format: "%.2f"},
		},
		Badges:     []viz.Badge{{Text: "last checkpoint = recorded test loss", OK: true, Value: 2e-7, Bound: 1e-5}},
		Provenance: sampleProvenance("grok_watch"),
	}
	for k, frequency := range []float64{4, 5, 4} {
		name := fmt.Sprint("n", k)
		v := framed("cell", p*p, func(fr, i int) float64 {
			a, b := float64(i/p), float64(i%p)
			s := math.Cos(2*math.Pi*frequency*a/p+float64(k)) + math.Cos(2*math.Pi*frequency*b/p+float64(k))
			return math.Max(0, grown(fr)*s+(1-grown(fr))*wobble(i+k))
		})
		v.Shape, v.Axes = []int{frames, p, p}, []string{"checkpoint", "a", "b"}
		f.Arrays[name] = v
		f.Multiples.Items = append(f.Multiples.Items, viz.Item{Title: fmt.Sprintf("k = %v · neuron %d", frequency, 211+k), Subtitle: "at =, over (a, b)", Kind: viz.KindHeatmap,
			Heatmap: &viz.Heatmap{Scale: "neuron", Panels: []viz.Panel{{Rows: axis, Columns: other, Values: name}}}})
	}
	return f
}

// some marks the first done numbers of an array Done and the others Pending.
func some(a *viz.Array, done int) {
	a.State = make([]viz.State, len(a.Data))
	for i := range done {
		a.State[i] = viz.Done
	}
}

func oddHelix() *viz.Figure {
	f := sampleHelix()
	some(f.Arrays["number"], 70)
	f.Arrays["number"].State[20] = viz.Blank
	f.Arrays["cos"].Data[3], f.Arrays["sin"].Data[14], f.Arrays["number"].Data[25] = nan, inf, -inf
	f.Arrays["cos"].Data[40], f.Arrays["number"].Data[41] = 4, -9
	some(f.Arrays["digit"], 60)
	f.Arrays["digit"].Data[8], f.Arrays["digit"].Data[9] = nan, 12
	f.Scatter.Turn = [2]float64{-120, -35}
	f.Scatter.Paths[0].Control = true
	return f
}

func oddPlane() *viz.Figure {
	f := samplePlane()
	x, y := f.Arrays["symmetricity"], f.Arrays["irrelevance"]
	some(x, 50)
	x.State[7] = viz.Blank
	x.Data[0], y.Data[1], x.Data[2], y.Data[3] = nan, nan, inf, -inf
	x.Data[4], y.Data[5], y.Data[10] = 2, -1, 3
	f.Arrays["kind"].Data[12], f.Arrays["kind"].Data[13] = nan, 4
	return f
}

func oddBars() *viz.Figure {
	f := sampleBars()
	a := f.Arrays["direct"]
	some(a, 9)
	a.State[2] = viz.Blank
	a.Data[0], a.Data[1], a.Data[3], a.Data[4], a.Data[5] = nan, inf, -inf, 9, -5
	f.Bars.Marks = []int{5, 6}
	return f
}

func oddDials() *viz.Figure {
	f := sampleDials()
	a := f.Arrays["T10_cos"]
	some(a, 60)
	a.Data[0], a.Data[1], a.Data[2], a.Data[3] = nan, inf, 3, -2
	f.Dials.Items[1].Period = 113.0 / 42
	f.Arrays["T10_34_cos"].Data[0] = nan
	f.Arrays["T5_57_sin"].Data[0] = -4
	f.Arrays["T2_91_cos"] = viz.NewArray([]string{"hand"}, 1)
	f.Arrays["digit"].Data[7] = 44
	return f
}

func oddMultiples() *viz.Figure {
	f := sampleMultiples()
	f.Slider.Show = 2
	some(f.Arrays["norm"], 15)
	some(f.Arrays["test"], 6)
	f.Arrays["norm"].Data[13] = nan
	f.Arrays["train"].Data[2] = nan
	some(f.Arrays["n1"], 2*13*13+60)
	f.Arrays["n2"].Data[2*13*13+5] = inf
	f.Multiples.Columns = 2
	return f
}
