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
		read  func(io.Reader) (ablate.PromptFile, error)
	}{"JSON lines": {ablate.WriteJSONLines[ablate.Prompt], ablate.ReadJSONLines}, "CSV": {ablate.WriteCSV[ablate.Prompt], ablate.ReadCSV}} {
		var b bytes.Buffer
		if err := form.write(&b, want); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		again, err := ablate.ReadPrompts(text)
		if err != nil || !reflect.DeepEqual(again.Prompts, want) {
			t.Errorf("%s: its form is not seen: %v, %+v", name, err, again)
		}
		file, err := form.read(&b)
		if got := file.Prompts; err != nil || file.Contrasts != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, %+v, want %+v", name, err, file.Prompts, want)
		}
	}
}

func TestPromptFilesRefuse(t *testing.T) {
	for text, want := range map[string]string{
		"{\"ids\":[1]}\n{\"ids\":[]}":                "line 2: a prompt needs a text or ids",
		"{\"id\":[1]}":                               "line 1: unknown key \"id\"; known are text, ids",
		"{\"ids\":[1],\"roles\":[\"operand\"]}":      "role \"operand\"",
		"{\"ids\":[1,-2]}":                           "id -2 is negative",
		"{\"ids\":[1],\"roles\":[\"bos\",\"bos1\"]}": "role \"bos1\"",
		`{"text":"1+2=","text":"1+3="}`:              `line 1: the key "text" stands there twice`,
		`{"text":"1+2=","answer":1e999}`:             "answer: want a whole number of 64 bits, not 1e999",
		`{"text":"1+2=","operands":[1,2.5]}`:         "operands: want a whole number of 64 bits, not 2.5",
		`{"text":["1+2="]}`:                          "text: want text, not a list",
		"{\"text\":\"1+\xff=\"}":                     "byte 11 is 0xff, which is not UTF-8",
		`{"text":"1\ud800"}`:                         `\ud800 at byte 10 is the first half`,
		`{"ids":[1],"roles":["-5"]}`:                 `role "-5" is none of`,
		`{"ids":[1]} {"ids":[2]}`:                    "line 1: more follows",
		`{"ids":[1]`:                                 "line 1: the JSON value ends too early",
		`{"clean":{"ids":[1]},"corrupted":{"id":2}}`: `unknown key "id"; known are text, ids`,
	} {
		if _, err := ablate.ReadJSONLines(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"":                                  "the file is empty",
		"text,text\n1,2":                    `column "text" stands there twice`,
		"ids,answer\n1,9223372036854775808": `column "answer": 9223372036854775808 is too large`,
		"ids,answer\n1 2,x":                 "line 2: column \"answer\"",
		"ids,answers\n1 2,3":                `line 1: column "answers" is none of text, ids`,
		"text,answer\n,3":                   "line 2: a prompt needs a text or ids",
		"ids,roles\n1 2,bos":                "1 roles for 2 ids",
		"ids,answer\n1 2,3,4":               "line 2 has 3 fields, and line 1 names 2 columns",
		"ids,other\n1,2\n1 a,3\n":           "line 3: column \"ids\"",
		"text\n1+\xb2=\n":                   `line 2: "1+\xb2=" is not UTF-8`,
	} {
		if _, err := ablate.ReadCSV(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %q", text, err, want)
		}
	}
}

// TestPromptFilesOfOtherKinds says of files that are none what they are.
func TestPromptFilesOfOtherKinds(t *testing.T) {
	for text, want := range map[string]string{
		"":                                   "the file is empty",
		"\ufeff\n \n":                        "the file is empty",
		"\xff\xfet\x00e\x00x\x00t\x00\n\x00": "UTF-16: save it as UTF-8",
		`[{"text":"1+2="}]`:                  "write one object a line",
		"text\r1+2=\r":                       "carriage returns alone",
		`{"text":"` + strings.Repeat("1", 1<<24) + `"}`: "line 1: it has more than 16777216 bytes",
	} {
		if _, err := ablate.ReadPrompts(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v does not say %q", text, err, want)
		}
	}
}

// TestPairFiles writes and reads pairs in both forms, and texts without ids.
func TestPairFiles(t *testing.T) {
	want := []ablate.Contrast{
		{Clean: ablate.Prompt{Text: "1+2=", IDs: []int{0, 5, 1, 6, 3}, Answer: 7, Other: -1}, Corrupted: ablate.Prompt{Text: "1+3=", AnswerText: "4", Answer: -1, Other: -1}},
		{Clean: ablate.Prompt{IDs: []int{1}, Answer: -1, Other: -1}, Corrupted: ablate.Prompt{IDs: []int{2}, Answer: -1, Other: -1}},
	}
	for name, write := range map[string]func(io.Writer, []ablate.Contrast) error{"JSON lines": ablate.WriteJSONLines[ablate.Contrast], "CSV": ablate.WriteCSV[ablate.Contrast]} {
		var b bytes.Buffer
		if err := write(&b, want); err != nil {
			t.Fatal(err)
		}
		got, err := ablate.ReadPrompts("\n" + b.String())
		if err != nil || got.Prompts != nil || !reflect.DeepEqual(got.Contrasts, want) {
			t.Errorf("%s: %v, %+v, want %+v", name, err, got, want)
		}
	}
	for text, want := range map[string]string{
		`{"clean":{"text":"1"}}`: "needs clean and corrupted",
		"{\"text\":\"1\"}\n{\"clean\":{\"text\":\"1\"},\"corrupted\":{\"text\":\"2\"}}": "line 2: prompts and pairs",
		"clean_text,corrupted_text\n1,":      "line 2: a prompt needs a text or ids",
		"clean_text,corrupted_txt\n1,2":      `column "corrupted_txt"`,
		`{"clean":{"text":"1"},"corrupt":0}`: "unknown key",
	} {
		if _, err := ablate.ReadPrompts(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %q", text, err, want)
		}
	}
}
