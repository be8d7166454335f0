package ablate

import "math"

// Summary is a mean over pairs or prompts.
type Summary struct {
	// Mean is the mean and SEM its standard error s/√n, NaN for n = 1.
	Mean, SEM float64
	N         int
}

// Summarise returns the mean and the standard error of values.
func Summarise(values []float64) Summary {
	n := len(values)
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(n)
	square := 0.0
	for _, v := range values {
		square += (v - mean) * (v - mean)
	}
	return Summary{Mean: mean, SEM: math.Sqrt(square/float64(n-1)) / math.Sqrt(float64(n)), N: n}
}
