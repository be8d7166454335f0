package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
)

// WindowSearch is the result of Search.
type WindowSearch struct {
	Threshold float64
	// Found says whether any window reaches the threshold on the first half. Then
	// Best is the one with the fewest transfer blocks and, of those, the most
	// waiting ones; else the one with the largest faithfulness.
	Found bool
	Best  Recipe
	// Chosen is its faithfulness on the half that it was chosen by, and HeldOut
	// that on the other half, which is the one to report.
	Chosen, HeldOut Summary
	// Confirmed says that the held-out half reaches the threshold as well.
	Confirmed bool
	Report    models.Report
}

// Search looks for the smallest transfer window at a faithfulness, among
// recipes (those of WindowGrid, say), on every other prompt, and confirms it on
// the prompts between. The choice favours luck, the confirmation does not.
func Search(ctx context.Context, m *models.Model, prompts []Prompt, table *Table, recipes []Recipe, threshold float64, opt AllForOneOptions) (*WindowSearch, error) {
	if !(threshold > 0 && threshold <= 1) {
		return nil, fmt.Errorf("window search: a faithfulness of %g is not above 0 and at most 1", threshold)
	}
	if opt.Partner != nil {
		return nil, fmt.Errorf("window search: partners are drawn within each half by the seed; leave them out")
	}
	var halves [2][]Prompt
	for i, p := range prompts {
		halves[i%2] = append(halves[i%2], p)
	}
	if len(halves[1]) == 0 {
		return nil, fmt.Errorf("window search: %d prompts cannot be halved", len(prompts))
	}
	quiet := func(int, Outcome) error { return nil }
	first, err := StartAllForOne(ctx, m, halves[0], table, opt)
	if err != nil {
		return nil, err
	}
	outcomes, report, err := first.Apply(ctx, recipes, false, quiet)
	if err != nil {
		return nil, err
	}
	s := &WindowSearch{Threshold: threshold, Report: report}
	best := math.Inf(-1)
	for i, o := range outcomes {
		f, err := first.Faithfulness(o)
		if err != nil {
			return nil, fmt.Errorf("window search: %w", err)
		}
		r, reached := recipes[i], f.Mean >= threshold
		better := !s.Found && f.Mean > best
		if reached {
			better = !s.Found || r.Transfer < s.Best.Transfer || r.Transfer == s.Best.Transfer && r.Wait > s.Best.Wait
			s.Found = true
		}
		if better {
			s.Best, s.Chosen, best = r, f, f.Mean
		}
	}
	second, err := StartAllForOne(ctx, m, halves[1], table, opt)
	if err != nil {
		return nil, err
	}
	outcomes, report, err = second.Apply(ctx, []Recipe{s.Best}, false, quiet)
	if err != nil {
		return nil, err
	}
	s.Report = s.Report.Plus(report)
	if s.HeldOut, err = second.Faithfulness(outcomes[0]); err != nil {
		return nil, fmt.Errorf("window search: held-out half: %w", err)
	}
	s.Confirmed = s.Found && s.HeldOut.Mean >= threshold
	return s, nil
}
