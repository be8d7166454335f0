package ablate_test

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"orrery/ablate"
)

// FuzzReadPrompts reads any bytes as a file of prompts or pairs: what is read can
// be written in both forms and is the same when it is read again.
func FuzzReadPrompts(f *testing.F) {
	f.Add("text,answer_text\n34+57=,91\n")
	f.Add("\ufefftext\n\"1,\n2=\"\n")
	f.Add("clean_text,corrupted_text,clean_roles\n1+2=,3+2=,\n")
	f.Add("ids,answer,operands,roles\n1 2,3,4 5,bos operand0\n")
	f.Add(`{"text":"1+2=","answer_text":"3"}` + "\n\n" + `{"ids":[1],"other":2,"answer":-1}`)
	f.Add(`{"clean":{"text":"1"},"corrupted":{"ids":[4]}}`)
	f.Add(`{"text":"1+2=","ids":[],"operands":[],"roles":[]}`)
	f.Fuzz(func(t *testing.T, text string) {
		file, err := ablate.ReadPrompts(text)
		if err != nil || strings.Contains(fmt.Sprint(file), "\r") { // CSV loses it
			return
		}
		if file.Prompts != nil {
			again(t, file, file.Prompts, ablate.WriteCSV[ablate.Prompt], ablate.WriteJSONLines[ablate.Prompt])
		}
		if file.Contrasts != nil {
			again(t, file, file.Contrasts, ablate.WriteCSV[ablate.Contrast], ablate.WriteJSONLines[ablate.Contrast])
		}
	})
}

func again[T any](t *testing.T, file ablate.PromptFile, rows []T, forms ...func(io.Writer, []T) error) {
	t.Helper()
	for _, write := range forms {
		var b bytes.Buffer
		if err := write(&b, rows); err != nil {
			t.Fatal(err)
		}
		next, err := ablate.ReadPrompts(b.String())
		if err != nil || !reflect.DeepEqual(next, file) {
			t.Errorf("%+v\nis written as %q\nand read as %+v, %v", file, b.String(), next, err)
		}
	}
}
