package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
)

// tailRate is q in u = 1/(1+q·|x|), the variable of tailP.
const tailRate = 0.35

// tailP are the coefficients, lowest power u¹ first, of the fit
//
//	½·erfc(a/√2)·e^(a²/2) ≈ Σ tailP[i]·u^(i+1),  a in [0,14]
//
// by weighted least squares with Lawson's iteration towards the minimax of the
// relative error, which is 3.2e-8 before rounding.
var tailP = []float64{0.139621399, 0.139862001, 0.119831693, 0.10551346, -0.02312447,
	0.159197668, -0.255736555, 0.143983215, -0.0291484262}

// phiOf returns Φ(x), the normal distribution function, and e^(-x²/2).
func phiOf(x vec) (phi, e vec) {
	a, one, u := fresh(), fresh(), fresh()
	VMULPS(x, x, a)
	VMULPS(lanes(-0.5), a, a)
	e = expOf(a)
	and(bits(0x7fffffff), x, u)
	VMOVUPS(lanes(1), one)
	d := fresh()
	VMOVUPS(lanes(tailRate), d)
	VFMADD213PS(one, u, d)
	VDIVPS(d, one, u)
	p := d
	VMOVUPS(lanes(tailP[8]), p)
	for i := 7; i >= 0; i-- {
		VFMADD213PS(lanes(tailP[i]), u, p)
	}
	VMULPS(u, p, p)
	VMULPS(e, p, p)
	// p is the smaller tail: Φ(x) where x < 0 and 1-Φ(x) elsewhere.
	VSUBPS(p, one, one)
	return pick(x, p, one), e
}

// sigmaOf overwrites z by 1/(1+e^-z).
func sigmaOf(z vec) vec {
	xor(bits(0x80000000), z, z)
	e := expOf(z)
	one := fresh()
	VMOVUPS(lanes(1), one)
	VADDPS(one, e, e)
	VDIVPS(e, one, e)
	return e
}

// tanhC is 2·√(2/π), and cubic the factor of x³ in the tanh form of GELU.
var tanhC = 2 * math.Sqrt(2/math.Pi)

const cubic = 0.044715

// tanhSigmaOf returns σ(2w) = ½(1+tanh w) with w = √(2/π)(x+0.044715x³), and
// x²: the tanh form of GELU is x·σ(2w), which has no cancellation at all.
func tanhSigmaOf(x vec) (s, square vec) {
	square, z := fresh(), fresh()
	VMULPS(x, x, square)
	VMOVUPS(lanes(tanhC*cubic), z)
	VFMADD213PS(lanes(tanhC), square, z)
	VMULPS(x, z, z)
	return sigmaOf(z), square
}

// tanhQ are the coefficients of Q, lowest first, in tanh x ≈ x + x³·Q(x²) on
// |x| <= 0.55: the interpolation of the series at Chebyshev's nodes of x², whose
// relative error is 3.6e-9 before rounding.
var tanhQ = []float64{-0.3333333201, 0.1333311373, -0.05390942883, 0.02130938866, -0.006610227831}

// decay returns e^(-2|x|).
func decay(x vec) vec {
	a := fresh()
	and(bits(0x7fffffff), x, a)
	VMULPS(lanes(-2), a, a)
	return expOf(a)
}

// tanhOf returns tanh x: away from 0 as (1-d)/(1+d) with d = e^(-2|x|), near it,
// where that would cancel, as a polynomial.
func tanhOf(x vec) vec {
	e, one := decay(x), filled(1)
	top, far, near, u := fresh(), fresh(), fresh(), fresh()
	VSUBPS(e, one, top)
	VADDPS(e, one, one)
	VDIVPS(one, top, far)
	and(bits(0x80000000), x, top)
	or(top, far, far)
	VMULPS(x, x, u)
	VMOVUPS(lanes(tanhQ[4]), near)
	for i := 3; i >= 0; i-- {
		VFMADD213PS(lanes(tanhQ[i]), u, near)
	}
	VMULPS(u, near, near)
	VFMADD213PS(x, x, near)
	return where(lessThan, u, lanes(0.55*0.55), near, far)
}

// softCap generates c·tanh(x/c) and its backward pass.
func softCap() {
	loop{
		name: "softCap", sig: "func(y, x []float32, c float32)", in: []string{"x"}, out: "y", consts: []string{"c"},
		doc: "for i := range x { y[i] = c*tanh(x[i]/c) }.",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VDIVPS(c[0], in[0], in[0])
			y := tanhOf(in[0])
			VMULPS(c[0], y, y)
			return y
		},
	}.emit()
	loop{
		name: "softCapBackward", sig: "func(dx, dy, x []float32, c float32)", in: []string{"x", "dy"}, out: "dx", consts: []string{"c"},
		doc: "for i := range x { dx[i] = dy[i]*4d/(1+d)² }, d = e^(-2|x[i]/c|).",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VDIVPS(c[0], in[0], in[0])
			d, one := decay(in[0]), filled(1)
			VADDPS(d, one, one)
			VMULPS(one, one, one)
			VMULPS(lanes(4), d, d)
			VDIVPS(one, d, d)
			VMULPS(in[1], d, d)
			return d
		},
	}.emit()
}

// quickRate is the factor in x·σ(1.702x).
const quickRate = 1.702

// activations generates each activation function and its backward pass.
func activations() {
	both("relu", "max(x[i], 0)", "(x[i] <= 0 ? 0 : 1)", func(x vec) vec {
		y := zero()
		VMAXPS(x, y, y)
		return y
	}, nil)
	both("gelu", "x[i]*Φ(x[i])", "(Φ(x[i]) + x[i]*φ(x[i]))", func(x vec) vec {
		phi, _ := phiOf(x)
		VMULPS(x, phi, phi)
		return phi
	}, func(x vec) vec {
		phi, e := phiOf(x)
		VMULPS(lanes(1/math.Sqrt(2*math.Pi)), e, e)
		VFMADD231PS(x, e, phi)
		return phi
	})
	both("geluTanh", "x[i]*σ(2w(x[i]))", "(σ + x[i]*σ*(1-σ)*2w'(x[i]))", func(x vec) vec {
		s, _ := tanhSigmaOf(x)
		VMULPS(x, s, s)
		return s
	}, func(x vec) vec {
		s, square := tanhSigmaOf(x)
		slope := fresh()
		VMOVUPS(lanes(3*tanhC*cubic), slope)
		VFMADD213PS(lanes(tanhC), square, slope)
		return sigmaSlope(s, x, slope)
	})
	both("silu", "x[i]*σ(x[i])", "(σ + x[i]*σ*(1-σ))", func(x vec) vec {
		z := fresh()
		VMOVAPS(x, z)
		s := sigmaOf(z)
		VMULPS(x, s, s)
		return s
	}, func(x vec) vec {
		z := fresh()
		VMOVAPS(x, z)
		return sigmaSlope(sigmaOf(z), x, nil)
	})
	quick := func(x vec) vec {
		z := fresh()
		VMULPS(lanes(quickRate), x, z)
		return sigmaOf(z)
	}
	both("quickGelu", "x[i]*σ(1.702x[i])", "(σ + x[i]*σ*(1-σ)*1.702)", func(x vec) vec {
		s := quick(x)
		VMULPS(x, s, s)
		return s
	}, func(x vec) vec { return sigmaSlope(quick(x), x, filled(quickRate)) })
	both("relu2", "max(x[i], 0)²", "2max(x[i], 0)", func(x vec) vec {
		y := zero()
		VMAXPS(x, y, y)
		VMULPS(y, y, y)
		return y
	}, func(x vec) vec {
		y := zero()
		VMAXPS(x, y, y)
		VADDPS(y, y, y)
		return y
	})
	softCap()
}

// sigmaSlope returns s + x·s·(1-s)·slope; a nil slope is 1.
func sigmaSlope(s, x, slope vec) vec {
	t := fresh()
	VMOVUPS(lanes(1), t)
	VSUBPS(s, t, t)
	VMULPS(s, t, t)
	VMULPS(x, t, t)
	if slope != nil {
		VFMADD231PS(slope, t, s)
	} else {
		VADDPS(t, s, s)
	}
	return s
}

// both generates name and its backward pass; a nil slope is that of ReLU.
func both(name, value, derivative string, act, slope func(x vec) vec) {
	loop{
		name: name, sig: "func(y, x []float32)", in: []string{"x"}, out: "y",
		doc:  "for i := range x { y[i] = " + value + " }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec { return act(in[0]) },
	}.emit()
	loop{
		name: name + "Backward", sig: "func(dx, dy, x []float32)", in: []string{"x", "dy"}, out: "dx",
		doc: "for i := range x { dx[i] = dy[i]*" + derivative + " }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec {
			if slope == nil {
				return reluSlope(in[0], in[1])
			}
			d := slope(in[0])
			VMULPS(in[1], d, d)
			return d
		},
	}.emit()
}

// reluSlope returns dy where x > 0 or x is NaN, and 0 elsewhere.
func reluSlope(x, dy vec) vec {
	return where(notLessOrEqual, x, zero(), dy, zero())
}
