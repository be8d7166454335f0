package analysis

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

func helixPatch() Analysis {
	params := append([]Param{
		{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
		promptsParam("the prompts that fits are made from, or pairs of base (clean) and source (corrupted)"),
		{Name: "show", Type: TypeChoice, Default: "layers", Choices: []string{"layers", "parameters", "positions", "periods"},
			Help: "layers: every family by layer; parameters: by the size of the fit, over the mean of the layers; positions: full patch, helix, helix of shuffled numbers and of an untrained model at every token of every layer; periods: parts of the helix taken away in every layer, and the kind of error that follows"},
		parametersParam("of every fit, a number: 3, 5, 7 or 9; the helix and the circle of each set of so many periods are tried, and the one of the best mean over layers is drawn; 0 for all periods"),
		metricParam("logit_change", "what is measured of the source's answer r; below_top's change is the paper's LD_max"),
		{Name: "pairs", Type: TypeInt, Default: 100, Bounds: atLeast(1), Unit: "pairs", Help: "how many pairs of prompts are patched, the source's number one that no fit has seen"},
	}, numberParams("a")...)
	return Analysis{
		Name: "helix_patch", Title: "What a helix does in place of a number", Version: 1,
		Summary: "replaces activations by what a helix says of another number, beside the full patch and rivals of equal size",
		Paper:   helixPaper,
		Example: `helix_patch(load("mental-2op"), n=300, pairs=20)`,
		Params:  append(params, setParams("{a}+{b}=", 1000)...),
		Run:     runHelixPatch,
	}
}

// helixPatchRun is one call on its way.
type helixPatchRun struct {
	m      *models.Model
	a      Args
	emit   Emit
	seed   uint64
	metric ablate.Metric
	from   *BoundPrompts
	set    *ablate.PromptSet
	pairs  []ablate.Contrast
	fig    *viz.Figure
	report models.Report
	fitChecks
	edited      exactness // of the runs without a change
	done, total int
}

func runHelixPatch(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &helixPatchRun{m: a["m"].(*models.Model), a: a, emit: emit}
	if err := settleParameters(a); err != nil {
		return nil, err
	}
	var err error
	if r.from, err = promptsOf(ctx, r.m, a); err != nil {
		return nil, err
	}
	r.set, r.seed = r.from.Set, r.from.seed()
	draw := map[string]func(context.Context) error{"layers": r.layers, "parameters": r.parameters, "positions": r.positions, "periods": r.periods}
	if err := draw[a["show"].(string)](ctx); err != nil {
		return r.fig, err
	}
	if a["show"].(string) == "periods" {
		r.fig.Badges = r.badges()
		r.fig.Caption += fmt.Sprintf(" Prompts: %s.", r.from.Report())
	} else {
		r.finish()
	}
	emit.Figure(r.fig)
	return r.fig, nil
}

// contrasts makes pairs for a reading.
func (r *helixPatchRun) contrasts(ctx context.Context, read *numberReading, held []int) (err error) {
	if r.pairs, err = unseenPairs(ctx, r.from, read, held, r.a["pairs"].(int)); err != nil {
		return err
	}
	r.metric, err = metricOf(r.a, r.pairs)
	return err
}

// unseenPairs gives prompts of a set a partner whose first number is held out and
// not their own, and whose other numbers some prompt of the set has: sources that
// fits can be asked of and have not seen.
func unseenPairs(ctx context.Context, from *BoundPrompts, read *numberReading, held []int, want int) (out []ablate.Contrast, err error) {
	operand := -1
	switch read.names[0] {
	case "a":
		operand = 0
	case "b":
		operand = 1
	}
	known := make([]map[int]bool, len(read.names))
	for i := range known {
		known[i] = map[int]bool{}
	}
	for _, p := range from.Set.Prompts {
		for i, v := range read.values(p) {
			known[i][v] = true
		}
	}
	useful := func(c ablate.Contrast) bool {
		source := read.values(c.Corrupted)
		_, unseen := slices.BinarySearch(held, source[0])
		for i, v := range source {
			unseen = unseen && known[i][v]
		}
		return unseen && read.values(c.Clean)[0] != source[0]
	}
	looked := 0
	if from.Contrasts == nil {
		if out, looked, err = ablate.FirstContrasts(ctx, from.Model, from.Set, ablate.ChangeOperand, operand, from.seed(), want, useful); err != nil {
			return nil, err
		}
	} else {
		for _, c := range from.Contrasts.Contrasts {
			if len(c.Corrupted.Operands) != len(c.Clean.Operands) {
				return nil, &hintError{fmt.Sprintf("the operands of %q are not known: no fit can be asked of it", c.Corrupted.Text), "make the partners from a template"}
			}
			if looked++; len(out) < want && useful(c) {
				out = append(out, c)
			}
		}
	}
	if len(out) == 0 {
		return nil, &hintError{fmt.Sprintf("none of %d pairs has a source whose %s is one of the %d values that are held out", looked, read.names[0], len(held)), "take a larger n, or a wider range of " + read.names[0]}
	}
	return out, nil
}

// subject is a model under test: the trained one, or the untrained one beside it.
type subject struct {
	m       *models.Model
	sweep   *numberSweep // what is fitted
	sources *numberSweep // of the pairs
}

func (r *helixPatchRun) subject(ctx context.Context, m *models.Model, read *numberReading) (*subject, error) {
	s := &subject{m: m}
	var err error
	if s.sweep, err = read.sweep(ctx, m, read.distinct(r.set.Prompts)); err != nil {
		return nil, err
	}
	var sources []ablate.Prompt
	for _, c := range r.pairs {
		sources = append(sources, c.Corrupted)
	}
	s.sources, err = read.sweep(ctx, m, sources)
	return s, err
}

// candidate is a fit in a layer, nil for the source's own activation.
type candidate struct {
	layer int
	rival *probe.Rival
}

// candidates fits every layer of a subject; the full patch of each comes first.
func (r *helixPatchRun) candidates(ctx context.Context, s *subject, read *numberReading, parameters int, held []int, families ...probe.Family) (out []candidate, err error) {
	for l := range s.m.Config.Layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fits, err := probe.FitRivals(s.sweep.layers[l], s.sweep.numbers, probe.RivalOptions{Periods: read.periods, Parameters: parameters, Families: families, HeldOut: held, Seed: r.seed})
		if err != nil {
			return nil, fmt.Errorf("layer %d: %w", l, fewNumbers(err))
		}
		r.checked(fits.Residual, fits.Normal, fits.Null)
		out = append(out, candidate{layer: l})
		for i := range fits.Fits {
			out = append(out, candidate{l, &fits.Fits[i]})
		}
	}
	return out, nil
}

// standIn puts a candidate's values in its place.
func (r *helixPatchRun) standIn(s *subject, read *numberReading, c candidate) (ablate.StandIn, error) {
	put := ablate.Put{Place: ablate.Place{Site: read.site(c.layer), Head: -1, Position: read.position}}
	name := "the full patch"
	if c.rival != nil {
		name = fmt.Sprintf("%s of %d parameters", c.rival.Family, c.rival.Parameters)
		for i := range r.pairs {
			numbers := make([]int, len(s.sources.numbers))
			for k, n := range s.sources.numbers {
				numbers[k] = n.Values[i]
			}
			x, err := c.rival.At(s.sources.layers[c.layer].RawRowView(i), numbers...)
			if err != nil {
				return ablate.StandIn{}, err
			}
			put.Values = append(put.Values, narrow(x))
		}
	}
	return ablate.StandIn{Name: fmt.Sprintf("%s in layer %d", name, c.layer), Puts: []ablate.Put{put}}, nil
}

// measure runs candidates in place of what the base runs have; each is called
// with its change of the metric, the deepest layers first.
func (r *helixPatchRun) measure(ctx context.Context, s *subject, read *numberReading, list []candidate, each func(c candidate, change ablate.Summary) error) error {
	var pairs []ablate.Pair
	for _, c := range r.pairs {
		p, err := c.Pair(ablate.Noise)
		if err != nil {
			return err
		}
		pairs = append(pairs, p)
	}
	var standIns []ablate.StandIn
	for _, c := range list {
		in, err := r.standIn(s, read, c)
		if err != nil {
			return err
		}
		standIns = append(standIns, in)
	}
	var e *ablate.StandInEffects
	opt := ablate.StandInOptions{Metrics: []ablate.Metric{r.metric}, Started: func(started *ablate.StandInEffects) error {
		e = started
		return nil
	}}
	_, err := ablate.StandIns(ctx, s.m, pairs, standIns, opt, func(i int) error {
		r.done++
		r.emit.Progress(r.done, r.total, "fits")
		return each(list[i], e.Change(i, 0))
	})
	if e != nil {
		r.report = r.report.Plus(e.Report)
	}
	if err == nil {
		r.edited.add(e)
	}
	return err
}

// begin shows the figure before its first number.
func (r *helixPatchRun) begin(fig *viz.Figure, subtitle string, total int) {
	r.fig, r.total = fig, total
	fig.Title = "What a helix does in place of a number"
	fig.Subtitle = subtitle
	var ids [][]int
	for _, c := range r.pairs {
		ids = append(ids, c.Clean.IDs, c.Corrupted.IDs)
	}
	fig.Provenance = provenance(r.m, "helix_patch", 1, r.a, ids...)
	r.from.describe(fig)
	if n := len(r.pairs); n > 0 {
		errorsOver(fig, n, viz.Student)
	}
	r.emit.Figure(fig)
	r.emit.Progress(0, total, "fits")
}

// finish adds badges, and what was run.
func (r *helixPatchRun) finish() {
	r.fig.Badges = append(append(r.edited.badges(), sweepBadge(r.report)), r.badges()...)
	r.fig.Caption += fmt.Sprintf(" Prompts: %s. %s", r.from.Report(), sweepSentence(r.report))
}

// ratio writes x/y as a share, or says that there is nothing to divide by.
func ratio(x, y float64) string {
	if !(math.Abs(y) >= ablate.MinDenominator) {
		return "no share of a full patch that does nothing"
	}
	return fmt.Sprintf("%.0f %% of the full patch", math.Round(100*x/y)+0)
}
