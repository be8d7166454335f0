package server_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// left is what a cell shows, as bytes, without the names of its run.
func left(t *testing.T, c api.Cell) string {
	t.Helper()
	for i := range c.Outputs {
		c.Outputs[i].ID = ""
	}
	data, err := json.Marshal(c.Outputs)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// lensText computes a figure and a number from it.
var lensText = code("lens", "f = logit_lens(load(\"toy\"), [1, 2, 3])\nprint(f.values(\"prob\"))")

// TestRecalled follows a result through runs, an edit that changes no argument, a
// restart and a fresh run. Each leaves the same bytes; the cell says where they
// come from.
func TestRecalled(t *testing.T) {
	keep := func(s *server.Server) { s.KeepQuick() }
	dir := t.TempDir()
	s := start(t, server.Options{Dir: dir, Models: newToys()}, keep)
	s.write("a", lensText)
	all := api.RunRequest{All: true}
	run := func(name string, req api.RunRequest, recalled bool) api.Cell {
		t.Helper()
		events := s.finish("a", req)
		last := events[len(events)-1].CellState
		c := cell(t, s.snapshot("a"), "lens")
		if last.State != api.StateDone || (last.Recalled != nil) != recalled || (c.Recalled != nil) != recalled {
			t.Errorf("%s: the end says %+v, the cell %+v, want recalled: %v", name, last, c.Recalled, recalled)
		}
		if r := c.Recalled; r != nil && (r.Results != 1 || r.MadeAt == "" || r.MadeAt > c.RanAt || *r != *last.Recalled) {
			t.Errorf("%s: recalled %+v, and the end of the run says %+v", name, r, last.Recalled)
		}
		return c
	}
	want := left(t, run("the first run", all, false))
	for name, again := range map[string]api.RunRequest{"a second": all, "a third": {Cells: []string{"lens"}}} {
		if got := left(t, run(name, again, true)); got != want {
			t.Errorf("%s left %.300s, want %.300s", name, got, want)
		}
	}
	s.edit("a", api.Op{Op: api.OpSource, Cell: "lens", Source: "# another comment\nf = logit_lens(prompt=[1, 2, 3], m=load(\"toy\"))\nprint(f.values(\"prob\"))"})
	if got := left(t, run("an edit that changes no argument", all, true)); got != want {
		t.Errorf("an edit left %.300s, want %.300s", got, want)
	}
	s.edit("a", api.Op{Op: api.OpUndo})
	run("the first text", all, true)

	s.stop()
	s = start(t, server.Options{Dir: dir, Models: newToys()}, keep)
	if c := cell(t, s.snapshot("a"), "lens"); c.Recalled == nil || left(t, c) != want {
		t.Errorf("behind a restart the cell forgets that its result was recalled: %+v", c.Recalled)
	}
	if got := left(t, run("a run behind a restart", all, true)); got != want {
		t.Errorf("behind a restart %.300s, want %.300s", got, want)
	}
	fresh := api.RunRequest{Cells: []string{"lens"}, Fresh: true}
	if got := left(t, run("a fresh run", fresh, false)); got != want {
		t.Errorf("a fresh run left %.300s, want %.300s", got, want)
	}
	run("a run behind a fresh one", all, true)
	s.edit("a", api.Op{Op: api.OpSource, Cell: "lens", Source: "f = logit_lens(load(\"toy\"), [1, 2, 4])"})
	run("another prompt", all, false)
}

// TestNothingKeptIsQuick holds that work that takes no time costs the disk nothing.
func TestNothingKeptIsQuick(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	s.write("a", lensText)
	for range 2 {
		s.finish("a", api.RunRequest{All: true})
		if c := cell(t, s.snapshot("a"), "lens"); c.Recalled != nil {
			t.Errorf("recalled %+v", c.Recalled)
		}
	}
}

// TestRecalledBehindKill kills the server behind a run. The result is there for the
// next one.
func TestRecalledBehindKill(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a", lensText)
	want := ""
	for round := range 3 {
		s, cmd := spawn(t, dir)
		s.finish("a", api.RunRequest{All: true})
		c := cell(t, s.snapshot("a"), "lens")
		if want == "" {
			want = left(t, c)
		}
		if got := left(t, c); got != want || (c.Recalled != nil) != (round > 0) {
			t.Errorf("round %d: recalled %+v, left %.300s", round, c.Recalled, got)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
	}
}

// TestStoreWithoutResults opens a store that an earlier program made.
func TestStoreWithoutResults(t *testing.T) {
	dir := t.TempDir()
	s := start(t, server.Options{Dir: dir, Models: newToys()})
	s.write("a", lensText)
	s.finish("a", api.RunRequest{All: true})
	s.stop()
	db, err := sql.Open("sqlite", filepath.Join(dir, ".orrery", "store.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("DROP TABLE result"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(t, server.Options{Dir: dir, Models: newToys()}, func(s *server.Server) { s.KeepQuick() })
	for _, recalled := range []bool{false, true} {
		s.finish("a", api.RunRequest{All: true})
		if c := cell(t, s.snapshot("a"), "lens"); (c.Recalled != nil) != recalled {
			t.Errorf("recalled %+v, want %v", c.Recalled, recalled)
		}
	}
}
