package probe

import (
	"context"
	"fmt"
	"math"

	"orrery/models"
)

// Standing is how one token stands in a distribution over the vocabulary.
type Standing struct {
	ID int
	// Logit is z(t); LogProb is ln p(t), in nats.
	Logit, LogProb float64
	// Rank is #{v : z(v) ≥ z(t)}: 1 is best, ties count against the token.
	Rank int
}

// Probability is p(t).
func (s Standing) Probability() float64 { return math.Exp(s.LogProb) }

// stand reads one token off a row of logits [V] and its log-probabilities.
func stand(z []float32, logp []float64, id int) Standing {
	s := Standing{ID: id, Logit: float64(z[id]), LogProb: logp[id]}
	for _, v := range z {
		if v >= z[id] {
			s.Rank++
		}
	}
	return s
}

// TopTokens runs the model and returns the k tokens that it finds likeliest
// behind the prompt, likeliest first.
func TopTokens(ctx context.Context, m *models.Model, ids []int, k int) ([]Standing, error) {
	out, err := m.Run(ctx, models.Prompt(ids...))
	if err != nil {
		return nil, err
	}
	z := out.Logits.Sub(0, len(ids)-1).Data
	logp := models.LogProbs(z)
	var top []Standing
	for _, id := range topIDs(z, k) {
		top = append(top, stand(z, logp, id))
	}
	return top, nil
}

// TrajectoryPoint is how the followed tokens stand after one state.
type TrajectoryPoint struct {
	// State and Layer are those of the lens row.
	State string
	Layer int
	// Tokens holds one standing a followed token, in the order given.
	Tokens []Standing
}

// Trajectory follows tokens through the logit lens at one position: how each
// stands after every state of the residual stream (LogitLens says how a state
// is decoded; of opt, Mid, Frozen and Hooks count). A position below 0 counts
// from the end. Points go to emit as they are computed.
func Trajectory(ctx context.Context, m *models.Model, ids []int, position int, tokens []int, opt LensOptions, emit func(TrajectoryPoint) error) ([]TrajectoryPoint, error) {
	at := position
	if at < 0 {
		at += len(ids)
	}
	if at < 0 || at >= len(ids) {
		return nil, fmt.Errorf("trajectory: position %d is outside 0..%d (or -%d..-1 from the end)", position, len(ids)-1, len(ids))
	}
	for _, id := range tokens {
		if id < 0 || id >= m.Config.Outputs() {
			return nil, fmt.Errorf("trajectory: token %d is outside the vocabulary 0..%d", id, m.Config.Outputs()-1)
		}
	}
	var points []TrajectoryPoint
	opt.TopK = 1
	_, err := LogitLens(ctx, m, ids, opt, func(r LensRow) error {
		z := r.Logits.Sub(at).Data
		logp := models.LogProbs(z)
		p := TrajectoryPoint{State: r.State, Layer: r.Layer}
		for _, id := range tokens {
			p.Tokens = append(p.Tokens, stand(z, logp, id))
		}
		points = append(points, p)
		return emit(p)
	})
	return points, err
}
