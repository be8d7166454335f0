package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzDumpInput reads any words as --ids, and any bytes as a file of prompts: ids
// are those that are written again, prompts the file's lines or strings.
func FuzzDumpInput(f *testing.F) {
	for _, text := range []string{"1,2;3", "", ",", ";", " 1 , 2 ", "-1", "9223372036854775808", "1e3", "+1", "٣", "34+57=\r\n12+9=\r\n", `["34+57=","\ud800"]`, "[", "[]", "\ufeff34+57=", "\ufeff[\"1\",\"2\"]", "\ufeff", "a\x00b\n\n\n", "\xff\xfe"} {
		f.Add(text)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		if rows, err := parseIDs(text); err == nil {
			var words []string
			for _, row := range rows {
				words = append(words, strings.Trim(strings.ReplaceAll(fmt.Sprint(row), " ", ","), "[]"))
			}
			written := strings.Join(words, ";")
			again, err := parseIDs(written)
			if err != nil || !slices.EqualFunc(rows, again, slices.Equal[[]int]) || strings.Count(text, ",") != strings.Count(written, ",") || strings.Count(text, ";") != strings.Count(written, ";") {
				t.Errorf("%q is %v, written %q and read as %v, %v", text, rows, written, again, err)
			}
		} else if !strings.Contains(err.Error(), "--ids") {
			t.Errorf("%q: %v", text, err)
		}
		path := filepath.Join(dir, "prompts")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		prompts, err := readPrompts(path)
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if len(prompts) == 0 {
			t.Fatalf("%q has no prompts, and that is no error", text)
		}
		text = strings.TrimPrefix(text, "\ufeff")
		if strings.HasPrefix(strings.TrimSpace(text), "[") {
			if !slices.ContainsFunc(prompts, func(p string) bool { return !utf8.ValidString(p) }) {
				return
			}
			t.Errorf("%q gives %q, which is no text", text, prompts)
		} else if strings.Contains(strings.Join(prompts, ""), "\n") || !strings.HasPrefix(text, prompts[0]) {
			t.Errorf("%q gives %q", text, prompts)
		}
	})
}
