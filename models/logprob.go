package models

import (
	"math"

	"orrery/models/internal/kernel"
)

// LogProbs returns ln softmax(z) of one row of logits, natural and in
// float64, so that small probabilities and differences keep their digits.
func LogProbs(z []float32) []float64 {
	log := logSumExp(z)
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = float64(v) - log
	}
	return out
}

// sumBlock is the number of logits that are summed on their own, so that the
// order of the sum does not depend on the number of threads.
const sumBlock = 4096

// logSumExp is ln Σ exp(z), in float64.
func logSumExp(z []float32) float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = max(top, float64(v)) // hands on a NaN
	}
	sums := make([]float64, (len(z)+sumBlock-1)/sumBlock)
	kernel.Do(len(sums), 1, func(lo, hi int) {
		for b := lo; b < hi; b++ {
			for _, v := range z[b*sumBlock : min((b+1)*sumBlock, len(z))] {
				sums[b] += math.Exp(float64(v) - top)
			}
		}
	})
	sum := 0.0
	for _, s := range sums {
		sum += s
	}
	return top + math.Log(sum)
}
