package notebook

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"orrery/server/api"
)

// Apply makes an edit of one or more operations and returns the ids of the
// inserted cells in order. The edit is undone as a whole; undo and redo stand
// alone in their edit. On an error the cells are as they were; an undo that
// does not fit them drops the history. Errors are *api.Error.
func (n *Notebook) Apply(ops []api.Op) (inserted []string, err error) {
	if len(ops) == 0 {
		return nil, &api.Error{Code: api.Invalid, Message: "the edit has no operations"}
	}
	for _, op := range ops {
		if op.Op == api.OpUndo || op.Op == api.OpRedo {
			if len(ops) > 1 {
				return nil, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%s must be the only operation of its edit", op.Op)}
			}
			return nil, n.step(op.Op)
		}
	}
	next := append([]Cell(nil), n.Cells...)
	var edit Edit
	for _, op := range ops {
		c, err := change(next, op)
		if err != nil {
			return nil, err
		}
		if next, err = c.apply(next); err != nil {
			return nil, err
		}
		if op.Op == api.OpInsert {
			inserted = append(inserted, c.ID)
		}
		if !c.idle() {
			edit.Changes = append(edit.Changes, c)
		}
	}
	if len(next) > MaxCells {
		return nil, tooMany(len(next))
	}
	if size := fileSize(next); size > MaxFile {
		return nil, tooLarge("the notebook", size, MaxFile, "split it into several notebooks")
	}
	n.commit(next, edit)
	if len(edit.Changes) > 0 {
		n.History.push(edit)
	}
	return inserted, nil
}

// Check refuses an edit that was made on an older revision and would overwrite
// a source that has changed since: a conflict whose Hint is the current text.
// Structure edits are applied to what is there.
func (n *Notebook) Check(revision uint64, ops []api.Op) error {
	for _, op := range ops {
		if op.Op != api.OpSource || n.changed[op.Cell] <= revision {
			continue
		}
		if i := n.Find(op.Cell); i >= 0 && n.Cells[i].Source != op.Source {
			return &api.Error{Code: api.Conflicted, Cell: op.Cell, Hint: n.Cells[i].Source,
				Message: fmt.Sprintf("cell %s was changed elsewhere in revision %d, after revision %d that this edit was made on",
					op.Cell, n.changed[op.Cell], revision)}
		}
	}
	return nil
}

// Replace makes the cells of another document the content, as one edit that
// undo takes back: what opening the version on disk does.
func (n *Notebook) Replace(cells []Cell) {
	var edit Edit
	for i := len(n.Cells) - 1; i >= 0; i-- {
		edit.Changes = append(edit.Changes, Change{ID: n.Cells[i].ID, Before: placed(n.Cells, i)})
	}
	next := append([]Cell(nil), cells...)
	for i := range next {
		edit.Changes = append(edit.Changes, Change{ID: next[i].ID, After: placed(next, i)})
	}
	n.commit(next, edit)
	n.History.push(edit)
}

// commit installs cells and notes what the edit changed.
func (n *Notebook) commit(next []Cell, edit Edit) {
	n.Cells = next
	n.Revision++
	if n.changed == nil {
		n.changed = map[string]uint64{}
	}
	for _, c := range edit.Changes {
		if c.Before == nil || c.After == nil || c.Before.Source != c.After.Source || c.Before.Kind != c.After.Kind {
			n.changed[c.ID] = n.Revision
		}
	}
}

// change turns an operation into a change of cells, checked.
func change(cells []Cell, op api.Op) (Change, error) {
	if op.Op == api.OpInsert {
		return insertion(cells, op)
	}
	if !slices.Contains([]api.OpKind{api.OpDelete, api.OpMove, api.OpSource, api.OpKindOf}, op.Op) {
		return Change{}, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("unknown operation %q", op.Op),
			Hint: "operations are insert, delete, move, source, set_kind, undo and redo"}
	}
	i := slices.IndexFunc(cells, func(c Cell) bool { return c.ID == op.Cell })
	if i < 0 {
		return Change{}, &api.Error{Code: api.NotFound, Message: fmt.Sprintf("no cell %q", op.Cell),
			Hint: "it may have been deleted elsewhere; load the notebook again"}
	}
	c := Change{ID: op.Cell, Before: placed(cells, i)}
	after := *c.Before
	switch op.Op {
	case api.OpDelete:
		return c, nil
	case api.OpMove:
		if op.Index < 0 || op.Index >= len(cells) {
			return Change{}, badIndex(op.Index, len(cells)-1)
		}
		after.Index = op.Index
	case api.OpSource:
		if err := checkSource(op.Cell, op.Source); err != nil {
			return Change{}, err
		}
		after.Source = op.Source
	case api.OpKindOf:
		if err := checkKind(op.Kind); err != nil {
			return Change{}, err
		}
		after.Kind = op.Kind
	}
	c.After = &after
	return c, nil
}

func insertion(cells []Cell, op api.Op) (Change, error) {
	if op.Index < 0 || op.Index > len(cells) {
		return Change{}, badIndex(op.Index, len(cells))
	}
	if err := checkKind(op.Kind); err != nil {
		return Change{}, err
	}
	if op.Cell == "" {
		op.Cell = NewID()
	}
	if !ValidID(op.Cell) {
		return Change{}, &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%q cannot name a cell", op.Cell),
			Hint: "an id is 1 to 64 letters, digits, _ and -"}
	}
	if slices.ContainsFunc(cells, func(c Cell) bool { return c.ID == op.Cell }) {
		return Change{}, &api.Error{Code: api.Conflicted, Message: fmt.Sprintf("there is a cell %q already", op.Cell),
			Hint: "leave the id empty and the server makes one"}
	}
	if err := checkSource(op.Cell, op.Source); err != nil {
		return Change{}, err
	}
	return Change{ID: op.Cell, After: &Placed{Index: op.Index, Kind: op.Kind, Source: op.Source}}, nil
}

func checkKind(k api.CellKind) error {
	if k == api.CellMarkdown || k == api.CellCode {
		return nil
	}
	return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("unknown kind of cell %q", k), Hint: "kinds are markdown and code"}
}

func checkSource(cell, source string) error {
	if len(source) > MaxCell {
		return cellTooLarge("cell "+cell, len(source))
	}
	if !utf8.ValidString(source) {
		return &api.Error{Code: api.Invalid, Cell: cell,
			Message: fmt.Sprintf("the text of cell %s is not UTF-8 at byte %d", cell, invalidByte([]byte(source)))}
	}
	return nil
}

func badIndex(index, last int) error {
	return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("no place %d for a cell", index),
		Hint: fmt.Sprintf("places are 0 to %d", max(last, 0))}
}

// fileSize is an upper bound of the length of the file, marks included.
func fileSize(cells []Cell) int {
	const marks = 200 // two marks with ids of at most 64 bytes, and blank lines
	size := 0
	for _, c := range cells {
		size += len(c.Source) + marks
		if c.Kind == api.CellCode && strings.Contains(c.Source, "```") {
			size += 2 * fenceLength(c.Source)
		}
	}
	return size
}
