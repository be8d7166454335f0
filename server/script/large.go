package script

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Bounds of single steps.
const (
	maxText    = 64 << 20 // bytes of a text made of a value
	maxNesting = 10_000   // lists within lists
	maxIntBits = 1 << 22  // bits of an int
)

// elementsBytes is about how much memory the elements of a list or text take.
func elementsBytes(v starlark.Value) float64 {
	switch v := v.(type) {
	case *starlark.List:
		return 16 * float64(v.Len())
	case starlark.Tuple:
		return 16 * float64(v.Len())
	case starlark.String:
		return float64(len(v))
	case starlark.Bytes:
		return float64(len(v))
	}
	return 0
}

// plus is x + y with a look at the size of the result.
func plus(c call) (starlark.Value, error) {
	x, y := c.args[0], c.args[1]
	if size := elementsBytes(x) + elementsBytes(y); size > 0 {
		if err := c.memory.reserve(x.Type()+" + "+y.Type(), size); err != nil {
			return nil, err
		}
	}
	return starlark.Binary(syntax.PLUS, x, y)
}

// grow is the y of x += y, with a look at its size.
func grow(c call) (starlark.Value, error) {
	if err := c.memory.reserve("adding a "+c.args[0].Type(), 2*elementsBytes(c.args[0])); err != nil {
		return nil, err
	}
	return c.args[0], nil
}

// times is x * y with a look at the size of the result.
func times(c call) (starlark.Value, error) {
	x, y := c.args[0], c.args[1]
	if n, ok := x.(starlark.Int); ok {
		if m, ok := y.(starlark.Int); ok {
			if bits := n.BigInt().BitLen() + m.BigInt().BitLen(); bits > maxIntBits {
				return nil, &hinted{fmt.Sprintf("the product would have %d bits", bits), "use a float, or pow(x, y, mod)"}
			}
		} else {
			x, y = y, x
		}
	}
	if n, ok := y.(starlark.Int); ok {
		if size, count := elementsBytes(x), float64(n.Float()); size > 0 && count > 0 {
			if err := c.memory.reserve(fmt.Sprintf("%s * %v", x.Type(), n), size*count); err != nil {
				return nil, err
			}
		}
	}
	return starlark.Binary(syntax.STAR, c.args[0], c.args[1])
}

// percent is x % y with a look at the size of the result.
func percent(c call) (starlark.Value, error) {
	if s, ok := c.args[0].(starlark.String); ok {
		size := weight(c.args[1], maxText) + len(s)
		if size > maxText {
			return nil, tooLong("%")
		}
	}
	return starlark.Binary(syntax.PERCENT, c.args[0], c.args[1])
}

// method is x.join, x.replace and x.format: for strings, with a look at the
// size of the result.
func method(c call) (starlark.Value, error) {
	x, name := c.args[0], string(c.args[1].(starlark.String))
	attrs, ok := x.(starlark.HasAttrs)
	if !ok {
		return nil, fmt.Errorf("%s has no .%s field or method", x.Type(), name)
	}
	fn, err := attrs.Attr(name)
	if err != nil {
		return nil, err
	}
	if fn == nil {
		return nil, fmt.Errorf("%s has no .%s field or method", x.Type(), name)
	}
	s, ok := x.(starlark.String)
	if !ok {
		return fn, nil
	}
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		size := float64(len(s))
		switch {
		case name == "replace" && len(args) >= 2:
			if old, ok := args[0].(starlark.String); ok {
				size += float64(len(s)) / float64(max(len(old), 1)) * float64(weight(args[1], maxText))
			}
		case name == "join" && len(args) == 1:
			if list, ok := args[0].(starlark.Sequence); ok {
				size = float64(len(s))*float64(list.Len()) + float64(weight(list, maxText))
			}
		case name == "format":
			size += float64(weight(args, maxText))
			for _, kv := range kwargs {
				size += float64(weight(kv, maxText))
			}
		}
		if size > maxText {
			return nil, tooLong(name)
		}
		return starlark.Call(t, fn, args, kwargs)
	}), nil
}

func tooLong(what string) error {
	return &hinted{fmt.Sprintf("%s would make a text of more than %s", what, sizeText(maxText)), "make a part of it"}
}

// weight is about how long a value is as text. It stops counting above limit,
// and takes what is nested too deeply to be written for too long.
func weight(v starlark.Value, limit int) int {
	left := limit
	var walk func(v starlark.Value, depth int)
	walk = func(v starlark.Value, depth int) {
		if left--; left < 0 {
			return
		}
		if depth > 1000 {
			left = -1
			return
		}
		each := func(list starlark.Indexable) {
			for i := 0; i < list.Len() && left >= 0; i++ {
				walk(list.Index(i), depth+1)
			}
		}
		switch v := v.(type) {
		case starlark.String:
			left -= len(v)
		case starlark.Bytes:
			left -= len(v)
		case starlark.Int:
			if _, small := v.Int64(); !small {
				left -= v.BigInt().BitLen() / 3
			}
		case *starlark.List:
			each(v)
		case starlark.Tuple:
			each(v)
		case *starlark.Dict:
			for k, x := range v.Entries() {
				if left < 0 {
					return
				}
				walk(k, depth+1)
				walk(x, depth+1)
			}
		case *starlark.Set:
			for x := range v.Elements() {
				if left < 0 {
					return
				}
				walk(x, depth+1)
			}
		}
	}
	walk(v, 0)
	return limit - left
}

// guardedText is one of the builtins that turn values into text; it takes want
// arguments, any number when want is 0.
func guardedText(want int) func(c call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		if want > 0 && len(c.args) != want {
			return nil, fmt.Errorf("%s: want %d argument, got %d", c.name, want, len(c.args))
		}
		if weight(c.args, maxText) > maxText {
			return nil, tooLong(c.name)
		}
		return starlark.Call(c.thread, starlark.Universe[c.name], c.args, c.kwargs)
	}
}
