package kernel

import "golang.org/x/sys/unix"

// mapMemory returns zeroed memory from the system, in large pages where it has
// them: products read weights faster with fewer translations of addresses.
func mapMemory(size int) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	if err == nil {
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE) // advice: a refusal is no error
	}
	return b, err
}

// unmapMemory gives it back.
func unmapMemory(b []byte) { _ = unix.Munmap(b) }
