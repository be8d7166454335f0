package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrompts checks files with and without a model, and conversion there and back.
func TestPrompts(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	singles := file("singles.csv", "text,answer_text,operands\n34+57=,91,34 57\n12+9=,21,12 9\n1+2+3=,6,1 2 3\n")
	pairs := file("pairs.jsonl", `{"clean":{"text":"34+57="},"corrupted":{"text":"12+57="}}`+"\n"+`{"clean":{"text":"1+2="},"corrupted":{"text":"1+2+3="}}`+"\n")
	wrong := file("wrong.csv", "text,answer_text\n34+57=,92\n12+9=,21\n")

	for _, test := range []struct {
		name  string
		stdin string
		args  []string
		code  int
		out   []string
		said  []string
	}{
		{"counted", "", []string{singles}, 0, []string{"singles.csv: 3 prompts"}, nil},
		{"of a spreadsheet", "\ufefftext\r\n1+2=\r\n", []string{"-"}, 0, []string{"-: 1 prompts"}, nil},
		{"of standard input", "text\n1+2=\n", []string{"-"}, 0, []string{"-: 1 prompts"}, nil},
		{"read by a model", "", []string{singles, "--model", "mental-2op"}, 0, []string{"2 prompts of a list of 3", "1 dropped", "1+2+3="}, nil},
		{"pairs", "", []string{pairs, "--model", "mental-2op"}, 0, []string{"pairs.jsonl: 2 pairs", "1 dropped", "1+2="}, nil},
		{"only the right ones", "", []string{wrong, "--model", "mental-2op", "--keep", "correct", "--to", "jsonl", "--no-ids"}, 0,
			[]string{`{"text":"12+9=","answer_text":"21","answer":-1,"other":-1`}, []string{"wrong.csv: 2 prompts", "the model gets it wrong", `"34+57="`}},
		{"as a table", "", []string{pairs, "--to", "csv"}, 0, []string{"clean_text,", "34+57=,,-1,,-1,,,,,12+57=,"}, []string{"2 pairs"}},
		{"no model to ask", "", []string{singles, "--keep", "correct"}, 1, nil, []string{"--model"}},
		{"another ending", "", []string{singles, "--out", filepath.Join(dir, "x.txt")}, 1, nil, []string{"x.txt", "--to csv"}},
		{"another column", "text,anser\n1+2=,3\n", []string{"-"}, 1, nil, []string{`"anser"`, "answer"}},
		{"a bad line", `{"text":"1+2="}` + "\n" + `{"txt":"1"}`, []string{"-"}, 1, nil, []string{"line 2", "txt"}},
		{"nothing", "text\n", []string{"-"}, 1, nil, []string{"no rows"}},
		{"nothing left", "text\n1+2+3+4=\n", []string{"-", "--model", "mental-2op", "--keep", "correct"}, 1, nil, []string{"is left"}},
		{"unknown model", "text\n1+2=\n", []string{"-", "--model", "mental-4op"}, 1, nil, []string{"mental-2op"}},
		{"no file", "", []string{filepath.Join(dir, "none.csv")}, 2, nil, []string{"none.csv"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, said := call(t, test.stdin, append([]string{"prompts"}, test.args...)...)
			if code != test.code {
				t.Errorf("exit status %d, want %d: %s%s", code, test.code, out, said)
			}
			for _, w := range test.out {
				if !strings.Contains(out, w) {
					t.Errorf("%q does not hold %q", out, w)
				}
			}
			for _, w := range test.said {
				if !strings.Contains(said, w) {
					t.Errorf("%q does not say %q", said, w)
				}
			}
		})
	}

	there, back := filepath.Join(dir, "there.jsonl"), filepath.Join(dir, "back.csv")
	for _, args := range [][]string{{"prompts", singles, "--out", there}, {"prompts", there, "--out", back}} {
		if code, _, said := call(t, "", args...); code != 0 {
			t.Fatal(said)
		}
	}
	_, first, _ := call(t, "", "prompts", singles, "--to", "csv")
	again, err := os.ReadFile(back)
	if err != nil || string(again) != first {
		t.Errorf("there and back gives %s, %v, want %s", again, err, first)
	}
}
