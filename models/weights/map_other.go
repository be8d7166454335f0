//go:build !unix

package weights

import "os"

// mapFile reads the file into memory: what happens to it later is not seen.
func mapFile(path string) (*mapping, error) {
	b, err := os.ReadFile(path)
	return &mapping{bytes: b}, err
}

// unmap and release have nothing to do.
func unmap([]byte) error { return nil }
func release([]byte)     {}
