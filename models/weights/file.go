package weights

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// The names under which a directory holds its weights.
const (
	singleName = "model.safetensors"
	indexName  = "model.safetensors.index.json"
)

// Info describes one stored tensor.
type Info struct {
	Name  string
	DType DType
	Shape []int // outermost axis first; empty for a scalar
}

// File is an open checkpoint: one or several shards, memory-mapped or in
// memory, whose headers have been checked. It is safe for concurrent use; Close
// must come after the last use of a tensor that aliases the mapping.
type File struct {
	name     string
	shards   []shard
	names    []string         // in the order of the shards and of their headers
	entries  map[string]entry // by name
	metadata map[string]string

	hashOnce sync.Once
	hash     string
}

// shard is one safetensors file.
type shard struct {
	name string
	*mapping
	data int // where the tensors start
}

// Open opens a .safetensors file, a *.safetensors.index.json with its shards
// beside it, or a directory that holds model.safetensors or
// model.safetensors.index.json (the first is taken when both are there).
// Errors: *FormatError, or the file system's.
func Open(path string) (*File, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return openDir(path)
	}
	if strings.HasSuffix(path, ".json") {
		return openIndex(path)
	}
	s, h, err := openShard(path)
	if err != nil {
		return nil, err
	}
	f := newFile(path)
	f.add(s, h)
	return f, nil
}

// openDir opens the weights of a model directory.
func openDir(dir string) (*File, error) {
	single := filepath.Join(dir, singleName)
	if _, err := os.Stat(single); err == nil {
		return Open(single)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	index := filepath.Join(dir, indexName)
	if _, err := os.Stat(index); err == nil {
		return Open(index)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	problem := "directory holds neither " + singleName + " nor " + indexName
	if other, _ := filepath.Glob(filepath.Join(dir, "*.safetensors")); len(other) > 0 {
		problem += "; it holds " + filepath.Base(other[0]) + ", which can be opened by its own path"
	}
	return nil, &FormatError{File: dir, Problem: problem}
}

// openShard maps one file and checks its header.
func openShard(path string) (shard, *header, error) {
	st, err := os.Stat(path)
	if err != nil {
		return shard{}, nil, err
	}
	if !st.Mode().IsRegular() {
		return shard{}, nil, &FormatError{File: path, Problem: "expected a regular file, found " + st.Mode().Type().String()}
	}
	m, err := mapFile(path)
	if err != nil {
		return shard{}, nil, err
	}
	h, err := parseHeader(path, m.bytes)
	if err != nil {
		return shard{}, nil, errors.Join(err, m.close())
	}
	return shard{name: path, mapping: m, data: h.data}, h, nil
}

// Parse reads a safetensors file from memory; name stands for it in messages.
// The data is kept and must not change while the File is in use.
func Parse(name string, data []byte) (*File, error) {
	h, err := parseHeader(name, data)
	if err != nil {
		return nil, err
	}
	f := newFile(name)
	f.add(shard{name: name, mapping: &mapping{bytes: data}, data: h.data}, h)
	return f, nil
}

func newFile(name string) *File {
	return &File{name: name, entries: make(map[string]entry), metadata: make(map[string]string)}
}

// add appends a checked shard. The caller has made sure that no name is there already.
func (f *File) add(s shard, h *header) {
	for _, e := range h.entries {
		e.shardIdx = len(f.shards)
		f.entries[e.info.Name] = e
		f.names = append(f.names, e.info.Name)
	}
	f.shards = append(f.shards, s)
	for k, v := range h.metadata {
		if _, ok := f.metadata[k]; !ok {
			f.metadata[k] = v
		}
	}
}

// Names returns the tensors' names in the order of the shards and of their headers.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Info describes the tensor of that name; false when there is none.
func (f *File) Info(name string) (Info, bool) {
	e, ok := f.entries[name]
	e.info.Shape = slices.Clone(e.info.Shape)
	return e.info, ok
}

// Metadata returns the file's own key-value pairs. Where several shards hold a
// key the first shard's value stands.
func (f *File) Metadata() map[string]string {
	m := make(map[string]string, len(f.metadata))
	for k, v := range f.metadata {
		m[k] = v
	}
	return m
}

// Hash returns the SHA-256 of all shards' bytes, headers included, in shard
// order, in hexadecimal. For a single file it is what sha256sum prints. It is
// computed at the first call: about 1 s per 2 GB.
func (f *File) Hash() string {
	f.hashOnce.Do(func() {
		h := sha256.New()
		for _, s := range f.shards {
			h.Write(s.bytes)
		}
		f.hash = hex.EncodeToString(h.Sum(nil))
	})
	return f.hash
}

// Unchanged reports whether every file is still as it was opened, by size and
// time of change: nil, or a *ChangedError. A reader that comes back to a mapped
// file asks this first, so that it never mixes two versions of it.
func (f *File) Unchanged() error {
	for _, s := range f.shards {
		if err := s.unchanged(s.name); err != nil {
			return err
		}
	}
	return nil
}

// Bytes is the size of all shards' tensors together, as they are stored.
func (f *File) Bytes() int64 {
	n := int64(0)
	for _, s := range f.shards {
		n += int64(len(s.bytes) - s.data)
	}
	return n
}

// Release lets the memory of a tensor's mapped pages go. They are read again
// from the file when they are touched, so that it is always safe to call.
func (f *File) Release(name string) {
	if e, ok := f.entries[name]; ok {
		f.release(e, f.raw(e))
	}
}

// ReleasePart is Release for the numbers from row-major place lo to hi.
func (f *File) ReleasePart(name string, lo, hi int) {
	if e, ok := f.entries[name]; ok {
		if raw, ok := part(e, f.raw(e), lo, hi); ok {
			f.release(e, raw)
		}
	}
}

// release lets a part of an entry's bytes go.
func (f *File) release(e entry, raw []byte) {
	if f.shards[e.shardIdx].file != nil {
		release(raw)
	}
}

// Close unmaps the file. Tensors that alias it must not be used any more.
func (f *File) Close() error {
	var errs []error
	for _, s := range f.shards {
		errs = append(errs, s.close())
	}
	clear(f.entries)
	f.names = nil
	return errors.Join(errs...)
}

// raw returns the stored bytes of an entry.
func (f *File) raw(e entry) []byte {
	if e.info.DType == "" { // no entry
		return nil
	}
	s := f.shards[e.shardIdx]
	return s.bytes[s.data+e.lo : s.data+e.hi : s.data+e.hi]
}
