package analysis

import (
	"context"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"orrery/ablate"
	"orrery/models"
	"orrery/probe"
	"orrery/viz"
)

func neuronFits() Analysis {
	return Analysis{
		Name: "neuron_fits", Title: "What neurons compute of two numbers", Version: 1,
		Summary: "fits pre-activations over all pairs of operands by waves in a, b and a+b, and shows what those neurons write to the number tokens",
		Paper:   helixPaper,
		Example: `neuron_fits(load("mental-2op"), hi=20, n=100, pairs=10, top=8)`,
		Params: append([]Param{
			{Name: "m", Type: TypeModel, Required: true, Help: "the model"},
			{Name: "top", Type: TypeInt, Default: 0, Bounds: atLeast(0), Unit: "neurons", Help: "how many neurons of all layers, those of the largest effect on the answer by attribution patching; 0 for one in a hundred, as in the paper, and for keep for all, as far as memory allows"},
			{Name: "tiles", Type: TypeInt, Default: 2, Bounds: between(0, 8), Unit: "neurons", Help: "how many of them are drawn over the operands, beside their fits"},
			{Name: "pairs", Type: TypeInt, Default: 100, Bounds: atLeast(1), Unit: "pairs", Help: "how many pairs of prompts the effects are averaged over"},
			{Name: "periods", Type: TypeFloats, Default: probe.DefaultPeriods(), Bounds: periodBounds(), Help: "of the waves"},
			{Name: "show", Type: TypeChoice, Default: "fits", Choices: []string{"fits", "keep"},
				Help: "fits: what waves explain of each neuron, on pairs that were held out, too, and what the neurons write; keep: how much of the answer is left when only the first k neurons keep their values, or their fits, and all others are set to their mean"},
			{Name: "order", Type: TypeChoice, Default: "effect", Choices: []string{"effect", "fit"}, Help: "which neurons keep keeps first: those of the largest effect, as in the paper, or those of the best fit on pairs held out"},
		}, setParams("{a}+{b}=", 400)...),
		Run: runNeuronFits,
	}
}

// neuronFitsRun is one call on its way.
type neuronFitsRun struct {
	m       *models.Model
	a       Args
	emit    Emit
	seed    uint64
	from    *BoundPrompts
	read    *numberReading // of a and b at the last token
	space   *numberSpace
	grid    []ablate.Prompt // row a·B + b
	side    int             // how many values an operand has
	lo      int
	neurons []ablate.Node // of the largest effect first
	held    []int         // rows of the grid that no fit sees
	scores  []float64     // by attribution
	effects []float64     // exact
	report  models.Report
	edited  exactness
	fig     *viz.Figure
	made    string
	ranked  []ablate.Contrast // that neurons are ranked by
	pairs   []ablate.Contrast // those of them whose sources no fit sees
	metric  ablate.Metric
	drawn   []int // of each size, how many random draws have been kept
	sets    int   // of neurons that have been kept
	done    int
}

func runNeuronFits(ctx context.Context, a Args, emit Emit) (*viz.Figure, error) {
	r := &neuronFitsRun{m: a["m"].(*models.Model), a: a, emit: emit, lo: a["lo"].(int), side: a["hi"].(int) - a["lo"].(int)}
	if err := r.start(ctx); err != nil {
		return nil, err
	}
	if err := r.rank(ctx); err != nil {
		return nil, err
	}
	r.holdOut()
	run, begin := r.fit, r.begin
	if a["show"].(string) == "keep" {
		run, begin = r.keep, r.beginKeep
	}
	begin()
	if err := run(ctx); err != nil {
		return r.fig, err
	}
	emit.Figure(r.fig)
	return r.fig, nil
}

// start checks the parameters and makes the prompts whose pairs neurons are ranked by.
func (r *neuronFitsRun) start(ctx context.Context) (err error) {
	neurons := r.m.Config.Layers * r.m.Config.MLPWidth
	if top := r.a["top"].(int); top < 0 || top > neurons {
		return &hintError{fmt.Sprintf("top: %d is outside 0..%d", top, neurons), "0 takes one in a hundred"}
	}
	if r.side < 1 {
		return &hintError{fmt.Sprintf("lo and hi: no number is from %d up to, without, %d", r.lo, r.lo+r.side), "take a hi above lo"}
	}
	if r.side > 200 {
		return &hintError{fmt.Sprintf("lo and hi: a grid of %d by %d prompts", r.side, r.side), "200 by 200 is the largest grid"}
	}
	r.seed = seedOf(r.a)
	if r.space, err = newNumberSpace(r.m, Args{"basis": "dft", "numbers": 0}); err != nil {
		return err
	}
	if r.from, err = singlesOf(ctx, r.m, r.a); err != nil {
		return err
	}
	r.read, err = readNumbers(r.m, Args{"of": "a,b", "at": "last", "site": "auto", "periods": r.a["periods"]}, r.from.Set)
	return err
}

// cells is how many pairs of operands the grid has.
func (r *neuronFitsRun) cells() int { return r.side * r.side }

// list makes the prompts of the grid. No number of the ranking needs them.
func (r *neuronFitsRun) list(ctx context.Context) error {
	all, err := ablate.Prompts(ctx, r.m, templateOf(r.a), ablate.SetOptions{Keep: ablate.KeepAll})
	if err != nil {
		return err
	}
	if r.grid = all.Prompts; len(r.grid) != r.cells() {
		return &hintError{fmt.Sprintf("the template leaves %d prompts of the grid's %d by %d: %s", len(r.grid), r.side, r.side, all.Report()), "take a template of two operands without {op}, and a range in which every prompt has one form and one-token answers"}
	}
	slices.SortFunc(r.grid, func(p, q ablate.Prompt) int { return slices.Compare(p.Operands, q.Operands) })
	return nil
}

// rank finds the neurons of the largest mean effect by attribution patching: the
// first-order estimate of what setting them to the source's value does to the
// logit of the source's answer, at the last token.
func (r *neuronFitsRun) rank(ctx context.Context) error {
	contrasts, _, err := ablate.FirstContrasts(ctx, r.m, r.from.Set, ablate.ChangeOperand, -1, r.seed, r.a["pairs"].(int), func(ablate.Contrast) bool { return true })
	if err != nil {
		return err
	}
	metric, err := ablate.MetricByName("logit_change")
	if err != nil {
		return err
	}
	sweep := ablate.PatchSweep{Name: "neurons", Site: "mlp.hook_post", Axes: []string{"layer", "pos", "d_mlp"}}
	p, err := ablate.AttributionPatch(ctx, r.m, contrasts, ablate.PatchOptions{Sweeps: []ablate.PatchSweep{sweep}, Metric: metric})
	if err != nil {
		return err
	}
	r.ranked, r.metric = contrasts, metric
	r.made = fmt.Sprintf("%d pairs, one operand changed; %s", len(contrasts), r.from.Report())
	g := &p.Grids[0]
	T, F := g.Shape[1], g.Shape[2]
	for l := range r.m.Config.Layers {
		for i := range F {
			sum := 0.0
			for pair, v := range g.Values {
				sum += v[(l*T+T-1)*F+i] - p.Base[pair]
			}
			r.neurons = append(r.neurons, ablate.Node{Part: ablate.NeuronPart, Layer: l, Index: i})
			r.scores = append(r.scores, sum/float64(len(g.Values)))
		}
	}
	order := make([]int, len(r.scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return -sign(math.Abs(r.scores[x]) - math.Abs(r.scores[y])) })
	top, err := r.count(len(order))
	if err != nil {
		return err
	}
	neurons, scores := r.neurons, r.scores
	r.neurons, r.scores = nil, nil
	for _, i := range order[:top] {
		r.neurons, r.scores = append(r.neurons, neurons[i]), append(r.scores, scores[i])
	}
	return nil
}

// mostActivations is how many pre-activations are held in memory at once, 320 MB.
const mostActivations = 40_000_000

// count is how many of the model's neurons are looked at.
func (r *neuronFitsRun) count(all int) (int, error) {
	most := max(1, mostActivations/r.cells())
	switch top := r.a["top"].(int); {
	case top > most:
		return 0, &hintError{fmt.Sprintf("top: %d neurons at %d pairs are more numbers than are kept at once", top, r.cells()), fmt.Sprintf("take %d or fewer, or a smaller grid by hi=", most)}
	case top > 0:
		return top, nil
	case r.a["show"].(string) == "keep":
		return min(all, most), nil
	}
	return min(max(1, all/100), most), nil
}

// holdOut chooses the pairs that no fit sees: the sources of the pairs of prompts, so
// that what fits do in a run is measured on numbers new to them, and others at random
// up to a quarter. Sources of more than half of a small grid are not all held out;
// those that are not go.
func (r *neuronFitsRun) holdOut() {
	seen := map[int]bool{}
	r.pairs = slices.DeleteFunc(slices.Clone(r.ranked), func(c ablate.Contrast) bool {
		row := r.row(c.Clean)
		if !seen[row] && 2*(len(seen)+1) > r.cells() {
			return true
		}
		seen[row] = true
		return false
	})
	for _, i := range rand.New(rand.NewPCG(r.seed, 7)).Perm(r.cells()) {
		if 4*len(seen) >= r.cells() {
			break
		}
		seen[i] = true
	}
	r.held = slices.Sorted(maps.Keys(seen))
}

// row is the place of a prompt's pair of operands in the grid.
func (r *neuronFitsRun) row(p ablate.Prompt) int {
	return (p.Operands[0]-r.lo)*r.side + p.Operands[1] - r.lo
}

// exact measures what the chosen neurons do in the pairs that they were ranked by.
func (r *neuronFitsRun) exact(ctx context.Context) error {
	var pairs []ablate.Pair
	for _, c := range r.ranked {
		p, err := c.Pair(ablate.Denoise)
		if err != nil {
			return err
		}
		pairs = append(pairs, p)
	}
	e, err := ablate.TotalAndDirect(ctx, r.m, pairs, ablate.EffectOptions{Nodes: r.neurons, Metric: r.metric})
	if err != nil {
		return err
	}
	for _, n := range e.Nodes {
		r.effects = append(r.effects, e.Change(n.Total).Mean)
	}
	r.report = e.Report
	return nil
}

// gridRows is how many prompts of the grid run before a number is shown.
const gridRows = 500

// activations are the neurons' pre-activations on the grid, [A·B, neurons]; total is
// how many prompts the whole call runs there.
func (r *neuronFitsRun) activations(ctx context.Context, m *models.Model, total int) (*mat.Dense, error) {
	at := map[int][]int{} // the places of a layer's neurons
	var layers []int
	var sites []models.Site
	for i, n := range r.neurons {
		if at[n.Layer] == nil {
			layers, sites = append(layers, n.Layer), append(sites, models.Site{Layer: n.Layer, Kind: models.Pre})
		}
		at[n.Layer] = append(at[n.Layer], i)
	}
	y := mat.NewDense(len(r.grid), len(r.neurons), nil)
	for lo := 0; lo < len(r.grid); lo += gridRows {
		var rows [][]int
		for _, p := range r.grid[lo:min(lo+gridRows, len(r.grid))] {
			rows = append(rows, p.IDs)
		}
		sweep, err := probe.SweepPrompts(ctx, m, rows, -1, sites, func(int) error { return ctx.Err() })
		if err != nil {
			return nil, err
		}
		for k, l := range layers {
			for row := range rows {
				for _, i := range at[l] {
					y.Set(lo+row, i, sweep.Values[k].At(row, r.neurons[i].Index))
				}
			}
		}
		r.done += len(rows)
		r.emit.Progress(r.done, total, "prompts")
	}
	return y, nil
}

// fit fits the model's neurons and those of the untrained one.
func (r *neuronFitsRun) fit(ctx context.Context) error {
	if err := r.fill(viz.Part{}, map[string][]float64{"estimate": r.scores}); err != nil {
		return err
	}
	if err := r.exact(ctx); err != nil {
		return err
	}
	if err := r.fill(viz.Part{}, map[string][]float64{"effect": r.effects}); err != nil {
		return err
	}
	if err := r.list(ctx); err != nil {
		return err
	}
	blank, err := untrained(r.m, r.seed)
	if err != nil {
		return err
	}
	var fits [3][]probe.NeuronFit // the model's, those of the untrained one, those of exchanged operands
	var ofSum []float64
	var standing string
	for i, m := range []*models.Model{r.m, blank} {
		y, err := r.activations(ctx, m, 2*r.cells())
		if err != nil {
			return err
		}
		if fits[i], err = probe.FitNeurons(y, r.side, r.side, r.read.periods, r.held); err != nil {
			return fewNumbers(err)
		}
		if i == 0 {
			ofSum = r.ofSum(y)
			if fits[2], err = probe.FitNeurons(r.exchanged(y), r.side, r.side, r.read.periods, r.held); err != nil {
				return err
			}
			if err := r.showTiles(y, fits[0]); err != nil {
				return err
			}
			if standing, err = r.standFor(ctx, fits[0]); err != nil {
				return err
			}
		}
	}
	spectrum, dominant, err := r.writes()
	if err != nil {
		return err
	}
	return r.show(fits, ofSum, spectrum, dominant, standing)
}

// standFor sets all chosen neurons at once, at the last token, to the source's
// pre-activations and to what the fits say of them, and says what comes of both.
// The source is the clean prompt, as in the ranking; its pair of operands is one
// that no fit has seen.
func (r *neuronFitsRun) standFor(ctx context.Context, fits []probe.NeuronFit) (string, error) {
	own, fitted := ablate.StandIn{Name: "the neurons' own values"}, ablate.StandIn{Name: "the neurons' fits"}
	var pairs []ablate.Pair
	var rows []int
	for _, c := range r.pairs {
		p, err := c.Pair(ablate.Denoise)
		if err != nil {
			return "", err
		}
		pairs, rows = append(pairs, p), append(rows, r.row(c.Clean))
	}
	for l := range r.m.Config.Layers {
		put := ablate.Put{Place: ablate.Place{Site: models.Site{Layer: l, Kind: models.Pre}, Head: -1, Position: -1}, Values: make([][]float32, len(pairs))}
		for i, n := range r.neurons {
			if n.Layer != l || fits[i].Constant {
				continue
			}
			said, err := fits[i].At(rows, r.side, r.side, r.read.periods)
			if err != nil {
				return "", err
			}
			put.Place.Neurons = append(put.Place.Neurons, n.Index)
			for k, v := range said {
				put.Values[k] = append(put.Values[k], float32(v))
			}
		}
		if put.Place.Neurons != nil {
			fitted.Puts = append(fitted.Puts, put)
			own.Puts = append(own.Puts, ablate.Put{Place: put.Place})
		}
	}
	if len(own.Puts) == 0 {
		return "", nil
	}
	e, err := ablate.StandIns(ctx, r.m, pairs, []ablate.StandIn{own, fitted}, ablate.StandInOptions{Metrics: []ablate.Metric{r.metric}}, func(int) error { return nil })
	if err != nil {
		return "", err
	}
	r.edited.add(e)
	r.report = r.report.Plus(e.Report)
	whole, part := e.Change(0, 0), e.Change(1, 0)
	share, gate := ratio(part.Mean, whole.Mean), ""
	if !(math.Abs(whole.Mean) > 2*whole.SEM) {
		share = "no share is given of what is within two standard errors of nothing"
	}
	if r.m.Config.Gated {
		gate = "; these are gates, and what they multiply stays the base run's"
	}
	return fmt.Sprintf(" Set together to the source's pre-activations they change logit(r) by %.3g%s, to their fits, which have not seen these pairs, by %.3g%s (%s%s).",
		whole.Mean, plusMinus(whole.SEM), part.Mean, plusMinus(part.SEM), share, gate), nil
}
