package kernel

// Mul is the product of elements; a, b and y have one length, and y may be a
// or b. It runs on the caller's thread. The loop that it must equal:
//
//	for i := range y { y[i] = a[i]*b[i] }
func Mul(y, a, b []float32) {
	exact("kernel: mul", len(y), len(a), len(b))
	if active != nil {
		active.mul(y, a, b)
		return
	}
	for i := range y {
		y[i] = a[i] * b[i]
	}
}

// Add adds x to y of the same length; y may be x. It runs on the caller's
// thread. The loop that it must equal:
//
//	for i := range y { y[i] += x[i] }
func Add(y, x []float32) {
	exact("kernel: add", len(y), len(x))
	if active != nil {
		active.add(y, x)
		return
	}
	for i := range y {
		y[i] += x[i]
	}
}

// Axpy adds s*x to y of the same length, fused on the vector paths; y may be x.
// It runs on the caller's thread. The loop that it must equal:
//
//	for i := range y { y[i] += s*x[i] }
func Axpy(y []float32, s float32, x []float32) {
	exact("kernel: axpy", len(y), len(x))
	if active != nil {
		active.axpy(y, s, x)
		return
	}
	for i := range y {
		y[i] += float32(s * x[i])
	}
}

// Dot is the inner product of a and b of the same length. The order of the sum
// depends on the length alone. The loop that it must equal, to rounding:
//
//	for i := range a { s += a[i]*b[i] }
func Dot(a, b []float32) float32 {
	exact("kernel: dot", len(a), len(b))
	if active != nil {
		return active.dot(a, b)
	}
	var s float32
	for i := range a {
		s += float32(a[i] * b[i])
	}
	return s
}

// mulAdd is the loop y[i] += a[i]*b[i].
func mulAdd(y, a, b []float32) {
	if active != nil {
		active.mulAdd(y, a, b)
		return
	}
	for i := range y {
		y[i] += float32(a[i] * b[i])
	}
}

// sum is the sum of x, in an order that depends on its length alone.
func sum(x []float32) float32 {
	if active != nil {
		return active.sum(x)
	}
	var s float32
	for _, v := range x {
		s += v
	}
	return s
}

// Scale multiplies x by s; y and x have one length and y may be x. It runs on
// the caller's thread. The loop that it must equal:
//
//	for i := range x { y[i] = x[i]*s }
func Scale(y, x []float32, s float32) {
	exact("kernel: scale", len(y), len(x))
	if active != nil {
		active.scale(y, x, s)
		return
	}
	for i, v := range x {
		y[i] = v * s
	}
}
