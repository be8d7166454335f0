package analysis

import (
	"context"
	"math/rand/v2"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/tensor"
	"orrery/probe"
	"orrery/viz"
)

func fourierFilter() Analysis {
	return Analysis{
		Name: "fourier_filter", Title: "Fourier filters", Version: 1,
		Summary: "takes the slow, the fast or all but one of the waves over the numbers from what components write, and sorts the errors that follow",
		Paper:   "Zhou, Fu, Sharan, Jia, Pre-trained Large Language Models Use Fourier Features to Compute Addition, NeurIPS 2024, arXiv 2406.03445",
		Example: `fourier_filter(load("mental-2op"), period=10, numbers=100)`,
		Params: append(append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model; its numbers must be single tokens"},
			promptsParam("single prompts whose answers are among the numbers"),
			{Name: "period", Type: TypeFloat, Default: 10.0, Bounds: atLeast(2), Unit: "numbers", Help: "where the filters cut, 2 or more and one of the basis: low-pass keeps longer periods, high-pass this and shorter ones, single this one"},
			{Name: "components", Type: TypeStrings, Default: []string{"attn", "mlp"}, Help: "whose outputs are filtered in the curve, any set of them: " + componentHelp},
			{Name: "layers", Type: TypeStrings, Default: []string{}, Index: "layers", Help: "the layers of whole kinds that are filtered, [\"0\", \"3\"]; left out, all"},
			{Name: "positions", Type: TypeChoice, Default: "last", Choices: []string{"last", "all"}, Help: "where outputs are filtered: at the last token, as in the paper, or at all"},
			{Name: "gain", Type: TypeBool, Default: true, Help: "waves as the final norm's gain lets them through; False is the raw unembedding, as in the paper"},
		}, spaceParams()...), setParams("{a}{op}{b}=", 200)...),
		Run: runFourierFilter,
	}
}

// filterRun is one call on its way.
type filterRun struct {
	m     *models.Model
	a     Args
	emit  Emit
	space *numberSpace
	seed  uint64
	k     int // the frequency of the period

	from     *BoundPrompts
	set      *ablate.PromptSet
	number   map[int]int // the number of each token
	right    []int
	w        *mat.Dense               // the read-out, [P, D]
	shuffled *mat.Dense               // and with its numbers in another order
	kinds    map[string][]ablate.Node // attn and mlp, in the chosen layers
	chosen   []ablate.Node            // the components of the curve
	single   bool                     // some of them were named one by one
	table    []*condition             // the chosen period: bands by components, controls
	curve    []*condition             // len(curveSeries) conditions a cut
	cuts     []int                    // the frequencies of the curve's points
	fig      *viz.Figure
	done     int // conditions
}

func runFourierFilter(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &filterRun{m: a["m"].(*models.Model), a: a, emit: emit}
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	if err := r.conditions(); err != nil {
		return nil, err
	}
	r.begin()
	if err := r.measure(ctx); err != nil {
		return r.fig, err
	}
	if err := r.badges(ctx); err != nil {
		return r.fig, err
	}
	emit.Figure(r.fig)
	return r.fig, nil
}

// read checks the parameters and makes the prompts.
func (r *filterRun) read(ctx context.Context) (err error) {
	r.seed = seedOf(r.a)
	if r.space, err = newNumberSpace(r.m, r.a); err != nil {
		return err
	}
	if r.k, err = r.space.frequency(r.a["period"].(float64)); err != nil {
		return err
	}
	if err := r.components(); err != nil {
		return err
	}
	if r.from, r.right, err = r.space.answered(ctx, r.a); err != nil {
		return err
	}
	r.set, r.number = r.from.Set, r.space.numbers()
	r.w = r.space.readout(r.a["gain"].(bool))
	r.shuffled = shuffled(r.w, rand.New(rand.NewPCG(r.seed, 3)))
	return nil
}

// condition is one way to filter.
type condition struct {
	name    string
	band    probe.Band
	control bool // waves over the numbers in another order
	bars    bool // its errors are drawn as bars, too
	nodes   []ablate.Node

	filter *probe.Filter // nil when it was refused, as it would leave nothing
}

// curvePoints is about how many cuts the curve has.
const curvePoints = 24

// conditions makes what will be compared: a table of bands by components at the
// chosen period, and the curve of both bands over all cuts. Filters that leave
// nothing are refused; the call is, when all of its period are.
func (r *filterRun) conditions() error {
	sets := r.sets()
	for _, band := range []probe.Band{probe.LowPass(r.k), probe.HighPass(r.k), probe.SinglePass(r.k)} {
		name := band.Name[:strings.LastIndexByte(band.Name, ' ')]
		for _, set := range sets {
			r.table = append(r.table, &condition{name: name + ", " + set.name, band: band, nodes: set.nodes})
		}
		last := r.table[len(r.table)-1]
		last.bars = true
		r.table = append(r.table, &condition{name: last.name + ", shuffled", band: band, nodes: last.nodes, control: true})
	}
	var refusal error
	kept := 0
	for _, c := range r.table {
		if err := r.build(c); err != nil {
			refusal = err
		} else if c.filter.Waves > 0 {
			kept++
		}
	}
	if kept == 0 && refusal != nil {
		return &hintError{refusal.Error(), "take fewer numbers, so that the waves to remove are fewer than the dimensions of the model, or another period"}
	}
	most := r.space.basis.Highest()
	r.cuts = []int{1, r.k, most}
	for i := range curvePoints {
		r.cuts = append(r.cuts, 1+i*(most-1)/(curvePoints-1))
	}
	slices.Sort(r.cuts)
	r.cuts = slices.Compact(r.cuts)
	for _, k := range r.cuts {
		for i := range curveSeries {
			band := probe.LowPass(k)
			if i >= 2 {
				band = probe.HighPass(k)
			}
			c := &condition{name: band.Name, band: band, nodes: r.chosen, control: i%2 == 1}
			_ = r.build(c) // a refusal leaves a gap in the curve
			r.curve = append(r.curve, c)
		}
	}
	return nil
}

// build makes a condition's filter.
func (r *filterRun) build(c *condition) (err error) {
	w := r.w
	if c.control {
		w = r.shuffled
	}
	c.filter, err = probe.NewFilter(r.space.basis, w, c.band)
	return err
}

// projection is a condition as edits.
func (r *filterRun) projection(c *condition) ablate.Projection {
	p := ablate.Projection{Name: c.name, Nodes: c.nodes}
	if r.a["positions"].(string) == "last" {
		p.Positions = []int{-1}
	}
	if d := c.filter.Directions(); d != nil {
		rows, width := d.Dims()
		p.Directions = tensor.From(narrow(d.RawMatrix().Data), rows, width)
	}
	return p
}

// measure runs the conditions in order and shows each when it is done.
func (r *filterRun) measure(ctx context.Context) error {
	accuracy, err := ablate.MetricByName("accuracy")
	if err != nil {
		return err
	}
	var projections []ablate.Projection
	var at []int // the place of each in table and curve
	for i, c := range slices.Concat(r.table, r.curve) {
		if c.filter != nil {
			projections, at = append(projections, r.projection(c)), append(at, i)
		}
	}
	return ablate.Project(ctx, r.m, r.set.Prompts, projections, []ablate.Metric{accuracy}, func(i int, p ablate.Projected) error {
		mean := ablate.Summarise(p.Values[0]).Mean
		if i < 0 {
			return r.showPlain(mean)
		}
		if at[i] >= len(r.table) {
			return r.showPoint(at[i]-len(r.table), mean)
		}
		errors, err := r.classify(p.Tops)
		if err != nil {
			return err
		}
		return r.showRow(at[i], errors)
	})
}

// classify sorts answers by their kind of error.
func (r *filterRun) classify(tops []int) (*probe.NumberErrors, error) {
	given, read := make([]int, len(tops)), make([]bool, len(tops))
	for i, id := range tops {
		given[i], read[i] = r.number[id], true
		if _, ok := r.number[id]; !ok {
			read[i] = false
		}
	}
	return probe.ClassifyErrors(r.right, given, read)
}
