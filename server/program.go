package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
)

// programHash names the code of this process: the sha256 (hex) of its executable,
// so that whatever decides the bits of results, our sources, the shipped models,
// the libraries, the compiler and its settings, is in it. Linux keeps the file of
// a process that was replaced on the disk; elsewhere this must be asked early.
func programHash() (string, error) {
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		name, e := os.Executable()
		if e != nil {
			return "", fmt.Errorf("program: %w", e)
		}
		if f, err = os.Open(name); err != nil {
			return "", fmt.Errorf("program: %w", err)
		}
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("program: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
