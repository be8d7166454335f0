package main

import . "github.com/mmcloughlin/avo/build"

// elementwise generates the loops that have no transcendental function.
func elementwise() {
	loop{
		name: "mulAVX2", sig: "func(y, a, b []float32)", in: []string{"a", "b"}, out: "y",
		doc: "mulAVX2 is: for i := range a { y[i] = a[i]*b[i] }.",
		body: func(in, _ []vec, _, _ vec) vec {
			VMULPS(in[0], in[1], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "mulAddAVX2", sig: "func(y, a, b []float32)", in: []string{"y", "a", "b"}, out: "y",
		doc: "mulAddAVX2 is: for i := range y { y[i] += a[i]*b[i] }.",
		body: func(in, _ []vec, _, _ vec) vec {
			VFMADD231PS(in[1], in[2], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "addAVX2", sig: "func(y, x []float32)", in: []string{"y", "x"}, out: "y",
		doc: "addAVX2 is: for i := range y { y[i] += x[i] }.",
		body: func(in, _ []vec, _, _ vec) vec {
			VADDPS(in[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "axpyAVX2", sig: "func(y []float32, s float32, x []float32)", in: []string{"y", "x"}, out: "y",
		consts: []string{"s"},
		doc:    "axpyAVX2 is: for i := range y { y[i] += s*x[i] }.",
		body: func(in, c []vec, _, _ vec) vec {
			VFMADD231PS(in[1], c[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "scaleAVX2", sig: "func(y, x []float32, s float32)", in: []string{"x"}, out: "y",
		consts: []string{"s"},
		doc:    "scaleAVX2 is: for i := range x { y[i] = x[i]*s }.",
		body: func(in, c []vec, _, _ vec) vec {
			VMULPS(c[0], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "subAVX2", sig: "func(y, x []float32, s, t float32)", in: []string{"x"}, out: "y",
		consts: []string{"s", "t"},
		doc:    "subAVX2 is: for i := range x { y[i] = x[i]-s-t }.",
		body: func(in, c []vec, _, _ vec) vec {
			VSUBPS(c[0], in[0], in[0])
			VSUBPS(c[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "normAVX2", sig: "func(y, x []float32, mean, scale float32)", in: []string{"x"}, out: "y",
		consts: []string{"mean", "scale"},
		doc:    "normAVX2 is: for i := range x { y[i] = (x[i]-mean)/scale }.",
		body: func(in, c []vec, _, _ vec) vec {
			VSUBPS(c[0], in[0], in[0])
			VDIVPS(c[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "normBackwardAVX2", sig: "func(dx, dy, y []float32, s, q, scale float32)", in: []string{"dx", "dy", "y"}, out: "dx",
		consts: []string{"s", "q", "scale"},
		doc:    "normBackwardAVX2 is: for i := range dx { dx[i] += (dy[i]-s-y[i]*q)/scale }.",
		body: func(in, c []vec, _, _ vec) vec {
			VSUBPS(c[0], in[1], in[1])
			VFNMADD231PS(in[2], c[1], in[1])
			VDIVPS(c[2], in[1], in[1])
			VADDPS(in[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "affineAVX2", sig: "func(y, norm, w, b []float32)", in: []string{"norm", "w", "b"}, out: "y",
		doc: "affineAVX2 is: for i := range norm { y[i] = norm[i]*w[i]+b[i] }.",
		body: func(in, _ []vec, _, _ vec) vec {
			VFMADD231PS(in[0], in[1], in[2])
			return in[2]
		},
	}.emit()
	loop{
		name: "softmaxBackwardAVX2", sig: "func(dx, dy, y []float32, s float32)", in: []string{"dy", "y"}, out: "dx",
		consts: []string{"s"},
		doc:    "softmaxBackwardAVX2 is: for i := range dy { dx[i] = y[i]*(dy[i]-s) }.",
		body: func(in, c []vec, _, _ vec) vec {
			VSUBPS(c[0], in[0], in[0])
			VMULPS(in[1], in[0], in[0])
			return in[0]
		},
	}.emit()
}
