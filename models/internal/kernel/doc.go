// Package kernel holds the numeric loops that a transformer spends its time
// in, forward and backward: matrix products, norms, activations, softmax,
// rotary positions.
//
// It knows float32 slices and sizes only, no tensors and no model. It keeps no
// state but the worker team that Do splits work over.
package kernel
