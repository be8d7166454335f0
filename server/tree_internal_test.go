package server

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server/api"
)

func written(rows []api.FolderInfo) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%s%s %d/%d %d", strings.Repeat(" ", r.Depth), r.Name, r.Notebooks, r.Files, r.Bytes)
		if r.Results {
			b.WriteString(" results")
		}
		if r.More {
			b.WriteString(" more")
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestTree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "work")
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.root.Close() })
	put := func(file, text string) {
		t.Helper()
		name := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("first.md", "12345")
	put(".hidden.md", "not seen")
	put(".git/config", "not seen")
	put("node_modules/x/readme.md", "not seen")
	put("notes/a.md", "1")
	put("notes/data.csv", "123")
	put("notes/old/b.md", "12")
	put("Models/own/model.safetensors", "1234")
	put(private+"/store.sqlite", "1234567")
	got, err := f.tree()
	if err != nil {
		t.Fatal(err)
	}
	want := "work 1/1 5\n Models 0/0 0\n  own 0/1 4\n notes 1/2 4\n  old 1/1 2\n .orrery 0/1 7 results\n"
	if w := written(got); w != want {
		t.Errorf("the tree is\n%swant\n%s", w, want)
	}
	for i := range 2 * maxFolders {
		put(fmt.Sprintf("many/%02d/x", i), "")
	}
	got, err = f.tree()
	if err != nil || len(got) > maxFolders+1 || !got[0].More || !got[len(got)-1].Results {
		t.Errorf("of many folders %d are listed (%v):\n%s", len(got), err, written(got))
	}
}
