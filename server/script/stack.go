package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"orrery/models"
)

// Stack is components of the residual stream side by side, with labels. It can
// be used like the tensor [component, batch, pos, d_model] of its values, which
// is made when somebody first looks at it; cache.logit_attrs does without.
type Stack struct {
	stack *models.Stack
	model *models.Model
	pos   []int // the positions that were selected; nil for all
	drop  bool  // pos was one index: its axis goes

	once   sync.Once
	values *Tensor
}

// axes names the axes of the values.
func (s *Stack) axes(last ...string) []string {
	axes := []string{"component", "batch", "pos"}
	if len(s.stack.Shape()) == 3 {
		axes = []string{"component", "pos"}
	}
	if s.drop {
		axes = axes[:len(axes)-1]
	}
	return append(axes, last...)
}

// shape is that of the values; last stands for d_model.
func (s *Stack) shape(last ...int) []int {
	shape := s.stack.Shape()
	shape = shape[:len(shape)-1]
	if s.drop {
		shape = shape[:len(shape)-1]
	}
	return append(slices.Clone(shape), last...)
}

// tensor is the values. Too many to lay out are an error.
func (s *Stack) tensor() (*Tensor, error) {
	if n := s.stack.Bytes() / 4; n > maxElements {
		return nil, &hinted{fmt.Sprintf("the values of %d components are a tensor of more than %d elements", len(s.stack.Labels), maxElements),
			"give the stack itself to cache.logit_attrs, or keep fewer positions: pos_slice=-1"}
	}
	s.once.Do(func() {
		s.values = newTensor(s.stack.Dense().Reshape(s.shape(s.model.Config.Width)...), s.axes("d_model"), "float32")
	})
	return s.values, nil
}

// String says what the stack holds.
func (s *Stack) String() string {
	return fmt.Sprintf("stack of %d components %s: %s", len(s.stack.Labels), shapeText(s.shape(s.model.Config.Width), s.axes("d_model")), someOf(s.stack.Labels))
}

// someOf lists the first and the last of many names.
func someOf(names []string) string {
	if len(names) > 7 {
		names = append(slices.Clone(names[:4]), "…", names[len(names)-1])
	}
	return strings.Join(names, ", ")
}

// Type is "stack".
func (s *Stack) Type() string { return "stack" }

// Freeze does nothing: a stack never changes.
func (s *Stack) Freeze() {}

// Truth is true when there are components.
func (s *Stack) Truth() starlark.Bool { return len(s.stack.Labels) > 0 }

// Hash refuses: a stack is no key.
func (s *Stack) Hash() (uint32, error) { return 0, errors.New("unhashable: stack") }

// Len is the number of components.
func (s *Stack) Len() int { return len(s.stack.Labels) }

// component is the value of one component. It lays no other out.
func (s *Stack) component(i int) *Tensor {
	x := s.stack.Component(i)
	return newTensor(x.Reshape(s.shape(s.model.Config.Width)[1:]...), s.axes("d_model")[1:], "float32")
}

// Iterate walks the components.
func (s *Stack) Iterate() starlark.Iterator { return &stackIterator{s: s} }

type stackIterator struct {
	s *Stack
	i int
}

// Next gives the next component.
func (it *stackIterator) Next(p *starlark.Value) bool {
	if it.i >= it.s.Len() {
		return false
	}
	*p = it.s.component(it.i)
	it.i++
	return true
}

// Done does nothing.
func (it *stackIterator) Done() {}

// Get is s["L3H5"], one component by its label, s[5], or what the tensor's index
// is.
func (s *Stack) Get(k starlark.Value) (starlark.Value, bool, error) {
	if label, ok := k.(starlark.String); ok && !strings.Contains(string(label), ":") {
		i := slices.Index(s.stack.Labels, string(label))
		if i < 0 {
			return nil, false, &hinted{fmt.Sprintf("no component %q", string(label)), "components are " + someOf(s.stack.Labels)}
		}
		return s.component(i), true, nil
	}
	if i, err := starlark.AsInt32(k); err == nil {
		n := s.Len()
		if i < -n || i >= n {
			return nil, false, &hinted{fmt.Sprintf("component %d is out of range of %d", i, n), fmt.Sprintf("indices are %d to %d", -n, n-1)}
		}
		return s.component((i + n) % n), true, nil
	}
	t, err := s.tensor()
	if err != nil {
		return nil, false, err
	}
	return t.Get(k)
}

// Attr gives labels, values and what tensors have.
func (s *Stack) Attr(name string) (starlark.Value, error) {
	switch name {
	case "labels":
		return s.labels(), nil
	case "values":
		return s.tensor()
	}
	t, err := s.tensor()
	if err != nil {
		return nil, err
	}
	return t.Attr(name)
}

// AttrNames lists the attributes.
func (s *Stack) AttrNames() []string {
	names := append((&Tensor{}).AttrNames(), "labels", "values")
	slices.Sort(names)
	return names
}

func (s *Stack) labels() *starlark.List {
	list := make([]starlark.Value, len(s.stack.Labels))
	for i, l := range s.stack.Labels {
		list[i] = starlark.String(l)
	}
	return starlark.NewList(list)
}

// Binary is that of the values.
func (s *Stack) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	t, err := s.tensor()
	if err != nil {
		return nil, err
	}
	if u, ok := y.(*Stack); ok {
		if y, err = u.tensor(); err != nil {
			return nil, err
		}
	}
	return t.Binary(op, y, side)
}
