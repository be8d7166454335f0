package script

import (
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// Bounds of single steps.
const (
	maxText    = 64 << 20 // bytes of a text made of a value
	maxNesting = 10_000   // lists within lists
	maxIntBits = 1 << 26  // bits of an int
)

// times is x * y with a look at the size of the result.
func times(c call) (starlark.Value, error) {
	x, y := c.args[0], c.args[1]
	if n, ok := x.(starlark.Int); ok {
		if m, ok := y.(starlark.Int); ok {
			if bits := n.BigInt().BitLen() + m.BigInt().BitLen(); bits > maxIntBits {
				return nil, &hinted{fmt.Sprintf("the product would have %d bits", bits), "use a float, or pow(x, y, mod)"}
			}
		} else {
			x, y = y, x
		}
	}
	if n, ok := y.(starlark.Int); ok {
		unit := 0.0
		length := 0
		switch x := x.(type) {
		case *starlark.List:
			unit, length = 16, x.Len()
		case starlark.Tuple:
			unit, length = 16, x.Len()
		case starlark.String:
			unit, length = 1, len(x)
		case starlark.Bytes:
			unit, length = 1, len(x)
		}
		if count := n.Float(); unit > 0 && count > 0 {
			if err := c.memory.reserve(fmt.Sprintf("%s * %v", x.Type(), n), unit*float64(length)*float64(count)); err != nil {
				return nil, err
			}
		}
	}
	return starlark.Binary(syntax.STAR, c.args[0], c.args[1])
}

// percent is x % y with a look at the size of the result.
func percent(c call) (starlark.Value, error) {
	if s, ok := c.args[0].(starlark.String); ok {
		size := weight(c.args[1], maxText) + len(s)
		if size > maxText {
			return nil, tooLong("%")
		}
	}
	return starlark.Binary(syntax.PERCENT, c.args[0], c.args[1])
}

// method is x.join, x.replace and x.format: for strings, with a look at the
// size of the result.
func method(c call) (starlark.Value, error) {
	x, name := c.args[0], string(c.args[1].(starlark.String))
	attrs, ok := x.(starlark.HasAttrs)
	if !ok {
		return nil, fmt.Errorf("%s has no .%s field or method", x.Type(), name)
	}
	fn, err := attrs.Attr(name)
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, fmt.Errorf("%s has no .%s field or method", x.Type(), name)
	}
	s, ok := x.(starlark.String)
	if !ok {
		return fn, nil
	}
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		size := float64(len(s))
		switch {
		case name == "replace" && len(args) >= 2:
			if old, ok := args[0].(starlark.String); ok {
				size += float64(len(s)) / float64(max(len(old), 1)) * float64(weight(args[1], maxText))
			}
		case name == "join" && len(args) == 1:
			if list, ok := args[0].(starlark.Sequence); ok {
				size = float64(len(s))*float64(list.Len()) + float64(weight(list, maxText))
			}
		case name == "format":
			size += float64(weight(args, maxText))
			for _, kv := range kwargs {
				size += float64(weight(kv, maxText))
			}
		}
		if size > maxText {
			return nil, tooLong(name)
		}
		return starlark.Call(t, fn, args, kwargs)
	}), nil
}

func tooLong(what string) error {
	return &hinted{fmt.Sprintf("%s would make a text of more than %s", what, sizeText(maxText)), "make a part of it"}
}

// weight is about how long a value is as text. It stops counting above limit,
// and takes what is nested too deeply to be written for too long.
func weight(v starlark.Value, limit int) int {
	left := limit
	var walk func(v starlark.Value, depth int)
	walk = func(v starlark.Value, depth int) {
		if left--; left < 0 {
			return
		}
		if depth > 1000 {
			left = -1
			return
		}
		each := func(list starlark.Indexable) {
			for i := 0; i < list.Len() && left >= 0; i++ {
				walk(list.Index(i), depth+1)
			}
		}
		switch v := v.(type) {
		case starlark.String:
			left -= len(v)
		case starlark.Bytes:
			left -= len(v)
		case starlark.Int:
			if _, small := v.Int64(); !small {
				left -= v.BigInt().BitLen() / 3
			}
		case *starlark.List:
			each(v)
		case starlark.Tuple:
			each(v)
		case *starlark.Dict:
			for k, x := range v.Entries() {
				if left < 0 {
					return
				}
				walk(k, depth+1)
				walk(x, depth+1)
			}
		case *starlark.Set:
			for x := range v.Elements() {
				if left < 0 {
					return
				}
				walk(x, depth+1)
			}
		}
	}
	walk(v, 0)
	return limit - left
}

// guardedText is one of the builtins that turn values into text; it takes want
// arguments, any number when want is 0.
func guardedText(want int) func(c call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		if want > 0 && len(c.args) != want {
			return nil, fmt.Errorf("%s: want %d argument, got %d", c.name, want, len(c.args))
		}
		if weight(c.args, maxText) > maxText {
			return nil, tooLong(c.name)
		}
		return starlark.Call(c.thread, starlark.Universe[c.name], c.args, c.kwargs)
	}
}

// checkNesting refuses a value that nests so deeply that freezing it would run
// out of stack. It walks in the order of Freeze and visits each list once.
func checkNesting(v starlark.Value) error {
	type visit struct {
		v     starlark.Value
		depth int
	}
	seen := map[any]bool{}
	stack := []visit{{v, 0}}
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if at.depth > maxNesting {
			return &hinted{fmt.Sprintf("the value nests more than %d deep", maxNesting), "keep a flat list instead"}
		}
		var key any = at.v
		if t, ok := at.v.(starlark.Tuple); ok {
			if len(t) == 0 {
				continue
			}
			key = &t[0]
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		first := len(stack)
		push := func(x starlark.Value) {
			switch x.(type) {
			case *starlark.List, *starlark.Dict, starlark.Tuple:
				stack = append(stack, visit{x, at.depth + 1})
			}
		}
		switch x := at.v.(type) {
		case *starlark.List:
			for i := range x.Len() {
				push(x.Index(i))
			}
		case starlark.Tuple:
			for _, e := range x {
				push(e)
			}
		case *starlark.Dict:
			for k, e := range x.Entries() {
				push(k)
				push(e)
			}
		}
		slices.Reverse(stack[first:])
	}
	return nil
}

// mathModule is Starlark's own math.
func mathModule() starlark.Value { return math.Module }

// jsonModule is Starlark's json with a bound on what is written.
func jsonModule() starlark.Value {
	members := starlark.StringDict{}
	for name, fn := range json.Module.Members {
		if name != "encode" {
			members[name] = fn
			continue
		}
		members[name] = newMethod("json.encode", func(c call) (starlark.Value, error) {
			if weight(c.args, maxText) > maxText {
				return nil, tooLong("json.encode")
			}
			return starlark.Call(c.thread, fn, c.args, c.kwargs)
		})
	}
	return &starlarkstruct.Module{Name: "json", Members: members}
}

// length is the builtin len, which also knows a large range.
func length(c call) (starlark.Value, error) {
	var x starlark.Value
	if err := c.unpack("x", &x); err != nil {
		return nil, err
	}
	if r, ok := x.(*largeRange); ok {
		return starlark.MakeInt(r.count), nil
	}
	if n := starlark.Len(x); n >= 0 {
		return starlark.MakeInt(n), nil
	}
	return nil, fmt.Errorf("len: value of type %s has no len", x.Type())
}

// makeRange is the builtin range.
func makeRange(c call) (starlark.Value, error) {
	v, err := starlark.Call(c.thread, starlark.Universe["range"], c.args, c.kwargs)
	if err != nil {
		return nil, err
	}
	list, ok := v.(starlark.Indexable)
	if !ok || list.Len() <= smallRange {
		return v, nil
	}
	return &largeRange{values: list, count: list.Len(), stopped: c.ctx.Done()}, nil
}

// smallRange is the length up to which a range is Starlark's own.
const smallRange = 1 << 20

// largeRange is a range that hides its length from functions which would
// allocate for it, and ends early when the run is stopped: the interpreter
// then stops at its next operation.
type largeRange struct {
	values  starlark.Indexable
	count   int
	stopped <-chan struct{}
}

func (r *largeRange) String() string        { return r.values.String() }
func (r *largeRange) Type() string          { return "range" }
func (r *largeRange) Freeze()               {}
func (r *largeRange) Truth() starlark.Bool  { return true }
func (r *largeRange) Hash() (uint32, error) { return 0, errors.New("unhashable: range") }

// Get is r[i].
func (r *largeRange) Get(k starlark.Value) (starlark.Value, bool, error) {
	i, err := starlark.AsInt32(k)
	if err != nil {
		return nil, false, fmt.Errorf("range index: %v", err)
	}
	if i < 0 {
		i += r.count
	}
	if i < 0 || i >= r.count {
		return nil, false, fmt.Errorf("index %v is out of range: the range has %d elements", k, r.count)
	}
	return r.values.Index(i), true, nil
}

// Binary answers x in r.
func (r *largeRange) Binary(op syntax.Token, x starlark.Value, side starlark.Side) (starlark.Value, error) {
	if op != syntax.IN || side != starlark.Right {
		return nil, nil
	}
	return starlark.Binary(op, x, r.values)
}

// Iterate walks the range.
func (r *largeRange) Iterate() starlark.Iterator { return &largeIterator{r: r} }

type largeIterator struct {
	r *largeRange
	i int
}

// Next gives the next number.
func (it *largeIterator) Next(p *starlark.Value) bool {
	if it.i >= it.r.count {
		return false
	}
	if it.i&1023 == 0 {
		select {
		case <-it.r.stopped:
			return false
		default:
		}
	}
	*p = it.r.values.Index(it.i)
	it.i++
	return true
}

// Done ends the walk.
func (it *largeIterator) Done() {}
