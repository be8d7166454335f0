package tensor

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Dense is a row-major contiguous float32 tensor: the last axis varies
// fastest, and the product of Shape is len(Data). Both fields are exported on
// purpose, as kernels take Data; whoever changes them keeps that equation.
type Dense struct {
	Shape []int
	Data  []float32
}

// New returns a tensor of zeros with the given shape. No axes at all make a
// scalar with one element.
func New(shape ...int) *Dense {
	return &Dense{Shape: slices.Clone(shape), Data: make([]float32, size("tensor: new", shape))}
}

// From returns a tensor over data without copying it. It panics with a
// ShapeError when the product of shape is not len(data).
func From(data []float32, shape ...int) *Dense {
	if size("tensor: from", shape) != len(data) {
		panic(ShapeError{Op: "tensor: from", Got: []int{len(data)}, Want: slices.Clone(shape)})
	}
	return &Dense{Shape: slices.Clone(shape), Data: data}
}

// Len returns the number of elements.
func (d *Dense) Len() int { return len(d.Data) }

// Rank returns the number of axes.
func (d *Dense) Rank() int { return len(d.Shape) }

// Dim returns the length of axis i; a negative i counts from the last axis.
func (d *Dense) Dim(i int) int {
	j := i
	if j < 0 {
		j += len(d.Shape)
	}
	if j < 0 || j >= len(d.Shape) {
		panic(ShapeError{Op: "tensor: axis", Got: []int{i}, Want: slices.Clone(d.Shape)})
	}
	return d.Shape[j]
}

// offset returns the index in Data of the first element below the leading
// indices idx, and the number of elements there.
func (d *Dense) offset(op string, idx []int) (at, n int) {
	if len(idx) > len(d.Shape) {
		panic(ShapeError{Op: op, Got: slices.Clone(idx), Want: slices.Clone(d.Shape)})
	}
	n = len(d.Data)
	for i, v := range idx {
		if v < 0 || v >= d.Shape[i] {
			panic(ShapeError{Op: op, Got: slices.Clone(idx), Want: slices.Clone(d.Shape)})
		}
		n /= d.Shape[i]
		at += v * n
	}
	return at, n
}

// At returns the element at idx, which names every axis.
func (d *Dense) At(idx ...int) float32 {
	at, n := d.offset("tensor: at", idx)
	if len(idx) != len(d.Shape) || n != 1 {
		panic(ShapeError{Op: "tensor: at", Got: slices.Clone(idx), Want: slices.Clone(d.Shape)})
	}
	return d.Data[at]
}

// Set writes v to the element at idx, which names every axis.
func (d *Dense) Set(v float32, idx ...int) {
	at, n := d.offset("tensor: set", idx)
	if len(idx) != len(d.Shape) || n != 1 {
		panic(ShapeError{Op: "tensor: set", Got: slices.Clone(idx), Want: slices.Clone(d.Shape)})
	}
	d.Data[at] = v
}

// EqualBits reports whether o has the same shape and the same bits in every
// element: equal NaNs are equal, and 0 and -0 are not.
func (d *Dense) EqualBits(o *Dense) bool {
	if !SameShape(d.Shape, o.Shape) || len(d.Data) != len(o.Data) {
		return false
	}
	for i, v := range d.Data {
		if math.Float32bits(v) != math.Float32bits(o.Data[i]) {
			return false
		}
	}
	return true
}

// shown is how many values String prints before it stops.
const shown = 6

// String gives the shape, the element type and the first few values:
// "[2 5 128] float32 {0.1 -2 ...}".
func (d *Dense) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v float32 {", d.Shape)
	for i, v := range d.Data[:min(shown, len(d.Data))] {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%g", v)
	}
	if len(d.Data) > shown {
		b.WriteString(" ...")
	}
	b.WriteByte('}')
	return b.String()
}
