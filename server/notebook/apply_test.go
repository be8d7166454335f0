package notebook_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/notebook"
)

func three() *notebook.Notebook {
	return &notebook.Notebook{Cells: []notebook.Cell{md("a", "A"), code("b", "B"), code("c", "C")}}
}

// spell writes a notebook as "a:A b:B", code ids in upper case.
func spell(n *notebook.Notebook) string {
	var out []string
	for _, c := range n.Cells {
		mark := ":"
		if c.Kind == api.CellCode {
			mark = "="
		}
		out = append(out, c.ID+mark+c.Source)
	}
	return strings.Join(out, " ")
}

func TestApply(t *testing.T) {
	for _, c := range []struct {
		name string
		ops  []api.Op
		want string
	}{
		{"insert first", []api.Op{{Op: api.OpInsert, Cell: "x", Kind: api.CellCode, Source: "1"}}, "x=1 a:A b=B c=C"},
		{"insert last", []api.Op{{Op: api.OpInsert, Cell: "x", Index: 3, Kind: api.CellMarkdown}}, "a:A b=B c=C x:"},
		{"delete", []api.Op{{Op: api.OpDelete, Cell: "b"}}, "a:A c=C"},
		{"move down", []api.Op{{Op: api.OpMove, Cell: "a", Index: 2}}, "b=B c=C a:A"},
		{"move up", []api.Op{{Op: api.OpMove, Cell: "c", Index: 0}}, "c=C a:A b=B"},
		{"source", []api.Op{{Op: api.OpSource, Cell: "b", Source: "é"}}, "a:A b=é c=C"},
		{"kind", []api.Op{{Op: api.OpKindOf, Cell: "b", Kind: api.CellMarkdown}}, "a:A b:B c=C"},
		{"several", []api.Op{{Op: api.OpDelete, Cell: "a"}, {Op: api.OpInsert, Cell: "a", Index: 2, Kind: api.CellCode}, {Op: api.OpSource, Cell: "a", Source: "new"}}, "b=B c=C a=new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := three()
			if _, err := n.Apply(c.ops); err != nil {
				t.Fatal(err)
			}
			if got := spell(n); got != c.want {
				t.Errorf("cells are %q, want %q", got, c.want)
			}
			mustApply(t, n, api.Op{Op: api.OpUndo})
			if got := spell(n); got != "a:A b=B c=C" || n.CanUndo() || !n.CanRedo() {
				t.Errorf("undone, cells are %q", got)
			}
			mustApply(t, n, api.Op{Op: api.OpRedo})
			if got := spell(n); got != c.want || n.Revision != 3 {
				t.Errorf("redone, cells are %q at revision %d", got, n.Revision)
			}
		})
	}
}

func mustApply(t *testing.T, n *notebook.Notebook, op api.Op) []string {
	t.Helper()
	ids, err := n.Apply([]api.Op{op})
	if err != nil {
		t.Fatalf("%v: %v", op, err)
	}
	return ids
}

func TestApplyMakesIDs(t *testing.T) {
	n := three()
	ids := mustApply(t, n, api.Op{Op: api.OpInsert, Kind: api.CellCode})
	if len(ids) != 1 || n.Cells[0].ID != ids[0] || !notebook.ValidID(ids[0]) {
		t.Errorf("inserted %q, first cell is %q", ids, n.Cells[0].ID)
	}
}

func TestApplyRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		ops  []api.Op
		want string
		code api.Code
	}{
		{"no operations", nil, "no operations", api.Invalid},
		{"unknown operation", []api.Op{{Op: "explode"}}, `unknown operation "explode"`, api.Invalid},
		{"unknown cell", []api.Op{{Op: api.OpDelete, Cell: "zz"}}, `no cell "zz"`, api.NotFound},
		{"half an edit", []api.Op{{Op: api.OpDelete, Cell: "a"}, {Op: api.OpSource, Cell: "a"}}, `no cell "a"`, api.NotFound},
		{"place", []api.Op{{Op: api.OpMove, Cell: "a", Index: 3}}, "no place 3", api.Invalid},
		{"negative place", []api.Op{{Op: api.OpInsert, Index: -1, Kind: api.CellCode}}, "no place -1", api.Invalid},
		{"kind", []api.Op{{Op: api.OpInsert, Kind: "html"}}, `unknown kind of cell "html"`, api.Invalid},
		{"repeated id", []api.Op{{Op: api.OpInsert, Cell: "b", Kind: api.CellCode}}, `a cell "b" already`, api.Conflicted},
		{"malformed id", []api.Op{{Op: api.OpInsert, Cell: "b c", Kind: api.CellCode}}, `"b c" cannot name`, api.Invalid},
		{"bytes", []api.Op{{Op: api.OpSource, Cell: "b", Source: "ab\xff"}}, "not UTF-8 at byte 2", api.Invalid},
		{"size", []api.Op{{Op: api.OpSource, Cell: "b", Source: strings.Repeat("x", notebook.MaxCell+1)}}, "the limit is 1048576", api.TooLarge},
		{"nothing to undo", []api.Op{{Op: api.OpUndo}}, "nothing to undo", api.Invalid},
		{"nothing to redo", []api.Op{{Op: api.OpRedo}}, "nothing to redo", api.Invalid},
		{"undo among others", []api.Op{{Op: api.OpDelete, Cell: "a"}, {Op: api.OpUndo}}, "only operation", api.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := three()
			_, err := n.Apply(c.ops)
			var e *api.Error
			if !errors.As(err, &e) || e.Code != c.code || !strings.Contains(e.Message, c.want) {
				t.Errorf("error is %v, want %s with %q", err, c.code, c.want)
			}
			if spell(n) != spell(three()) || n.Revision != 0 || n.CanUndo() {
				t.Errorf("the refused edit left %q at revision %d", spell(n), n.Revision)
			}
		})
	}
	n := &notebook.Notebook{}
	var ops []api.Op
	for range notebook.MaxCells + 1 {
		ops = append(ops, api.Op{Op: api.OpInsert, Kind: api.CellCode})
	}
	if _, err := n.Apply(ops); err == nil || len(n.Cells) != 0 {
		t.Errorf("%d cells were inserted (%v)", len(n.Cells), err)
	}
}

// TestUndoAllTheWay makes random edits, sends the history through JSON as a
// restart does, and walks back and forth: each state must come back exactly.
func TestUndoAllTheWay(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	n := three()
	states := []string{spell(n)}
	for step := range 200 {
		var ops []api.Op
		work := n.Clone()
		for range 1 + rng.IntN(3) {
			op := randomOp(rng, work, step)
			if _, err := work.Apply([]api.Op{op}); err != nil {
				t.Fatal(err)
			}
			ops = append(ops, op)
		}
		before := spell(n)
		if _, err := n.Apply(ops); err != nil {
			t.Fatal(err)
		}
		if spell(n) == before && len(n.History.Undo) == len(states)-1 {
			continue
		}
		states = append(states, spell(n))
	}
	raw, err := json.Marshal(n.History)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := notebook.Parse(n.Markdown())
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &opened.History); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(opened.History, n.History) {
		t.Fatal("the history changed on its way through JSON")
	}
	for i := len(states) - 2; i >= 0; i-- {
		mustApply(t, opened, api.Op{Op: api.OpUndo})
		if got := spell(opened); got != states[i] {
			t.Fatalf("undo to %d gave\n%s, want\n%s", i, got, states[i])
		}
	}
	for i := 1; i < len(states); i++ {
		mustApply(t, opened, api.Op{Op: api.OpRedo})
		if got := spell(opened); got != states[i] {
			t.Fatalf("redo to %d gave\n%s, want\n%s", i, got, states[i])
		}
	}
}

func randomOp(rng *rand.Rand, n *notebook.Notebook, step int) api.Op {
	if len(n.Cells) == 0 || rng.IntN(4) == 0 {
		return api.Op{Op: api.OpInsert, Cell: fmt.Sprintf("n%d-%d", step, rng.Uint32()), Index: rng.IntN(len(n.Cells) + 1), Kind: api.CellCode, Source: "x"}
	}
	id := n.Cells[rng.IntN(len(n.Cells))].ID
	switch rng.IntN(4) {
	case 0:
		return api.Op{Op: api.OpDelete, Cell: id}
	case 1:
		return api.Op{Op: api.OpMove, Cell: id, Index: rng.IntN(len(n.Cells))}
	case 2:
		return api.Op{Op: api.OpKindOf, Cell: id, Kind: api.CellMarkdown}
	}
	return api.Op{Op: api.OpSource, Cell: id, Source: fmt.Sprint(step, " ", rng.IntN(9))}
}

func TestUndoOfAnotherDocument(t *testing.T) {
	n := three()
	mustApply(t, n, api.Op{Op: api.OpSource, Cell: "b", Source: "B2"})
	n.Cells[1].Source = "changed outside"
	_, err := n.Apply([]api.Op{{Op: api.OpUndo}})
	var e *api.Error
	if !errors.As(err, &e) || e.Code != api.Conflicted || n.Cells[1].Source != "changed outside" || n.CanUndo() {
		t.Errorf("error is %v, cells are %q", err, spell(n))
	}
}

func TestReplaceIsUndone(t *testing.T) {
	n := three()
	n.Replace([]notebook.Cell{code("b", "other"), md("z", "Z")})
	if spell(n) != "b=other z:Z" {
		t.Fatalf("cells are %q", spell(n))
	}
	mustApply(t, n, api.Op{Op: api.OpUndo})
	if spell(n) != spell(three()) {
		t.Errorf("undone, cells are %q", spell(n))
	}
}

func TestCheckConflict(t *testing.T) {
	n := three()
	mustApply(t, n, api.Op{Op: api.OpSource, Cell: "b", Source: "theirs"})
	mustApply(t, n, api.Op{Op: api.OpMove, Cell: "c", Index: 0})
	edit := func(rev uint64, cell, source string) error {
		return n.Check(rev, []api.Op{{Op: api.OpSource, Cell: cell, Source: source}})
	}
	var e *api.Error
	if err := edit(0, "b", "mine"); !errors.As(err, &e) || e.Code != api.Conflicted || e.Hint != "theirs" || e.Cell != "b" {
		t.Errorf("an overwritten text gave %v", err)
	}
	for name, err := range map[string]error{
		"later revision": edit(1, "b", "mine"), "other cell": edit(0, "c", "mine"), "same text": edit(0, "b", "theirs"),
		"structure": n.Check(0, []api.Op{{Op: api.OpMove, Cell: "b"}}),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHistoryIsBounded(t *testing.T) {
	n := three()
	for i := range 40 {
		mustApply(t, n, api.Op{Op: api.OpSource, Cell: "b", Source: fmt.Sprint(i, strings.Repeat("x", 500_000))})
	}
	if got := len(n.History.Undo); got < 5 || got > 12 {
		t.Errorf("%d edits of a megabyte each are kept", got)
	}
	n = three()
	for i := range 1200 {
		mustApply(t, n, api.Op{Op: api.OpSource, Cell: "b", Source: fmt.Sprint(i)})
	}
	if got := len(n.History.Undo); got != 500 {
		t.Errorf("%d edits are kept, want 500", got)
	}
}
