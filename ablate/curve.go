package ablate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"orrery/models"
)

// Curve is a metric over how many components are edited together, in an order.
type Curve struct {
	Order []Node
	// Values holds the metric with the first k of them edited, [k][pair or
	// prompt], k from 0.
	Values [][]float64
}

// Means are the means over pairs or prompts.
func (c Curve) Means() []Summary {
	out := make([]Summary, len(c.Values))
	for k, v := range c.Values {
		out[k] = Summarise(v)
	}
	return out
}

// Shares gives, for each share of the whole change (with none edited to all),
// the smallest k whose mean change reaches it. A change of nothing is an error.
func (c Curve) Shares(shares ...float64) ([]int, error) {
	means := c.Means()
	from, to := means[0].Mean, means[len(means)-1].Mean
	if d := to - from; !(max(d, -d) >= MinDenominator) {
		return nil, fmt.Errorf("joint effect: with all %d components it is %.3g, and a share of that says nothing", len(c.Order), to-from)
	}
	out := make([]int, len(shares))
	for i, share := range shares {
		out[i] = len(means) - 1
		for k := range means {
			if (means[k].Mean-from)/(to-from) >= share {
				out[i] = k
				break
			}
		}
	}
	return out, nil
}

// Joint patches the first k components of an order together, for every k, at
// the last position of base runs, with the source runs' values. The order is
// often that of their total effects: see ByEffect.
//
// It costs, a pair, as many re-runs as there are components; those that patch
// the same beginning of an order share nothing unless it lies in earlier layers.
func Joint(ctx context.Context, m *models.Model, pairs []Pair, order []Node, metric Metric, budget Budget) (*Curve, models.Report, error) {
	if err := checkNodes(m, order); err != nil {
		return nil, models.Report{}, fmt.Errorf("joint patching: %w", err)
	}
	s, err := runSides(ctx, m, pairs, models.Sites(sitesOf(order)...))
	if err != nil {
		return nil, models.Report{}, fmt.Errorf("joint patching: %w", err)
	}
	if _, _, err := s.measured(metric, nil); err != nil {
		return nil, models.Report{}, fmt.Errorf("joint patching: %w", err)
	}
	c := &Curve{Order: order, Values: table(len(order)+1, len(pairs))}
	report, err := grid{
		base: s.run, need: metric.need(answers(s.pairs)...), vocab: m.Config.Outputs(), cells: len(order) + 1,
		edits: func(k, row int) (edits []models.Edit, err error) {
			for _, n := range order[:k] {
				value, err := s.recorded(n.site(), row)
				if err != nil {
					return nil, err
				}
				edits = append(edits, n.edit(m, value, s.T-1))
			}
			return edits, nil
		},
		width: 1, measure: func(_, row int, logits []float32, into []float64) { into[0] = s.measure(metric, nil, row, logits) },
		take: func(k, row int, numbers []float64) { c.Values[k][row] = numbers[0] },
		done: func(int) error { return nil },
	}.sweep(ctx, budget)
	return c, report, err
}

func table(rows, columns int) [][]float64 {
	out := make([][]float64, rows)
	for i := range out {
		out[i] = make([]float64, columns)
	}
	return out
}

// ByEffect orders components by their mean total effect, the largest first;
// equal ones stay in their order.
func (e *NodeEffects) ByEffect() []Node {
	sorted := slices.Clone(e.Nodes)
	slices.SortStableFunc(sorted, func(a, b NodeEffect) int {
		x, y := e.Change(a.Total).Mean, e.Change(b.Total).Mean
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	nodes := make([]Node, len(sorted))
	for i, n := range sorted {
		nodes[i] = n.Node
	}
	return nodes
}

// MinDraws is the least number of random draws that a band is made of.
const MinDraws = 5

// KnockoutCurveOptions are the options of KnockoutCurve.
type KnockoutCurveOptions struct {
	Order  []Node // the first k are knocked out together, for every k
	Kind   Ablation
	Metric Metric
	Among  []int // ids that accuracy and margin choose from; nil for all
	// Draws is how many random orders of All are drawn by Seed, MinDraws for 0.
	Draws int
	Seed  uint64
	// All is what random orders are drawn from; nil for all components of the
	// kinds that Order has.
	All       []Node
	Reference [][]int // see KnockoutOptions
	Partner   []int
	Budget    Budget
}

// KnockoutCurves is the result of KnockoutCurve.
type KnockoutCurves struct {
	Ranked Curve
	// Random are curves of random components, as many at each k.
	Random []Curve
	Report models.Report
}

// KnockoutCurve knocks out the first k components of an order together, at all
// positions and for every k, and as many random ones, MinDraws times or more:
// a ranking is worth what it is above that band.
//
// It costs (1 + draws) × components re-runs a prompt.
func KnockoutCurve(ctx context.Context, m *models.Model, prompts []Prompt, opt KnockoutCurveOptions) (*KnockoutCurves, error) {
	if opt.Draws == 0 {
		opt.Draws = MinDraws
	}
	if opt.Draws < MinDraws {
		return nil, fmt.Errorf("knockout curve: %d random draws are no band: take %d or more", opt.Draws, MinDraws)
	}
	if err := checkNodes(m, opt.Order); err != nil {
		return nil, fmt.Errorf("knockout curve: %w", err)
	}
	all, err := opt.all(m)
	if err != nil {
		return nil, fmt.Errorf("knockout curve: %w", err)
	}
	orders := [][]Node{opt.Order}
	rng := rand.New(rand.NewPCG(opt.Seed, 3))
	for range opt.Draws {
		var order []Node
		for _, i := range rng.Perm(len(all))[:len(opt.Order)] {
			order = append(order, all[i])
		}
		orders = append(orders, order)
	}
	curves, report, err := knockoutOrders(ctx, m, prompts, orders, opt)
	if err != nil {
		return nil, fmt.Errorf("knockout curve: %w", err)
	}
	return &KnockoutCurves{Ranked: curves[0], Random: curves[1:], Report: report}, nil
}

// all lists what random orders are drawn from.
func (opt KnockoutCurveOptions) all(m *models.Model) (all []Node, err error) {
	if opt.All != nil {
		all = opt.All
	} else {
		for _, part := range Parts {
			if slices.ContainsFunc(opt.Order, func(n Node) bool { return n.Part == part }) {
				nodes, err := Nodes(m, part)
				if err != nil {
					return nil, err
				}
				all = append(all, nodes...)
			}
		}
	}
	if err := checkNodes(m, all); err != nil {
		return nil, err
	}
	if len(all) < len(opt.Order) {
		return nil, fmt.Errorf("%d random components cannot be drawn from %d", len(opt.Order), len(all))
	}
	return all, nil
}

// knockoutOrders makes one curve an order.
func knockoutOrders(ctx context.Context, m *models.Model, prompts []Prompt, orders [][]Node, opt KnockoutCurveOptions) ([]Curve, models.Report, error) {
	run, err := startPrompts(ctx, m, prompts, []Metric{opt.Metric})
	if err != nil {
		return nil, models.Report{}, err
	}
	var sites []models.Site
	for _, order := range orders {
		sites = append(sites, sitesOf(order)...)
	}
	own := KnockoutOptions{Kind: opt.Kind, Reference: opt.Reference, Partner: opt.Partner, Seed: opt.Seed}
	subs, err := (&Knockouts{}).substitutes(ctx, m, run.prompts, own, sites)
	if err != nil {
		return nil, models.Report{}, err
	}
	n := len(opt.Order) + 1
	var curves []Curve
	for _, order := range orders {
		curves = append(curves, Curve{Order: order, Values: table(n, len(prompts))})
	}
	report, err := grid{
		base: run.base, need: models.Need{Last: true}, vocab: m.Config.Outputs(), cells: n * len(orders),
		edits: func(cell, row int) (edits []models.Edit, err error) {
			for _, node := range orders[cell/n][:cell%n] {
				value, err := subs.value(node.site(), row)
				if err != nil {
					return nil, err
				}
				edits = append(edits, node.edit(m, value, -1))
			}
			return edits, nil
		},
		width: 1, measure: func(_, row int, logits []float32, into []float64) {
			copy(into, run.measure([]Metric{opt.Metric}, opt.Among, row, logits))
		},
		take: func(cell, row int, numbers []float64) { curves[cell/n].Values[cell%n][row] = numbers[0] },
		done: func(int) error { return nil },
	}.sweep(ctx, opt.Budget)
	return curves, report, err
}
