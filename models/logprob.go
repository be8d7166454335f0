package models

import "math"

// LogProbs returns ln softmax(z) of one row of logits, natural and in
// float64, so that small probabilities and differences keep their digits.
func LogProbs(z []float32) []float64 {
	top := math.Inf(-1)
	for _, v := range z {
		top = math.Max(top, float64(v))
	}
	sum := 0.0
	for _, v := range z {
		sum += math.Exp(float64(v) - top)
	}
	log := top + math.Log(sum)
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = float64(v) - log
	}
	return out
}
