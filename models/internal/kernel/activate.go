package kernel

import (
	"fmt"
	"math"
)

// Act names an activation function.
type Act int

// The activation functions. Φ and φ are the normal distribution and density,
// σ(z) = 1/(1+e^-z).
const (
	Identity  Act = iota // x
	ReLU                 // max(x, 0)
	GELU                 // x·Φ(x) = ½x(1+erf(x/√2)); Hendrycks, Gimpel, 2016, arXiv:1606.08415, section 2
	GELUTanh             // ½x(1+tanh(√(2/π)(x+0.044715x³))) = x·σ(2√(2/π)(x+0.044715x³)), ibid.
	SiLU                 // x·σ(x), ibid.
	QuickGELU            // x·σ(1.702x), ibid.
	ReLU2                // max(x, 0)²; So et al., 2021, arXiv:2109.08668, section 3
)

// String gives the function's name.
func (a Act) String() string {
	names := [...]string{"identity", "relu", "gelu", "gelu_tanh", "silu", "quick_gelu", "relu2"}
	if a < 0 || int(a) >= len(names) {
		return fmt.Sprintf("Act(%d)", int(a))
	}
	return names[a]
}

// Activate applies act to each element; y and x have one length and y may be
// x. On the vector paths GELU, its other forms and SiLU are within 2e-6·|y| of
// their definitions, and for x < -4, where they vanish, within another 1e-8. The loop that it must equal:
//
//	for i := range x { y[i] = act(x[i]) }
func Activate(y, x []float32, act Act) {
	exact("kernel: activate", len(y), len(x))
	if len(x) <= splitElements {
		activate(y, x, act)
		return
	}
	Do(len(x), splitElements, func(lo, hi int) { activate(y[lo:hi], x[lo:hi], act) })
}

func activate(y, x []float32, act Act) {
	switch {
	case act == Identity:
		copy(y, x)
	case active != nil && act == ReLU:
		active.relu(y, x)
	case active != nil && act == GELU:
		active.gelu(y, x)
	case active != nil && act == GELUTanh:
		active.geluTanh(y, x)
	case active != nil && act == SiLU:
		active.silu(y, x)
	case active != nil && act == QuickGELU:
		active.quickGelu(y, x)
	case active != nil && act == ReLU2:
		active.relu2(y, x)
	default:
		for i, v := range x {
			y[i], _ = act.at(v)
		}
	}
}

// ActivateBackward writes the gradient with respect to x, given dy; all have
// one length and dx may be dy or x. The loop that it must equal:
//
//	for i := range x { dx[i] = dy[i]*act'(x[i]) }
func ActivateBackward(dx, dy, x []float32, act Act) {
	exact("kernel: activate backward", len(dx), len(dy), len(x))
	if len(x) <= splitElements {
		activateBackward(dx, dy, x, act)
		return
	}
	Do(len(x), splitElements, func(lo, hi int) { activateBackward(dx[lo:hi], dy[lo:hi], x[lo:hi], act) })
}

func activateBackward(dx, dy, x []float32, act Act) {
	switch {
	case act == Identity:
		copy(dx, dy)
	case active != nil && act == ReLU:
		active.reluBackward(dx, dy, x)
	case active != nil && act == GELU:
		active.geluBackward(dx, dy, x)
	case active != nil && act == GELUTanh:
		active.geluTanhBackward(dx, dy, x)
	case active != nil && act == SiLU:
		active.siluBackward(dx, dy, x)
	case active != nil && act == QuickGELU:
		active.quickGeluBackward(dx, dy, x)
	case active != nil && act == ReLU2:
		active.relu2Backward(dx, dy, x)
	default:
		for i, v := range x {
			_, slope := act.at(v)
			dx[i] = dy[i] * slope
		}
	}
}

// at returns act(x) and act'(x), in double precision inside; the slope of ReLU
// at 0 is 0. It panics on an act that does not exist.
func (a Act) at(x float32) (value, slope float32) {
	v := float64(x)
	switch a {
	case Identity:
		return x, 1
	case ReLU:
		if x <= 0 {
			return 0, 0
		}
		return x, 1
	case GELU:
		phi := 0.5 * math.Erfc(-v/math.Sqrt2)
		return float32(v * phi), float32(phi + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi))
	case GELUTanh:
		c := 2 * math.Sqrt(2/math.Pi)
		s := 1 / (1 + math.Exp(-c*(v+0.044715*v*v*v)))
		return float32(v * s), float32(s + v*s*(1-s)*c*(1+3*0.044715*v*v))
	case SiLU:
		s := 1 / (1 + math.Exp(-v))
		return float32(v * s), float32(s + v*s*(1-s))
	case QuickGELU:
		s := 1 / (1 + math.Exp(-1.702*v))
		return float32(v * s), float32(s + v*s*(1-s)*1.702)
	case ReLU2:
		if x <= 0 {
			return 0, 0
		}
		return x * x, 2 * x
	}
	panic(fmt.Sprintf("kernel: activation %d does not exist", int(a)))
}
