// Package kernel holds the numeric loops that a transformer spends its time
// in, forward and backward: matrix products, attention, norms, activations,
// softmax, cross-entropy, rotary positions.
//
// It knows float32 slices and sizes only, row-major; no tensors, no model, no
// weights by name. One operation stands in one file, its gradient beside it.
//
// Start with MatMulNT in matmul.go, whose comment says what batch-invariant
// means here; product.go cuts a product into blocks, panels.go lays them out,
// tile.go computes them. Packed in pack.go is a weight matrix as a model keeps
// it, in 32 or 16 bits, and Part in part.go a block of one. Do in team.go is how
// everything is split over threads. Peak and Bandwidth in measure.go tell what
// the processor could do.
//
// # Bits
//
// A comment gives the loop that a function must equal. There are three
// implementations of each: that loop in Go, and vector code for AVX2 with FMA
// and for AVX-512 that is generated in the folder asm; Path tells which one
// runs, and an environment variable, see Variable, can hold a process to one.
//
// On one path the bits of an output row depend on the input row and the weights
// alone: never on how many rows go with it, on where it lies in its slice, on
// the number of threads or on how work was split. An element of a product is one
// chain of multiply-adds over ascending k. Sums over rows (gradients of weights,
// gains and biases) are taken in the order of rows, for any number of threads.
//
// The two vector paths give the same bits: chains do not depend on the width of
// vectors, and reductions go over sixteen lanes in both. Between them and the
// plain loops a sum agrees to 1e-5 of the sum of its magnitudes.
//
// # Errors
//
// Wrong sizes are mistakes in our own code: functions panic with a
// tensor.ShapeError. NaN and infinities propagate as in the stated loop; a
// product never skips a factor of zero.
//
// Slices that are read and written may be one and the same only where a
// comment says so, and must never overlap by a part.
package kernel
