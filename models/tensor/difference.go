package tensor

import "math"

// MaxDifference returns the largest |d−o| of two tensors of one shape; NaN
// anywhere gives NaN. It panics with a ShapeError when the shapes differ.
func (d *Dense) MaxDifference(o *Dense) float64 {
	if !SameShape(d.Shape, o.Shape) {
		panic(ShapeError{Op: "difference", Got: o.Shape, Want: d.Shape})
	}
	worst := 0.0
	for i := range d.Data {
		if x := math.Abs(float64(d.Data[i]) - float64(o.Data[i])); !(x <= worst) {
			worst = x
			if math.IsNaN(x) {
				return x
			}
		}
	}
	return worst
}
