package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"orrery/server/api"
	"orrery/server/notebook"
)

// examples are the shipped notebooks: NAME.md at the top of a file system,
// with what its cells left in NAME.outputs.json, a list of Recorded. They are
// opened like files of the folder; the first edit makes the file.
type examples struct {
	fsys fs.FS  // nil for none
	made string // the time that stands for when they were saved
}

// names returns the ids of all examples.
func (x *examples) names() []string {
	if x.fsys == nil {
		return nil
	}
	files, err := fs.Glob(x.fsys, "*.md")
	if err != nil {
		return nil
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".md")
	}
	return files
}

// text returns the Markdown of an example.
func (x *examples) text(id string) ([]byte, error) {
	missing := &api.Error{Code: api.NotFound, Message: fmt.Sprintf("there is no notebook %q", id),
		Hint: "the start page lists what there is"}
	if x.fsys == nil || strings.Contains(id, "/") {
		return nil, missing
	}
	data, err := fs.ReadFile(x.fsys, id+".md")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing
	}
	return data, err
}

// runs returns the recorded runs of an example, none for other ids.
func (x *examples) runs(id string) (map[string]*Recorded, error) {
	runs := map[string]*Recorded{}
	if x.fsys == nil || strings.Contains(id, "/") {
		return runs, nil
	}
	data, err := fs.ReadFile(x.fsys, id+".outputs.json")
	if errors.Is(err, fs.ErrNotExist) {
		return runs, nil
	}
	if err != nil {
		return nil, err
	}
	var list []*Recorded
	if err := json.Unmarshal(data, &list); err != nil {
		return nil, fmt.Errorf("recorded outputs of example %s: %w", id, err)
	}
	for _, r := range list {
		runs[r.Cell] = r
	}
	return runs, nil
}

// info describes an example for the start page.
func (x *examples) info(id string) (api.NotebookInfo, error) {
	data, err := x.text(id)
	if err != nil {
		return api.NotebookInfo{}, err
	}
	doc, err := notebook.Parse(data)
	if err != nil {
		return api.NotebookInfo{}, err
	}
	is := api.NotebookInfo{ID: id, Title: id, Modified: x.made, Example: true}
	describe(&is, doc)
	return is, nil
}
