package probe

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"

	"orrery/models"
)

// PairLoss is the mean cross-entropy in nats over some pairs, rows a·P + b, usually
// those that were learned from: the Subset of ModularLogits.Loss, without a run of
// the other pairs.
func PairLoss(ctx context.Context, m *models.Model, a ModularAdder, pairs []int) (float64, error) {
	pairs = slices.Clone(pairs)
	slices.Sort(pairs) // the order in which Loss adds them up
	if len(pairs) == 0 || pairs[0] < 0 || pairs[len(pairs)-1] >= a.P*a.P {
		return 0, fmt.Errorf("loss of %d pairs: want one or more of 0..%d", len(pairs), a.P*a.P-1)
	}
	sum, z := 0.0, make([]float64, a.P)
	for first := 0; first < len(pairs); first += modularRows {
		some := pairs[first:min(first+modularRows, len(pairs))]
		rows := make([][]int, len(some))
		for i, pair := range some {
			rows[i] = a.Prompt(pair/a.P, pair%a.P)
		}
		in, err := models.Rows(rows)
		if err != nil {
			return 0, fmt.Errorf("loss of pairs: %w", err)
		}
		out, err := m.RunFor(ctx, in, models.Need{Last: true, Tokens: a.Numbers})
		if err != nil {
			return 0, fmt.Errorf("loss of pairs: %w", err)
		}
		for i, pair := range some {
			widen(z, out.Logits.Sub(i, 0).Data)
			sum += floats.LogSumExp(z) - z[(pair/a.P+pair%a.P)%a.P]
		}
	}
	return sum / float64(len(pairs)), nil
}
