package ablate

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
)

// DirectSum checks that direct effects through a frozen norm add up. It takes the
// effects of every attention block and MLP of a model (or of all heads in place of
// attention, where the bias behind them is no head's and the same in both runs), and
// compares, pair by pair, the sum of their changes with that of a run whose last
// stream gets at once all that the two runs differ by, less what their embeddings
// do:
//
//	max |Σ direct − whole| / (1 + |whole|),
//
// which is rounding. It is NaN where nothing need add up: a metric that is not
// linear in the logits, logits that are capped, or no norm to freeze.
func DirectSum(ctx context.Context, m *models.Model, pairs []Pair, metric Metric, nodes []NodeEffect) (float64, error) {
	if !metric.Linear || m.Config.LogitCap != 0 || m.Config.Norm == models.NoNorm {
		return math.NaN(), nil
	}
	last, first := models.Site{Layer: m.Config.Layers - 1, Kind: models.ResidPost}, models.Site{Kind: models.ResidPre}
	own := &outputs{m: m, written: []models.Site{last, first}, base: models.NewCache(), source: models.NewCache()}
	s, err := runSides(ctx, m, pairs, models.Sites(last))
	if err != nil {
		return 0, fmt.Errorf("sum of direct effects: %w", err)
	}
	if err := own.record(ctx, m, s); err != nil {
		return 0, fmt.Errorf("sum of direct effects: %w", err)
	}
	base, _, err := s.measured(metric, nil)
	if err != nil {
		return 0, fmt.Errorf("sum of direct effects: %w", err)
	}
	whole := make([]float64, len(pairs))
	_, err = grid{
		base: s.run, need: metric.need(answers(s.pairs)...), vocab: m.Config.Outputs(), cells: 1,
		edits: func(_, row int) ([]models.Edit, error) {
			delta := make([]float32, m.Config.Width)
			for _, side := range []struct {
				of   *models.Cache
				sign float32
			}{{own.source, 1}, {own.base, -1}} {
				x, _ := side.of.Get(last)
				e, _ := side.of.Get(first)
				for i := range delta {
					delta[i] += side.sign * (x.Sub(row).Data[i] - e.Sub(row).Data[i])
				}
			}
			return own.through(delta, row, true), nil
		},
		width: 1, measure: func(_, row int, logits []float32, into []float64) {
			into[0] = s.measure(metric, nil, row, logits) - base[row]
		},
		take: func(_, row int, numbers []float64) { whole[row] = numbers[0] },
		done: func(int) error { return nil },
	}.sweep(ctx, Budget{})
	if err != nil {
		return 0, fmt.Errorf("sum of direct effects: %w", err)
	}
	worst := 0.0
	for i, want := range whole {
		sum := 0.0
		for _, n := range nodes {
			if n.Direct != nil {
				sum += n.Direct[i] - base[i]
			}
		}
		d := math.Abs(sum-want) / (1 + math.Abs(want))
		if math.IsNaN(d) {
			return 0, fmt.Errorf("sum of direct effects: pair %d: %g for %g is no difference", i, sum, want)
		}
		worst = max(worst, d)
	}
	return worst, nil
}
