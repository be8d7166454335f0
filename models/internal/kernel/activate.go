package kernel

import "math"

// Act names an activation function.
type Act int

// The activation functions.
const (
	Identity Act = iota
	ReLU
	GELU     // x·Φ(x), exact erf
	GELUTanh // the tanh approximation of GELU
	SiLU     // x·σ(x)
)

// valueSlope returns act(x) and act'(x).
func valueSlope(x float32, act Act) (y, dy float32) {
	v := float64(x)
	switch act {
	case ReLU:
		if x <= 0 {
			return 0, 0
		}
		return x, 1
	case GELU:
		phi := 0.5 * math.Erfc(-v/math.Sqrt2)
		return float32(v * phi), float32(phi + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi))
	case GELUTanh:
		c := math.Sqrt(2 / math.Pi)
		t := math.Tanh(c * (v + 0.044715*v*v*v))
		return float32(0.5 * v * (1 + t)), float32(0.5*(1+t) + 0.5*v*(1-t*t)*c*(1+3*0.044715*v*v))
	case SiLU:
		s := 1 / (1 + math.Exp(-v))
		return float32(v * s), float32(s + v*s*(1-s))
	}
	return x, 1
}

// Activate is y = act(x). y may be x.
func Activate(y, x []float32, act Act) {
	for i, v := range x {
		y[i], _ = valueSlope(v, act)
	}
}

// ActivateBackward is dx = dy*act'(x). dx may be dy or x.
func ActivateBackward(dx, dy, x []float32, act Act) {
	for i, v := range x {
		_, s := valueSlope(v, act)
		dx[i] = dy[i] * s
	}
}
