//go:build unix

package weights

import (
	"fmt"
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps a file read-only. Pages are read when they are first touched.
// Replace checkpoints by rename, as WriteFile does: a mapping keeps the file
// that it began with, while one that is written to in place changes under its
// readers; see File.Unchanged.
func mapFile(path string) (*mapping, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	m, err := mapOpen(path, file)
	if err != nil || m.file == nil {
		file.Close() // read only: nothing is lost
	}
	return m, err
}

// mapOpen maps an open file, which belongs to the mapping from then on. An
// empty one is not mapped.
func mapOpen(path string, file *os.File) (*mapping, error) {
	st, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if st.Size() == 0 {
		return &mapping{}, nil
	}
	if st.Size() > math.MaxInt {
		return nil, fmt.Errorf("map %s: %d bytes do not fit this machine's address space", path, st.Size())
	}
	b, err := unix.Mmap(int(file.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map %s: %w", path, err)
	}
	return &mapping{bytes: b, file: file, size: st.Size(), changed: st.ModTime()}, nil
}

// unmap gives the mapped memory back.
func unmap(b []byte) error { return unix.Munmap(b) }

// release tells the system that the whole pages inside b, a part of a mapping,
// are not needed in memory: they leave the process and are read again when they
// are touched. It is advice, so a refusal is no error.
func release(b []byte) {
	if len(b) == 0 {
		return
	}
	page := os.Getpagesize()
	head := -int(uintptr(unsafe.Pointer(unsafe.SliceData(b)))) & (page - 1)
	if whole := (len(b) - head) &^ (page - 1); head < len(b) && whole > 0 {
		_ = unix.Madvise(b[head:head+whole], unix.MADV_DONTNEED)
	}
}
