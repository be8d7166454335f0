package main

import . "github.com/mmcloughlin/avo/build"

// plus adds b to a.
func plus(b, a vec) { VADDPS(b, a, a) }

// reductions generates the sums and the maximum of a row.
func reductions() {
	loop{
		name: "dotAVX2", sig: "func(a, b []float32) float32", in: []string{"a", "b"}, accs: 4, join: plus,
		doc: "dotAVX2 is: for i := range a { s += a[i]*b[i] }.",
		body: func(in, _ []vec, acc, _ vec) vec {
			VFMADD231PS(in[0], in[1], acc)
			return nil
		},
	}.emit()
	loop{
		name: "sumAVX2", sig: "func(x []float32) float32", in: []string{"x"}, accs: 4, join: plus,
		doc: "sumAVX2 is: for i := range x { s += x[i] }.",
		body: func(in, _ []vec, acc, _ vec) vec {
			VADDPS(in[0], acc, acc)
			return nil
		},
	}.emit()
	loop{
		name: "squaresAVX2", sig: "func(x []float32, mean float32) float32", in: []string{"x"}, accs: 4, join: plus,
		consts: []string{"mean"},
		doc:    "squaresAVX2 is: for i := range x { s += (x[i]-mean)*(x[i]-mean) }.",
		body: func(in, c []vec, acc, tail vec) vec {
			VSUBPS(c[0], in[0], in[0])
			if tail != nil {
				VANDPS(tail, in[0], in[0])
			}
			VFMADD231PS(in[0], in[0], acc)
			return nil
		},
	}.emit()
	loop{
		name: "maxAVX2", sig: "func(x []float32) float32", in: []string{"x"}, accs: 4,
		doc:   "maxAVX2 is: for i := range x { if x[i] > s { s = x[i] } }, from -Inf; a NaN may be passed over.",
		start: func(v vec) { VMOVUPS(bits(0xff800000), v) },
		join:  func(b, a vec) { VMAXPS(b, a, a) },
		body: func(in, _ []vec, acc, tail vec) vec {
			if tail != nil {
				low := YMM()
				VMOVUPS(bits(0xff800000), low)
				VBLENDVPS(tail, in[0], low, in[0])
			}
			VMAXPS(in[0], acc, acc)
			return nil
		},
	}.emit()
}
