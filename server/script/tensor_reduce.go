package script

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"

	"orrery/models/tensor"
)

// Attr gives attributes and methods.
func (t *Tensor) Attr(name string) (starlark.Value, error) {
	switch name {
	case "shape":
		shape := make(starlark.Tuple, t.data.Rank())
		for i, n := range t.data.Shape {
			shape[i] = starlark.MakeInt(n)
		}
		return shape, nil
	case "dtype":
		return starlark.String(t.dtype), nil
	case "axes":
		axes := make(starlark.Tuple, len(t.axes))
		for i, a := range t.axes {
			axes[i] = starlark.String(a)
		}
		return axes, nil
	case "ndim":
		return starlark.MakeInt(t.data.Rank()), nil
	case "size":
		return starlark.MakeInt(t.data.Len()), nil
	case "T":
		return t.transpose(call{name: "T"})
	}
	fn := t.methods()[name]
	if fn == nil {
		if hint := foreignMethod(name); hint != "" {
			return nil, noAttribute("tensor", name, hint)
		}
		return nil, nil
	}
	return newMethod("tensor."+name, fn), nil
}

// AttrNames lists attributes and methods.
func (t *Tensor) AttrNames() []string {
	names := []string{"T", "axes", "dtype", "ndim", "shape", "size"}
	for name := range t.methods() {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (t *Tensor) methods() map[string]func(call) (starlark.Value, error) {
	float := func(fn func(float64) float64) func(call) (starlark.Value, error) {
		return func(c call) (starlark.Value, error) {
			return t.each("float32", fn), c.unpack()
		}
	}
	test := func(fn func(a, b float64) bool) func(call) (starlark.Value, error) {
		return func(c call) (starlark.Value, error) { return t.compare(c, fn) }
	}
	reduce := func(what string) func(call) (starlark.Value, error) {
		return func(c call) (starlark.Value, error) {
			var axis starlark.Value
			keepdim := false
			if err := c.unpack("axis??", &axis, "keepdim?", &keepdim); err != nil {
				return nil, err
			}
			return t.reduce(c, what, axis, keepdim)
		}
	}
	return map[string]func(call) (starlark.Value, error){
		"at":   func(c call) (starlark.Value, error) { return t.at(c.args) },
		"sel":  t.sel,
		"mean": reduce("mean"), "sum": reduce("sum"), "max": reduce("max"), "min": reduce("min"),
		"argmax": reduce("argmax"), "argmin": reduce("argmin"), "norm": reduce("norm"),
		"softmax":     func(c call) (starlark.Value, error) { return t.softmax(c, false) },
		"log_softmax": func(c call) (starlark.Value, error) { return t.softmax(c, true) },
		"abs":         float(math.Abs), "exp": float(math.Exp), "log": float(math.Log), "sqrt": float(math.Sqrt),
		"pow": func(c call) (starlark.Value, error) {
			var y starlark.Value
			if err := c.unpack("y", &y); err != nil {
				return nil, err
			}
			return t.pow(y)
		},
		"gt": test(func(a, b float64) bool { return a > b }), "lt": test(func(a, b float64) bool { return a < b }),
		"ge": test(func(a, b float64) bool { return a >= b }), "le": test(func(a, b float64) bool { return a <= b }),
		"eq":     test(func(a, b float64) bool { return a == b }),
		"matmul": t.matmul, "transpose": t.transpose,
		"tolist": func(c call) (starlark.Value, error) {
			if err := c.memory.reserve("tolist", 32*float64(t.data.Len())); err != nil {
				return nil, err
			}
			return t.list(), c.unpack()
		},
		"item": func(c call) (starlark.Value, error) {
			if t.data.Len() != 1 {
				return nil, &hinted{fmt.Sprintf("item: the tensor has %d elements, not one", t.data.Len()), "index it first, such as t[0, -1]"}
			}
			return t.scalar(0), c.unpack()
		},
	}
}

// foreignMethod returns what to write instead of a method of other libraries.
func foreignMethod(name string) string {
	return map[string]string{
		"numpy": "leave it out; a tensor is an array already", "detach": "leave it out; tensors carry no gradients", "cpu": "leave it out; tensors are in main memory",
		"squeeze": "take the axis with t[0] or t.sel(batch=0)", "permute": "write t.transpose(1, 0)", "slice": `write t.at("1:3") or t.sel(pos="1:3")`,
		"topk": "write sorted(range(len(t)), key=lambda i: -t[i])[:k]", "reshape": "take parts with t.at(...) or t.sel(...)", "view": "take parts with t.at(...) or t.sel(...)",
		"std": "write (t - t.mean()).pow(2).mean().sqrt() axis by axis", "shape_": "write t.shape",
	}[name]
}

// list is the tensor as nested lists.
func (t *Tensor) list() starlark.Value {
	if t.data.Rank() == 0 {
		return t.scalar(0)
	}
	list := make([]starlark.Value, t.Len())
	for i := range list {
		switch x := t.Index(i).(type) {
		case *Tensor:
			list[i] = x.list()
		default:
			list[i] = x
		}
	}
	return starlark.NewList(list)
}

// reduce takes all elements, or those along one axis, to one number; keepdim
// leaves that axis, with one element. NaN wins over every number in max and min.
func (t *Tensor) reduce(c call, what string, axis starlark.Value, keepdim bool) (starlark.Value, error) {
	if t.data.Len() == 0 && what != "sum" && what != "norm" {
		return nil, fmt.Errorf("%s of an empty tensor %s", what, shapeText(t.data.Shape, t.axes))
	}
	if axis == nil && keepdim {
		return nil, &hinted{what + ": keepdim=True needs an axis", `say which to keep, such as axis="pos"`}
	}
	if axis == nil {
		v := reduceRun(what, t.data.Data, 0, t.data.Len(), 1)
		if what == "argmax" || what == "argmin" {
			return starlark.MakeInt(int(v)), nil
		}
		if t.dtype == "int32" && (what == "max" || what == "min") {
			return starlark.MakeInt(int(v)), nil
		}
		return starlark.Float(v), nil
	}
	k, err := t.axis(axis)
	if err != nil {
		return nil, err
	}
	inner := 1
	for _, n := range t.data.Shape[k+1:] {
		inner *= n
	}
	n := t.data.Dim(k)
	shape, axes := slices.Clone(t.data.Shape), slices.Clone(t.axes)
	if shape[k] = 1; !keepdim {
		shape, axes = slices.Delete(shape, k, k+1), slices.Delete(axes, k, k+1)
	}
	out := tensor.New(shape...)
	for i := range out.Data {
		if i&4095 == 0 && c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		out.Data[i] = float32(reduceRun(what, t.data.Data, i/inner*n*inner+i%inner, n, inner))
	}
	dtype := "float32"
	if what == "argmax" || what == "argmin" || t.dtype == "int32" && (what == "max" || what == "min") {
		dtype = "int32"
	}
	return newTensor(out, axes, dtype).value(), nil
}

// reduceRun reduces n elements of data from start on, step apart.
func reduceRun(what string, data []float32, start, n, step int) float64 {
	sum, best, at := 0.0, 0.0, 0
	for i := range n {
		v := float64(data[start+i*step])
		switch what {
		case "mean", "sum":
			sum += v
		case "norm":
			sum += v * v
		case "max", "argmax":
			if i == 0 || v > best || math.IsNaN(v) && !math.IsNaN(best) {
				best, at = v, i
			}
		case "min", "argmin":
			if i == 0 || v < best || math.IsNaN(v) && !math.IsNaN(best) {
				best, at = v, i
			}
		}
	}
	switch what {
	case "mean":
		return sum / float64(n)
	case "sum":
		return sum
	case "norm":
		return math.Sqrt(sum)
	case "argmax", "argmin":
		return float64(at)
	}
	return best
}

// softmax is the softmax along an axis, the last unless one is named, or its
// logarithm.
func (t *Tensor) softmax(c call, logarithm bool) (starlark.Value, error) {
	var axis starlark.Value = starlark.MakeInt(-1)
	if err := c.unpack("axis?", &axis); err != nil {
		return nil, err
	}
	k, err := t.axis(axis)
	if err != nil {
		return nil, err
	}
	inner := 1
	for _, n := range t.data.Shape[k+1:] {
		inner *= n
	}
	n := t.data.Dim(k)
	out := tensor.New(t.data.Shape...)
	for i := range t.data.Len() / max(n, 1) {
		if i&1023 == 0 && c.ctx.Err() != nil {
			return nil, c.ctx.Err()
		}
		start := i/inner*n*inner + i%inner
		top := reduceRun("max", t.data.Data, start, n, inner)
		sum := 0.0
		for j := range n {
			sum += math.Exp(float64(t.data.Data[start+j*inner]) - top)
		}
		for j := range n {
			x := float64(t.data.Data[start+j*inner]) - top - math.Log(sum)
			if !logarithm {
				x = math.Exp(x)
			}
			out.Data[start+j*inner] = float32(x)
		}
	}
	return newTensor(out, t.axes, "float32"), nil
}
