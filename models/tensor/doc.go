// Package tensor holds the one array type of the project: Dense, a row-major
// contiguous float32 block with a shape.
//
// It is not a numeric library. It has no arithmetic, no broadcasting and no
// strides: kernels take the Data slice, and every view is itself contiguous,
// because it fixes leading indices or takes a range of the first axis.
//
// Read Dense first, then the views Sub, Slice0 and Reshape, which share Data
// with their parent, and Clone, which does not.
//
// Errors: a wrong shape or index is a mistake in our own code, so functions
// panic with a ShapeError that names the operation and both shapes. Code that
// takes shapes from outside checks them before it comes here.
package tensor
