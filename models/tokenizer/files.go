package tokenizer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"io/fs"
)

// files is a checkpoint directory, and the sum of what was read from it.
type files struct {
	dir fs.FS
	sum hash.Hash
}

func newFiles(dir fs.FS) *files { return &files{dir, sha256.New()} }

// read is fs.ReadFile with a limit.
func (f *files) read(name string) ([]byte, error) {
	file, err := f.dir.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: more than %d bytes", name, maxFile)
	}
	fmt.Fprintf(f.sum, "%s %d\n", name, len(data))
	f.sum.Write(data)
	return data, nil
}

// hash names all that was read.
func (f *files) hash() string { return hex.EncodeToString(f.sum.Sum(nil)) }

// hashOf names files that were given.
func hashOf(parts ...[]byte) string {
	sum := sha256.New()
	for _, data := range parts {
		fmt.Fprintf(sum, "%d\n", len(data))
		sum.Write(data)
	}
	return hex.EncodeToString(sum.Sum(nil))
}
