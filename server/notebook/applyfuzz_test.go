package notebook_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"

	"orrery/server/api"
	"orrery/server/notebook"
)

// FuzzApply makes any edits of a notebook that a page may send: each is refused
// with the cells as they were, or leaves a notebook whose file gives the same cells
// and which undo brings back.
func FuzzApply(f *testing.F) {
	for _, ops := range []string{
		`[{"op":"insert","index":3,"kind":"code","source":"x = 1"},{"op":"delete","cell":"a"}]`,
		`[{"op":"move","cell":"c","index":0},{"op":"set_kind","cell":"c","kind":"markdown"},{"op":"source","cell":"c","source":"<!-- cell b -->\n\n~~~"}]`,
		`[{"op":"insert","cell":"a"},{"op":"undo"}]`, `[{"op":"undo"}]`, `[{"op":"redo"}]`, `[]`, `null`,
		`[{"op":"delete","cell":"a"},{"op":"insert","cell":"a","kind":"markdown","source":"\ufeff\r\n"}]`,
		`[{"op":"insert","cell":"top","index":-1,"kind":"code"}]`, `[{"op":"insert","cell":"--> x","kind":"code"}]`,
		`[{"op":"move","cell":"a","index":9223372036854775807},{"op":"source","cell":"a","source":"\u0000"}]`,
	} {
		f.Add([]byte(ops), []byte(`[{"op":"source","cell":"b","source":"`+"```"+`"}]`))
	}
	f.Add([]byte(`[{"op":"delete","cell":"a"},{"op":"delete","cell":"b"},{"op":"delete","cell":"c"}]`), []byte(`[{"op":"insert","kind":"code"}]`))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		n := three()
		for _, raw := range [][]byte{first, second} {
			var ops []api.Op
			if json.Unmarshal(raw, &ops) != nil {
				continue
			}
			before := append([]notebook.Cell(nil), n.Cells...)
			revision, undo := n.Revision, n.CanUndo()
			inserted, err := n.Apply(ops)
			if err != nil {
				var e *api.Error
				if !errors.As(err, &e) || e.Message == "" || !slices.Equal(n.Cells, before) || n.Revision != revision || n.CanUndo() != undo {
					t.Fatalf("%s: %#v, and the cells are %v", raw, err, n.Cells)
				}
				continue
			}
			for _, id := range inserted {
				if !notebook.ValidID(id) {
					t.Errorf("%s: inserted %q", raw, id)
				}
			}
			roundTrip(t, n.Cells)
			if len(ops) == 1 && (ops[0].Op == api.OpUndo || ops[0].Op == api.OpRedo) || !n.CanUndo() || slices.Equal(before, n.Cells) {
				continue
			}
			after := append([]notebook.Cell(nil), n.Cells...)
			mustApply(t, n, api.Op{Op: api.OpUndo})
			if !slices.Equal(n.Cells, before) {
				t.Fatalf("%s: undone, the cells are %q, want %q", raw, n.Cells, before)
			}
			mustApply(t, n, api.Op{Op: api.OpRedo})
			if !slices.Equal(n.Cells, after) {
				t.Fatalf("%s: made again, the cells are %q, want %q", raw, n.Cells, after)
			}
		}
	})
}
