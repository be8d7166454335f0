package server

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"orrery/server/notebook"
)

// saved is a document as the store holds it.
type saved struct {
	revision uint64
	text     []byte
	history  notebook.History
	first    int // the number of the oldest edit of the history
	savedAt  string
}

// document returns what the store holds of a notebook, nil when nothing.
func (s *store) document(id string) (*saved, error) {
	var d saved
	var at int
	err := s.db.QueryRow("SELECT revision, text, at, saved_at FROM document WHERE id = ?", id).
		Scan(&d.revision, &d.text, &at, &d.savedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := s.db.Query("SELECT n, data FROM edit WHERE document = ? ORDER BY n", id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	d.first = at
	for count := 0; rows.Next(); count++ {
		var n int
		var data []byte
		var e notebook.Edit
		if err := rows.Scan(&n, &data); err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &e); err != nil {
			return nil, fmt.Errorf("edit %d of %s: %w", n, id, err)
		}
		if count == 0 {
			d.first = n
		}
		if n < at {
			d.history.Undo = append(d.history.Undo, e)
		} else {
			d.history.Redo = append(d.history.Redo, e)
		}
	}
	slices.Reverse(d.history.Redo)
	return &d, rows.Err()
}

// saveDocument replaces what the store holds of a notebook. The history is
// written as the difference from old, which is what the store holds already.
func (s *store) saveDocument(id string, next saved, old saved) (first int, err error) {
	was, is := lineUp(old.history), lineUp(next.history)
	first, keep := overlap(was, is, old.first)
	err = s.write(func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM edit WHERE document = ? AND (n < ? OR n >= ?)", id, first, first+keep); err != nil {
			return err
		}
		for i, e := range is[keep:] {
			data, err := json.Marshal(e)
			if err != nil {
				return err
			}
			if _, err := tx.Exec("INSERT INTO edit (document, n, data) VALUES (?, ?, ?)", id, first+keep+i, data); err != nil {
				return err
			}
		}
		_, err := tx.Exec(`INSERT INTO document (id, revision, text, at, saved_at) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, text = excluded.text,
			at = excluded.at, saved_at = excluded.saved_at`,
			id, int64(next.revision), next.text, first+len(next.history.Undo), next.savedAt)
		return err
	})
	return first, err
}

// lineUp returns a history as one list: what undo takes back, then what redo
// makes again, in the order in which they were made.
func lineUp(h notebook.History) []notebook.Edit {
	list := slices.Clone(h.Undo)
	for _, e := range slices.Backward(h.Redo) {
		list = append(list, e)
	}
	return list
}

// overlap returns the number of the first edit of is, when that of was is
// first, and how many of the first edits of is are those of was. Edits never
// change, so that the same changes in memory are the same edit.
func overlap(was, is []notebook.Edit, first int) (number, keep int) {
	if len(is) == 0 {
		return first + len(was), 0
	}
	start := slices.IndexFunc(was, func(e notebook.Edit) bool { return sameEdit(e, is[0]) })
	if start < 0 {
		return first + len(was), 0
	}
	for keep < len(is) && start+keep < len(was) && sameEdit(was[start+keep], is[keep]) {
		keep++
	}
	return first + start, keep
}

func sameEdit(a, b notebook.Edit) bool {
	return len(a.Changes) > 0 && len(a.Changes) == len(b.Changes) && &a.Changes[0] == &b.Changes[0]
}
