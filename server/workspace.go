package server

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/server/notebook"
	"orrery/server/script"
)

// The bounds of the start page's walk through the folder.
const (
	maxListed = 1000
	maxDepth  = 6
)

// workspace is GET /api/workspace.
func (s *Server) workspace(c echo.Context) error {
	notebooks, err := s.listing.list(s.folder, s.shipped)
	if err != nil {
		return err
	}
	models, err := s.models.List()
	if err != nil {
		return err
	}
	folders, err := s.folder.tree()
	if err != nil {
		return err
	}
	return c.JSON(http.StatusOK, api.Workspace{Version: s.options.Version, Folder: s.folder.path, Folders: folders,
		Notebooks: notebooks, Models: models, Analyses: analysis.Info(), Makers: script.Makers()})
}

// listing remembers what files say about themselves, so that the start page
// reads only what has changed.
type listing struct {
	mu    sync.Mutex // guards known
	known map[string]listed
}

type listed struct {
	info os.FileInfo
	is   api.NotebookInfo
}

// list returns the shipped notebooks in the order of their plates, as they are
// in the folder where they have been edited, then the folder's others, the
// newest first.
func (l *listing) list(f *folder, shipped *examples) ([]api.NotebookInfo, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	names := shipped.names()
	now := map[string]listed{}
	err := fs.WalkDir(f.root.FS(), ".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && file == ".":
			return err
		case err != nil: // a folder that cannot be read, or a file that has just gone
			return nil
		case file != "." && strings.HasPrefix(d.Name(), "."),
			d.IsDir() && (d.Name() == "node_modules" || strings.Count(file, "/") >= maxDepth):
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		case len(now) >= maxListed:
			return fs.SkipAll
		}
		id, ok := strings.CutSuffix(file, ".md")
		if !ok || !d.Type().IsRegular() {
			return nil
		}
		if _, err := fileOf(id); err != nil {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		if known, ok := l.known[file]; ok && os.SameFile(known.info, info) &&
			known.info.Size() == info.Size() && known.info.ModTime().Equal(info.ModTime()) {
			now[file] = known
			return nil
		}
		now[file] = listed{info, describeFile(f, file, id, info)}
		return nil
	})
	if err != nil {
		return nil, readError(f.path, err)
	}
	l.known = now
	infos := make([]api.NotebookInfo, 0, len(now)+len(names))
	for _, entry := range now {
		is := entry.is
		is.Example = slices.Contains(names, is.ID)
		infos = append(infos, is)
	}
	for _, id := range names {
		if _, own := now[id+".md"]; own {
			continue
		}
		is, err := shipped.info(id)
		if err != nil {
			return nil, err
		}
		infos = append(infos, is)
	}
	for i := range infos {
		if !infos[i].Example { // a copy is not the shipped one, whatever it says
			infos[i].Plate = 0
		}
	}
	slices.SortStableFunc(infos, func(a, b api.NotebookInfo) int {
		if a.Plate != b.Plate {
			return cmp.Compare(uint(a.Plate-1), uint(b.Plate-1)) // 0, no plate, comes last
		}
		return -strings.Compare(a.Modified+" "+a.ID, b.Modified+" "+b.ID)
	})
	return infos, nil
}

// describeFile reads a notebook for the start page. A file that cannot be
// read is listed with the reason.
func describeFile(f *folder, file, id string, info os.FileInfo) api.NotebookInfo {
	is := api.NotebookInfo{ID: id, Title: path.Base(id), Modified: info.ModTime().UTC().Format(time.RFC3339), Kept: true}
	data, _, err := f.read(file)
	var doc *notebook.Notebook
	if err == nil {
		doc, err = notebook.Parse(data)
	}
	if err != nil {
		is.Summary = "cannot be opened: " + err.Error()
		return is
	}
	describe(&is, doc)
	return is
}

// describe adds what a notebook says about itself; one without a heading keeps
// its title.
func describe(is *api.NotebookInfo, doc *notebook.Notebook) {
	if title := doc.Title(); title != "" {
		is.Title = title
	}
	plate := doc.Plate()
	is.Summary, is.Cells = doc.Summary(), len(doc.Cells)
	is.Plate, is.Figure, is.Paper = plate.Number, plate.Figure, plate.Paper
	add := func(list []string, name string) []string {
		if slices.Contains(list, name) {
			return list
		}
		return append(list, name)
	}
	for _, c := range doc.Cells {
		if c.Kind != api.CellCode {
			continue
		}
		found := script.Mentioned(c.Source)
		for _, name := range found.Models {
			is.Models = add(is.Models, name)
		}
		for _, name := range found.Calls {
			if _, err := analysis.Find(name); err == nil {
				is.Methods = add(is.Methods, name)
			}
		}
	}
}

// create is POST /api/notebooks. It answers with the new notebook's entry.
func (s *Server) create(c echo.Context) error {
	req, err := bind[api.CreateRequest](c, smallBody)
	if err != nil {
		return err
	}
	doc, runs, err := s.template(req)
	if err != nil {
		return err
	}
	for attempt := 1; ; attempt++ {
		id := req.ID
		if id == "" {
			id = "untitled"
		}
		free := id == "untitled" && attempt < 1000
		if free && attempt > 1 {
			id = fmt.Sprintf("untitled-%d", attempt)
		}
		if req.From == "" {
			doc.Cells[0].Source = "# " + headline(id)
		}
		info, err := s.make(id, doc, runs)
		if errors.Is(err, fs.ErrExist) && free {
			continue
		}
		if errors.Is(err, fs.ErrExist) {
			return &api.Error{Code: api.Conflicted, Message: fmt.Sprintf("there is a notebook %q already", id), Hint: "choose another name"}
		}
		if err != nil {
			return err
		}
		return c.JSON(http.StatusOK, info)
	}
}

// template returns what a new notebook starts with.
func (s *Server) template(req api.CreateRequest) (*notebook.Notebook, map[string]*Recorded, error) {
	if req.From == "" {
		return &notebook.Notebook{Cells: []notebook.Cell{
			{ID: notebook.TopID, Kind: api.CellMarkdown},
			{ID: notebook.NewID(), Kind: api.CellCode},
		}}, nil, nil
	}
	text, err := s.shipped.text(req.From)
	if err != nil {
		return nil, nil, err
	}
	runs, err := s.shipped.runs(req.From)
	if err != nil {
		return nil, nil, err
	}
	doc, err := notebook.Parse(text)
	return doc, runs, err
}

// make writes a new notebook. A name that is taken, by a file or by an
// example, is fs.ErrExist.
func (s *Server) make(id string, doc *notebook.Notebook, runs map[string]*Recorded) (*api.NotebookInfo, error) {
	file, err := fileOf(id)
	if err != nil {
		return nil, err
	}
	if slices.Contains(s.shipped.names(), id) {
		return nil, fs.ErrExist
	}
	if _, err := s.folder.root.Lstat(file); err == nil {
		return nil, fs.ErrExist
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, readError(file, err)
	}
	var list []*Recorded
	for _, r := range runs {
		list = append(list, r)
	}
	if err := s.store.saveRuns(id, list...); err != nil {
		return nil, storageError(err)
	}
	d, err := s.folder.draft(file, doc.Markdown())
	if err != nil {
		return nil, storageError(err)
	}
	now, changed, err := d.place(stamp{})
	if changed {
		return nil, fs.ErrExist
	}
	if err != nil {
		return nil, storageError(err)
	}
	info := describeFile(s.folder, file, id, now.info)
	return &info, nil
}

// headline turns an id into a title.
func headline(id string) string {
	words := strings.Fields(strings.NewReplacer("-", " ", "_", " ").Replace(path.Base(id)))
	if len(words) == 0 {
		return "Notebook"
	}
	first := []rune(words[0])
	words[0] = strings.ToUpper(string(first[:1])) + string(first[1:])
	return strings.Join(words, " ")
}
