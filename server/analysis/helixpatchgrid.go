package analysis

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"orrery/ablate"
	"orrery/probe"
	"orrery/viz"
)

// parameters draws every family by the size of its fits, over the mean of the
// layers.
func (r *helixPatchRun) parameters(ctx context.Context) error {
	read, held, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	var x []float32
	var labels []string
	for p := 3; p <= 2*len(read.periods)+1; p += 2 {
		x, labels = append(x, float32(p)), append(labels, fmt.Sprint(p))
	}
	n, total := len(x), r.m.Config.Layers
	for i := range x {
		total += r.m.Config.Layers * (3*setsOf(len(read.periods), 2*i+3) + 5)
	}
	fig := &viz.Figure{
		Kind: viz.KindLines, Arrays: map[string]*viz.Array{"parameters": viz.Values(x, []string{"parameters"}, n)},
		Scales: map[string]viz.Scale{"x": {Kind: viz.ScaleLinear, Lo: 3, Hi: float64(x[n-1]), Label: "parameters of a fit, a number", Format: "%.0f"}, "y": r.changeScale()},
		Lines:  &viz.Lines{X: "parameters", XScale: "x", YScale: "y", XLabels: labels},
	}
	if n == 1 { // an axis needs a length
		s := fig.Scales["x"]
		s.Lo, s.Hi = 2, 4
		fig.Scales["x"] = s
	}
	keys := append(append([]struct {
		key    string
		family probe.Family
	}{}, patchLines...), struct {
		key    string
		family probe.Family
	}{"untrained", "helix, untrained model"})
	for _, line := range keys {
		name := rivalName(probe.Compared{Family: line.family}, 1)
		fig.Arrays[line.key] = viz.NewArray([]string{"parameters"}, n)
		fig.Lines.Series = append(fig.Lines.Series, viz.Series{Name: name, Y: line.key, Control: line.key == "shuffled" || line.key == "untrained"})
	}
	r.begin(fig, r.subtitle(read)+" · mean over the layers, the best set of periods", total)
	if err := r.fullAtOnce(ctx, read, n); err != nil {
		return err
	}
	var last *trials
	for i := range n {
		size := 2*i + 3
		if last, err = r.test(ctx, r.m, read, held, size, func(candidate, ablate.Summary) error { return nil }); err != nil {
			return err
		}
		for _, line := range patchLines {
			if f := last.best(line.family, size); f != nil && line.key != "full" {
				if err := r.showChange(line.key, i, ablate.Summary{Mean: f.mean()}); err != nil {
					return err
				}
			}
		}
		blank, err := r.untrainedTrials(ctx, read, held, size, func(candidate, ablate.Summary) error { return nil })
		if err != nil {
			return err
		}
		if err := r.showChange("untrained", i, ablate.Summary{Mean: blank.best(probe.HelixFamily, size).mean()}); err != nil {
			return err
		}
	}
	r.fig.Caption = "With the most parameters: " + lowerFirst(r.sentence(last, 2*n+1))
	r.hideMissing()
	return nil
}

// full measures the full patch of every layer: it has no fit to wait for.
func (r *helixPatchRun) full(ctx context.Context, read *numberReading, each func(c candidate, change ablate.Summary) error) error {
	var list []candidate
	for l := range r.m.Config.Layers {
		list = append(list, candidate{layer: l})
	}
	return r.measure(ctx, &subject{m: r.m}, read, list, each)
}

// fullAtOnce draws the full patch over all n sizes.
func (r *helixPatchRun) fullAtOnce(ctx context.Context, read *numberReading, n int) error {
	changes := make([]float64, r.m.Config.Layers)
	err := r.full(ctx, read, func(c candidate, change ablate.Summary) error {
		changes[c.layer] = change.Mean
		return nil
	})
	for i := 0; i < n && err == nil; i++ {
		err = r.showChange("full", i, ablate.Summary{Mean: ablate.Summarise(changes).Mean})
	}
	return err
}

// lowerFirst makes a sentence the rest of one.
func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// positionPanels are the grids of the causal test by position: the ceiling, the
// helix, and its controls.
var positionPanels = []struct {
	key    string
	family probe.Family // of the trained model's fit
	title  string
}{
	{"full", "", "Full patch"}, {"helix", probe.HelixFamily, "Helix of %s"},
	{"shuffled", probe.ShuffledFamily, "Helix of shuffled numbers"}, {"untrained", "", "Helix, untrained model"},
}

// positions draws full patch, helix and its controls at every token of every layer.
func (r *helixPatchRun) positions(ctx context.Context) error {
	read, held, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	blank, err := untrained(r.m, r.seed)
	if err != nil {
		return err
	}
	L, T := r.m.Config.Layers, len(r.set.Prompts[0].IDs)
	columns := viz.Axis{Name: "position", Roles: vizRoles(r.pairs[0].Clean)}
	var chips [][]string
	for _, c := range r.pairs {
		chips = append(chips, tokenLabels(r.m.Tokenizer, c.Clean.IDs), tokenLabels(r.m.Tokenizer, c.Corrupted.IDs))
	}
	columns.Labels = sharedLabels(chips, columns.Roles)
	_, labels := layerAxis(L)
	fig := &viz.Figure{
		Kind: viz.KindHeatmap, Arrays: map[string]*viz.Array{},
		Scales:  map[string]viz.Scale{"effect": {Kind: viz.ScaleDiverging, Lo: -1e-3, Hi: 1e-3, Label: changeOf(r.metric), Unit: r.metric.Unit, Format: "%.2f"}},
		Heatmap: &viz.Heatmap{Scale: "effect"},
	}
	for _, p := range positionPanels {
		title := p.title
		if p.key == "helix" {
			title = fmt.Sprintf(title, read.of)
		}
		fig.Arrays[p.key], fig.Arrays[p.key+"_sem"] = viz.NewArray([]string{"layer", "position"}, L, T), viz.NewArray([]string{"layer", "position"}, L, T)
		fig.Heatmap.Panels = append(fig.Heatmap.Panels, viz.Panel{Title: title, Rows: viz.Axis{Name: "layer", Labels: labels}, Columns: columns, Values: p.key, Errors: p.key + "_sem"})
	}
	kind := strings.TrimPrefix(read.site(0).String(), "blocks.0.")
	r.begin(fig, fmt.Sprintf("%s when %s at one token is set to the source's, and to the fit by %s at the source's number · n = %d pairs", changeOf(r.metric), kind, read.of, len(r.pairs)), L*T)
	best := map[string]float64{}
	where := ""
	show := func(key string, p int, c candidate, change ablate.Summary) error {
		if most, seen := best[key]; !seen || change.Mean > most {
			best[key] = change.Mean
			if key == "helix" {
				where = fmt.Sprintf("layer %d at %s", c.layer, columns.Labels[p])
			}
		}
		return r.showCell(key, c.layer*T+p, change)
	}
	for p := T - 1; p >= 0; p-- {
		here := *read
		here.position = p
		trained, err := r.subject(ctx, r.m, &here)
		if err != nil {
			return err
		}
		other, err := r.subject(ctx, blank, &here)
		if err != nil {
			return err
		}
		for l := L - 1; l >= 0; l-- {
			list, keys := []candidate{{layer: l}}, []string{"full"}
			for _, panel := range positionPanels {
				if fit := r.fitAt(trained, &here, l, held, panel.family); fit != nil {
					list, keys = append(list, candidate{l, fit}), append(keys, panel.key)
				}
			}
			r.total += len(list) - 1
			if err := r.measure(ctx, trained, &here, list, func(c candidate, change ablate.Summary) error {
				return show(keys[slices.Index(list, c)], p, c, change)
			}); err != nil {
				return err
			}
			if fit := r.fitAt(other, &here, l, held, probe.HelixFamily); fit != nil {
				r.total++
				if err := r.measure(ctx, other, &here, []candidate{{l, fit}}, func(c candidate, change ablate.Summary) error { return show("untrained", p, c, change) }); err != nil {
					return err
				}
			}
		}
	}
	r.fig.Caption = fmt.Sprintf("No cell has a fit; the largest of the full patch is %.3g.", max(0, best["full"]))
	if where != "" {
		r.fig.Caption = fmt.Sprintf("The helix does most in %s, %.3g; the largest cell of the full patch is %.3g, of a helix of shuffled numbers %.3g, of the untrained model's own helix %.3g. Blank cells have no fit: before its token nothing depends on the number.",
			where, best["helix"], best["full"], best["shuffled"], best["untrained"])
	}
	r.hideMissing()
	return nil
}

// fitAt is the fit of a family in a layer that explains most of what it was made
// from. It is nil for no family, and where nothing depends on the number.
func (r *helixPatchRun) fitAt(s *subject, read *numberReading, layer int, held []int, family probe.Family) *probe.Rival {
	if family == "" {
		return nil
	}
	fits, err := probe.FitRivals(s.sweep.layers[layer], s.sweep.numbers, probe.RivalOptions{Periods: read.periods, Parameters: r.a["parameters"].(int), Families: []probe.Family{family}, HeldOut: held, Seed: r.seed})
	if err != nil {
		return nil
	}
	r.checked(fits.Residual, fits.Normal, fits.Null)
	at, found := bestRival(fits.Fits, family, func(i int) float64 { return fits.Fits[i].Train.R2 })
	if !found {
		return nil
	}
	return &fits.Fits[at]
}

// showCell adds a number to a grid.
func (r *helixPatchRun) showCell(key string, at int, change ablate.Summary) error {
	part := viz.Part{Arrays: []viz.ArrayRun{{Name: key, Offset: at, F32: viz.EncodeFloats([]float32{float32(change.Mean)})}}}
	if r.fig.Arrays[key+"_sem"] != nil {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: key + "_sem", Offset: at, F32: viz.EncodeFloats([]float32{float32(change.SEM)})})
	}
	if s := grow(r.fig.Scales["effect"], []float64{change.Mean}); s != r.fig.Scales["effect"] {
		part.Scales = map[string]viz.Scale{"effect": s}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}
