package kernel_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNoWideRegisters refuses code that dies on processors without AVX-512: the
// generator hands out registers above 15 without a word when it runs short.
func TestNoWideRegisters(t *testing.T) {
	files, err := filepath.Glob("*_amd64.s")
	if err != nil || len(files) == 0 {
		t.Fatalf("no assembly found: %v", err)
	}
	wide := regexp.MustCompile(`\b(Z[0-9]+|K[0-7]|[XY](1[6-9]|2[0-9]|3[01]))\b`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			if found := wide.FindString(line); found != "" {
				t.Errorf("%s:%d: register %s needs AVX-512: %s", name, i+1, found, line)
			}
		}
	}
}

// TestGenerated holds that the committed assembly came from the generator as
// it is: both are in one list of checksums, written when it runs.
func TestGenerated(t *testing.T) {
	list, err := os.ReadFile("asm/generated.sum")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]string{}
	for _, line := range strings.Split(strings.TrimSpace(string(list)), "\n") {
		sum, name, _ := strings.Cut(line, "  ")
		listed[filepath.Join("asm", name)] = sum
	}
	sources, err := filepath.Glob("asm/*.go")
	if err != nil || len(sources) == 0 {
		t.Fatalf("no generator found: %v", err)
	}
	for _, name := range append(sources, "asm/go.mod", "avx2_amd64.s", "avx2_amd64.go", "avx2_other.go") {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if sum := fmt.Sprintf("%x", sha256.Sum256(text)); sum != listed[name] {
			t.Errorf("%s changed since the assembly was generated: run go generate ./models/internal/kernel", name)
		}
	}
}
