package kernel

import "math"

// Softmax is y = exp(x-max) / sum of the same, for one row. y may be x.
func Softmax(y, x []float32) {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	var s float32
	for i, v := range x {
		e := float32(math.Exp(float64(v - m)))
		y[i] = e
		s += e
	}
	for i := range y {
		y[i] /= s
	}
}

// SoftmaxBackward is dx = y*(dy - Σ dy*y), for one row.
func SoftmaxBackward(dx, dy, y []float32) {
	s := Dot(dy, y)
	for i, v := range y {
		dx[i] = v * (dy[i] - s)
	}
}

// LogSoftmax is y = x - max - log(sum of exp(x-max)), for one row.
func LogSoftmax(y, x []float32) {
	m := float32(math.Inf(-1))
	for _, v := range x {
		m = max(m, v)
	}
	var s float64
	for _, v := range x {
		s += math.Exp(float64(v - m))
	}
	l := float32(math.Log(s))
	for i, v := range x {
		y[i] = v - m - l
	}
}
