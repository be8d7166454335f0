package server

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"orrery/server/api"
)

// The bounds of the folder's tree on the start page.
const (
	maxFolders = 24    // folders that are listed
	maxEntries = 20000 // files and folders that are looked at
)

// tree describes the workspace folder for the start page: itself, the folders
// in it by name, each followed by those in it, and the results last. Hidden
// folders are left out. A folder whose entries cannot be read is listed empty.
func (f *folder) tree() ([]api.FolderInfo, error) {
	w := &treeWalk{fsys: f.root.FS()}
	if _, err := fs.Stat(w.fsys, "."); err != nil {
		return nil, readError(f.path, err)
	}
	w.visit(".", path.Base(strings.ReplaceAll(f.path, `\`, "/")), 0)
	w.visit(private, private, 1)
	w.list[len(w.list)-1].Results = true
	w.list[0].More = w.more
	return w.list, nil
}

// treeWalk is a walk through the folder within its bounds.
type treeWalk struct {
	fsys fs.FS
	list []api.FolderInfo
	seen int
	more bool // something was left out
}

func (w *treeWalk) visit(dir, name string, depth int) {
	at := len(w.list)
	w.list = append(w.list, api.FolderInfo{Name: name, Depth: depth})
	entries, err := fs.ReadDir(w.fsys, dir)
	if err != nil {
		return
	}
	var inner []string
	for _, e := range entries {
		if w.seen++; w.seen > maxEntries {
			w.more = true
			break
		}
		hidden := strings.HasPrefix(e.Name(), ".")
		switch {
		case e.IsDir() && !hidden && e.Name() != "node_modules":
			inner = append(inner, e.Name())
		case e.Type().IsRegular() && !hidden:
			w.list[at].Files++
			if strings.HasSuffix(e.Name(), ".md") {
				w.list[at].Notebooks++
			}
			if info, err := e.Info(); err == nil {
				w.list[at].Bytes += info.Size()
			}
		}
	}
	slices.SortFunc(inner, func(a, b string) int { return cmp.Compare(strings.ToLower(a), strings.ToLower(b)) })
	for _, name := range inner {
		if depth >= maxDepth || len(w.list) >= maxFolders {
			w.more = true
			return
		}
		w.visit(path.Join(dir, name), name, depth+1)
	}
}
