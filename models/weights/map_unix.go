//go:build unix

package weights

import (
	"fmt"
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file read-only and returns its bytes with the function that
// unmaps them, nil when nothing was mapped. Pages are read when they are first
// touched. A file that another process truncates while it is mapped raises
// SIGBUS on access; replace checkpoints by rename, as WriteFile does.
func mapFile(path string) ([]byte, func() error, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil {
		return nil, nil, err
	}
	if st.Size() == 0 {
		return nil, nil, nil
	}
	if st.Size() > math.MaxInt {
		return nil, nil, fmt.Errorf("map %s: %d bytes do not fit this machine's address space", path, st.Size())
	}
	b, err := unix.Mmap(int(file.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("map %s: %w", path, err)
	}
	return b, func() error { return unix.Munmap(b) }, nil
}
