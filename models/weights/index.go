package weights

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"orrery/models/internal/clip"
)

// maxShards bounds the files that one index may open at a time.
const maxShards = 4096

// openIndex opens the shards that an index names. Index and shards must agree:
// each listed tensor lies in the shard that the index gives, and each stored
// tensor is listed.
func openIndex(path string) (_ *File, err error) {
	where, shards, err := readIndex(path)
	if err != nil {
		return nil, err
	}
	f := newFile(path)
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	for _, name := range shards {
		s, h, err := openShard(filepath.Join(filepath.Dir(path), name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &FormatError{File: path, Problem: fmt.Sprintf("shard %s is missing; %s expected in it", name, listed(where, name))}
		}
		if err != nil {
			return nil, err
		}
		for _, e := range h.entries {
			if at := where[e.info.Name]; at != name {
				problem := "is not listed in " + filepath.Base(path)
				if at != "" {
					problem = fmt.Sprintf("expected in shard %s by %s, found here", at, filepath.Base(path))
				}
				err := &FormatError{File: s.name, Tensor: e.info.Name, Problem: problem}
				return nil, errors.Join(err, s.close())
			}
		}
		f.add(s, h)
	}
	absent := make([]string, 0)
	for name := range where {
		if _, ok := f.entries[name]; !ok {
			absent = append(absent, name)
		}
	}
	if len(absent) > 0 {
		slices.Sort(absent)
		return nil, &FormatError{File: path, Tensor: absent[0], Problem: fmt.Sprintf("expected in shard %s, which does not hold it (%d listed tensors are absent)", where[absent[0]], len(absent))}
	}
	return f, nil
}

// listed says which tensors an index puts into a shard.
func listed(where map[string]string, shard string) string {
	first, n := "", 0
	for name, at := range where {
		if at == shard {
			n++
			if first == "" || name < first {
				first = name
			}
		}
	}
	if n == 1 {
		return fmt.Sprintf("tensor %q was", clip.Text(first))
	}
	return fmt.Sprintf("tensor %q and %d more were", clip.Text(first), n-1)
}

// Shards returns the names of the shards that a *.safetensors.index.json names,
// sorted: plain names of .safetensors files. Errors: *FormatError, or the file
// system's.
func Shards(path string) ([]string, error) {
	_, shards, err := readIndex(path)
	return shards, err
}

// readIndex returns the shard of each tensor and the shards in the order of their names.
func readIndex(path string) (where map[string]string, shards []string, err error) {
	fail := func(format string, args ...any) error {
		return &FormatError{File: path, Problem: fmt.Sprintf(format, args...)}
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, MaxHeader+1))
	if err != nil {
		return nil, nil, err
	}
	if len(text) > MaxHeader {
		return nil, nil, fail("index is larger than %d bytes", MaxHeader)
	}
	p := headerParser{file: path, dec: json.NewDecoder(bytes.NewReader(text))}
	where = make(map[string]string)
	seen := make(map[string]bool)
	err = p.each("a JSON object as index", func(key string) error {
		if key != "weight_map" {
			var skipped json.RawMessage
			if err := p.dec.Decode(&skipped); err != nil {
				return p.fail("index is not complete JSON: %v", err)
			}
			return nil
		}
		return p.each("an object from tensor to shard as weight_map", func(tensor string) error {
			t, err := p.token()
			if err != nil {
				return err
			}
			shard, ok := t.(string)
			if !ok || shard != filepath.Base(shard) || strings.ContainsAny(shard, `/\`) || !strings.HasSuffix(shard, ".safetensors") {
				return &FormatError{File: path, Tensor: tensor, Problem: fmt.Sprintf("shard %q is not the plain name of a .safetensors file beside the index", show(t))}
			}
			where[tensor] = shard
			if !seen[shard] {
				seen[shard] = true
				shards = append(shards, shard)
			}
			return nil
		})
	})
	if err == nil {
		err = p.end()
	}
	if err != nil {
		return nil, nil, err
	}
	if len(where) == 0 {
		return nil, nil, fail("index has no weight_map, or an empty one")
	}
	if len(shards) > maxShards {
		return nil, nil, fail("index names %d shards, at most %d are opened", len(shards), maxShards)
	}
	slices.Sort(shards)
	return where, shards, nil
}
