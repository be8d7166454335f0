package server_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
	"orrery/viz"
)

// sweepText computes 9,216 cells.
var sweepText = func() string {
	var ids [24]string
	for i := range ids {
		ids[i] = fmt.Sprint((3*i + i*i) % 11)
	}
	clean, corrupted := strings.Join(ids[:], ", "), "1, "+strings.Join(ids[1:], ", ")
	return code("sweep", fmt.Sprintf(`activation_patching(load("wide"), clean=[%s], corrupted=[%s], sweep="attn_head_pattern_dest_src_pos", metric="prob", normalise=False)`, clean, corrupted))
}()

// parts opens the store of a folder beside its server.
func parts(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, ".orrery", "store.sqlite")+"?_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// count is how many rows a table has.
func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// begin runs the sweep until some of its runs are in the store.
func (s *site) begin(db *sql.DB, req api.RunRequest) {
	s.t.Helper()
	s.run("a", req)
	for count(s.t, db, "part") == 0 {
		if count(s.t, db, "result") > 0 {
			s.t.Fatal("the sweep ended before it could be interrupted: take a longer one")
		}
	}
}

// drawn is the figure of the sweep, once it is whole.
func (s *site) drawn(req api.RunRequest) *viz.Figure {
	s.t.Helper()
	s.finish("a", req)
	c := cell(s.t, s.snapshot("a"), "sweep")
	if c.State != api.StateDone || len(c.Outputs) != 1 || c.Outputs[0].Figure == nil || c.Recalled != nil {
		s.t.Fatalf("the cell is %s with %d outputs, recalled %v", c.State, len(c.Outputs), c.Recalled)
	}
	return c.Outputs[0].Figure
}

// TestGoesOnBehindKill kills the server in the middle of a sweep, twice. The run that
// follows takes what was computed, and its figure is that of a server that nobody
// killed.
func TestGoesOnBehindKill(t *testing.T) {
	whole := start(t, server.Options{Models: newToys()})
	whole.write("a", sweepText)
	want := whole.drawn(api.RunRequest{All: true})
	dir := t.TempDir()
	writeFile(t, dir, "a", sweepText)
	for range 2 {
		s, cmd := spawn(t, dir)
		s.begin(parts(t, dir), api.RunRequest{All: true})
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
	}
	s, _ := spawn(t, dir)
	if n := count(t, parts(t, dir), "part"); n == 0 {
		t.Fatal("no run is left")
	}
	got := s.drawn(api.RunRequest{All: true})
	if c, err := viz.Compare(want, got); err != nil || !c.Exact() || c.Numbers < 9216 {
		t.Errorf("the figure is another: %+v, %v", c, err)
	}
	if !strings.HasSuffix(got.Provenance.Resumed, " of 9,216 edited runs") || want.Provenance.Resumed != "" {
		t.Errorf("resumed %q, without a kill %q", got.Provenance.Resumed, want.Provenance.Resumed)
	}
	if n := count(t, parts(t, dir), "part"); n != 0 {
		t.Errorf("%d rows stay behind the result", n)
	}
}

// TestFreshRunGoesOnFromNothing interrupts a sweep. A run that was asked for as fresh
// takes nothing of it and leaves its own; one that is interrupted again goes on.
func TestFreshRunGoesOnFromNothing(t *testing.T) {
	dir := t.TempDir()
	s := start(t, server.Options{Dir: dir, Models: newToys()}, func(s *server.Server) { s.KeepQuick() })
	s.write("a", sweepText)
	db := parts(t, dir)
	interrupt := func(req api.RunRequest) {
		t.Helper()
		p := s.connect("a", "?since="+seq(s.snapshot("a")))
		s.begin(db, req)
		call[any](s, "POST", notebookPath("a")+"/interrupt", api.InterruptRequest{})
		p.until(state("sweep", api.StateCanceled))
	}
	fresh, all := api.RunRequest{All: true, Fresh: true}, api.RunRequest{All: true}
	interrupt(all)
	if f := s.drawn(fresh); f.Provenance.Resumed != "" {
		t.Errorf("a fresh run took %s", f.Provenance.Resumed)
	}
	if n := count(t, db, "part"); n != 0 {
		t.Errorf("%d rows stay", n)
	}
	if _, err := db.Exec("DELETE FROM result"); err != nil {
		t.Fatal(err)
	}
	interrupt(fresh)
	if f := s.drawn(all); f.Provenance.Resumed == "" {
		t.Error("a run behind an interrupted fresh one begins again")
	}
}
