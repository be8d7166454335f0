package script

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"orrery/models/tensor"
)

// pick is what is taken of one axis.
type pick struct {
	indices []int // non-negative, in order
	drop    bool  // one index, and the axis goes
}

// Get is t[i], t[i, j], t[i, None, j]: a number takes one index and drops its
// axis, None takes all, a list or range of ints those, a string "1:3" a slice.
func (t *Tensor) Get(k starlark.Value) (starlark.Value, bool, error) {
	items := starlark.Tuple{k}
	if tuple, ok := k.(starlark.Tuple); ok {
		items = tuple
	}
	v, err := t.at(items)
	return v, err == nil, err
}

// at takes one item an axis, from the first axis on.
func (t *Tensor) at(items starlark.Tuple) (starlark.Value, error) {
	if len(items) > t.data.Rank() {
		return nil, fmt.Errorf("%d indices for a tensor of %d axes %s", len(items), t.data.Rank(), shapeText(t.data.Shape, t.axes))
	}
	picks := make([]pick, len(items))
	for i, item := range items {
		var err error
		if picks[i], err = t.pick(i, item); err != nil {
			return nil, err
		}
	}
	return t.take(picks)
}

// sel takes items of axes by name.
func (t *Tensor) sel(c call) (starlark.Value, error) {
	if len(c.args) > 0 {
		return nil, &hinted{"sel takes axes by name", `write t.sel(pos=-1, head=3); by place, t.at(0, None, 3)`}
	}
	picks := make([]pick, t.data.Rank())
	for i := range picks {
		picks[i] = all(t.data.Dim(i))
	}
	for _, kv := range c.kwargs {
		name := string(kv[0].(starlark.String))
		axis := slices.Index(t.axes, name)
		if axis < 0 {
			return nil, t.noAxis(name)
		}
		var err error
		if picks[axis], err = t.pick(axis, kv[1]); err != nil {
			return nil, err
		}
	}
	return t.take(picks)
}

func (t *Tensor) noAxis(name string) error {
	names := slices.DeleteFunc(slices.Clone(t.axes), func(s string) bool { return s == "" })
	if len(names) == 0 {
		return &hinted{fmt.Sprintf("no axis %q: this tensor's axes have no names", name), "count them from 0"}
	}
	return &hinted{fmt.Sprintf("no axis %q", name), "axes are " + strings.Join(names, ", ")}
}

func all(n int) pick {
	p := pick{indices: make([]int, n)}
	for i := range p.indices {
		p.indices[i] = i
	}
	return p
}

// pick reads what is taken of an axis.
func (t *Tensor) pick(axis int, item starlark.Value) (pick, error) {
	n := t.data.Dim(axis)
	switch x := item.(type) {
	case starlark.NoneType:
		return all(n), nil
	case starlark.Int:
		i, err := t.index(axis, x)
		return pick{indices: []int{i}, drop: true}, err
	case starlark.String:
		return t.slice(axis, string(x))
	case starlark.Iterable:
		p := pick{indices: []int{}}
		it := x.Iterate()
		defer it.Done()
		var e starlark.Value
		for it.Next(&e) {
			if len(p.indices) > maxElements {
				return pick{}, tooMany(len(p.indices))
			}
			i, err := t.index(axis, e)
			if err != nil {
				return pick{}, err
			}
			p.indices = append(p.indices, i)
		}
		return p, nil
	}
	return pick{}, &hinted{fmt.Sprintf("%s cannot index a tensor", item.Type()), `use an int, None for all, a list of ints, or a slice as text: t.at("1:3", 0)`}
}

// axisName spells an axis for an error.
func (t *Tensor) axisName(axis int) string {
	if t.axes[axis] == "" {
		return fmt.Sprintf("axis %d", axis)
	}
	return fmt.Sprintf("axis %d (%s)", axis, t.axes[axis])
}

// index reads one index of an axis; negative ones count from the end.
func (t *Tensor) index(axis int, v starlark.Value) (int, error) {
	n := t.data.Dim(axis)
	i, err := starlark.AsInt32(v)
	if err != nil {
		return 0, fmt.Errorf("index %v of %s: want an int", v, t.axisName(axis))
	}
	if i < -n || i >= n {
		return 0, &hinted{fmt.Sprintf("index %d is out of range for %s of length %d", i, t.axisName(axis), n), fmt.Sprintf("indices are %d to %d", -n, n-1)}
	}
	if i < 0 {
		i += n
	}
	return i, nil
}

// slice reads "start:stop:step", each part optional.
func (t *Tensor) slice(axis int, s string) (pick, error) {
	parts := strings.Split(s, ":")
	bad := &hinted{fmt.Sprintf("%q is no slice", s), `slices look like "1:3", ":-1" or "::2"`}
	if len(parts) < 2 || len(parts) > 3 {
		return pick{}, bad
	}
	n := t.data.Dim(axis)
	number := func(i, missing int) (int, error) {
		if i >= len(parts) || strings.TrimSpace(parts[i]) == "" {
			return missing, nil
		}
		v, err := strconv.Atoi(strings.TrimSpace(parts[i]))
		if err != nil {
			return 0, bad
		}
		return v, nil
	}
	step, err := number(2, 1)
	if err != nil || step == 0 {
		return pick{}, bad
	}
	first, last := 0, n
	if step < 0 {
		first, last = n-1, -1
	}
	clip := func(v int, given bool) int {
		if given && v < 0 {
			v += n
		}
		if step < 0 {
			return min(max(v, -1), n-1)
		}
		return min(max(v, 0), n)
	}
	start, err := number(0, first)
	if err != nil {
		return pick{}, err
	}
	stop, err := number(1, last)
	if err != nil {
		return pick{}, err
	}
	start = clip(start, strings.TrimSpace(parts[0]) != "")
	stop = clip(stop, strings.TrimSpace(parts[1]) != "")
	p := pick{indices: []int{}}
	step = min(max(step, -n-1), n+1) // as far leads out already, and i + step stays an int
	for i := start; step > 0 && i < stop || step < 0 && i > stop; i += step {
		p.indices = append(p.indices, i)
	}
	return p, nil
}

// take applies picks, one an axis from the first on.
func (t *Tensor) take(picks []pick) (starlark.Value, error) {
	total := 1
	for i := range t.data.Rank() {
		n := t.data.Dim(i)
		if i < len(picks) {
			n = len(picks[i].indices)
		}
		if n > 0 && total > maxElements/n {
			return nil, tooMany(maxElements)
		}
		total *= n
	}
	leading := []int{} // while single indices lead, the rest is a view
	for _, p := range picks {
		if !p.drop {
			break
		}
		leading = append(leading, p.indices[0])
	}
	if len(leading) == len(picks) {
		return newTensor(t.data.Sub(leading...), t.axes[len(leading):], t.dtype).value(), nil
	}
	return t.gather(picks).value(), nil
}

func tooMany(n int) error {
	return &hinted{fmt.Sprintf("a tensor of more than %d elements", n), "take a part of it"}
}

// gather copies what picks take into a new tensor.
func (t *Tensor) gather(picks []pick) *Tensor {
	shape, axes := []int{}, []string{}
	strides := make([]int, t.data.Rank())
	for i, s := t.data.Rank()-1, 1; i >= 0; i-- {
		strides[i] = s
		s *= t.data.Dim(i)
	}
	offsets := []int{0}
	for i, p := range picks {
		if !p.drop {
			shape, axes = append(shape, len(p.indices)), append(axes, t.axes[i])
		}
		next := make([]int, 0, len(offsets)*len(p.indices))
		for _, o := range offsets {
			for _, k := range p.indices {
				next = append(next, o+k*strides[i])
			}
		}
		offsets = next
	}
	run := 1
	for i := len(picks); i < t.data.Rank(); i++ {
		shape, axes = append(shape, t.data.Dim(i)), append(axes, t.axes[i])
		run *= t.data.Dim(i)
	}
	out := tensor.New(shape...)
	for i, o := range offsets {
		copy(out.Data[i*run:(i+1)*run], t.data.Data[o:o+run])
	}
	return newTensor(out, axes, t.dtype)
}
