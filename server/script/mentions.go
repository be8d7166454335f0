package script

import (
	"slices"

	"go.starlark.net/syntax"
)

// Mentions is what a cell names without being run.
type Mentions struct {
	// Models are the names that load is called with as a literal, in order.
	Models []string
	// Calls are the functions that are called by a plain name, in order.
	Calls []string
}

// Mentioned reads a cell's text. One that does not parse, or is larger or
// nests deeper than Compile takes, mentions nothing.
func Mentioned(source string) Mentions {
	var found Mentions
	if len(source) > maxSource {
		return found
	}
	m := mask(unixLines(source))
	if m.depth > maxBrackets {
		return found
	}
	file, err := options().Parse("", m.text, 0)
	if err != nil || depth(file) > maxDepth {
		return found
	}
	add := func(list []string, name string) []string {
		if slices.Contains(list, name) {
			return list
		}
		return append(list, name)
	}
	syntax.Walk(file, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		name, ok := call.Fn.(*syntax.Ident)
		if !ok {
			return true
		}
		found.Calls = add(found.Calls, showLoad(name.Name))
		if name.Name == hiddenLoad && len(call.Args) > 0 {
			if model, ok := literal(call.Args[0]); ok {
				found.Models = add(found.Models, model)
			}
		}
		return true
	})
	return found
}

// literal is the text of a string literal, given by position or by name.
func literal(arg syntax.Expr) (string, bool) {
	if named, ok := arg.(*syntax.BinaryExpr); ok && named.Op == syntax.EQ {
		arg = named.Y
	}
	if l, ok := arg.(*syntax.Literal); ok {
		s, ok := l.Value.(string)
		return s, ok
	}
	return "", false
}
