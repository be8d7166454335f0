package server_test

import (
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"orrery/server"
	"orrery/server/api"
)

// TestEditIsOnDisk holds that an acknowledged edit is in the file, that two
// pages see it, and that it and its undo survive a restart.
func TestEditIsOnDisk(t *testing.T) {
	s := start(t, server.Options{})
	s.write("notes/first", "# First\n\nSome text.\n")
	one, two := s.connect("notes/first", ""), s.connect("notes/first", "")
	if ev := one.next(); ev.Op != api.EventSnapshot || ev.Snapshot.Notebook.Title != "First" {
		t.Fatalf("first event %+v", ev)
	}
	done := s.edit("notes/first", api.Op{Op: api.OpInsert, Index: 1, Kind: api.CellCode, Source: "x = 1"})
	if len(done.Cells) != 1 || done.Revision != 1 || done.SavedAt == "" {
		t.Fatalf("answer %+v", done)
	}
	if want := "# First\n\nSome text.\n\n```python {#" + done.Cells[0] + "}\nx = 1\n```\n"; s.file("notes/first") != want {
		t.Errorf("file:\n%s\nwant:\n%s", s.file("notes/first"), want)
	}
	two.next()
	for _, p := range []*page{one, two} {
		events := p.until(func(ev api.Event) bool { return ev.Op == api.EventSaved })
		doc := events[0].Document
		if doc == nil || len(doc.Cells) != 2 || doc.Cells[1].Source != "x = 1" || !doc.CanUndo || events[0].Revision != 1 {
			t.Errorf("events %+v", events)
		}
		last := events[len(events)-1]
		if last.Saved.Revision != 1 || last.Seq != done.Seq {
			t.Errorf("saved %+v at %d, acknowledged %+v", last.Saved, last.Seq, done)
		}
	}
	s.edit("notes/first", api.Op{Op: api.OpSource, Cell: done.Cells[0], Source: "x = 2"})
	s.edit("notes/first", api.Op{Op: api.OpUndo})
	s.stop()

	s = start(t, server.Options{Dir: s.dir})
	snap := s.snapshot("notes/first")
	if snap.Notebook.Revision != 3 || !snap.Notebook.CanUndo || !snap.Notebook.CanRedo || snap.Notebook.Cells[1].Source != "x = 1" {
		t.Fatalf("after the restart %+v", snap.Notebook)
	}
	s.edit("notes/first", api.Op{Op: api.OpRedo})
	if got := s.snapshot("notes/first").Notebook.Cells[1].Source; got != "x = 2" {
		t.Errorf("redo after a restart gave %q", got)
	}
	s.edit("notes/first", api.Op{Op: api.OpUndo})
	s.edit("notes/first", api.Op{Op: api.OpUndo})
	if got := s.file("notes/first"); got != "# First\n\nSome text.\n" {
		t.Errorf("undo of everything left %q", got)
	}
	if s.snapshot("notes/first").Notebook.CanUndo {
		t.Error("there is still something to undo")
	}
}

// TestUndoSurvivesManyRestarts follows one long history across servers.
func TestUndoSurvivesManyRestarts(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a", code("c", "x = 0"))
	for i := 1; i <= 4; i++ {
		s := start(t, server.Options{Dir: dir})
		for j := range 3 {
			s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "x = " + jsonNumber(uint64(10*i+j))})
		}
		s.edit("a", api.Op{Op: api.OpUndo})
		s.stop()
	}
	s := start(t, server.Options{Dir: dir})
	var got []string
	for s.snapshot("a").Notebook.CanUndo {
		got = append(got, s.snapshot("a").Notebook.Cells[0].Source)
		s.edit("a", api.Op{Op: api.OpUndo})
	}
	want := "x = 41,x = 40,x = 31,x = 30,x = 21,x = 20,x = 11,x = 10"
	if strings.Join(got, ",") != want || s.file("a") != code("c", "x = 0") {
		t.Errorf("undo went through %v to %q, want %s", got, s.file("a"), want)
	}
}

func TestEditsThatAreRefused(t *testing.T) {
	s := start(t, server.Options{})
	s.write("a", code("c", "x = 1"))
	edit := notebookPath("a") + "/edit"
	before := s.snapshot("a")
	for _, c := range []struct {
		name   string
		req    api.EditRequest
		status int
	}{
		{"no operations", api.EditRequest{}, 400},
		{"no such cell", api.EditRequest{Ops: []api.Op{{Op: api.OpDelete, Cell: "z"}}}, 404},
		{"second operation wrong", api.EditRequest{Ops: []api.Op{{Op: api.OpDelete, Cell: "c"}, {Op: api.OpMove, Cell: "c"}}}, 404},
		{"nothing to undo", api.EditRequest{Ops: []api.Op{{Op: api.OpUndo}}}, 400},
		{"too large", api.EditRequest{Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: strings.Repeat("x", 2<<20)}}}, 413},
	} {
		t.Run(c.name, func(t *testing.T) { s.fail(c.status, "POST", edit, c.req) })
	}
	if after := s.snapshot("a"); after.Seq != before.Seq || after.Notebook.Revision != before.Notebook.Revision || s.file("a") != code("c", "x = 1") {
		t.Errorf("a refused edit left %+v", after)
	}
	s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 2"})
	e := s.fail(409, "POST", edit, api.EditRequest{Revision: 0, Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: "x = 3"}}})
	if e.Code != api.Conflicted || e.Hint != "x = 2" {
		t.Errorf("an edit on an old revision gave %+v", e)
	}
	s.fail(404, "GET", notebookPath("none"), nil)
}

// TestEscapeRoot holds that no id leads out of the folder, nor to what is not
// a notebook.
func TestEscapeRoot(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "root")
	writeFile(t, top, "outside", "# Outside\n")
	writeFile(t, filepath.Join(top, "root-sibling"), "x", "# Sibling\n")
	writeFile(t, dir, "inside", "# Inside\n")
	writeFile(t, dir, ".hidden", "# Hidden\n")
	writeFile(t, dir, ".git/notes", "# Hidden\n")
	for link, target := range map[string]string{"link.md": "../outside.md", "folder": "..", "recursive": ".", "self.md": "self.md", "good.md": "inside.md"} {
		if err := os.Symlink(target, filepath.Join(dir, link)); err != nil {
			t.Skipf("links cannot be made here: %v", err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "dir.md"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.md"), 0o666); err != nil {
		t.Fatal(err)
	}
	s := start(t, server.Options{Dir: dir})
	creating := map[string]int{"good": 409, "self": 409, "dir": 409, "pipe": 409, "link": 409, "folder/outside": 507,
		"%2e%2e/outside": 200, "in\xffside": 200} // plain names: JSON knows neither escapes of paths nor broken UTF-8
	for _, id := range []string{"../outside", "..", ".", "/etc/passwd", "//etc/passwd", "a/../../outside", "../root-sibling/x",
		"inside/../../outside", ".hidden", ".git/notes", ".orrery/store.sqlite", "link", "folder/outside", "self", "dir", "pipe", "good",
		"in\x00side", "in\nside", `..\outside`, `C:\x`, "C:x", "inside/", "./inside", "a//b", "%2e%2e/outside",
		strings.Repeat("x", 300), strings.Repeat("x/", 300) + "x", "in\xffside"} {
		for _, c := range []struct{ method, path string }{{"GET", ""}, {"POST", "/edit"}} {
			req := s.request(c.method, notebookPath(id)+c.path, api.EditRequest{Ops: []api.Op{{Op: api.OpInsert, Kind: api.CellCode}}})
			status, _, body := s.send(req)
			if status != 400 && status != 404 && status != 507 {
				t.Errorf("%s %q: status %d: %s", c.method, id, status, body)
			}
			if strings.Contains(string(body), "Outside") || strings.Contains(string(body), "root:") {
				t.Errorf("%s %q reads outside: %s", c.method, id, body)
			}
		}
		status, _, body := s.send(s.request("POST", "/api/notebooks", api.CreateRequest{ID: id}))
		if want := creating[id]; status != want && (want != 0 || status != 400) {
			t.Errorf("creating %q: status %d: %s", id, status, body)
		}
	}
	if got := s.snapshot("recursive/recursive/inside"); got.Notebook.Title != "Inside" {
		t.Errorf("a link that stays inside leads to %+v", got.Notebook)
	}
	entries, err := os.ReadDir(top)
	if err != nil || len(entries) != 3 {
		t.Errorf("the folder above holds %v (%v)", entries, err)
	}
	var ids []string
	for _, n := range call[api.Workspace](s, "GET", "/api/workspace", nil).Notebooks {
		ids = append(ids, n.ID)
	}
	if slices.Sort(ids); strings.Join(ids, " ") != "%2e%2e/outside inside in\ufffdside" {
		t.Errorf("the start page lists %v", ids)
	}
}

func TestCreate(t *testing.T) {
	s := start(t, server.Options{Examples: fstest.MapFS{
		"tour.md":           {Data: []byte("# The tour\n\nLook around.\n\n" + code("c", "x = 1"))},
		"tour.outputs.json": {Data: []byte(`[{"cell":"c","state":"done","hash":"old","millis":5,"ran_at":"2026-01-02T03:04:05Z","outputs":[{"id":"o","kind":"text","text":"hi\n"}]}]`)}}})
	create := func(id, from string) api.NotebookInfo {
		t.Helper()
		return call[api.NotebookInfo](s, "POST", "/api/notebooks", api.CreateRequest{ID: id, From: from})
	}
	for i, want := range []string{"untitled", "untitled-2", "untitled-3"} {
		if got := create([]string{"untitled", "", "untitled"}[i], ""); got.ID != want || got.Cells != 2 {
			t.Errorf("created %+v, want %s", got, want)
		}
	}
	if got := create("notes/my-first_helix", ""); got.Title != "My first helix" {
		t.Errorf("created %+v", got)
	}
	got := create("copy", "tour")
	if got.Title != "The tour" || got.Summary != "Look around." || got.Example {
		t.Errorf("created %+v", got)
	}
	c := cell(t, s.snapshot("copy"), "c")
	if len(c.Outputs) != 1 || c.Outputs[0].Text != "hi\n" || c.Millis != 5 || c.Validity != api.Stale {
		t.Errorf("the copy's outputs are %+v", c)
	}
	s.fail(409, "POST", "/api/notebooks", api.CreateRequest{ID: "copy"})
	s.fail(409, "POST", "/api/notebooks", api.CreateRequest{ID: "tour"})
	s.fail(404, "POST", "/api/notebooks", api.CreateRequest{ID: "x", From: "nothing"})
}

// TestExamples holds that a shipped notebook opens with what was recorded,
// that looking at it leaves no file, and that the first edit makes one.
func TestExamples(t *testing.T) {
	text := "# The tour\n\n" + code("c", "x = 1") + "\n" + code("d", "m = load(\"toy\")\nlogit_lens(m, \"1\")")
	s := start(t, server.Options{Examples: fstest.MapFS{"tour.md": {Data: []byte(text)}}})
	find := func() api.NotebookInfo {
		t.Helper()
		list := call[api.Workspace](s, "GET", "/api/workspace", nil).Notebooks
		if len(list) != 1 {
			t.Fatalf("the start page lists %+v", list)
		}
		return list[0]
	}
	got := find()
	if got.ID != "tour" || !got.Example || got.Kept || got.Title != "The tour" {
		t.Errorf("listed %+v", got)
	}
	if strings.Join(got.Models, " ") != "toy" || strings.Join(got.Methods, " ") != "logit_lens" {
		t.Errorf("it loads %q and calls %q", got.Models, got.Methods)
	}
	snap := s.snapshot("tour")
	if len(snap.Notebook.Cells) != 3 || len(snap.Jobs) != 0 || snap.Notebook.Cells[1].State != api.StateIdle {
		t.Errorf("opened %+v", snap)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "tour.md")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("looking made a file: %v", err)
	}
	s.edit("tour", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 2"})
	if want := strings.Replace(text, "x = 1", "x = 2", 1); s.file("tour") != want {
		t.Errorf("the file is %q", s.file("tour"))
	}
	s.edit("tour", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 3"})
	if got := find(); got.ID != "tour" || !got.Example || !got.Kept || got.Cells != 3 {
		t.Errorf("listed %+v", got)
	}
	s.stop()
	s = start(t, server.Options{Dir: s.dir, Examples: fstest.MapFS{"tour.md": {Data: []byte(text)}}})
	if got := cell(t, s.snapshot("tour"), "c").Source; got != "x = 3" {
		t.Errorf("the own version is %q", got)
	}
}

// TestPortIsKept holds that a server comes back where it was, so that open pages
// find it again, and goes elsewhere where another program listens now.
func TestPortIsKept(t *testing.T) {
	s := start(t, server.Options{})
	before, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	s.stop()
	s = start(t, server.Options{Dir: s.dir})
	if s.base != before.String() {
		t.Errorf("the second server is at %s, the first was at %s", s.base, before)
	}
	s.stop()
	other, err := net.Listen("tcp", before.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	s = start(t, server.Options{Dir: s.dir})
	if s.base == before.String() {
		t.Errorf("two programs are at %s", s.base)
	}
}

// TestSecondServer holds that a folder has one server, which is named.
func TestSecondServer(t *testing.T) {
	s := start(t, server.Options{})
	_, err := server.New(server.Options{Dir: s.dir, Assets: assets})
	var locked *server.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() || !strings.HasPrefix(locked.URL, s.base) {
		t.Fatalf("a second server gave %v", err)
	}
	if strings.Contains(err.Error(), testToken) || !strings.Contains(err.Error(), locked.URL) {
		t.Errorf("message %q", err)
	}
	if u, _ := url.Parse(locked.URL); u.RawQuery != "" {
		t.Errorf("the lock tells %q", locked.URL)
	}
	s.stop()
	again, err := server.New(server.Options{Dir: s.dir, Assets: assets})
	if err != nil {
		t.Fatalf("after the first has stopped: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// TestDamagedStore holds that a store that cannot be read is named, with what to do.
func TestDamagedStore(t *testing.T) {
	for name, content := range map[string]string{"garbage": strings.Repeat("garbage", 1000), "newer": ""} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, ".orrery"), 0o700); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, ".orrery", "store.sqlite")
			if name == "newer" {
				s := start(t, server.Options{Dir: dir})
				s.stop()
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				data[63] = 99 // user_version
				content = string(data)
			}
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := server.New(server.Options{Dir: dir, Assets: assets})
			if err == nil || !strings.Contains(err.Error(), file) || !strings.Contains(err.Error(), "move the store away") {
				t.Errorf("error %v", err)
			}
		})
	}
}
