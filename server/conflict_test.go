package server_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// isConflict matches the event of a changed file.
func isConflict(ev api.Event) bool { return ev.Op == api.EventConflict }

func isSnapshot(ev api.Event) bool { return ev.Op == api.EventSnapshot }

// TestForeignEdit holds that a change by another program is seen without an
// edit of ours, is never overwritten unasked, and that both ways out work.
func TestForeignEdit(t *testing.T) {
	theirs := "# Theirs\n\nMore.\n\n" + code("c", "x = 5")
	for _, keep := range []string{"mine", "disk"} {
		t.Run(keep, func(t *testing.T) {
			s := start(t, server.Options{Models: newToys()}, watchful)
			s.write("a", code("c", "x = 1"))
			s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 2"})
			p := s.connect("a", "?since="+seq(s.snapshot("a")))
			s.write("a", theirs)
			events := p.until(isConflict)
			c := events[len(events)-1].Conflict
			if c.DiskTitle != "Theirs" || c.DiskCells != 2 || c.Path != filepath.Join(s.dir, "a.md") || c.Message == "" {
				t.Errorf("conflict %+v", c)
			}
			if s.snapshot("a").Conflict == nil {
				t.Error("the snapshot has no conflict")
			}
			edit := api.EditRequest{Revision: 1, Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: "x = 3"}}}
			if e := s.fail(409, "POST", notebookPath("a")+"/edit", edit); e.Code != api.Conflicted {
				t.Errorf("an edit in a conflict gave %+v", e)
			}
			if s.file("a") != theirs {
				t.Fatalf("the foreign file was overwritten: %q", s.file("a"))
			}
			s.fail(400, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "both"})
			call[any](s, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: keep})
			events = p.until(isSnapshot)
			if end := events[len(events)-1].Snapshot; end.Conflict != nil {
				t.Errorf("the conflict is still there: %+v", end.Conflict)
			}
			snap := s.snapshot("a")
			mine := code("c", "x = 2")
			if keep == "mine" && (s.file("a") != mine || len(snap.Notebook.Cells) != 1) {
				t.Errorf("kept %v, file %q", snap.Notebook.Cells, s.file("a"))
			}
			if keep == "disk" {
				if s.file("a") != theirs || cell(t, snap, "c").Source != "x = 5" || snap.Notebook.Title != "Theirs" {
					t.Errorf("loaded %+v, file %q", snap.Notebook, s.file("a"))
				}
				s.edit("a", api.Op{Op: api.OpUndo})
				if s.file("a") != mine {
					t.Errorf("undo of loading gave %q", s.file("a"))
				}
			}
			s.fail(400, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "mine"})
			s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 9"})
		})
	}
}

// TestEditMeetsForeignEdit holds that the edit itself notices, without the
// watch: here the server looks only once a second.
func TestEditMeetsForeignEdit(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", code("c", "x = 1"))
	s.snapshot("a")
	s.write("a", "theirs\n")
	s.fail(409, "POST", notebookPath("a")+"/edit", api.EditRequest{Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: "x = 2"}}})
	if s.file("a") != "theirs\n" {
		t.Errorf("the file is %q", s.file("a"))
	}
	if snap := s.snapshot("a"); snap.Conflict == nil || snap.Notebook.Revision != 0 || cell(t, snap, "c").Source != "x = 1" {
		t.Errorf("the open notebook is %+v", snap)
	}
	// Changed once more: keeping mine must not overwrite what was not seen.
	s.write("a", "theirs again\n")
	s.fail(409, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "mine"})
	if s.file("a") != "theirs again\n" {
		t.Errorf("the file is %q", s.file("a"))
	}
	call[any](s, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "mine"})
	if s.file("a") != code("c", "x = 1") {
		t.Errorf("the file is %q", s.file("a"))
	}
	// Running cells needs no file.
	s.write("a", "theirs\n")
	s.finish("a", api.RunRequest{All: true})
}

// TestConflictGoesAway holds that a file that is put back ends the conflict,
// and that touching a file is none.
func TestConflictGoesAway(t *testing.T) {
	s := start(t, server.Options{Models: newToys()}, watchful)
	text := code("c", "x = 1")
	s.write("a", text)
	p := s.connect("a", "?since="+seq(s.snapshot("a")))
	s.write("a", text) // another time, the same bytes
	s.write("a", "# Other\n")
	p.until(isConflict)
	s.write("a", text)
	if events := p.until(isSnapshot); events[len(events)-1].Snapshot.Conflict != nil {
		t.Error("the conflict is still there")
	}
	if err := os.Remove(filepath.Join(s.dir, "a.md")); err != nil {
		t.Fatal(err)
	}
	events := p.until(isConflict)
	if c := events[len(events)-1].Conflict; !strings.Contains(c.Message, "removed") || c.DiskCells != 0 {
		t.Errorf("conflict %+v", c)
	}
	s.fail(404, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "disk"})
	call[any](s, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "mine"})
	if s.file("a") != text {
		t.Errorf("the file is %q", s.file("a"))
	}
	s.write("a", "\xff\xfe no text")
	events = p.until(isConflict)
	if c := events[len(events)-1].Conflict; !strings.Contains(c.Message, "cannot be read") {
		t.Errorf("conflict %+v", c)
	}
	s.fail(400, "POST", notebookPath("a")+"/resolve", api.ResolveRequest{Keep: "disk"})
}

// TestChangedWhileClosed holds that a change between two servers is taken and
// that undo has what was there before.
func TestChangedWhileClosed(t *testing.T) {
	s := start(t, server.Options{})
	s.write("a", code("c", "x = 1"))
	s.edit("a", api.Op{Op: api.OpSource, Cell: "c", Source: "x = 2"})
	s.stop()
	s.write("a", code("c", "x = 3"))
	s = start(t, server.Options{Dir: s.dir})
	if got := cell(t, s.snapshot("a"), "c").Source; got != "x = 3" {
		t.Errorf("opened %q", got)
	}
	for _, want := range []string{"x = 2", "x = 1"} {
		s.edit("a", api.Op{Op: api.OpUndo})
		if s.file("a") != code("c", want) {
			t.Errorf("undo gave %q, want %s", s.file("a"), want)
		}
	}
}
