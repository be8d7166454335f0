package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"orrery/server/analysis"
)

// help is the builtin: it prints what a function does, with its arguments, and
// of any other value what it is and has.
func help(c call) (starlark.Value, error) {
	var x starlark.Value
	if err := c.unpack("f?", &x); err != nil {
		return nil, err
	}
	c.outlet.print(helpText(x))
	return starlark.None, nil
}

func helpText(x starlark.Value) string {
	switch x := x.(type) {
	case nil:
		return "help(f) says what a function does, such as help(logit_lens). N adds any analysis as a form, Ctrl+K finds every command, ? shows every key.\n"
	case *starlark.Function:
		text := x.Name() + "(" + strings.Join(parameters(x), ", ") + ")\n"
		if doc := strings.TrimSpace(x.Doc()); doc != "" {
			text += doc + "\n"
		}
		return text
	case *starlark.Builtin:
		if a, err := analysis.Find(x.Name()); err == nil {
			return analysisHelp(a)
		}
		for _, b := range Builtins() {
			if b.Name == x.Name() {
				return b.Signature + "\n" + b.Summary + "\n"
			}
		}
	}
	text := describe(x).Repr + "\n"
	if has, ok := x.(starlark.HasAttrs); ok {
		text += "It has " + strings.Join(has.AttrNames(), ", ") + ".\n"
	}
	return text
}

// parameters spells those of a function that a cell defines, defaults included.
func parameters(f *starlark.Function) []string {
	var list []string
	stars := f.NumParams()
	if f.HasKwargs() {
		stars--
	}
	for i := range f.NumParams() {
		name, _ := f.Param(i)
		switch {
		case f.HasKwargs() && i == stars:
			name = "**" + name
		case f.HasVarargs() && i == stars-1:
			name = "*" + name
		}
		if d := f.ParamDefault(i); d != nil {
			name += "=" + repr(d)
		}
		list = append(list, name)
	}
	return list
}

// analysisHelp is an analysis in words: what it shows, an example, and a line
// a parameter.
func analysisHelp(a analysis.Analysis) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n%s\n\nfor example %s\n\n", a.Title, a.Summary, signature(a), a.Example)
	for _, p := range a.Params {
		fmt.Fprintf(&b, "%s: %s", p.Name, p.Help)
		if len(p.Choices) > 0 {
			fmt.Fprintf(&b, "; of %s", strings.Join(p.Choices, ", "))
		}
		b.WriteByte('\n')
	}
	return b.String()
}
