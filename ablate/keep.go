package ablate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"orrery/models"
)

// KeepOptions are the options of KeepNeurons.
type KeepOptions struct {
	// Order are neurons, of which the first k are kept, for each k of Sizes; nil
	// stands for 0, 1, 2, 4 and so on to all of them.
	Order   []Node
	Sizes   []int
	Metrics []Metric
	Among   []int // ids that accuracy and margin choose from; nil for all
	// Reference are the prompts, of the same length, whose mean at the last position
	// stands for what is not kept; nil for the prompts themselves.
	Reference [][]int
	// Fits, if not nil, are [prompt][len(Order)], what a description says of the
	// neurons' pre-activations: the curve is measured besides with these in the
	// place of their own. A NaN leaves a neuron its own value.
	Fits [][]float32
	// FitLater, if not nil, makes Fits when the other curves have been measured.
	FitLater func(ctx context.Context) ([][]float32, error)
	// Emit, if not nil, is told of each curve and size when all prompts have passed
	// it; what c holds of the others is not there yet.
	Emit func(c *KeepCurves, curve KeepCurve, size int) error
	// Draws is how many sets of neurons of the whole model are drawn by Seed for
	// each size, MinDraws for 0.
	Draws  int
	Seed   uint64
	Budget Budget
}

// KeepCurve names a curve of KeepCurves: KeptOwn, KeptFits, or a random draw,
// counted from KeptRandom on.
type KeepCurve int

// The curves.
const (
	KeptOwn KeepCurve = iota
	KeptFits
	KeptRandom
)

// KeepCurves is the result of KeepNeurons.
type KeepCurves struct {
	Sizes []int
	// Base are the metrics of the runs without edits, [metric][prompt].
	Base [][]float64
	// Own holds the metrics with the first Sizes[i] neurons kept, Fitted with their
	// fits in their place (nil without fits), [size][metric][prompt]; Random those of
	// random neurons, [draw][size][metric][prompt].
	Own, Fitted [][][]float64
	Random      [][][][]float64
	Reference   int // how many prompts the mean is over
	Report      models.Report
}

// KeepNeurons asks how few neurons do what the MLPs do at the last token: all
// others of all layers are set there to their mean over the reference prompts, and
// the metrics say what is left (Kantamneni and Tegmark, "Language Models Use
// Trigonometry to Do Addition", 2025, arXiv 2502.00873, section 5.3, who keep the
// 512 to 4,587 of the largest effect and then put fits in the place of their
// pre-activations). Attention and other positions are left alone. An order is worth
// what it is above random neurons.
//
// Every set and prompt is one variant of a sweep of exact re-runs, a sweep a curve:
// prompts × sizes × (2 + draws) of them, each from the first MLP on at the last
// position.
func KeepNeurons(ctx context.Context, m *models.Model, prompts []Prompt, opt KeepOptions) (*KeepCurves, error) {
	if opt.Draws == 0 {
		opt.Draws = MinDraws
	}
	if opt.Draws < MinDraws {
		return nil, fmt.Errorf("keep neurons: %d random draws are no band: take %d or more", opt.Draws, MinDraws)
	}
	if err := opt.check(m, len(prompts)); err != nil {
		return nil, fmt.Errorf("keep neurons: %w", err)
	}
	run, err := startPrompts(ctx, m, prompts, opt.Metrics)
	if err != nil {
		return nil, fmt.Errorf("keep neurons: %w", err)
	}
	k := keeper{m: m, opt: opt, run: run}
	if err := k.means(ctx); err != nil {
		return nil, fmt.Errorf("keep neurons: %w", err)
	}
	k.draw()
	out, err := k.measure(ctx)
	if err != nil {
		return out, fmt.Errorf("keep neurons: %w", err)
	}
	return out, nil
}

// check refuses what the model cannot keep, and settles the sizes.
func (o *KeepOptions) check(m *models.Model, prompts int) error {
	if err := checkNodes(m, o.Order); err != nil {
		return err
	}
	for _, n := range o.Order {
		if n.Part != NeuronPart {
			return fmt.Errorf("%s is no neuron", n)
		}
	}
	if o.Sizes == nil {
		o.Sizes = KeepSizes(len(o.Order))
	}
	for i, k := range o.Sizes {
		if k < 0 || k > len(o.Order) || i > 0 && k <= o.Sizes[i-1] {
			return fmt.Errorf("sizes %v of %d neurons: 0 to all of them, in ascending order", o.Sizes, len(o.Order))
		}
	}
	return o.checkFits(prompts)
}

func (o *KeepOptions) checkFits(prompts int) error {
	if o.Fits != nil && len(o.Fits) != prompts {
		return fmt.Errorf("%d rows of fits for %d prompts", len(o.Fits), prompts)
	}
	for i, row := range o.Fits {
		if len(row) != len(o.Order) {
			return fmt.Errorf("the fits of prompt %d are of %d neurons, and %d are kept", i, len(row), len(o.Order))
		}
		for j, v := range row {
			if math.IsInf(float64(v), 0) {
				return fmt.Errorf("the fit of %s in prompt %d is %v", o.Order[j], i, v)
			}
		}
	}
	return nil
}

// KeepSizes are 0, 1, 2, 4 and so on, and n itself.
func KeepSizes(n int) []int {
	sizes := []int{0}
	for k := 1; k < n; k *= 2 {
		sizes = append(sizes, k)
	}
	return append(sizes, n)
}

// keeper is one call on its way.
type keeper struct {
	m     *models.Model
	opt   KeepOptions
	run   *promptRun
	mean  [][]float32 // [layer][F], at the last position
	draws [][]Node    // orders of random neurons, as long as Order
}

// means averages the neurons of every layer at the last position.
func (k *keeper) means(ctx context.Context) error {
	ref := reference{prompts: k.opt.Reference}
	if ref.prompts == nil {
		for _, p := range k.run.prompts {
			ref.prompts = append(ref.prompts, p.IDs)
		}
		k.opt.Reference = ref.prompts
	}
	var sites []models.Site
	for l := range k.m.Config.Layers {
		sites = append(sites, models.Site{Layer: l, Kind: models.Post})
	}
	subs, err := newSubstitutes(ctx, k.m, MeanByPos, k.run.prompts, ref, sites)
	if err != nil {
		return err
	}
	for _, s := range sites {
		x, err := subs.value(s, 0)
		if err != nil {
			return err
		}
		k.mean = append(k.mean, x.Sub(subs.T-1).Data)
	}
	return nil
}

// draw makes the random orders, of neurons of all layers.
func (k *keeper) draw() {
	rng := rand.New(rand.NewPCG(k.opt.Seed, 6))
	F := k.m.Config.MLPWidth
	for range k.opt.Draws {
		all := rng.Perm(k.m.Config.Layers * F)[:len(k.opt.Order)]
		var order []Node
		for _, i := range all {
			order = append(order, Node{NeuronPart, i / F, i % F})
		}
		k.draws = append(k.draws, order)
	}
}

// edits set all neurons but the kept ones to their means, and those of row to their
// fits where row is not below 0.
func (k *keeper) edits(kept []Node, row int) (edits []models.Edit) {
	at := make([]map[int]int, k.m.Config.Layers) // of a kept neuron, its place in the order
	for i, n := range kept {
		if at[n.Layer] == nil {
			at[n.Layer] = map[int]int{}
		}
		at[n.Layer][n.Index] = i
	}
	for l, mean := range k.mean {
		var others, own []int
		var values, fits []float32
		for i, v := range mean {
			place, stays := at[l][i]
			switch {
			case !stays:
				others, values = append(others, i), append(values, v)
			case row >= 0 && k.opt.Fits[row][place] == k.opt.Fits[row][place]:
				own, fits = append(own, i), append(fits, k.opt.Fits[row][place])
			}
		}
		if own != nil {
			edits = append(edits, models.Edit{Site: models.Site{Layer: l, Kind: models.Pre}.String(), Positions: []int{-1}, Neurons: own, Op: models.Set, Value: models.List(fits...)})
		}
		if others != nil {
			edits = append(edits, models.Edit{Site: models.Site{Layer: l, Kind: models.Post}.String(), Positions: []int{-1}, Neurons: others, Op: models.Set, Value: models.List(values...)})
		}
	}
	return edits
}

// keptLine is a curve that is measured.
type keptLine struct {
	curve KeepCurve
	order []Node
	into  [][][]float64
}

// measure runs all sets, those of fits last.
func (k *keeper) measure(ctx context.Context) (*KeepCurves, error) {
	out := &KeepCurves{Sizes: k.opt.Sizes, Base: k.run.measureBase(k.opt.Metrics, k.opt.Among), Reference: len(k.opt.Reference)}
	values := func() (v [][][]float64) {
		for range k.opt.Sizes {
			v = append(v, newValues(len(k.opt.Metrics), len(k.run.prompts)))
		}
		return v
	}
	out.Own = values()
	lines := []keptLine{{KeptOwn, k.opt.Order, out.Own}}
	for i, order := range k.draws {
		out.Random = append(out.Random, values())
		lines = append(lines, keptLine{KeptRandom + KeepCurve(i), order, out.Random[i]})
	}
	for _, line := range lines {
		if err := k.sweep(ctx, out, line); err != nil {
			return out, err
		}
	}
	if k.opt.FitLater != nil {
		var err error
		if k.opt.Fits, err = k.opt.FitLater(ctx); err != nil {
			return out, err
		}
		if err := k.opt.checkFits(len(k.run.prompts)); err != nil {
			return out, err
		}
	}
	if k.opt.Fits == nil {
		return out, nil
	}
	out.Fitted = values()
	return out, k.sweep(ctx, out, keptLine{KeptFits, k.opt.Order, out.Fitted})
}

// sweep measures a line: one at a time, since writing thousands of edits down takes
// as long as the runs, and the first number need not wait for all.
func (k *keeper) sweep(ctx context.Context, out *KeepCurves, line keptLine) error {
	shared := map[int][]models.Edit{} // of sets that are alike in every prompt
	budget := k.opt.Budget
	if budget.Variants == 0 { // sets share nothing that writing more of them down would find
		budget.Variants = 2 * len(k.run.prompts)
	}
	report, err := grid{
		base: k.run.base, need: models.Need{Last: true}, vocab: k.m.Config.Outputs(), cells: len(k.opt.Sizes),
		edits: func(cell, row int) ([]models.Edit, error) {
			kept := line.order[:k.opt.Sizes[cell]]
			if line.curve == KeptFits {
				return k.edits(kept, row), nil
			}
			if _, ok := shared[cell]; !ok {
				shared[cell] = slices.Clip(k.edits(kept, -1))
			}
			return shared[cell], nil
		},
		width: len(k.opt.Metrics),
		measure: func(_, row int, logits []float32, into []float64) {
			copy(into, k.run.measure(k.opt.Metrics, k.opt.Among, row, logits))
		},
		take: func(cell, row int, numbers []float64) {
			for i, v := range numbers {
				line.into[cell][i][row] = v
			}
		},
		done: func(cell int) error {
			if k.opt.Emit == nil {
				return nil
			}
			return k.opt.Emit(out, line.curve, cell)
		},
	}.sweep(ctx, budget)
	out.Report = out.Report.Plus(report)
	return err
}
