package server

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"

	"orrery/server/api"
	"orrery/server/notebook"
)

// vault keeps one notebook on the disk: its Markdown file, and in the store its
// revision, undo history and outputs. Its owner calls it from one goroutine at
// a time.
//
// A save puts the new text on the disk beside the file, then commits to the
// store, then renames. A crash in between leaves a file and a store that
// disagree; open then takes the file and makes the difference an edit, so that
// undo has what the store had. The same happens when another program has
// changed the file while no server ran.
type vault struct {
	folder *folder
	store  *store
	id     string
	file   string
	disk   stamp // the version that the server read or wrote last
	kept   saved // what the store holds
}

// opened is a notebook as it was found.
type opened struct {
	vault   *vault
	doc     *notebook.Notebook
	runs    map[string]*Recorded
	savedAt string
}

// openVault reads a notebook from the folder or, when there is no such file,
// from the shipped examples. It writes nothing.
func openVault(f *folder, s *store, shipped *examples, id string) (*opened, error) {
	file, err := fileOf(id)
	if err != nil {
		return nil, err
	}
	v := &vault{folder: f, store: s, id: id, file: file}
	o := &opened{vault: v, runs: map[string]*Recorded{}}
	text, found, err := f.read(file)
	switch {
	case err == nil:
		v.disk = found
		o.savedAt = found.info.ModTime().UTC().Format(time.RFC3339)
	case errors.Is(err, fs.ErrNotExist):
		if text, err = shipped.text(id); err != nil {
			return nil, err
		}
		o.savedAt = shipped.made
	default:
		return nil, readError(file, err)
	}
	if o.doc, err = notebook.Parse(text); err != nil {
		return nil, err
	}
	if o.runs, err = shipped.runs(id); err != nil {
		return nil, err
	}
	own, err := s.runs(id)
	if err != nil {
		return nil, readError(file, err)
	}
	for cell, r := range own {
		o.runs[cell] = r
	}
	kept, err := s.document(id)
	if err != nil {
		return nil, readError(file, err)
	}
	if kept != nil {
		v.kept = *kept
		before, err := notebook.Parse(kept.text)
		if err != nil {
			return nil, err
		}
		before.Revision, before.History = kept.revision, kept.history
		if !bytes.Equal(text, kept.text) && !slices.Equal(before.Cells, o.doc.Cells) {
			before.Replace(o.doc.Cells)
		}
		o.doc = before
	}
	return o, nil
}

// changedError says that the file is not the version that the server wrote.
type changedError struct{ now stamp }

func (e *changedError) Error() string { return "the file was changed by another program" }

// save makes a document durable: file and store. On an error both are as they
// were. It returns a *changedError when the file is not the version that the
// server saw last, and an *api.Error of code storage when the disk refuses.
func (v *vault) save(doc *notebook.Notebook) (savedAt string, err error) {
	text := doc.Markdown()
	if len(text) > notebook.MaxFile {
		return "", &api.Error{Code: api.TooLarge, Hint: "split it into several notebooks",
			Message: fmt.Sprintf("the notebook has %d bytes, the limit is %d", len(text), notebook.MaxFile)}
	}
	now, err := v.folder.look(v.file, v.disk)
	if err != nil {
		return "", storageError(err)
	}
	if now.hash != v.disk.hash {
		return "", &changedError{now}
	}
	d, err := v.folder.draft(v.file, text)
	if err != nil {
		return "", storageError(err)
	}
	before := v.kept
	next := saved{revision: doc.Revision, text: text, history: doc.Clone().History,
		savedAt: time.Now().UTC().Format(time.RFC3339)}
	if err := v.keep(next); err != nil {
		return "", storageError(errors.Join(err, d.discard()))
	}
	now, changed, err := d.place(v.disk)
	if err == nil && !changed {
		v.disk = now
		return next.savedAt, nil
	}
	if before.text != nil {
		err = errors.Join(err, v.keep(before))
	}
	if changed {
		return "", errors.Join(&changedError{now}, err)
	}
	return "", storageError(err)
}

// keep writes a document to the store alone.
func (v *vault) keep(next saved) error {
	first, err := v.store.saveDocument(v.id, next, v.kept)
	if err != nil {
		return err
	}
	next.first = first
	v.kept = next
	return nil
}

// saveRun makes the outputs of a cell durable.
func (v *vault) saveRun(r *Recorded) error {
	if err := v.store.saveRuns(v.id, r); err != nil {
		return storageError(err)
	}
	return nil
}

// watch returns the version on the disk when it is not the one that the server
// saw last, nil when it is.
func (v *vault) watch() (*stamp, error) {
	now, err := v.folder.look(v.file, v.disk)
	if err != nil {
		return nil, err
	}
	if now.hash != v.disk.hash {
		return &now, nil
	}
	v.disk = now
	return nil, nil
}

// describe tells what the version on the disk is.
func (v *vault) describe() *api.Conflict {
	c := &api.Conflict{Path: filepath.Join(v.folder.path, filepath.FromSlash(v.file))}
	data, _, err := v.folder.read(v.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Message = "the file was removed by another program; keep the open notebook, which writes it again"
		return c
	case err != nil:
		c.Message = fmt.Sprintf("the file was replaced by something that cannot be read (%v); keep the open notebook or repair the file", err)
		return c
	}
	doc, err := notebook.Parse(data)
	if err != nil {
		c.Message = fmt.Sprintf("the file was changed by another program and cannot be read (%v); keep the open notebook or repair the file", err)
		return c
	}
	c.Message = "the file was changed by another program; keep the open notebook, which overwrites the file, or load the file, which undo takes back"
	c.DiskTitle, c.DiskCells = doc.Title(), len(doc.Cells)
	return c
}

// readError puts a failure to read in words for the page.
func readError(file string, err error) error {
	var known *api.Error
	if errors.As(err, &known) {
		return known
	}
	return &api.Error{Code: api.Storage, Message: fmt.Sprintf("%s cannot be read: %v", file, err),
		Hint: "look at the file's permissions and at the disk"}
}

// storageError puts a failure to write in words for the page.
func storageError(err error) error {
	var known *api.Error
	if errors.As(err, &known) {
		return known
	}
	return &api.Error{Code: api.Storage, Message: fmt.Sprintf("the disk refused the change: %v", err),
		Hint: "nothing was saved and the notebook is as it was; free space or mend permissions and try again"}
}

// load returns the cells of the version on the disk, its bytes and stamp.
func (v *vault) load() (*notebook.Notebook, []byte, stamp, error) {
	data, now, err := v.folder.read(v.file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, stamp{}, &api.Error{Code: api.NotFound, Message: "there is no file to load: it was removed",
			Hint: "keep the open notebook, which writes it again"}
	}
	if err != nil {
		return nil, nil, stamp{}, readError(v.file, err)
	}
	doc, err := notebook.Parse(data)
	return doc, data, now, err
}

// adopt takes the version on the disk, read as text, for the document.
func (v *vault) adopt(doc *notebook.Notebook, text []byte, now stamp) (savedAt string, err error) {
	next := saved{revision: doc.Revision, text: text, history: doc.Clone().History,
		savedAt: time.Now().UTC().Format(time.RFC3339)}
	if err := v.keep(next); err != nil {
		return "", storageError(err)
	}
	v.disk = now
	return next.savedAt, nil
}
