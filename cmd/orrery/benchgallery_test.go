package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestBenchGallery measures a notebook of three cells, two of which draw, and
// compares the table with what it should be, measured numbers and the machine masked.
func TestBenchGallery(t *testing.T) {
	file := filepath.Join(t.TempDir(), "two.md")
	text := "# Two\n\n```python {#model}\nm = load(\"mental-2op\")\n```\n\n```python {#lens}\nlogit_lens(m, \"34+57=\")\n```\n\n```python {#dla}\ndla(m, \"34+57=\", answer=\"91\")\n```\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := call(t, "", "bench", "gallery", "--runs", "2", file)
	if code != 0 {
		t.Fatalf("exit status %d: %s", code, errOut)
	}
	lines := strings.Split(out, "\n")
	if !regexp.MustCompile(`^\S+/\S+, .+, \d+ processors?, \d+ threads? of \S+ code$`).MatchString(lines[0]) {
		t.Errorf("the machine is %q", lines[0])
	}
	for i, l := range lines {
		lines[i] = regexp.MustCompile(`\d+ ms`).ReplaceAllString(strings.Join(strings.Fields(l), " "), "# ms")
	}
	if got := strings.Join(lines[1:], "\n"); !strings.HasPrefix(got, galleryTable) {
		t.Errorf("the table is\n%s\nwant\n%s", got, galleryTable)
	}
	if !strings.HasPrefix(lines[len(lines)-2], "2 cells that draw; the latest first number: # ms (two, ") {
		t.Errorf("the last line is %q", lines[len(lines)-2])
	}
}

const galleryTable = `
notebook cell figures first number cpu until then done cpu until then
two lens 1 # ms # ms # ms # ms
two dla 1 # ms # ms # ms # ms
`
