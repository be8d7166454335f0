package main

import (
	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// expQ are the coefficients of Q, lowest first, in e^r ≈ 1 + r + r²·Q(r) on
// |r| <= ln2/2: a weighted least-squares fit with Lawson's iteration towards
// the minimax of the relative error, which is 3.1e-9 before rounding.
var expQ = []float64{0.499999934308, 0.166665203863, 0.0416683910419, 0.00836874629305, 0.00138145279131}

// expOf overwrites x by e^x and returns it. Above 88.73 the result is +Inf,
// below -103.98 it is 0, subnormals are kept, and NaN stays NaN.
func expOf(x vec) vec {
	// The operand order of min and max lets a NaN in x through.
	t := fresh()
	VMOVUPS(lanes(89), t)
	VMINPS(x, t, t)
	VMOVUPS(lanes(-104), x)
	VMAXPS(t, x, t)
	n := fresh()
	VMULPS(lanes(1.44269504088896340736), t, n)
	nearest(n, n)
	// r = t - n·ln2, with ln2 in two parts of which the first has few bits.
	VFNMADD231PS(lanes(0.693359375), n, t)
	VFNMADD231PS(lanes(-2.12194440054690583e-4), n, t)
	p := x
	VMOVUPS(lanes(expQ[4]), p)
	for i := 3; i >= 0; i-- {
		VFMADD213PS(lanes(expQ[i]), t, p)
	}
	r2 := fresh()
	VMULPS(t, t, r2)
	VFMADD213PS(t, r2, p)
	VADDPS(lanes(1), p, p)
	// 2^n in two factors, so that neither leaves the exponent's range.
	h := fresh()
	VCVTPS2DQ(n, n)
	VPSRAD(operand.U8(1), n, h)
	VPSUBD(h, n, n)
	for _, e := range []vec{h, n} {
		VPADDD(bits(127), e, e)
		VPSLLD(operand.U8(23), e, e)
		VMULPS(e, p, p)
	}
	return p
}

// exponentials generates exp and the first pass of softmax.
func exponentials() {
	loop{
		name: "exp", sig: "func(y, x []float32)", in: []string{"x"}, out: "y",
		doc:  "for i := range x { y[i] = exp(x[i]) }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec { return expOf(in[0]) },
	}.emit()
	loop{
		name: "expSum", sig: "func(y, x []float32, top float32) float32", in: []string{"x"}, out: "y", accs: 1, join: plus,
		consts: []string{"top"},
		doc:    "for i := range x { y[i] = exp(x[i]-top); s += y[i] }.",
		body: func(in, c []vec, acc vec, t *tail) vec {
			VSUBPS(c[0], in[0], in[0])
			e := expOf(in[0])
			t.keep(e)
			VADDPS(e, acc, acc)
			return e
		},
	}.emit()
}
