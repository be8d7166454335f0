package main

import . "github.com/mmcloughlin/avo/build"

// elementwise generates the loops that have no transcendental function.
func elementwise() {
	loop{
		name: "mul", sig: "func(y, a, b []float32)", in: []string{"a", "b"}, out: "y",
		doc: "for i := range a { y[i] = a[i]*b[i] }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec {
			VMULPS(in[0], in[1], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "mulAdd", sig: "func(y, a, b []float32)", in: []string{"y", "a", "b"}, out: "y",
		doc: "for i := range y { y[i] += a[i]*b[i] }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec {
			VFMADD231PS(in[1], in[2], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "add", sig: "func(y, x []float32)", in: []string{"y", "x"}, out: "y",
		doc: "for i := range y { y[i] += x[i] }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec {
			VADDPS(in[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "axpy", sig: "func(y []float32, s float32, x []float32)", in: []string{"y", "x"}, out: "y",
		consts: []string{"s"},
		doc:    "for i := range y { y[i] += s*x[i] }.",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VFMADD231PS(in[1], c[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "scale", sig: "func(y, x []float32, s float32)", in: []string{"x"}, out: "y",
		consts: []string{"s"},
		doc:    "for i := range x { y[i] = x[i]*s }.",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VMULPS(c[0], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "norm", sig: "func(y, x []float32, mean, scale float32)", in: []string{"x"}, out: "y",
		consts: []string{"mean", "scale"},
		doc:    "for i := range x { y[i] = (x[i]-mean)/scale }.",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VSUBPS(c[0], in[0], in[0])
			VDIVPS(c[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "normBackward", sig: "func(dx, dy, y []float32, s, q, scale float32)", in: []string{"dx", "dy", "y"}, out: "dx",
		consts: []string{"s", "q", "scale"},
		doc:    "for i := range dx { dx[i] += (dy[i]-s-y[i]*q)/scale }.",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VSUBPS(c[0], in[1], in[1])
			VFNMADD231PS(in[2], c[1], in[1])
			VDIVPS(c[2], in[1], in[1])
			VADDPS(in[1], in[0], in[0])
			return in[0]
		},
	}.emit()
	loop{
		name: "affine", sig: "func(y, norm, w, b []float32)", in: []string{"norm", "w", "b"}, out: "y",
		doc: "for i := range norm { y[i] = norm[i]*w[i]+b[i] }.",
		body: func(in, _ []vec, _ vec, _ *tail) vec {
			VFMADD231PS(in[0], in[1], in[2])
			return in[2]
		},
	}.emit()
	loop{
		name: "softmaxBackward", sig: "func(dx, dy, y []float32, s float32)", in: []string{"dy", "y"}, out: "dx",
		consts: []string{"s"},
		doc:    "for i := range dy { dx[i] = y[i]*(dy[i]-s) }.",
		body: func(in, c []vec, _ vec, _ *tail) vec {
			VSUBPS(c[0], in[0], in[0])
			VMULPS(in[1], in[0], in[0])
			return in[0]
		},
	}.emit()
}
