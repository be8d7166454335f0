package main

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server"
)

// forge changes the title of every kept figure, so that who reads the cache is
// seen.
func forge(t *testing.T, dir string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, ".orrery", "store.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var key, madeAt, figure string
	var millis int64
	if err := db.QueryRow("SELECT key, millis, made_at, figure FROM result").Scan(&key, &millis, &madeAt, &figure); err != nil {
		t.Fatal(err)
	}
	figure = strings.Replace(figure, `"title":"`, `"title":"forged `, 1)
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d %s %d\n%s", key, millis, madeAt, len(figure), figure))
	if _, err := db.Exec("UPDATE result SET figure = ?, sum = ?", []byte(figure), sum[:]); err != nil {
		t.Fatal(err)
	}
}

// TestRunCached holds that a run takes results from the cache when it is asked to,
// and that nothing else ever does: not a plain run, not one that compares or
// records.
func TestRunCached(t *testing.T) {
	dir := t.TempDir()
	path, record := filepath.Join(dir, "a.md"), filepath.Join(dir, "a.outputs.json")
	if err := os.WriteFile(path, []byte("```python {#c}\neffects(load(\"mental-2op\"), n=150)\n```\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, said := call(t, "", "run", path, "--cached"); code != 1 || !strings.Contains(said, "no .orrery store in a folder above") {
		t.Fatalf("without a store: exit status %d: %s", code, said)
	}
	s, err := server.New(server.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(more ...string) (said, title string) {
		t.Helper()
		out := t.TempDir()
		code, _, said := call(t, "", append([]string{"run", path, "--out", out}, more...)...)
		data, err := os.ReadFile(filepath.Join(out, "c.json"))
		if code != 0 || err != nil {
			t.Fatalf("%v: exit status %d, %v: %s", more, code, err, said)
		}
		return said, string(data)
	}
	said, want := run("--cached")
	if strings.Contains(said, "cache") {
		t.Errorf("the first run says %s", said)
	}
	if said, got := run("--cached"); !strings.Contains(said, "(1 from the cache, computed in ") || got != want {
		t.Errorf("the second run says %s; figure %.200s, want %.200s", said, got, want)
	}
	forge(t, dir)
	if _, got := run("--cached"); !strings.Contains(got, "forged ") {
		t.Fatal("a run with --cached does not read the cache")
	}
	if said, got := run(); strings.Contains(said, "cache") || got != want {
		t.Errorf("a plain run says %s; figure %.200s", said, got)
	}
	if code, _, said := call(t, "", "run", path, "--record", record); code != 0 {
		t.Fatalf("record: exit status %d: %s", code, said)
	}
	if data, err := os.ReadFile(record); err != nil || strings.Contains(string(data), "forged ") || strings.Contains(string(data), "recalled") {
		t.Errorf("what is recorded comes from the cache (%v)", err)
	}
	if code, out, said := call(t, "", "run", path, "--check"); code != 0 || !strings.Contains(out, "to the last bit") {
		t.Errorf("check: exit status %d: %s%s", code, out, said)
	}
	for _, other := range [][]string{{"--check"}, {"--record", record}} {
		if code, _, said := call(t, "", append([]string{"run", path, "--cached"}, other...)...); code != 2 || !strings.Contains(said, "--cached") {
			t.Errorf("--cached with %v: exit status %d: %s", other, code, said)
		}
	}
}
