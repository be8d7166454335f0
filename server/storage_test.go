package server_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// unchanged checks that a refused edit has left nothing: not in memory, not in
// the file, no event, and after a restart neither.
func unchanged(t *testing.T, s *site, before api.Snapshot, file string) {
	t.Helper()
	after := s.snapshot("a")
	if !sameJSON(t, before, after) {
		t.Errorf("the open notebook changed:\n%+v\n%+v", before, after)
	}
	if s.file("a") != file {
		t.Errorf("the file changed to %q", s.file("a"))
	}
}

// TestFileRefused holds that nothing is acknowledged and nothing moves on when
// the file cannot be written, and that editing goes on when it can again.
func TestFileRefused(t *testing.T) {
	s := start(t, server.Options{})
	text := code("c", "x = 1")
	s.write("a", text)
	before := s.snapshot("a")
	block := filepath.Join(s.dir, ".a.md.draft")
	if err := os.MkdirAll(filepath.Join(block, "in the way"), 0o777); err != nil {
		t.Fatal(err)
	}
	edit := api.EditRequest{Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: "x = 2"}}}
	if e := s.fail(507, "POST", notebookPath("a")+"/edit", edit); e.Code != api.Storage || e.Hint == "" {
		t.Errorf("error %+v", e)
	}
	unchanged(t, s, before, text)
	s.fail(507, "POST", notebookPath("a")+"/edit", edit)
	if err := os.RemoveAll(block); err != nil {
		t.Fatal(err)
	}
	s.edit("a", edit.Ops...)
	if s.file("a") != code("c", "x = 2") {
		t.Errorf("the file is %q", s.file("a"))
	}
	if _, err := os.Lstat(block); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a draft is left: %v", err)
	}
}

// TestStoreRefused is TestFileRefused for the other half of an edit, and for
// the outputs of a run, which say that they are not kept.
func TestStoreRefused(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	text := code("c", "x = 1\nx")
	s.write("a", text)
	s.edit("a", api.Op{Op: api.OpInsert, Index: 1, Kind: api.CellMarkdown, Source: "more"})
	before, file := s.snapshot("a"), s.file("a")
	if err := s.server.BreakStore(); err != nil {
		t.Fatal(err)
	}
	s.fail(507, "POST", notebookPath("a")+"/edit", api.EditRequest{Revision: 1, Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: "x = 2"}}})
	unchanged(t, s, before, file)
	if _, err := os.Lstat(filepath.Join(s.dir, ".a.md.draft")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a draft is left: %v", err)
	}
	s.fail(507, "POST", "/api/notebooks", api.CreateRequest{ID: "new"})
	events := s.finish("a", api.RunRequest{All: true})
	if last := events[len(events)-1].CellState; last.State != api.StateDone {
		t.Errorf("the run ended as %+v", last)
	}
	outputs := cell(t, s.snapshot("a"), "c").Outputs
	if len(outputs) != 2 || outputs[0].Value.Repr != "1" || outputs[1].Error.Code != api.Storage || !strings.Contains(outputs[1].Error.Message, "not on the disk") {
		t.Errorf("outputs %+v", outputs)
	}
}
