package kernel

import (
	"slices"

	"orrery/models/tensor"
)

// splitElements is the number of elements of an elementwise or row operation
// that is worth handing to another thread: some microseconds.
const splitElements = 1 << 13

// grain returns how many rows of d elements make up splitElements.
func grain(d int) int { return max(1, splitElements/max(d, 1)) }

// exact panics unless every length is want.
func exact(op string, want int, lengths ...int) {
	for _, n := range lengths {
		if n != want {
			panic(tensor.ShapeError{Op: op + ": lengths", Got: slices.Clone(lengths), Want: []int{want}})
		}
	}
}

// atLeast panics unless every length reaches want, the product of the sizes
// that the caller gave.
func atLeast(op string, want int, lengths ...int) {
	for _, n := range lengths {
		if n < want || want < 0 {
			panic(tensor.ShapeError{Op: op + ": lengths", Got: slices.Clone(lengths), Want: []int{want}})
		}
	}
}
