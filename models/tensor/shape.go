package tensor

import (
	"fmt"
	"slices"
)

// ShapeError is the value that functions of this package and of the kernels
// panic with when shapes, lengths or indices cannot go together.
type ShapeError struct {
	Op   string // the operation that was asked for, such as "tensor: reshape"
	Got  []int  // the shape, length or index that was given
	Want []int  // the shape, length or bound that it had to fit
}

// Error gives the operation and both shapes.
func (e ShapeError) Error() string {
	return fmt.Sprintf("%s: got %v, want %v", e.Op, e.Got, e.Want)
}

// SameShape reports whether a and b have the same axes in the same order.
func SameShape(a, b []int) bool { return slices.Equal(a, b) }

// size returns the product of shape's axes and panics on a negative axis. The
// empty shape is a scalar: its size is 1.
func size(op string, shape []int) int {
	n := 1
	for _, s := range shape {
		if s < 0 {
			panic(ShapeError{Op: op + ": negative axis", Got: slices.Clone(shape), Want: []int{0}})
		}
		n *= s
	}
	return n
}
