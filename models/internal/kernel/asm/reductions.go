package main

import . "github.com/mmcloughlin/avo/build"

// plus adds b to a.
func plus(b, a vec) { VADDPS(b, a, a) }

// reductions generates the sums and the maximum of a row.
func reductions() {
	loop{
		name: "dot", sig: "func(a, b []float32) float32", in: []string{"a", "b"}, accs: 4, join: plus,
		doc: "for i := range a { s += a[i]*b[i] }.",
		body: func(in, _ []vec, acc vec, _ *tail) vec {
			VFMADD231PS(in[0], in[1], acc)
			return nil
		},
	}.emit()
	loop{
		name: "sum", sig: "func(x []float32) float32", in: []string{"x"}, accs: 4, join: plus,
		doc: "for i := range x { s += x[i] }.",
		body: func(in, _ []vec, acc vec, _ *tail) vec {
			VADDPS(in[0], acc, acc)
			return nil
		},
	}.emit()
	loop{
		name: "squares", sig: "func(x []float32, mean float32) float32", in: []string{"x"}, accs: 4, join: plus,
		consts: []string{"mean"},
		doc:    "for i := range x { s += (x[i]-mean)*(x[i]-mean) }.",
		body: func(in, c []vec, acc vec, t *tail) vec {
			VSUBPS(c[0], in[0], in[0])
			t.keep(in[0])
			VFMADD231PS(in[0], in[0], acc)
			return nil
		},
	}.emit()
	loop{
		name: "max", sig: "func(x []float32) float32", in: []string{"x"}, accs: 4,
		doc:   "for i := range x { if x[i] > s { s = x[i] } }, from -Inf; a NaN may be passed over.",
		start: func(v vec) { VMOVUPS(bits(0xff800000), v) },
		join:  func(b, a vec) { VMAXPS(b, a, a) },
		body: func(in, _ []vec, acc vec, t *tail) vec {
			t.fill(in[0], bits(0xff800000))
			VMAXPS(in[0], acc, acc)
			return nil
		},
	}.emit()
}
