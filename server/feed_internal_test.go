package server

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/notebook"
)

func seqs(records []record) string {
	var list []string
	for _, r := range records {
		list = append(list, fmt.Sprint(r.seq))
	}
	return strings.Join(list, " ")
}

func TestEventLog(t *testing.T) {
	var l eventLog
	if _, ok := l.since(5, 5); !ok {
		t.Error("a page that has everything needs a snapshot")
	}
	if _, ok := l.since(4, 5); ok {
		t.Error("an empty log knows what came")
	}
	for i := uint64(6); i <= 9; i++ {
		l.add(record{seq: i, data: []byte("x")})
	}
	for _, c := range []struct {
		since uint64
		want  string
		ok    bool
	}{{4, "", false}, {5, "6 7 8 9", true}, {7, "8 9", true}, {8, "9", true}, {9, "", true}, {10, "", false}, {0, "", false}} {
		if got, ok := l.since(c.since, 9); ok != c.ok || seqs(got) != c.want {
			t.Errorf("since %d: %q %v, want %q %v", c.since, seqs(got), ok, c.want, c.ok)
		}
	}
	for i := uint64(10); i < 10+2*logEvents; i++ {
		l.add(record{seq: i, data: []byte("x")})
	}
	if len(l.records) != logEvents || l.bytes != logEvents {
		t.Errorf("%d events of %d bytes are kept", len(l.records), l.bytes)
	}
	big := make([]byte, logBytes-10)
	l.add(record{seq: 1e6, data: big})
	l.add(record{seq: 1e6 + 1, data: big})
	if len(l.records) != 1 || l.bytes != len(big) {
		t.Errorf("%d events of %d bytes are kept", len(l.records), l.bytes)
	}
}

// TestFeed holds that a slow page gets progress coalesced, terminal events
// always, and a snapshot when too much waits.
func TestFeed(t *testing.T) {
	f := newFeed()
	progress := func(seq uint64, cell string) record {
		return newRecord(&api.Event{Seq: seq, Op: api.EventProgress, Progress: &api.CellProgress{Cell: cell}}, []byte("p"))
	}
	f.push(progress(1, "a"))
	f.push(newRecord(&api.Event{Seq: 2, Op: api.EventOutput}, []byte("o")))
	f.push(progress(3, "b"))
	f.push(progress(4, "a"))
	f.push(newRecord(&api.Event{Seq: 5, Op: api.EventCellState}, []byte("done")))
	if len(f.wake) != 1 {
		t.Error("the page is not woken")
	}
	got, behind := f.take()
	if seqs(got) != "2 3 4 5" || behind || f.bytes != 0 {
		t.Errorf("took %s, behind %v, %d bytes left", seqs(got), behind, f.bytes)
	}
	for i := range uint64(3 * feedEvents) {
		f.push(record{seq: 10 + i, data: []byte("x")})
	}
	if got, behind := f.take(); len(got) != 0 || !behind {
		t.Errorf("a page that is behind gets %d events and no snapshot", len(got))
	}
	f.restart()
	f.push(record{seq: 99999})
	if got, behind := f.take(); seqs(got) != "99999" || behind {
		t.Errorf("after the snapshot: %s, %v", seqs(got), behind)
	}
	f.push(record{seq: 1, data: make([]byte, feedBytes+1)})
	if got, behind := f.take(); len(got) != 1 || behind {
		t.Error("one large event is not sent")
	}
	f.push(record{seq: 2, data: make([]byte, feedBytes/2+1)})
	f.push(record{seq: 3, data: make([]byte, feedBytes/2+1)})
	if _, behind := f.take(); !behind {
		t.Error("the bytes that wait are not bounded")
	}
}

// TestHistoryIsWrittenAsDifference follows a store through histories of every
// kind; what it holds must always be the history.
func TestHistoryIsWrittenAsDifference(t *testing.T) {
	f, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.root.Close()
	s, err := openStore(f)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	edit := func(n int) notebook.Edit {
		return notebook.Edit{Changes: []notebook.Change{{ID: fmt.Sprint("c", n)}}}
	}
	e := make([]notebook.Edit, 10)
	for i := range e {
		e[i] = edit(i)
	}
	list := func(is ...int) []notebook.Edit {
		var l []notebook.Edit
		for _, i := range is {
			l = append(l, e[i])
		}
		return l
	}
	var kept saved
	for i, h := range []notebook.History{
		{Undo: list(0)}, {Undo: list(0, 1, 2)}, {Undo: list(0, 1), Redo: list(2)}, {Undo: list(0), Redo: list(2, 1)},
		{Undo: list(0, 1), Redo: list(2)}, {Undo: list(0, 1, 3)}, // a new edit ends redo
		{Undo: list(1, 3, 4)}, {Undo: list(4)}, // the oldest go
		{Redo: list(4)}, {}, {Undo: list(5)}, {Undo: list(6, 7)}, // others altogether
		{Undo: list(6, 8)}, {Undo: list(7, 6)},
	} {
		next := saved{revision: uint64(i), text: []byte(fmt.Sprint("text ", i)), history: h, savedAt: "now"}
		first, err := s.saveDocument("a", next, kept)
		if err != nil {
			t.Fatal(err)
		}
		next.first = first
		kept = next
		got, err := s.document("a")
		if err != nil {
			t.Fatal(err)
		}
		if names(got.history.Undo) != names(h.Undo) || names(got.history.Redo) != names(h.Redo) || got.revision != uint64(i) ||
			len(h.Undo)+len(h.Redo) > 0 && got.first != first {
			t.Errorf("step %d: undo %s, redo %s from %d; want %s and %s from %d", i, names(got.history.Undo), names(got.history.Redo),
				got.first, names(h.Undo), names(h.Redo), first)
		}
	}
	if none, err := s.document("b"); none != nil || err != nil {
		t.Errorf("another notebook has %+v, %v", none, err)
	}
}

func names(edits []notebook.Edit) string {
	var list []string
	for _, e := range edits {
		list = append(list, e.Changes[0].ID)
	}
	return strings.Join(list, " ")
}

// TestPlanHash holds that a hash names the code and all that it depends on.
func TestPlanHash(t *testing.T) {
	of := func(cells ...string) *plan {
		doc := &notebook.Notebook{}
		for i := 0; i < len(cells); i += 2 {
			doc.Cells = append(doc.Cells, notebook.Cell{ID: cells[i], Kind: api.CellCode, Source: cells[i+1]})
		}
		return newPlan(doc, nil)
	}
	base := of("a", "x = 1", "b", "y = x", "c", "z = y", "d", "w = 1")
	for _, c := range []struct {
		name    string
		is      *plan
		changed string
	}{
		{"the same", of("a", "x = 1", "b", "y = x", "c", "z = y", "d", "w = 1"), ""},
		{"moved", of("d", "w = 1", "c", "z = y", "b", "y = x", "a", "x = 1"), ""},
		{"other ids", of("a2", "x = 1", "b", "y = x", "c", "z = y", "d", "w = 1"), "a"},
		{"first edited", of("a", "x = 2", "b", "y = x", "c", "z = y", "d", "w = 1"), "a b c"},
		{"last edited", of("a", "x = 1", "b", "y = x", "c", "z = y + 1", "d", "w = 1"), "c"},
		{"middle broken", of("a", "x = 1", "b", "y = (", "c", "z = y", "d", "w = 1"), "b c"},
		{"a cycle", of("a", "x = z", "b", "y = x", "c", "z = y", "d", "w = 1"), "a b c"},
	} {
		var changed []string
		for _, id := range []string{"a", "b", "c", "d"} {
			if base.hash(id) != c.is.hash(id) {
				changed = append(changed, id)
			}
		}
		if strings.Join(changed, " ") != c.changed {
			t.Errorf("%s: the hashes of %v changed, want %q", c.name, changed, c.changed)
		}
	}
	all := func(string) bool { return true }
	none := func(string) bool { return false }
	if got := base.closure(map[string]bool{"c": true}, none); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("closure %v", got)
	}
	if got := base.closure(map[string]bool{"c": true, "d": false}, all); !slices.Equal(got, []string{"c"}) {
		t.Errorf("closure %v", got)
	}
}

// FuzzFileOf holds that no id names anything but a visible file inside.
func FuzzFileOf(f *testing.F) {
	for _, id := range []string{"a", "a/b", "../a", "/a", "a/../b", ".a", "a/.b", "a\x00", `a\b`, "C:a", "é", "a//b", ""} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		file, err := fileOf(id)
		if err != nil {
			return
		}
		if file != id+".md" || !filepath.IsLocal(file) || filepath.Clean(file) != file || strings.Contains("/"+file, "/.") || strings.ContainsAny(file, "\x00\\") {
			t.Errorf("%q names %q", id, file)
		}
	})
}

func TestFileName(t *testing.T) {
	for _, c := range [][3]string{{"notes/Über mich", "Logit lens: 34+57", "ber-mich-logit-lens-34-57"}, {"a", "\"; rm -rf\r\n", "a-rm-rf"}, {"日本", "", ""}} {
		if got := fileName(c[0], c[1]); got != c[2] {
			t.Errorf("%q %q: %q, want %q", c[0], c[1], got, c[2])
		}
	}
}
