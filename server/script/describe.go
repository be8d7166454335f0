package script

import (
	"strings"

	"go.starlark.net/starlark"

	"orrery/server/api"
)

// Bounds of a value's text in the page.
const (
	reprBytes = 4000
	reprItems = 100
)

// describe puts a value into words for the page.
func describe(v starlark.Value) api.Value {
	d := api.Value{Type: v.Type(), Repr: repr(v)}
	if t, ok := v.(*Tensor); ok {
		d.Shape, d.Axes, d.DType = t.data.Shape, t.axes, t.dtype
	}
	if s, ok := v.(*Stack); ok {
		d.Shape, d.Axes, d.DType = s.shape(s.model.Config.Width), s.axes("d_model"), "float32"
	}
	return d
}

// repr spells a value in a bounded text.
func repr(v starlark.Value) string {
	w := reprWriter{}
	w.write(v, 0)
	s := w.String()
	if len(s) > reprBytes {
		s = strings.ToValidUTF8(s[:reprBytes], "") + "…"
	}
	return s
}

// reprWriter gathers a text and stops when it is long enough.
type reprWriter struct{ strings.Builder }

func (w *reprWriter) write(v starlark.Value, depth int) {
	if w.Len() > reprBytes {
		return
	}
	switch v := v.(type) {
	case *starlark.List:
		w.items("[", "]", v, depth)
	case starlark.Tuple:
		if len(v) == 1 {
			w.items("(", ",)", v, depth)
		} else {
			w.items("(", ")", v, depth)
		}
	case *starlark.Dict:
		w.open("{", depth, func() {
			n := 0
			for k, x := range v.Entries() {
				if !w.next(n, v.Len()) {
					break
				}
				w.write(k, depth+1)
				w.WriteString(": ")
				w.write(x, depth+1)
				n++
			}
		})
		w.WriteString("}")
	case *starlark.Set:
		w.open("set([", depth, func() {
			n := 0
			for x := range v.Elements() {
				if !w.next(n, v.Len()) {
					break
				}
				w.write(x, depth+1)
				n++
			}
		})
		w.WriteString("])")
	case starlark.String:
		if len(v) > reprBytes {
			v = starlark.String(strings.ToValidUTF8(string(v[:reprBytes]), "")) + "…"
		}
		w.WriteString(v.String())
	case starlark.Int:
		if bits := v.BigInt().BitLen(); bits > 4*reprBytes {
			w.WriteString("an int of " + starlark.MakeInt(bits).String() + " bits")
			return
		}
		w.WriteString(v.String())
	default:
		w.WriteString(v.String())
	}
}

// items writes the elements of a list or tuple.
func (w *reprWriter) items(open, end string, list starlark.Indexable, depth int) {
	w.open(open, depth, func() {
		for i := range list.Len() {
			if !w.next(i, list.Len()) {
				break
			}
			w.write(list.Index(i), depth+1)
		}
	})
	w.WriteString(end)
}

// open writes an opening and what is inside, unless it is too deep.
func (w *reprWriter) open(s string, depth int, inside func()) {
	w.WriteString(s)
	if depth > 8 {
		w.WriteString("…")
		return
	}
	inside()
}

// next writes what stands before element i of n, and reports whether to go on.
func (w *reprWriter) next(i, n int) bool {
	if i > 0 {
		w.WriteString(", ")
	}
	if i >= reprItems {
		w.WriteString("… " + starlark.MakeInt(n-i).String() + " more")
		return false
	}
	return w.Len() <= reprBytes
}
