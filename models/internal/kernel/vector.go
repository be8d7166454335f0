package kernel

// Mul is y = a*b, element by element. y may be a or b.
func Mul(y, a, b []float32) {
	for i := range y {
		y[i] = a[i] * b[i]
	}
}

// Add is y += x. y may be x.
func Add(y, x []float32) {
	for i := range y {
		y[i] += x[i]
	}
}

// Axpy is y += s*x. y may be x.
func Axpy(y []float32, s float32, x []float32) {
	for i := range y {
		y[i] += float32(s * x[i])
	}
}

// Dot is the sum of a*b in a fixed lane order.
func Dot(a, b []float32) float32 {
	var s float32
	for i := range a {
		s += float32(a[i] * b[i])
	}
	return s
}
