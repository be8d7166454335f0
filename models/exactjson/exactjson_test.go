package exactjson_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"orrery/models/exactjson"
)

type row struct {
	Text string `json:"text"`
	IDs  []int  `json:"ids"`
	Of   *row   `json:"of"`
}

func TestDecode(t *testing.T) {
	for text, want := range map[string]row{
		`{}`: {},
		` {"text":"a\u00e9\ud83d\ude00\\ud800","ids":[1,-2]}` + "\n": {Text: `aé😀\ud800`, IDs: []int{1, -2}},
		`{"text":"\"ids\"","of":{"text":"ids","ids":[3]}}`:           {Text: `"ids"`, Of: &row{Text: "ids", IDs: []int{3}}},
	} {
		var got row
		if err := exactjson.Decode([]byte(text), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``:                           "the JSON value ends too early",
		`{"text":"a"`:                "the JSON value ends too early",
		`{"text":"a"} 1`:             "more follows",
		`{"txt":"a"}`:                `unknown key "txt"; known are text, ids, of`,
		`{"of":{"txt":"a"}}`:         `unknown key "txt"`,
		`{"text":"a","text":"b"}`:    `the key "text" stands there twice`,
		`{"text":"a","TEXT":"b"}`:    `the key "TEXT" stands there twice`,
		`{"of":{"ids":[],"ids":[]}}`: `the key "ids" stands there twice`,
		`{"text":1}`:                 "text: want text, not a number",
		`{"ids":[1.5]}`:              "ids: want a whole number of 64 bits, not 1.5",
		`{"ids":{}}`:                 "ids: want a list, not an object",
		`{"of":{"ids":[true]}}`:      "of.ids: want a whole number of 64 bits, not true or false",
		`[]`:                         "want an object, not a list",
		`{"text":NaN}`:               "byte 9: invalid character 'N'",
		"{\"text\":\"\xc3\"}":        "byte 9 is 0xc3, which is not UTF-8",
		`{"text":"\ud83d"}`:          `\ud83d at byte 9 is the first half of a character without the second`,
		`{"text":"\ud83d\ud83d"}`:    `\ud83d at byte 9 is the first half`,
		`{"text":"\\\ude00"}`:        `\ude00 at byte 11 is the second half of a character without the first`,
	} {
		if err := exactjson.Decode([]byte(text), &row{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v does not say %q", text, err, want)
		}
	}
}

// FuzzDecode holds that what is read is all that was written: writing it again
// gives the same value as the text without its spaces, in another order perhaps.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"text":"a","ids":[1]}`, `{"of":{"of":{"text":"\ud83d\ude00"}}}`, `{"a":1,"A":2}`, `{"\ud800":1}`, `[[[{"a":[{}]}]]]`, `1e999`, `-0`, `"\\\ud800"`, "\ufeff{}", `{"a":1}{`, "\"\xff\"", `{"ſ":1,"s":2}`, `{"json:":1,"json:":2}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r row
		_ = exactjson.Decode(text, &r)
		var v any
		if err := exactjson.Decode(text, &v); err != nil {
			for _, word := range []string{"json:", "Go "} { // but where the text has them
				if strings.Contains(err.Error(), word) && !bytes.Contains(text, []byte(word)) {
					t.Errorf("%q: %v", text, err)
				}
			}
			if err.Error() == "" {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if keysIn(v) != bytes.Count(withoutTexts(t, text), []byte(":")) {
			t.Errorf("%q was read as %v: a key is lost", text, v)
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w any
		if err := exactjson.Decode(again, &w); err != nil || !reflect.DeepEqual(v, w) {
			t.Errorf("%q is written as %q and read as %v, %v", text, again, w, err)
		}
		if !strings.ContainsRune(string(text), '\ufffd') && !strings.Contains(strings.ToLower(string(text)), `\ufffd`) && bytes.Contains(again, []byte("\ufffd")) {
			t.Errorf("%q was read as %q: a character is lost", text, again)
		}
	})
}

// keysIn counts the keys of a value.
func keysIn(v any) (n int) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			n += keysIn(x)
		}
	case map[string]any:
		for _, x := range v {
			n += 1 + keysIn(x)
		}
	}
	return n
}

// withoutTexts is JSON without what stands in quotation marks.
func withoutTexts(t *testing.T, text []byte) (out []byte) {
	inside := false
	for i := 0; i < len(text); i++ {
		switch {
		case inside && text[i] == '\\':
			i++
		case text[i] == '"':
			inside = !inside
		case !inside:
			out = append(out, text[i])
		}
	}
	if inside {
		t.Fatalf("%q ends in a text", text)
	}
	return out
}
