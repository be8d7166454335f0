package modeltest

import (
	"os"
	"path/filepath"
	"testing"
)

// Reference gives the path of parts below the reference data, shared/reference
// beside the checkout: it looks for that folder from the test's directory
// upwards. It skips the test where there is none, and fails it where the folder
// lacks the file asked for.
func Reference(t testing.TB, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		root := filepath.Join(dir, "shared", "reference")
		if _, err := os.Stat(root); err == nil {
			path := filepath.Join(append([]string{root}, parts...)...)
			if _, err := os.Stat(path); err != nil {
				t.Fatalf("reference data lacks %s: %v", filepath.Join(parts...), err)
			}
			return path
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("no shared/reference beside the checkout: the reference data is kept outside the repository")
		}
		dir = up
	}
}
