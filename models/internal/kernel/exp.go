package kernel

import "math"

// Exp is y = exp(x), element by element. y may be x.
func Exp(y, x []float32) {
	for i, v := range x {
		y[i] = float32(math.Exp(float64(v)))
	}
}
