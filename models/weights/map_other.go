//go:build !unix

package weights

import "os"

// mapFile reads the file into memory; there is nothing to unmap.
func mapFile(path string) ([]byte, func() error, error) {
	b, err := os.ReadFile(path)
	return b, nil, err
}
