package server_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// mountSmall mounts a file system of 2 MiB; the test is skipped where that is
// not allowed. TestFileRefused and TestStoreRefused cover the same ground.
func mountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("none", dir, "tmpfs", 0, "size=2m"); err != nil {
		t.Skipf("mounting a small file system needs root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// TestFullDisk fills a disk up to a few pages, so that an edit fails at each
// of its steps in turn. Whatever happens, what was acknowledged and nothing
// else is there, now and after a restart.
func TestFullDisk(t *testing.T) {
	dir := mountSmall(t)
	s := start(t, server.Options{Dir: dir, Models: newToys()})
	s.write("a", code("c", "x = 0"))
	filler := filepath.Join(dir, "filler")
	acknowledged, revision, refused := "x = 0", uint64(0), 0
	for free := 0; free <= 10; free++ {
		fill(t, filler, free*4096)
		for try := range 3 {
			source := fmt.Sprintf("x = %d%d # %s", free, try, strings.Repeat("text ", 2000))
			status, _, body := s.send(s.request("POST", notebookPath("a")+"/edit", api.EditRequest{Revision: revision,
				Ops: []api.Op{{Op: api.OpSource, Cell: "c", Source: source}}}))
			switch {
			case status == 200:
				acknowledged, revision = source, revision+1
			case status == 507 && strings.Contains(string(body), "storage"):
				refused++
			default:
				t.Fatalf("status %d: %.300s", status, body)
			}
			if s.file("a") != code("c", acknowledged) || cell(t, s.snapshot("a"), "c").Source != acknowledged {
				t.Fatalf("with %d pages free the notebook is not what was acknowledged", free)
			}
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
	}
	if refused < 3 || revision == 0 {
		t.Errorf("%d edits were refused and %d taken: the disk was never full, or always", refused, revision)
	}
	s.stop()
	s = start(t, server.Options{Dir: dir})
	if snap := s.snapshot("a"); snap.Notebook.Revision != revision || cell(t, snap, "c").Source != acknowledged {
		t.Errorf("after a restart revision %d of %d", snap.Notebook.Revision, revision)
	}
}

// fill writes a file that leaves free bytes of the disk.
func fill(t *testing.T, name string, free int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	page, size := make([]byte, 4096), int64(0)
	for {
		n, err := f.Write(page)
		size += int64(n)
		if err != nil {
			break
		}
	}
	if err := f.Truncate(max(size-int64(free), 0)); err != nil {
		t.Fatal(err)
	}
}

// TestReadOnlyFolder holds that a folder that cannot be written is refused in
// words, and is served when it can be written again.
func TestReadOnlyFolder(t *testing.T) {
	dir := mountSmall(t)
	s := start(t, server.Options{Dir: dir, Models: newToys()})
	text := code("c", "x = 1\nx")
	s.write("a", text)
	before := s.snapshot("a")
	remount := func(flags uintptr) {
		t.Helper()
		if err := syscall.Mount("none", dir, "tmpfs", syscall.MS_REMOUNT|flags, "size=2m"); err != nil {
			t.Skipf("the file system cannot be remounted: %v", err)
		}
	}
	s.stop() // open files keep a file system from becoming read-only
	remount(syscall.MS_RDONLY)
	if _, err := server.New(server.Options{Dir: dir, Assets: assets}); err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("a read-only folder gave %v", err)
	}
	remount(0)
	s = start(t, server.Options{Dir: dir})
	if after := s.snapshot("a"); after.Notebook.Title != before.Notebook.Title || s.file("a") != text {
		t.Errorf("after remounting %+v", after)
	}
}
