package script

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"orrery/models/tensor"
)

// maxElements is the size of the largest tensor that an operation makes.
const maxElements = 1 << 27

// Tensor is a block of numbers with named axes. It is immutable, so it needs
// no freezing and may share its data with others.
type Tensor struct {
	data *tensor.Dense // never written after the tensor is made
	axes []string      // one name an axis; "" for none
	// dtype is "float32", "int32" (indices, exact up to 2^24) or "bool" (0 and 1).
	dtype string
}

// newTensor wraps data; missing axis names are filled with "".
func newTensor(data *tensor.Dense, axes []string, dtype string) *Tensor {
	axes = slices.Clone(axes)
	for len(axes) < data.Rank() {
		axes = append(axes, "")
	}
	return &Tensor{data: data, axes: axes[:data.Rank()], dtype: dtype}
}

// scalar returns an element as a Starlark number.
func (t *Tensor) scalar(i int) starlark.Value {
	switch v := t.data.Data[i]; t.dtype {
	case "int32":
		return starlark.MakeInt(int(v))
	case "bool":
		return starlark.Bool(v != 0)
	default:
		return starlark.Float(v)
	}
}

// value returns the tensor, or its number when it has no axes left.
func (t *Tensor) value() starlark.Value {
	if t.data.Rank() == 0 {
		return t.scalar(0)
	}
	return t
}

// Type is "tensor".
func (t *Tensor) Type() string { return "tensor" }

// Freeze does nothing: a tensor never changes.
func (t *Tensor) Freeze() {}

// Truth is that of one element; a tensor of several is true when any is.
func (t *Tensor) Truth() starlark.Bool {
	return starlark.Bool(slices.ContainsFunc(t.data.Data, func(v float32) bool { return v != 0 }))
}

// Hash refuses: a tensor is no key.
func (t *Tensor) Hash() (uint32, error) { return 0, errors.New("unhashable: tensor") }

// String shows shape, axes and a few values.
func (t *Tensor) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "tensor %s %s", shapeText(t.data.Shape, t.axes), t.dtype)
	if t.data.Len() > 0 {
		b.WriteByte('\n')
		t.write(&b, 0, 0, 1)
	}
	return b.String()
}

// shapeText spells a shape with axis names: [5 pos, 128 d_model].
func shapeText(shape []int, axes []string) string {
	parts := make([]string, len(shape))
	for i, n := range shape {
		parts[i] = strings.TrimSuffix(fmt.Sprintf("%d %s", n, axes[i]), " ")
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// write prints axis and those after it from a flat offset on, at most 3
// elements at each end of an axis (1 on the outer axes of large tensors).
func (t *Tensor) write(b *strings.Builder, axis, offset, indent int) {
	shape := t.data.Shape
	if axis == len(shape) {
		b.WriteString(t.element(offset))
		return
	}
	stride := 1
	for _, n := range shape[axis+1:] {
		stride *= n
	}
	edge := 3
	if len(shape)-axis > 2 {
		edge = 1
	}
	b.WriteByte('[')
	for i := 0; i < shape[axis]; i++ {
		if i > 0 {
			if axis == len(shape)-1 {
				b.WriteString(", ")
			} else {
				b.WriteString(",\n" + strings.Repeat(" ", indent))
			}
		}
		if i == edge && shape[axis] > 2*edge+1 {
			b.WriteString("…")
			i = shape[axis] - edge - 1
			continue
		}
		t.write(b, axis+1, offset+i*stride, indent+1)
	}
	b.WriteByte(']')
}

// element spells a number in few letters.
func (t *Tensor) element(i int) string {
	v := float64(t.data.Data[i])
	switch {
	case t.dtype == "bool":
		return starlark.Bool(v != 0).String()
	case t.dtype == "int32":
		return strconv.FormatFloat(v, 'f', 0, 64)
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case math.IsNaN(v):
		return "nan"
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// CompareSameType answers == and !=: equal shapes and equal numbers.
func (t *Tensor) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	u := y.(*Tensor)
	return equality("tensor", op, slices.Equal(t.data.Shape, u.data.Shape) && slices.Equal(t.data.Data, u.data.Data))
}

// Len is the length of axis 0.
func (t *Tensor) Len() int {
	if t.data.Rank() == 0 {
		return 0
	}
	return t.data.Dim(0)
}

// Index is t[i], i in 0..Len()-1.
func (t *Tensor) Index(i int) starlark.Value {
	return newTensor(t.data.Sub(i), t.axes[1:], t.dtype).value()
}

// Slice is t[start:end:step] along axis 0.
func (t *Tensor) Slice(start, end, step int) starlark.Value {
	if step == 1 {
		return newTensor(t.data.Slice0(start, max(start, end)), t.axes, t.dtype)
	}
	var picked []int
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		picked = append(picked, i)
	}
	return t.gather([]pick{{indices: picked}})
}

// Iterate walks axis 0.
func (t *Tensor) Iterate() starlark.Iterator { return &tensorIterator{t: t} }

type tensorIterator struct {
	t *Tensor
	i int
}

// Next gives the next element of axis 0.
func (it *tensorIterator) Next(p *starlark.Value) bool {
	if it.i >= it.t.Len() {
		return false
	}
	*p = it.t.Index(it.i)
	it.i++
	return true
}

// Done ends the walk.
func (it *tensorIterator) Done() {}
