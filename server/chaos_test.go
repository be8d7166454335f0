package server_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// childFolder makes the test binary a server of that folder; see TestKill.
const childFolder = "ORRERY_TEST_SERVE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childFolder); dir != "" {
		s, err := server.New(server.Options{Dir: dir, Assets: assets, Token: testToken, Models: newToys()})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		s.KeepQuick()
		fmt.Println(s.URL())
		if err := s.Start(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// spawn serves a folder in a process of its own.
func spawn(t *testing.T, dir string) (*site, *exec.Cmd) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), childFolder+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child says nothing: %v", err)
	}
	u, err := url.Parse(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: dir, base: "http://" + u.Host, client: &http.Client{Jar: jar, Timeout: patience}}
	r, err := s.client.Get(u.String())
	if err != nil {
		t.Fatal(err)
	}
	r.Body.Close()
	return s, cmd
}

// TestKill kills the server in the middle of edits, again and again. Every
// edit that was acknowledged is there afterwards, in file, document and undo
// history; at most the one that was under way is there beside it.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "a", code("c", "x = 0"))
	last := 0 // the newest edit that was acknowledged
	for round, after := range []int64{1, 2, 7, 23, 40, 3} {
		s, cmd := spawn(t, dir)
		snap := s.snapshot("a")
		got := number(t, cell(t, snap, "c").Source)
		if got != last && got != last+1 {
			t.Fatalf("round %d: edit %d was acknowledged, %d is there", round, last, got)
		}
		if s.file("a") != code("c", fmt.Sprintf("x = %d", got)) {
			t.Fatalf("round %d: the file is %q", round, s.file("a"))
		}
		if got > 0 && !snap.Notebook.CanUndo {
			t.Errorf("round %d: the undo history is lost", round)
		}
		last = got
		var acknowledged atomic.Int64
		ended := make(chan int)
		go func() {
			n, revision := last, snap.Notebook.Revision
			for {
				req := s.request("POST", notebookPath("a")+"/edit", api.EditRequest{Revision: revision,
					Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: fmt.Sprintf("x = %d", n+1)}}})
				r, err := s.client.Do(req)
				if err != nil || r.StatusCode != http.StatusOK {
					ended <- n
					return
				}
				r.Body.Close()
				n, revision = n+1, revision+1
				if acknowledged.Add(1) == after {
					go cmd.Process.Kill() // while the next one is under way
				}
			}
		}()
		last = <-ended
		if acknowledged.Load() < after {
			t.Fatalf("round %d: only %d edits before the end", round, acknowledged.Load())
		}
		cmd.Wait()
	}
	s, _ := spawn(t, dir)
	undone := 0
	for s.snapshot("a").Notebook.CanUndo {
		s.edit("a", api.Op{Op: api.OpUndo})
		undone++
	}
	if got := s.file("a"); got != code("c", "x = 0") || undone < 76 {
		t.Errorf("after %d undos the file is %q", undone, got)
	}
}

func number(t *testing.T, source string) int {
	t.Helper()
	var n int
	if _, err := fmt.Sscanf(source, "x = %d", &n); err != nil {
		t.Fatalf("the cell is %q", source)
	}
	return n
}
