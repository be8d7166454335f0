package server_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"orrery/server"
	"orrery/server/api"
)

// checkedText is a notebook of a value, a figure, a text and a definition.
var checkedText = code("value", "[0.5, 2]", "lens", `logit_lens(load("toy"), [1, 2, 3])`, "text", `print("a 1")`, "define", "x = 1")

func execute(t *testing.T, text string) *server.Executed {
	t.Helper()
	done, err := server.Execute(t.Context(), "a", []byte(text), server.Execution{Models: newToys()})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// What a notebook leaves equals what it left before; each kind of change is found in its cell.
func TestCheck(t *testing.T) {
	now := execute(t, checkedText)
	for name, c := range map[string]struct {
		change  func(r *server.Recorded)
		cell    string
		problem string
	}{
		"nothing":               {func(*server.Recorded) {}, "lens", ""},
		"a number's last digit": {func(r *server.Recorded) { r.Outputs[0].Value.Repr = "[0.50002, 2]" }, "value", ""},
		"a number":              {func(r *server.Recorded) { r.Outputs[0].Value.Repr = "[0.51, 2]" }, "value", "0.51"},
		"a word":                {func(r *server.Recorded) { r.Outputs[0].Text = "b 1\n" }, "text", `b 1`},
		"a figure's number":     {func(r *server.Recorded) { r.Outputs[0].Figure.Arrays["prob"].Data[0] += 0.1 }, "lens", "stated tolerance"},
		"a figure's model":      {func(r *server.Recorded) { r.Outputs[0].Figure.Provenance.Hash = "other" }, "lens", "provenance"},
		"the source":            {func(r *server.Recorded) { r.Hash = "other" }, "lens", "edited after"},
		"an output":             {func(r *server.Recorded) { r.Outputs = nil }, "text", "recorded are 0"},
		"a failure":             {func(r *server.Recorded) { r.State = api.StateFailed }, "text", "was failed"},
		"the whole record":      {func(r *server.Recorded) { r.Cell = "other" }, "text", "nothing is recorded"},
		"a definition's record": {func(r *server.Recorded) { r.Cell = "other" }, "define", ""},
	} {
		was := execute(t, checkedText)
		for _, r := range was.Recorded {
			if r.Cell == c.cell {
				c.change(r)
			}
		}
		for _, got := range server.Check(was.Recorded, now) {
			want := ""
			if got.Cell == c.cell {
				want = c.problem
			}
			if (got.Problem == nil) != (want == "") || got.Problem != nil && !strings.Contains(got.Problem.Error(), want) {
				t.Errorf("%s: cell %s: %v, want %q", name, got.Cell, got.Problem, want)
			}
		}
	}
}

// The store of a folder is read while a server has it open.
func TestReadRecorded(t *testing.T) {
	s := start(t, server.Options{Models: newToys()})
	if err := os.Mkdir(filepath.Join(s.dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	s.write("sub/a", checkedText)
	s.finish("sub/a", api.RunRequest{All: true})
	file := filepath.Join(s.dir, "sub", "a.md")
	recorded, err := server.ReadRecorded(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	list := server.Check(recorded, execute(t, checkedText))
	if len(list) != 4 {
		t.Errorf("%d cells checked, want 4", len(list))
	}
	for _, c := range list {
		if c.Problem != nil {
			t.Errorf("cell %s: %v", c.Cell, c.Problem)
		}
	}
	for _, other := range []string{filepath.Join(s.dir, "never.md"), filepath.Join(t.TempDir(), "a.md")} {
		if _, err := server.ReadRecorded(t.Context(), other); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "nothing is recorded") {
			t.Errorf("%s: %v", other, err)
		}
	}
}
