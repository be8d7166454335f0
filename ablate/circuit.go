package ablate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"orrery/models"
)

// CircuitOptions are the options of Circuits.
type CircuitOptions struct {
	// Circuits are sets of heads and MLPs, each of which is left alone by itself.
	Circuits  [][]Node
	Kind      Ablation // of everything else, at all positions
	Metric    Metric
	Among     []int   // ids that accuracy and margin choose from; nil for all
	Reference [][]int // see KnockoutOptions
	Partner   []int
	Seed      uint64
	Budget    Budget
}

// CircuitEffects is the result of Circuits.
type CircuitEffects struct {
	// Values holds the metric with only a circuit left, [circuit][prompt]; Full that
	// of the whole model and Empty that without any head or MLP.
	Values      [][]float64
	Full, Empty []float64
	// Other is that of the other run of pairs, which Empty of EdgeCircuits is where
	// edges carry its values; nil for prompts.
	Other  []float64
	Report models.Report
}

// Faithfulness is (m(C) − m(∅)) / (m(N) − m(∅)) of means over prompts, as in MIB
// (Mueller et al., "MIB: A Mechanistic Interpretability Benchmark", 2025, arXiv
// 2504.13151). It may be below 0 and above 1. It depends on what stands in place
// of the rest; say so with any number.
func (e *CircuitEffects) Faithfulness(values []float64) (float64, error) {
	return RatioOfMeans(values, e.Empty, e.Full)
}

// Ratio is m(C) / m(N) of means over prompts, the other convention of a circuit's
// faithfulness (Wang et al., see Gap, section 4; with a logit difference its
// absolute difference is Gap). It is 1 for the whole model and, unlike
// Faithfulness, not 0 for what is left without any head or MLP. A whole model's
// mean below MinDenominator is an error.
func (e *CircuitEffects) Ratio(values []float64) (float64, error) {
	whole := Summarise(e.Full).Mean
	if !(math.Abs(whole) >= MinDenominator) {
		return 0, fmt.Errorf("ratio to the whole model: its metric is %.4g on average, which is nothing to divide by", whole)
	}
	return Summarise(values).Mean / whole, nil
}

// Gap is |mean a − mean b|. With the values of C∖K and of M∖K, M the whole model,
// it is the completeness of a circuit C at a part K of it, small where C has all
// that does K's work; with those of C∖K and C∖(K∪{v}) the minimality of its
// member v, which should be large for some K (Wang et al., "Interpretability in
// the Wild: a Circuit for Indirect Object Identification in GPT-2 small", ICLR
// 2023, arXiv 2211.00593).
func Gap(a, b []float64) float64 {
	d := Summarise(a).Mean - Summarise(b).Mean
	return max(d, -d)
}

// HeadsAndMLPs lists all components that a circuit is made of, layer by layer.
func HeadsAndMLPs(m *models.Model) (nodes []Node) {
	for l := range m.Config.Layers {
		for h := range m.Config.Heads {
			nodes = append(nodes, Node{HeadPart, l, h})
		}
		if !m.Config.AttnOnly {
			nodes = append(nodes, Node{MLPPart, l, 0})
		}
	}
	return nodes
}

// Without is the set of those nodes that are not in the others.
func Without(nodes []Node, others ...Node) (left []Node) {
	for _, n := range nodes {
		if !slices.Contains(others, n) {
			left = append(left, n)
		}
	}
	return left
}

// Circuits measures what is left of a metric when all heads and MLPs outside a
// circuit are replaced by zeros, means or other prompts' values. It costs one
// re-run a circuit and prompt, and two more.
func Circuits(ctx context.Context, m *models.Model, prompts []Prompt, opt CircuitOptions) (*CircuitEffects, error) {
	all := HeadsAndMLPs(m)
	var circuits [][]Node
	for i, c := range append([][]Node{all, nil}, opt.Circuits...) {
		if i > 1 && len(c) > 0 {
			if err := checkNodes(m, c); err != nil {
				return nil, fmt.Errorf("circuit %d: %w", i-2, err)
			}
			for _, n := range c {
				if !slices.Contains(all, n) {
					return nil, fmt.Errorf("circuit %d: %s is no part of a circuit, whose members are heads and MLPs", i-2, n)
				}
			}
		}
		circuits = append(circuits, c)
	}
	run, err := startPrompts(ctx, m, prompts, []Metric{opt.Metric})
	if err != nil {
		return nil, fmt.Errorf("circuits: %w", err)
	}
	own := KnockoutOptions{Kind: opt.Kind, Reference: opt.Reference, Partner: opt.Partner, Seed: opt.Seed}
	subs, err := (&Knockouts{}).substitutes(ctx, m, run.prompts, own, sitesOf(all))
	if err != nil {
		return nil, fmt.Errorf("circuits: %w", err)
	}
	values := table(len(circuits), len(prompts))
	report, err := grid{
		base: run.base, need: models.Need{Last: true}, vocab: m.Config.Outputs(), cells: len(circuits),
		edits: func(cell, row int) (edits []models.Edit, err error) {
			for _, n := range Without(all, circuits[cell]...) {
				value, err := subs.value(n.site(), row)
				if err != nil {
					return nil, err
				}
				edits = append(edits, n.edit(m, value, -1))
			}
			return edits, nil
		},
		width: 1, measure: func(_, row int, logits []float32, into []float64) {
			copy(into, run.measure([]Metric{opt.Metric}, opt.Among, row, logits))
		},
		take: func(cell, row int, numbers []float64) { values[cell][row] = numbers[0] },
		done: func(int) error { return nil },
	}.sweep(ctx, opt.Budget)
	return &CircuitEffects{Values: values[2:], Full: values[0], Empty: values[1], Report: report}, err
}
