package script

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// length is the builtin len, which also knows a large range.
func length(c call) (starlark.Value, error) {
	var x starlark.Value
	if err := c.unpack("x", &x); err != nil {
		return nil, err
	}
	if r, ok := x.(*largeRange); ok {
		return starlark.MakeInt(r.count), nil
	}
	if p, ok := x.(*Prompts); ok {
		return nil, p.unread("the length")
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
	return &largeRange{values: list, count: list.Len(), user: c.own}, nil
}

// smallRange is the length up to which a range is Starlark's own.
const smallRange = 1 << 20

// largeRange is a range that hides its length from functions which would
// allocate for it, and ends early when the run that walks it is stopped: the
// interpreter then stops at its next operation.
type largeRange struct {
	values starlark.Indexable
	count  int
	user   *user
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
	if it.i&1023 == 0 && it.r.user.stopped(it.i) {
		return false
	}
	*p = it.r.values.Index(it.i)
	it.i++
	return true
}

// Done ends the walk.
func (it *largeIterator) Done() {}
