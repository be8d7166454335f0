package script

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// CompareSameType answers == and !=: the same ids of the same model.
func (t *Tokens) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	u := y.(*Tokens)
	return equality("tokens", op, t.model == u.model && slices.Equal(t.ids, u.ids))
}

// CompareSameType answers == and !=: the same loaded model.
func (m *Model) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return equality("model", op, m.model == y.(*Model).model)
}

// equality is what an operator says of two values of a type that has no order.
func equality(name string, op syntax.Token, equal bool) (bool, error) {
	switch op {
	case syntax.EQL:
		return equal, nil
	case syntax.NEQ:
		return !equal, nil
	}
	return false, fmt.Errorf("%s %s %s not implemented", name, op, name)
}
