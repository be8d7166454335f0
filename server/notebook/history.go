package notebook

import (
	"fmt"
	"slices"

	"orrery/server/api"
)

// The bounds of an undo history; the oldest edits go first.
const (
	maxEdits     = 500
	maxEditBytes = 8 << 20
)

// History is what undo and redo would do, newest edit last. It is plain data:
// as JSON it survives a restart.
type History struct {
	Undo []Edit `json:"undo,omitempty"`
	Redo []Edit `json:"redo,omitempty"`
}

// Edit is one call of Apply, undone as a whole.
type Edit struct {
	Changes []Change `json:"changes"`
}

// Change is what an edit did to one cell: Before is nil for a new cell, After
// for a deleted one.
type Change struct {
	ID     string  `json:"id"`
	Before *Placed `json:"before,omitempty"`
	After  *Placed `json:"after,omitempty"`
}

// Placed is a cell's content and place.
type Placed struct {
	Index  int          `json:"index"`
	Kind   api.CellKind `json:"kind"`
	Source string       `json:"source"`
}

func placed(cells []Cell, i int) *Placed {
	return &Placed{Index: i, Kind: cells[i].Kind, Source: cells[i].Source}
}

// CanUndo reports whether undo would do something.
func (n *Notebook) CanUndo() bool { return len(n.History.Undo) > 0 }

// CanRedo reports whether redo would do something.
func (n *Notebook) CanRedo() bool { return len(n.History.Redo) > 0 }

// step takes back the newest edit, or makes the newest undone one again.
func (n *Notebook) step(op api.OpKind) error {
	from, to := &n.History.Undo, &n.History.Redo
	if op == api.OpRedo {
		from, to = to, from
	}
	if len(*from) == 0 {
		return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("nothing to %s", op)}
	}
	edit := (*from)[len(*from)-1]
	run := edit
	if op == api.OpUndo {
		run = edit.inverse()
	}
	next := append([]Cell(nil), n.Cells...)
	for _, c := range run.Changes {
		var err error
		if next, err = c.apply(next); err != nil {
			n.History = History{}
			return &api.Error{Code: api.Conflicted,
				Message: fmt.Sprintf("%s does not fit the notebook as it is now: %v", op, err),
				Hint:    "the file was changed by another program; its undo history has been dropped"}
		}
	}
	*from = (*from)[:len(*from)-1]
	*to = append(*to, edit)
	n.commit(next, run)
	return nil
}

// inverse returns the edit that takes e back.
func (e Edit) inverse() Edit {
	inv := Edit{Changes: make([]Change, len(e.Changes))}
	for i, c := range e.Changes {
		inv.Changes[len(e.Changes)-1-i] = Change{ID: c.ID, Before: c.After, After: c.Before}
	}
	return inv
}

// apply makes the change in cells, which it may overwrite. It refuses cells
// that are not as Before says.
func (c Change) apply(cells []Cell) ([]Cell, error) {
	at := slices.IndexFunc(cells, func(x Cell) bool { return x.ID == c.ID })
	if (at >= 0) != (c.Before != nil) {
		return nil, fmt.Errorf("cell %s is not as it was", c.ID)
	}
	if c.Before != nil {
		if at != c.Before.Index || cells[at].Source != c.Before.Source || cells[at].Kind != c.Before.Kind {
			return nil, fmt.Errorf("cell %s is not as it was", c.ID)
		}
		cells = slices.Delete(cells, at, at+1)
	}
	if c.After == nil {
		return cells, nil
	}
	if c.After.Index < 0 || c.After.Index > len(cells) {
		return nil, fmt.Errorf("there is no place %d", c.After.Index)
	}
	return slices.Insert(cells, c.After.Index, Cell{ID: c.ID, Kind: c.After.Kind, Source: c.After.Source}), nil
}

// idle reports a change that changes nothing.
func (c Change) idle() bool { return c.Before != nil && c.After != nil && *c.Before == *c.After }

// push adds an edit to what undo takes back and ends what redo could do.
func (h *History) push(e Edit) {
	h.Redo = nil
	h.Undo = append(h.Undo, e)
	size := 0
	for i := len(h.Undo) - 1; i >= 0; i-- {
		size += h.Undo[i].size()
		if len(h.Undo)-i > maxEdits || size > maxEditBytes && i < len(h.Undo)-1 {
			h.Undo = slices.Clone(h.Undo[i+1:])
			return
		}
	}
}

func (e Edit) size() int {
	size := 0
	for _, c := range e.Changes {
		for _, p := range [...]*Placed{c.Before, c.After} {
			if p != nil {
				size += len(p.Source) + 64
			}
		}
	}
	return size
}

// clone copies the lists; edits themselves never change.
func (h History) clone() History {
	return History{Undo: slices.Clone(h.Undo), Redo: slices.Clone(h.Redo)}
}
