package ablate_test

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
)

// TestPromptFiles writes and reads a set in both forms; but for what a template
// alone knows, it comes back.
func TestPromptFiles(t *testing.T) {
	set := promptSet(t, mental(t), twoOperators(30), ablate.SetOptions{N: 20, Seed: 4})
	want := []ablate.Prompt{{IDs: []int{3, 4}, Answer: -1, Other: -1}, {Text: "a,\"b\"\n", IDs: []int{1}, Answer: 2, Other: 7}}
	for _, p := range set.Prompts {
		want = append(want, ablate.Prompt{Text: p.Text, IDs: p.IDs, Answer: p.Answer, Other: p.Other, Group: p.Group, Operands: p.Operands, Roles: p.Roles})
	}
	for name, form := range map[string]struct {
		write func(io.Writer, []ablate.Prompt) error
		read  func(io.Reader) ([]ablate.Prompt, error)
	}{"JSON lines": {ablate.WriteJSONLines, ablate.ReadJSONLines}, "CSV": {ablate.WriteCSV, ablate.ReadCSV}} {
		var b bytes.Buffer
		if err := form.write(&b, want); err != nil {
			t.Fatal(err)
		}
		got, err := form.read(&b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %+v, want %+v", name, err, got, want)
		}
	}
}

func TestPromptFilesRefuse(t *testing.T) {
	for text, want := range map[string]string{
		"{\"ids\":[1]}\n{\"ids\":[]}":                "line 2: a prompt needs ids",
		"{\"id\":[1]}":                               "line 1: json: unknown field \"id\"",
		"{\"ids\":[1],\"roles\":[\"operand\"]}":      "role \"operand\"",
		"{\"ids\":[1,-2]}":                           "id -2 is negative",
		"{\"ids\":[1],\"roles\":[\"bos\",\"bos1\"]}": "role \"bos1\"",
	} {
		if _, err := ablate.ReadJSONLines(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                        "the header",
		"ids,answer\n1 2,x":       "line 2: column \"answer\"",
		"ids,answers\n1 2,3":      "it is none of",
		"text,answer\nabc,3":      "line 2: a prompt needs ids",
		"ids,roles\n1 2,bos":      "1 roles for 2 ids",
		"ids,answer\n1 2,3,4":     "wrong number of fields",
		"ids,other\n1,2\n1 a,3\n": "line 3: column \"ids\"",
	} {
		if _, err := ablate.ReadCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %q", text, err, want)
		}
	}
}
