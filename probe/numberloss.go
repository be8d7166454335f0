package probe

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// NumberDistance is how a distribution over number tokens is compared with the
// right number.
type NumberDistance string

// The distances; see NumberReading.
const (
	NumberSquare      NumberDistance = "mse"
	NumberWasserstein NumberDistance = "was"
)

// NumberLoss is a loss over N positions with its derivative.
type NumberLoss struct {
	CrossEntropy float64 // mean over all positions, in nats
	Distance     float64 // mean over the positions whose label is a number
	Numbers      int     // how many those are
	// Total is CrossEntropy + λ·Distance, and Gradient [N,V] its derivative by the
	// logits.
	Total    float64
	Gradient *mat.Dense
}

// Loss is the number token loss (Zausinger et al., 2024, arXiv:2411.02083, section
// 3) of logits [N,V] against the right tokens: the cross-entropy plus λ times the
// distance of the number that the number tokens say from that of the label, at
// positions whose label is a number. The authors train with λ = 0.3. Errors: those
// of Read, labels outside the vocabulary, no label that is a number.
func (t NumberTokens) Loss(logits *mat.Dense, labels []int, distance NumberDistance, lambda float64) (*NumberLoss, error) {
	if distance != NumberSquare && distance != NumberWasserstein {
		return nil, fmt.Errorf("number loss: distance is %q, want %q or %q", distance, NumberSquare, NumberWasserstein)
	}
	n, vocab := logits.Dims()
	if len(labels) != n {
		return nil, fmt.Errorf("number loss: %d labels for %d positions", len(labels), n)
	}
	if math.IsNaN(lambda) || math.IsInf(lambda, 0) {
		return nil, fmt.Errorf("number loss: λ is %v", lambda)
	}
	out := &NumberLoss{Gradient: mat.NewDense(n, vocab, nil)}
	for _, label := range labels {
		if slices.Contains(t.IDs, label) {
			out.Numbers++
		}
	}
	if out.Numbers == 0 {
		return nil, fmt.Errorf("number loss: none of the %d labels is a number token: there is no distance to measure", n)
	}
	for i, label := range labels {
		if label < 0 || label >= vocab {
			return nil, fmt.Errorf("number loss: label %d at position %d is outside 0..%d", label, i, vocab-1)
		}
		z, grad := logits.RawRowView(i), out.Gradient.RawRowView(i)
		sum := floats.LogSumExp(z)
		out.CrossEntropy += (sum - z[label]) / float64(n)
		for v := range z {
			grad[v] = math.Exp(z[v]-sum) / float64(n)
		}
		grad[label] -= 1 / float64(n)
		y := 0.0
		at := slices.Index(t.IDs, label)
		if at >= 0 && at < len(t.Values) {
			y = t.Values[at]
		}
		r, err := t.Read(z, y)
		if err != nil {
			return nil, fmt.Errorf("number loss: position %d: %w", i, err)
		}
		if at < 0 {
			continue
		}
		share := lambda / float64(out.Numbers)
		for k, p := range r.Probabilities {
			if distance == NumberSquare {
				grad[t.IDs[k]] += share * 2 * (r.Expected - y) * p * (t.Values[k] - r.Expected)
			} else {
				grad[t.IDs[k]] += share * p * (math.Abs(y-t.Values[k]) - r.Wasserstein)
			}
		}
		if distance == NumberSquare {
			out.Distance += r.SquaredError / float64(out.Numbers)
		} else {
			out.Distance += r.Wasserstein / float64(out.Numbers)
		}
	}
	out.Total = out.CrossEntropy + lambda*out.Distance
	return out, nil
}
