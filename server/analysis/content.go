package analysis

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash"
	"math"
	"reflect"

	"orrery/models"
)

// deepest is how far values may nest; those of arguments do so a few times.
const deepest = 32

// writeContent writes a value by content, whatever its type: lengths and types
// beside the numbers and texts, so that no two values are written alike. Fields
// that a type gets later are in it at once. What has no content that can be read,
// such as a function, is an error.
func writeContent(sum hash.Hash, v any) error {
	w := &contentWriter{to: bufio.NewWriter(sum)}
	if err := w.value(reflect.ValueOf(&v).Elem(), 0); err != nil {
		return err
	}
	return w.to.Flush()
}

type contentWriter struct {
	to  *bufio.Writer
	buf [9]byte
}

// number writes a mark and eight bytes.
func (w *contentWriter) number(mark byte, bits uint64) {
	w.buf[0] = mark
	binary.LittleEndian.PutUint64(w.buf[1:], bits)
	w.to.Write(w.buf[:])
}

func (w *contentWriter) text(mark byte, s string) {
	w.number(mark, uint64(len(s)))
	w.to.WriteString(s)
}

var modelType = reflect.TypeFor[*models.Model]()

func (w *contentWriter) value(v reflect.Value, depth int) error {
	if depth > deepest {
		return fmt.Errorf("%s nests too deep", v.Type())
	}
	if v.Type() == modelType && v.CanInterface() && !v.IsNil() {
		return writeModel(w.to, v.Interface().(*models.Model))
	}
	switch v.Kind() {
	case reflect.Bool:
		w.text('b', fmt.Sprint(v.Bool()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		w.number('i', uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		w.number('u', v.Uint())
	case reflect.Float32, reflect.Float64:
		w.number('f', math.Float64bits(v.Float()))
	case reflect.String:
		w.text('s', v.String())
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			w.number('0', 0)
			return nil
		}
		w.text('*', v.Elem().Type().String())
		return w.value(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			w.number('0', 0)
			return nil
		}
		w.number('[', uint64(v.Len()))
		for i := range v.Len() {
			if err := w.value(v.Index(i), depth+1); err != nil {
				return err
			}
		}
	case reflect.Struct:
		w.text('{', v.Type().String())
		for i := range v.NumField() {
			w.text('.', v.Type().Field(i).Name)
			if err := w.value(v.Field(i), depth+1); err != nil {
				return fmt.Errorf("%s.%s: %w", v.Type(), v.Type().Field(i).Name, err)
			}
		}
	default: // maps, too: their order would have to be made
		return fmt.Errorf("a %s has no content to know it by", v.Type())
	}
	return nil
}
