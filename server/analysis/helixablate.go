package analysis

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"orrery/ablate"
	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

// helixPart is what is taken away of an activation: its part along what the fit
// writes with some periods, about the mean.
type helixPart struct {
	name    string
	line    bool
	periods []float64
	control string // "outside" or "random"; empty for a part of the helix
}

// helixParts are the parts that are taken away, by the fit's periods: the circles
// that tell numbers close together apart, the longest with the line, all of it, and
// controls of as many directions.
func helixParts(periods []float64) []helixPart {
	longest := slices.Max(periods)
	var short []float64
	for _, t := range periods {
		if t < longest {
			short = append(short, t)
		}
	}
	var out []helixPart
	for _, t := range short {
		out = append(out, helixPart{name: fmt.Sprintf("T = %.4g", t), periods: []float64{t}})
	}
	if len(short) > 1 {
		out = append(out, helixPart{name: "T = " + periodList(short), periods: short})
	}
	return append(out,
		helixPart{name: fmt.Sprintf("T = %.4g and line", longest), periods: []float64{longest}, line: true},
		helixPart{name: "the whole helix", periods: periods, line: true},
		helixPart{name: "T = " + periodList(otherPeriods(periods)) + ", outside of it", periods: otherPeriods(periods), control: "outside"},
		helixPart{name: "as many random directions", control: "random"})
}

// otherPeriods are two that the helix does not have.
func otherPeriods(periods []float64) (out []float64) {
	for _, t := range []float64{3, 7, 11, 13, 17, 19, 23, 29, 31, 37} {
		if !slices.Contains(periods, t) && len(out) < 2 {
			out = append(out, t)
		}
	}
	return out
}

// ablation is one part taken away in one layer.
type ablation struct {
	part, layer int
	directions  *mat.Dense // nil where there are none
	errors      *probe.NumberErrors
}

// periods takes parts of the helix away in every layer and sorts the errors.
func (r *helixPatchRun) periods(ctx context.Context) error {
	read, err := readNumbers(r.m, r.a, r.set)
	if err != nil {
		return err
	}
	if len(read.names) > 1 {
		return &hintError{fmt.Sprintf("of: %s are several helices, and the parts of one are taken away", read.of), `use of="a", "b" or "a+b"`}
	}
	number, err := r.answerNumbers()
	if err != nil {
		return err
	}
	sweep, err := read.sweep(ctx, r.m, read.distinct(r.set.Prompts))
	if err != nil {
		return err
	}
	held := sweep.heldOut(r.seed)
	var prompts []ablate.Prompt
	for _, p := range r.set.Prompts {
		if _, out := slices.BinarySearch(held, read.values(p)[0]); out && len(prompts) < r.a["pairs"].(int) {
			prompts = append(prompts, p)
		}
	}
	if len(prompts) == 0 {
		return &hintError{fmt.Sprintf("none of %d prompts has a number that is held out", len(r.set.Prompts)), "take a larger n, or wider ranges"}
	}
	parts := helixParts(read.periods)
	var list []*ablation
	var means [][]float32
	for l := range r.m.Config.Layers {
		found, mean, err := r.partsOf(sweep, l, held, read.periods, parts)
		if err != nil {
			return fmt.Errorf("layer %d: %w", l, fewNumbers(err))
		}
		list, means = append(list, found...), append(means, mean)
	}
	r.beginPeriods(read, parts, prompts)
	return r.takeAway(ctx, read, prompts, parts, list, means, number)
}

// answerNumbers is the number of each token that spells one.
func (r *helixPatchRun) answerNumbers() (map[int]int, error) {
	ids, err := numberTokens(r.m)
	if err != nil {
		return nil, err
	}
	number := map[int]int{}
	for n, id := range ids {
		number[id] = n
	}
	for _, p := range r.set.Prompts {
		if _, ok := number[p.Answer]; !ok {
			return nil, &hintError{fmt.Sprintf("the answer of %q is none of 0..%d, so that errors have no size", p.Text, len(ids)-1), "take prompts whose answers are number tokens"}
		}
	}
	return number, nil
}

// partsOf fits a layer on the numbers that are not held out and makes the directions
// of each part. A layer in which all activations are one has none.
func (r *helixPatchRun) partsOf(sweep *numberSweep, layer int, held []int, periods []float64, parts []helixPart) (out []*ablation, mean []float32, err error) {
	var rows, values []int
	for i, v := range sweep.numbers[0].Values {
		if _, hold := slices.BinarySearch(held, v); !hold {
			rows, values = append(rows, i), append(values, v)
		}
	}
	x := mat.NewDense(len(rows), r.m.Config.Width, nil)
	for i, row := range rows {
		x.SetRow(i, sweep.layers[layer].RawRowView(row))
	}
	for j := range r.m.Config.Width {
		mean = append(mean, float32(stat.Mean(mat.Col(nil, j, x), nil)))
	}
	for i := range parts {
		out = append(out, &ablation{part: i, layer: layer})
	}
	if constantRows(x) {
		return out, mean, nil
	}
	scale := float64(slices.Max(sweep.numbers[0].Values))
	h, err := probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf(sweep.numbers[0].Name, values, periods, scale)}, probe.HelixOptions{})
	if err != nil {
		return nil, nil, err
	}
	r.checked(h.Residual, h.Normal, h.Null)
	whole, err := h.Directions(true, periods...)
	if err != nil {
		return nil, nil, err
	}
	rank, width := whole.Dims()
	for i, part := range parts {
		switch part.control {
		case "random":
			rng := rand.New(rand.NewPCG(r.seed, uint64(10+layer)))
			noise := mat.NewDense(rank, width, nil)
			for k := range noise.RawMatrix().Data {
				noise.RawMatrix().Data[k] = rng.NormFloat64()
			}
			out[i].directions = noise
		case "outside":
			other, err := probe.FitHelix(x, []probe.HelixTerm{probe.HelixOf(sweep.numbers[0].Name, values, part.periods, scale)}, probe.HelixOptions{})
			if err != nil {
				return nil, nil, err
			}
			wrong, err := other.Directions(false, part.periods...)
			if err != nil {
				return nil, nil, err
			}
			out[i].directions, _ = probe.Outside(wrong, whole) // none is left where all lie within the helix
		default:
			if out[i].directions, err = h.Directions(part.line, part.periods...); err != nil {
				return nil, nil, err
			}
		}
	}
	return out, mean, nil
}

// beginPeriods shows the figure before its first number.
func (r *helixPatchRun) beginPeriods(read *numberReading, parts []helixPart, prompts []ablate.Prompt) {
	L := r.m.Config.Layers
	x := make([]float32, L)
	for l := range x {
		x[l] = float32(l)
	}
	fig := &viz.Figure{
		Kind: viz.KindMultiples, Arrays: map[string]*viz.Array{"layer": viz.Values(x, []string{"layer"}, L), "plain": viz.NewArray([]string{"layer"}, L)},
		Texts: map[string]*viz.Text{"part": viz.NewText(len(parts))},
		Scales: map[string]viz.Scale{
			"layer": {Kind: viz.ScaleLinear, Hi: math.Max(1, float64(L-1)), Label: "layer", Format: "%.0f"},
			"share": {Kind: viz.ScaleLinear, Hi: 1, Label: "share right", Format: "%.2f"},
		},
	}
	lines := &viz.Lines{X: "layer", XScale: "layer", YScale: "share", XLabels: countAxis("layer", L).Labels}
	table := &viz.Table{Rows: len(parts), Columns: []viz.Column{{Name: "taken away", Text: "part"}}}
	for i, p := range parts {
		fig.Texts["part"].Values[i] = p.name
		name := fmt.Sprintf("right%d", i)
		fig.Arrays[name] = viz.NewArray([]string{"layer"}, L)
		lines.Series = append(lines.Series, viz.Series{Name: p.name, Y: name, Control: p.control != ""})
	}
	lines.Series = append(lines.Series, viz.Series{Name: "nothing", Y: "plain", Control: true})
	for _, c := range r.periodColumns() {
		fig.Arrays[c.Values] = viz.NewArray([]string{"part"}, len(parts))
		table.Columns = append(table.Columns, c)
	}
	fig.Multiples = &viz.Multiples{Columns: 1, Items: []viz.Item{
		{Title: "Accuracy without a part of the helix", Subtitle: "dashed: as many directions that are no part of it", Kind: viz.KindLines, Lines: lines},
		{Title: "Kinds of error", Subtitle: "in the layer where the whole helix costs most: dimensions, share right, mean size and kinds of the errors; by chance even 0.5, × 10 0.1", Kind: viz.KindTable, Table: table},
	}}
	r.pairs = nil
	r.begin(fig, fmt.Sprintf("activation of %s at %s, less its part along what the fit writes with some periods, about the mean · fits have not seen the numbers of these n = %d prompts", read.of, read.where(), len(prompts)), L*len(parts))
	fig.Provenance.PromptIDs = idsOf(prompts)
}

// periodColumns are the table's numbers.
func (r *helixPatchRun) periodColumns() []viz.Column {
	out := []viz.Column{{Name: "dims", Values: "dims", Format: "%.0f"}, {Name: "right", Values: "accuracy", Format: "%.3f"}, {Name: "|error|", Values: "error_size", Format: "%.1f"}}
	for _, k := range filterKinds {
		if k.short != "" {
			out = append(out, viz.Column{Name: k.short, Values: "kind " + k.short, Format: "%.2f"})
		}
	}
	return out
}

// takeAway runs the prompts without each part and shows what is left.
func (r *helixPatchRun) takeAway(ctx context.Context, read *numberReading, prompts []ablate.Prompt, parts []helixPart, list []*ablation, means [][]float32, number map[int]int) error {
	accuracy, err := ablate.MetricByName("accuracy")
	if err != nil {
		return err
	}
	var projections []ablate.Projection
	for _, a := range list {
		p := ablate.Projection{Name: parts[a.part].name, Places: []ablate.Place{{Site: read.site(a.layer), Head: -1, Position: read.position}}, Point: means[a.layer]}
		if a.directions != nil {
			rows, width := a.directions.Dims()
			p.Directions = tensor.From(narrow(a.directions.RawMatrix().Data), rows, width)
		}
		projections = append(projections, p)
	}
	right := make([]int, len(prompts))
	for i, p := range prompts {
		right[i] = number[p.Answer]
	}
	err = ablate.Project(ctx, r.m, prompts, projections, []ablate.Metric{accuracy}, func(i int, p ablate.Projected) error {
		given, known := make([]int, len(prompts)), make([]bool, len(prompts))
		for k, id := range p.Tops {
			given[k], known[k] = number[id], true
			if _, ok := number[id]; !ok {
				known[k] = false
			}
		}
		e, err := probe.ClassifyErrors(right, given, known)
		if err != nil {
			return err
		}
		if i < 0 {
			flat := slices.Repeat([]float32{float32(e.Accuracy)}, r.m.Config.Layers)
			return r.add(viz.Part{Arrays: []viz.ArrayRun{{Name: "plain", F32: viz.EncodeFloats(flat)}}}, 0)
		}
		list[i].errors = e
		if list[i].directions == nil {
			r.fig.Arrays[fmt.Sprintf("right%d", list[i].part)].State[list[i].layer] = viz.Blank
			r.done++
			return nil
		}
		return r.add(viz.Part{Arrays: []viz.ArrayRun{one(fmt.Sprintf("right%d", list[i].part), list[i].layer, e.Accuracy)}}, 1)
	})
	if err != nil {
		return err
	}
	return r.showPeriods(parts, list)
}

// add draws a part that finishes so many fits.
func (r *helixPatchRun) add(part viz.Part, fits int) error {
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.done += fits
	r.emit.Part(part)
	r.emit.Progress(r.done, r.total, "fits")
	return nil
}

// showPeriods fills the table for the layer where the whole helix costs most, and
// says it in words.
func (r *helixPatchRun) showPeriods(parts []helixPart, list []*ablation) error {
	whole := slices.IndexFunc(parts, func(p helixPart) bool { return p.name == "the whole helix" })
	layer, least := 0, math.Inf(1)
	for _, a := range list {
		if a.part == whole && a.errors.Accuracy < least {
			layer, least = a.layer, a.errors.Accuracy
		}
	}
	part := viz.Part{}
	var said []string
	for _, a := range list {
		if a.layer != layer {
			continue
		}
		dims := 0
		if a.directions != nil {
			dims, _ = a.directions.Dims()
		}
		part.Arrays = append(part.Arrays, one("dims", a.part, float64(dims)))
		if dims == 0 {
			for _, c := range r.periodColumns()[1:] {
				r.fig.Arrays[c.Values].State[a.part] = viz.Blank
			}
			continue
		}
		part.Arrays = append(part.Arrays, one("accuracy", a.part, a.errors.Accuracy))
		text := fmt.Sprintf("%s leaves %.1f %% right", parts[a.part].name, 100*a.errors.Accuracy)
		if a.errors.Wrong == 0 {
			for _, c := range r.periodColumns()[2:] {
				r.fig.Arrays[c.Values].State[a.part] = viz.Blank
			}
		} else {
			part.Arrays = append(part.Arrays, one("error_size", a.part, a.errors.MeanSize))
			for _, k := range filterKinds {
				if k.short != "" {
					part.Arrays = append(part.Arrays, one("kind "+k.short, a.part, k.of(a.errors)))
				}
			}
			text += fmt.Sprintf(" (of the errors %.0f %% keep the units)", 100*a.errors.MultipleOf[10])
		}
		if a.part >= whole-1 {
			said = append(said, text)
		}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	r.fig.Caption = fmt.Sprintf("The whole helix costs most in layer %d. There taking away %s.", layer, strings.Join(said, "; "))
	return nil
}
