package script

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"
)

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
