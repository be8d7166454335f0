package analysis

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

// patchLines are the lines of the causal test, with the family of each: those
// of the fits in their order, so that each has its colour, then the ceiling.
var patchLines = append(slices.Clone(helixLines), struct {
	key    string
	family probe.Family
}{"full", "full patch"})

// tried is the change of one fit by layer.
type tried struct {
	fit    probe.Compared
	change map[int]ablate.Summary
}

// mean is over the layers.
func (t *tried) mean() float64 {
	sum := 0.0
	for _, s := range t.change {
		sum += s.Mean
	}
	return sum / float64(len(t.change))
}

// trials are all fits of a subject, in the order of their first candidate.
type trials struct {
	order []string
	of    map[string]*tried
}

func (t *trials) add(c candidate, change ablate.Summary) {
	key, fit := "full", probe.Compared{Family: "full patch"}
	if c.rival != nil {
		fit = c.rival.Compared
		key = fmt.Sprint(fit.Family, fit.Parameters, fit.Periods)
	}
	if t.of[key] == nil {
		t.order = append(t.order, key)
		t.of[key] = &tried{fit: fit, change: map[int]ablate.Summary{}}
	}
	t.of[key].change[c.layer] = change
}

// best is the fit of a family and size with the largest mean over layers: the
// argmax over all sets of periods.
func (t *trials) best(family probe.Family, parameters int) *tried {
	var best *tried
	for _, key := range t.order {
		f := t.of[key]
		if f.fit.Family == family && (family == "full patch" || parameters == f.fit.Parameters) && (best == nil || f.mean() > best.mean()) {
			best = f
		}
	}
	return best
}

// prepare reads the numbers, makes the pairs and both subjects.
func (r *helixPatchRun) prepare(ctx context.Context) (read *numberReading, held []int, err error) {
	if read, err = readNumbers(r.m, r.a, r.set); err != nil {
		return nil, nil, err
	}
	var first []int
	for _, p := range read.distinct(r.set.Prompts) {
		first = append(first, read.values(p)[0])
	}
	held = probe.HoldOutNumbers(first, 0.25, r.seed)
	return read, held, r.contrasts(ctx, read, held)
}

// subtitle says what is put where.
func (r *helixPatchRun) subtitle(read *numberReading) string {
	return fmt.Sprintf("%s when %s is set to the fit by %s at the source's number, which no fit has seen · n = %d pairs", changeOf(r.metric), read.where(), read.of, len(r.pairs))
}

// changeScale is the metric's change as a height.
func (r *helixPatchRun) changeScale() viz.Scale {
	return viz.Scale{Kind: viz.ScaleLinear, Hi: 1e-3, Label: changeOf(r.metric), Unit: r.metric.Unit, Format: "%.3g"}
}

// layers draws every family by layer.
func (r *helixPatchRun) layers(ctx context.Context) error {
	read, held, err := r.prepare(ctx)
	if err != nil {
		return err
	}
	L, parameters := r.m.Config.Layers, r.a["parameters"].(int)
	sets := setsOf(len(read.periods), parameters)
	var lines [][2]string
	for _, line := range patchLines {
		lines = append(lines, [2]string{line.key, rivalName(probe.Compared{Family: line.family}, sets)})
	}
	lines = append(lines, [2]string{"untrained", "helix, untrained model"}, [2]string{"untrained_full", "full patch, untrained model"})
	fig := layerLines(L, r.changeScale(), lines, "shuffled", "untrained", "untrained_full")
	withErrors(fig, L)
	r.begin(fig, r.subtitle(read)+fmt.Sprintf(" · %d parameters a number", parameters), L*(3*sets+6))
	if err := r.ceiling(ctx, read); err != nil {
		return err
	}
	t, err := r.test(ctx, r.m, read, held, parameters, func(c candidate, change ablate.Summary) error {
		if key := lineOf(c); key != "" && (sets == 1 || key != "helix" && key != "circle") {
			return r.showChange(key, c.layer, change)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if sets > 1 {
		for _, key := range []string{"helix", "circle"} {
			for l, change := range t.best(probe.Family(key), parameters).change {
				if err := r.showChange(key, l, change); err != nil {
					return err
				}
			}
		}
	}
	blank, err := r.untrainedTrials(ctx, read, held, parameters, func(c candidate, change ablate.Summary) error {
		if c.rival == nil {
			return r.showChange("untrained_full", c.layer, change)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for l, change := range blank.best(probe.HelixFamily, parameters).change {
		if err := r.showChange("untrained", l, change); err != nil {
			return err
		}
	}
	r.fig.Caption = r.sentence(t, parameters)
	r.hideMissing()
	return nil
}

// ceiling draws the full patch before anything is fitted. The sweep of all fits
// measures it again, beside them, and the figure counts what that computes only.
func (r *helixPatchRun) ceiling(ctx context.Context, read *numberReading) error {
	defer func() { r.report = models.Report{} }()
	return r.full(ctx, read, func(c candidate, change ablate.Summary) error { return r.showChange("full", c.layer, change) })
}

// untrainedTrials tests the untrained model with its own helix.
func (r *helixPatchRun) untrainedTrials(ctx context.Context, read *numberReading, held []int, parameters int, each func(candidate, ablate.Summary) error) (*trials, error) {
	blank, err := untrained(r.m, r.seed)
	if err != nil {
		return nil, err
	}
	return r.test(ctx, blank, read, held, parameters, each, probe.HelixFamily)
}

// test measures the fits of some families, or of all, and the full patch.
func (r *helixPatchRun) test(ctx context.Context, m *models.Model, read *numberReading, held []int, parameters int, each func(candidate, ablate.Summary) error, families ...probe.Family) (*trials, error) {
	s, err := r.subject(ctx, m, read)
	if err != nil {
		return nil, err
	}
	list, err := r.candidates(ctx, s, read, parameters, held, families...)
	if err != nil {
		return nil, err
	}
	t := &trials{of: map[string]*tried{}}
	for _, c := range list { // fixes the order, whatever comes first
		t.add(c, ablate.Summary{})
	}
	return t, r.measure(ctx, s, read, list, func(c candidate, change ablate.Summary) error {
		t.add(c, change)
		return each(c, change)
	})
}

// lineOf is the line that a candidate belongs to.
func lineOf(c candidate) string {
	if c.rival == nil {
		return "full"
	}
	for _, line := range helixLines {
		if line.family == c.rival.Family {
			return line.key
		}
	}
	return ""
}

// withErrors gives every line its standard errors.
func withErrors(fig *viz.Figure, n int) {
	for i := range fig.Lines.Series {
		s := &fig.Lines.Series[i]
		s.Errors = s.Y + "_sem"
		fig.Arrays[s.Errors] = viz.NewArray(fig.Arrays[s.Y].Axes, n)
	}
}

// showChange adds a number to a line.
func (r *helixPatchRun) showChange(key string, at int, change ablate.Summary) error {
	part := viz.Part{Arrays: []viz.ArrayRun{{Name: key, Offset: at, F32: viz.EncodeFloats([]float32{float32(change.Mean)})}}}
	if r.fig.Arrays[key+"_sem"] != nil {
		part.Arrays = append(part.Arrays, viz.ArrayRun{Name: key + "_sem", Offset: at, F32: viz.EncodeFloats([]float32{float32(change.SEM)})})
	}
	if s := widen(r.fig.Scales["y"], reach(r.fig, change.Mean, change.SEM)); s != r.fig.Scales["y"] {
		part.Scales = map[string]viz.Scale{"y": s}
	}
	if err := r.fig.Apply(part); err != nil {
		return err
	}
	r.emit.Part(part)
	return nil
}

// hideMissing marks what has no fit: PCA where there are fewer components.
func (r *helixPatchRun) hideMissing() {
	for a := range maps.Values(r.fig.Arrays) {
		for i, s := range a.State {
			if s == viz.Pending {
				a.State[i] = viz.Blank
			}
		}
	}
}

// sentence says what each family does of the full patch, over the mean of the
// layers.
func (r *helixPatchRun) sentence(t *trials, parameters int) string {
	full := t.best("full patch", 0)
	text := fmt.Sprintf("Over the mean of the layers the %s is %.3g for the full patch", changeOf(r.metric), full.mean())
	for _, line := range helixLines {
		f := t.best(line.family, parameters)
		if f == nil {
			continue
		}
		name := rivalName(f.fit, 1)
		if len(f.fit.Periods) > 0 && line.family != probe.ShuffledFamily {
			name += " of periods " + periodList(f.fit.Periods)
		}
		text += fmt.Sprintf(", %.3g for the %s (%s)", f.mean(), name, ratio(f.mean(), full.mean()))
	}
	return text + "."
}
