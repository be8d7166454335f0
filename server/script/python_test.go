package script_test

import (
	"os"
	"strings"
	"testing"

	"orrery/server/script"
)

// TestAsPython compares formats, round and pow with CPython's answers
// (testdata/python.py wrote them).
func TestAsPython(t *testing.T) {
	raw, err := os.ReadFile("testdata/python.tsv")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	if len(lines) < 1000 {
		t.Fatalf("only %d cases", len(lines))
	}
	for len(lines) > 0 {
		part := lines[:min(500, len(lines))]
		lines = lines[len(part):]
		var source strings.Builder
		for _, line := range part {
			expr, want, _ := strings.Cut(line, "\t")
			source.WriteString("if repr(" + expr + ") != repr(" + want + "):\n    print(" + expr + ", " + want + ", " + quote(expr) + ")\n")
		}
		h, _, err := runIn(t, t.Context(), source.String(), script.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		for miss := range strings.SplitSeq(strings.TrimSpace(h.text), "\n") {
			if miss != "" {
				t.Error("got, want, expression:", miss)
			}
		}
	}
}

func quote(s string) string { return `r"""` + s + `"""` }
