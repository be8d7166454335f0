package script

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"orrery/models/tensor"
)

// Binary is t + u, t - 1, 2 / t and so on, element by element, shapes
// broadcast from the last axis back as in NumPy. In x in t, the tensor answers.
func (t *Tensor) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	fn := binaryOps(op)
	if fn == nil {
		return nil, nil
	}
	u, ok := y.(*Tensor)
	if !ok {
		v, isNumber := number(y)
		if !isNumber {
			return nil, nil
		}
		one := tensor.New()
		one.Data[0] = float32(v)
		u = newTensor(one, nil, "float32")
	}
	if side == starlark.Right {
		t, u = u, t
	}
	return t.combine(u, "float32", fn)
}

// binaryOps returns the function of an operator, nil for those that tensors lack.
func binaryOps(op syntax.Token) func(a, b float64) float64 {
	switch op {
	case syntax.PLUS:
		return func(a, b float64) float64 { return a + b }
	case syntax.MINUS:
		return func(a, b float64) float64 { return a - b }
	case syntax.STAR:
		return func(a, b float64) float64 { return a * b }
	case syntax.SLASH:
		return func(a, b float64) float64 { return a / b }
	case syntax.SLASHSLASH:
		return func(a, b float64) float64 { return math.Floor(a / b) }
	case syntax.PERCENT:
		return func(a, b float64) float64 { return a - b*math.Floor(a/b) }
	}
	return nil
}

// Unary is -t and +t.
func (t *Tensor) Unary(op syntax.Token) (starlark.Value, error) {
	switch op {
	case syntax.MINUS:
		return t.each(t.dtype, func(v float64) float64 { return -v }), nil
	case syntax.PLUS:
		return t, nil
	}
	return nil, nil
}

// each applies fn to every element.
func (t *Tensor) each(dtype string, fn func(float64) float64) *Tensor {
	out := tensor.New(t.data.Shape...)
	for i, v := range t.data.Data {
		out.Data[i] = float32(fn(float64(v)))
	}
	return newTensor(out, t.axes, dtype)
}

// combine applies fn to the elements of t and u, broadcast. It refuses two
// tensors of unequal rank whose names say that the wrong axes have met, as
// [query, key] and its mean by key do, which is [query].
func (t *Tensor) combine(u *Tensor, dtype string, fn func(a, b float64) float64) (starlark.Value, error) {
	rank := max(t.data.Rank(), u.data.Rank())
	shape, axes := make([]int, rank), make([]string, rank)
	stepT, stepU := make([]int, rank), make([]int, rank)
	total, strideT, strideU := 1, 1, 1
	for i := rank - 1; i >= 0; i-- {
		n, nameT := aligned(t, i, rank)
		m, nameU := aligned(u, i, rank)
		if n != m && n != 1 && m != 1 {
			return nil, &hinted{fmt.Sprintf("shapes %s and %s do not fit", shapeText(t.data.Shape, t.axes), shapeText(u.data.Shape, u.axes)),
				"axes are matched from the last one back; each pair must be equal, or one of them 1"}
		}
		if n > 1 && m > 1 && nameT != nameU && t.data.Rank() != u.data.Rank() &&
			(nameU != "" && slices.Contains(t.axes, nameU) || nameT != "" && slices.Contains(u.axes, nameT)) {
			return nil, &hinted{fmt.Sprintf("shapes %s and %s do not fit: %s would meet %s", shapeText(t.data.Shape, t.axes),
				shapeText(u.data.Shape, u.axes), nameT, nameU), "axes are matched from the last one back; a mean or sum leaves its axis where it is with keepdim=True"}
		}
		shape[i] = n
		if n == 1 {
			shape[i] = m
		}
		if axes[i] = nameT; nameT == "" || n == 1 && nameU != "" {
			axes[i] = nameU
		}
		if n > 1 {
			stepT[i] = strideT
		}
		if m > 1 {
			stepU[i] = strideU
		}
		strideT *= n
		strideU *= m
		if shape[i] > 0 && total > maxElements/shape[i] {
			return nil, tooMany(maxElements)
		}
		total *= shape[i]
	}
	out := tensor.New(shape...)
	index := make([]int, rank)
	a, b := 0, 0
	for i := range out.Data {
		out.Data[i] = float32(fn(float64(t.data.Data[a]), float64(u.data.Data[b])))
		for k := rank - 1; k >= 0; k-- {
			index[k]++
			a += stepT[k]
			b += stepU[k]
			if index[k] < shape[k] {
				break
			}
			a -= stepT[k] * shape[k]
			b -= stepU[k] * shape[k]
			index[k] = 0
		}
	}
	return newTensor(out, axes, dtype).value(), nil
}

// aligned is axis i of t when its last axis is the last of rank axes.
func aligned(t *Tensor, i, rank int) (int, string) {
	if i -= rank - t.data.Rank(); i < 0 {
		return 1, ""
	}
	return t.data.Dim(i), t.axes[i]
}

// compare is t.gt(x) and its like.
func (t *Tensor) compare(c call, fn func(a, b float64) bool) (starlark.Value, error) {
	var x starlark.Value
	if err := c.unpack("x", &x); err != nil {
		return nil, err
	}
	u, ok := x.(*Tensor)
	if !ok {
		v, isNumber := number(x)
		if !isNumber {
			return nil, typeError(c.name, "a number or a tensor", x)
		}
		one := tensor.New()
		one.Data[0] = float32(v)
		u = newTensor(one, nil, "float32")
	}
	return t.combine(u, "bool", func(a, b float64) float64 {
		if fn(a, b) {
			return 1
		}
		return 0
	})
}

// pow is the elements of t to the power y.
func (t *Tensor) pow(y starlark.Value) (starlark.Value, error) {
	u, ok := y.(*Tensor)
	if !ok {
		v, isNumber := number(y)
		if !isNumber {
			return nil, typeError("pow", "a number or a tensor", y)
		}
		return t.each("float32", func(x float64) float64 { return math.Pow(x, v) }), nil
	}
	return t.combine(u, "float32", math.Pow)
}

// matmul is the matrix product over t's last and u's second last axis (its
// only one when u has one); leading axes of t stay. t is [..., n], u [n, m].
func (t *Tensor) matmul(c call) (starlark.Value, error) {
	var u *Tensor
	if err := c.unpack("u", &u); err != nil {
		return nil, err
	}
	if t.data.Rank() == 0 || u.data.Rank() == 0 || u.data.Rank() > 2 {
		return nil, &hinted{fmt.Sprintf("matmul of %s and %s", shapeText(t.data.Shape, t.axes), shapeText(u.data.Shape, u.axes)), "want [..., n] and [n, m] or [n]"}
	}
	n, m := u.data.Dim(0), 1
	if u.data.Rank() == 2 {
		m = u.data.Dim(1)
	}
	if t.data.Dim(-1) != n {
		return nil, &hinted{fmt.Sprintf("matmul: the last axis of %s has %d elements, the first of %s %d", shapeText(t.data.Shape, t.axes), t.data.Dim(-1), shapeText(u.data.Shape, u.axes), n), "transpose one of them?"}
	}
	rows := 1
	for _, d := range t.data.Shape[:t.data.Rank()-1] {
		rows *= d
	}
	if m > 0 && rows > maxElements/m {
		return nil, tooMany(maxElements)
	}
	shape := append(slices.Clone(t.data.Shape[:t.data.Rank()-1]), u.data.Shape[1:]...)
	out := tensor.New(shape...)
	sums := make([]float64, m)
	for r := range rows {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		clear(sums)
		for k, v := range t.data.Data[r*n : (r+1)*n] {
			for j, w := range u.data.Data[k*m : (k+1)*m] {
				sums[j] += float64(v) * float64(w)
			}
		}
		for j, s := range sums {
			out.Data[r*m+j] = float32(s)
		}
	}
	return newTensor(out, append(slices.Clone(t.axes[:len(t.axes)-1]), u.axes[1:]...), "float32").value(), nil
}

// transpose reorders axes, by place or name; without arguments it reverses them.
func (t *Tensor) transpose(c call) (starlark.Value, error) {
	order := make([]int, 0, t.data.Rank())
	for _, a := range c.args {
		axis, err := t.axis(a)
		if err != nil {
			return nil, err
		}
		if slices.Contains(order, axis) {
			return nil, fmt.Errorf("transpose: %s twice", t.axisName(axis))
		}
		order = append(order, axis)
	}
	if len(c.args) == 0 {
		for i := t.data.Rank() - 1; i >= 0; i-- {
			order = append(order, i)
		}
	}
	if len(order) != t.data.Rank() || len(c.kwargs) > 0 {
		return nil, &hinted{fmt.Sprintf("transpose: %d axes named of %s", len(order), shapeText(t.data.Shape, t.axes)), "name each once, or none to reverse them"}
	}
	strides := make([]int, t.data.Rank())
	for i, s := t.data.Rank()-1, 1; i >= 0; i-- {
		strides[i] = s
		s *= t.data.Dim(i)
	}
	shape, axes := make([]int, len(order)), make([]string, len(order))
	for i, a := range order {
		shape[i], axes[i] = t.data.Dim(a), t.axes[a]
	}
	out := tensor.New(shape...)
	index := make([]int, len(order))
	at := 0
	for i := range out.Data {
		out.Data[i] = t.data.Data[at]
		for k := len(order) - 1; k >= 0; k-- {
			index[k]++
			at += strides[order[k]]
			if index[k] < shape[k] {
				break
			}
			at -= strides[order[k]] * shape[k]
			index[k] = 0
		}
	}
	return newTensor(out, axes, t.dtype), nil
}

// axis reads an axis by number (negative from the end) or name.
func (t *Tensor) axis(v starlark.Value) (int, error) {
	if s, ok := v.(starlark.String); ok {
		if i := slices.Index(t.axes, string(s)); i >= 0 {
			return i, nil
		}
		return 0, t.noAxis(string(s))
	}
	i, err := starlark.AsInt32(v)
	n := t.data.Rank()
	if err != nil || i < -n || i >= n {
		return 0, &hinted{fmt.Sprintf("no axis %v in %s", v, shapeText(t.data.Shape, t.axes)), fmt.Sprintf("axes are %d to %d, or names", -n, n-1)}
	}
	if i < 0 {
		i += n
	}
	return i, nil
}
