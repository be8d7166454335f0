// Package exactjson reads JSON that people write, prompts and edits, and leaves
// nothing of it out in silence: keys that are not known or stand twice in one
// object, text that is no Unicode and whatever follows the value are errors, and
// every error says in the file's words what it wants there.
package exactjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// Decode reads text, one JSON value, into the value that v points to.
func Decode(text []byte, v any) error {
	if err := checkText(text); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return reword(err, v)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more follows behind the JSON value")
	}
	return checkKeys(text)
}

// checkText refuses what the reader of JSON would replace by U+FFFD: bytes that
// are no UTF-8, and the escapes of half a character, "\ud800".
func checkText(text []byte) error {
	if !utf8.Valid(text) {
		at := 0
		for {
			r, size := utf8.DecodeRune(text[at:])
			if r == utf8.RuneError && size == 1 {
				return fmt.Errorf("byte %d is 0x%02x, which is not UTF-8: save the file as UTF-8", at, text[at])
			}
			at += size
		}
	}
	for at := 0; at < len(text); at++ {
		if text[at] != '\\' {
			continue
		}
		unit := codeUnit(text[at:])
		switch {
		case unit < 0:
			at++ // the escaped character
		case unit >= 0xDC00 && unit < 0xE000:
			return fmt.Errorf(`\u%04x at byte %d is the second half of a character without the first`, unit, at)
		case unit >= 0xD800 && unit < 0xDC00:
			if low := codeUnit(text[at+6:]); low < 0xDC00 || low > 0xDFFF {
				return fmt.Errorf(`\u%04x at byte %d is the first half of a character without the second`, unit, at)
			}
			at += 11
		default:
			at += 5
		}
	}
	return nil
}

// codeUnit is the number of an escape \uXXXX that text begins with, else -1.
func codeUnit(text []byte) int {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	n := 0
	for _, c := range text[2:6] {
		digit := strings.IndexByte("0123456789abcdef", c|0x20)
		if digit < 0 {
			return -1
		}
		n = n<<4 | digit
	}
	return n
}

// checkKeys refuses an object that has a key twice, in any case of its letters:
// the reader would take the last. text is one valid JSON value.
func checkKeys(text []byte) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var seen []map[string]bool // of the objects around; nil for a list
	key := false               // a key comes next, or the end of an object
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case json.Delim:
			switch t {
			case '{':
				seen = append(seen, map[string]bool{})
			case '[':
				seen = append(seen, nil)
			default:
				seen = seen[:len(seen)-1]
			}
			key = len(seen) > 0 && seen[len(seen)-1] != nil
			continue
		case string:
			if key {
				folded := strings.ToLower(strings.ToUpper(t))
				if in := seen[len(seen)-1]; in[folded] {
					return fmt.Errorf("the key %q stands there twice", t)
				} else {
					in[folded] = true
				}
				key = false
				continue
			}
		}
		key = len(seen) > 0 && seen[len(seen)-1] != nil
	}
}

// reword says an error of encoding/json without the names of Go.
func reword(err error, v any) error {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		where := ""
		if kind.Field != "" {
			where = kind.Field + ": "
		}
		return fmt.Errorf("%swant %s, not %s", where, name(kind.Type), found(kind.Value))
	case errors.As(err, &syntax):
		return fmt.Errorf("byte %d: %s", syntax.Offset, strings.TrimPrefix(syntax.Error(), "json: "))
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("the JSON value ends too early")
	}
	if rest, unknown := strings.CutPrefix(err.Error(), "json: unknown field "); unknown {
		if known := keys(reflect.TypeOf(v)); len(known) > 0 {
			rest += "; known are " + strings.Join(known, ", ")
		}
		return errors.New("unknown key " + rest)
	}
	return err
}

// name is what a Go type is in JSON.
func name(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return name(t.Elem())
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Float32:
		return "a number of float32"
	case reflect.Float64:
		return "a number"
	}
	return "a whole number of 64 bits"
}

// found is what stands there instead.
func found(value string) string {
	switch value {
	case "string":
		return "text"
	case "array":
		return "a list"
	case "object":
		return "an object"
	case "bool":
		return "true or false"
	case "number":
		return "a number"
	}
	return strings.TrimPrefix(value, "number ")
}

// keys are those that a type of objects, or of a list of them, knows.
func keys(t reflect.Type) (list []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); key != "" {
			list = append(list, key)
		}
	}
	return list
}
