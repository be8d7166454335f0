package modeltest

import (
	"os"
	"path/filepath"
	"testing"
)

// ReferenceRoot is the folder of the reference data, shared/reference beside
// the checkout, looked for from the test's directory upwards; false when there
// is none.
func ReferenceRoot(t testing.TB) (string, bool) {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	return referenceAbove(dir)
}

func referenceAbove(dir string) (string, bool) {
	for {
		root := filepath.Join(dir, "shared", "reference")
		if _, err := os.Stat(root); err == nil {
			return root, true
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", false
		}
		dir = up
	}
}

// Reference gives the path of parts below the reference data. It skips the test
// where there is none, and fails it where the folder lacks the file asked for.
func Reference(t testing.TB, parts ...string) string {
	t.Helper()
	root, ok := ReferenceRoot(t)
	if !ok {
		t.Skip("no shared/reference beside the checkout: the reference data is kept outside the repository")
	}
	path := filepath.Join(append([]string{root}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("reference data lacks %s: %v", filepath.Join(parts...), err)
	}
	return path
}
