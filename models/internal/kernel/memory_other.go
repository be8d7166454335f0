//go:build !linux

package kernel

import "errors"

// mapMemory is not there: the collector's memory is used.
func mapMemory(int) ([]byte, error) { return nil, errors.ErrUnsupported }

func unmapMemory([]byte) {}
