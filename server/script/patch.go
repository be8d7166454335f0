package script

import (
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/server/analysis"
)

// Patch is a value of one run to be put into another, as data. It is immutable.
type Patch struct {
	move ablate.Move
}

// makePatch is the builtin patch. What depends on a model is checked when a
// model is patched.
func makePatch(c call) (starlark.Value, error) {
	p := &Patch{}
	var into, run, freeze string
	lists := [6]starlark.Value{}
	if err := c.unpack("site", &p.move.Site, "at?", &lists[0], "heads?", &lists[1], "neurons?", &lists[2], "queries?", &lists[3], "keys?", &lists[4],
		"into??", &into, "to?", &lists[5], "run??", &run, "freeze??", &freeze); err != nil {
		return nil, err
	}
	for i, to := range []*[]int{&p.move.At, &p.move.Heads, &p.move.Neurons, &p.move.Queries, &p.move.Keys, &p.move.To} {
		list, err := indices(lists[i])
		if err != nil {
			return nil, fmt.Errorf("patch: %s: %w", [...]string{"at", "heads", "neurons", "queries", "keys", "to"}[i], err)
		}
		*to = list
	}
	p.move.Into, p.move.Run, p.move.Freeze = into, ablate.Giver(run), ablate.Freeze(freeze)
	if !slices.Contains(ablate.Givers[:], p.move.Giver()) {
		return nil, &hinted{fmt.Sprintf("patch: run is %q", run), fmt.Sprintf("one of %q", ablate.Givers)}
	}
	if freeze != "" && !slices.Contains(ablate.Freezes[:], p.move.Freeze) {
		return nil, &hinted{fmt.Sprintf("patch: freeze is %q", freeze), fmt.Sprintf("one of %q, or left out", ablate.Freezes)}
	}
	return p, nil
}

// indices reads an index or a list of them; nil for None and what was left out.
func indices(v starlark.Value) ([]int, error) {
	switch v := v.(type) {
	case nil, starlark.NoneType:
		return nil, nil
	case starlark.Int:
		i, err := starlark.AsInt32(v)
		if err != nil {
			return nil, err
		}
		return []int{i}, nil
	case starlark.Iterable:
		out := []int{}
		it := v.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			i, err := starlark.AsInt32(x)
			if err != nil {
				return nil, &hinted{fmt.Sprintf("%s is no index", repr(x)), "give an int, or a list of ints"}
			}
			if out = append(out, i); len(out) > 1<<16 {
				return nil, errors.New("the list is too long")
			}
		}
		return out, nil
	}
	return nil, &hinted{fmt.Sprintf("%s is no index", v.Type()), "give an int, or a list of ints"}
}

// patchList reads a list of patches, of which some may be lists of patches that
// are made together; false where it is none, or empty.
func patchList(v starlark.Value) (tries [][]ablate.Move, ok bool) {
	list, isList := v.(starlark.Indexable)
	if !isList {
		return nil, false
	}
	for i := range list.Len() {
		switch x := list.Index(i).(type) {
		case *Patch:
			tries = append(tries, []ablate.Move{x.move})
		case *starlark.List, starlark.Tuple:
			together, ok := patchList(x)
			if !ok {
				return nil, false
			}
			var moves []ablate.Move
			for _, try := range together {
				moves = append(moves, try...)
			}
			tries = append(tries, moves)
		default:
			return nil, false
		}
	}
	return tries, len(tries) > 0
}

// String spells the call that makes the patch.
func (p *Patch) String() string { return analysis.PatchSource(p.move) }

// Type is "patch".
func (p *Patch) Type() string { return "patch" }

// Freeze does nothing: a patch never changes.
func (p *Patch) Freeze() {}

// Truth is true.
func (p *Patch) Truth() starlark.Bool { return true }

// Hash is that of its spelling.
func (p *Patch) Hash() (uint32, error) { return starlark.String(p.String()).Hash() }
