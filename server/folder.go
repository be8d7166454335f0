package server

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"unicode"

	"orrery/server/api"
	"orrery/server/notebook"
)

// private is the folder beside the notebooks that holds what is not text:
// the store and the lock.
const private = ".orrery"

// folder is the workspace folder. Every access goes through an os.Root, so
// that no name, link or ".." leads outside.
type folder struct {
	root *os.Root
	path string // as the user named it
}

// stamp says which version of a file was seen.
type stamp struct {
	hash string      // sha256 of the bytes; empty when there was no file
	info os.FileInfo // nil when there was no file
}

func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("notebook folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("notebook folder: %w", err)
	}
	f := &folder{root: root, path: dir}
	if err := root.Mkdir(private, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, errors.Join(cmp.Or(unwritable(dir, err), fmt.Errorf("notebook folder: %w", err)), root.Close())
	}
	if info, err := root.Lstat(private); err != nil || !info.IsDir() {
		return nil, errors.Join(fmt.Errorf("notebook folder: %s is not a folder of its own; remove it and start again",
			path.Join(dir, private)), root.Close())
	}
	return f, nil
}

// unwritable is the error of a folder that cannot be written, nil where err says
// something else.
func unwritable(dir string, err error) error {
	if !errors.Is(err, fs.ErrPermission) && !errors.Is(err, syscall.EROFS) {
		return nil
	}
	return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("folder %s cannot be written: %v", dir, err),
		Hint: "notebooks and their results are kept in it: choose another one, or let yourself write there"}
}

// fileOf returns the path below the folder of a notebook's file. It refuses
// ids that are no plain relative path: absolute, with "." or ".." or empty
// parts, hidden, with backslashes, colons or control characters, or too long.
func fileOf(id string) (string, error) {
	bad := func(why string) error {
		return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%q cannot name a notebook: %s", id, why),
			Hint: "an id is the file's path below the notebook folder without .md, such as notes/first"}
	}
	if len(id) > 512 {
		return "", bad("it is longer than 512 bytes")
	}
	if !fs.ValidPath(id) || id == "." {
		return "", bad("it is not a relative path inside the folder")
	}
	for _, part := range strings.Split(id, "/") {
		if strings.HasPrefix(part, ".") {
			return "", bad("hidden files are not notebooks")
		}
		if len(part) > 200 {
			return "", bad("one of its parts is longer than 200 bytes")
		}
	}
	for _, r := range id {
		if r == '\\' || r == ':' || unicode.IsControl(r) {
			return "", bad(fmt.Sprintf("%q is not allowed", r))
		}
	}
	return id + ".md", nil
}

// read returns a file and its stamp. A missing file is fs.ErrNotExist;
// anything but a plain file is refused.
func (f *folder) read(file string) ([]byte, stamp, error) {
	info, err := f.root.Lstat(file)
	if err != nil {
		return nil, stamp{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, stamp{}, &api.Error{Code: api.Invalid, Message: file + " is not a plain file",
			Hint: "links, folders and devices are not opened as notebooks"}
	}
	if info.Size() > notebook.MaxFile {
		return nil, stamp{}, &api.Error{Code: api.TooLarge,
			Message: fmt.Sprintf("%s has %d bytes, the limit is %d", file, info.Size(), notebook.MaxFile)}
	}
	r, err := f.root.Open(file)
	if err != nil {
		return nil, stamp{}, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, notebook.MaxFile+1))
	if err != nil {
		return nil, stamp{}, err
	}
	if info, err = r.Stat(); err != nil {
		return nil, stamp{}, err
	}
	return data, stamp{hash: hashOf(data), info: info}, nil
}

// look returns the stamp of what is there now. It reads the file only when
// its size, time or identity differ from those of last.
func (f *folder) look(file string, last stamp) (stamp, error) {
	info, err := f.root.Lstat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{}, nil
	}
	if err == nil && last.info != nil && os.SameFile(info, last.info) &&
		info.Size() == last.info.Size() && info.ModTime().Equal(last.info.ModTime()) {
		return last, nil
	}
	_, s, err := f.read(file)
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{}, nil
	}
	return s, err
}

// draft is a new version of a file that is on the disk, but not in its place.
type draft struct {
	folder     *folder
	file, temp string
	hash       string
}

// draft writes data beside a file, synced. The name is fixed, so that what a
// crash leaves is overwritten by the next draft.
func (f *folder) draft(file string, data []byte) (*draft, error) {
	dir, base := path.Split(file)
	d := &draft{folder: f, file: file, temp: dir + "." + base + ".draft", hash: hashOf(data)}
	if dir != "" {
		if err := f.root.MkdirAll(path.Clean(dir), 0o777); err != nil {
			return nil, err
		}
	}
	mode := fs.FileMode(0o666)
	if info, err := f.root.Lstat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := f.root.Remove(d.temp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	w, err := f.root.OpenFile(d.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return nil, err
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.Sync()
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, errors.Join(err, d.discard())
	}
	return d, nil
}

// discard removes a draft that is not wanted.
func (d *draft) discard() error { return d.folder.root.Remove(d.temp) }

// place puts the draft in the file's place if that still is the version that
// last describes. Otherwise nothing has changed and changed is true.
//
// Between the comparison and the rename another program could still write; a
// file that did not exist is made without that gap.
func (d *draft) place(last stamp) (now stamp, changed bool, err error) {
	f := d.folder
	if now, err = f.look(d.file, last); err != nil {
		return last, false, errors.Join(err, d.discard())
	}
	if now.hash != last.hash {
		return now, true, d.discard()
	}
	made := false
	if last.hash == "" {
		err := f.root.Link(d.temp, d.file)
		if errors.Is(err, fs.ErrExist) {
			now, err := f.look(d.file, last)
			return now, true, errors.Join(err, d.discard())
		}
		made = err == nil // some file systems know no links
	}
	if made {
		err = d.discard()
	} else {
		err = f.root.Rename(d.temp, d.file)
	}
	if err != nil {
		return last, false, errors.Join(err, d.discard())
	}
	if err := f.sync(path.Dir(d.file)); err != nil {
		return last, false, err
	}
	info, err := f.root.Lstat(d.file)
	if err != nil {
		return last, false, err
	}
	return stamp{hash: d.hash, info: info}, false, nil
}

// sync makes the names in a folder durable.
func (f *folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
