package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"orrery/server/api"
)

// apply is the source after an edit.
func (f *form) apply(e api.FormEdit) (string, error) {
	if e.Call < 0 || e.Call >= len(f.calls) {
		return "", &api.Error{Code: api.Conflicted, Message: fmt.Sprintf("the cell has %d calls, and there is no call %d", len(f.calls), e.Call), Hint: "the text has changed since: look again"}
	}
	c := f.calls[e.Call]
	if c.param(e.Name).Name == "" {
		return "", &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%s has no argument %q", c.Name, e.Name)}
	}
	text := strings.TrimSpace(e.Text)
	if text != "" {
		x, err := oneExpression(text)
		if err != nil {
			return "", err
		}
		if p := c.param(e.Name); p.Name != "" {
			if err := problem(p, x); err != nil {
				return "", &api.Error{Code: api.Invalid, Line: 1, Message: err.Error(), Hint: hintOf(err)}
			}
		}
	}
	i := slices.IndexFunc(c.args, func(a formArg) bool { return a.param.Name == e.Name })
	switch {
	case i < 0 && text == "":
		return f.source, nil
	case i < 0:
		return f.add(c, c.named(e.Name, text)), nil
	case text != "":
		return f.source[:c.args[i].at] + text + f.source[c.args[i].to:], nil
	case !c.args[i].named && i+1 < len(c.args) && !c.args[i+1].named:
		return "", &api.Error{Code: api.Invalid, Message: fmt.Sprintf("%s stands before other arguments without names", e.Name), Hint: "give those names first"}
	}
	return f.remove(c, i), nil
}

// oneExpression reads a single value, and refuses what is none.
func oneExpression(text string) (syntax.Expr, error) {
	text = unixLines(text)
	m := mask(text)
	x, err := options().ParseExpr("value", m.text, 0)
	if err != nil {
		return nil, &api.Error{Code: api.Invalid, Line: 1, Message: text + " is not one value", Hint: syntaxError(m, err).Error()}
	}
	if t, bare := x.(*syntax.TupleExpr); bare && !t.Lparen.IsValid() {
		return nil, &api.Error{Code: api.Invalid, Line: 1, Message: fmt.Sprintf("%s is more than one value", text), Hint: "write a list: [" + text + "]"}
	}
	if endsInComment(text, m) {
		return nil, &api.Error{Code: api.Invalid, Line: 1, Message: "a value in a form ends in no comment", Hint: "write it in the source"}
	}
	return x, nil
}

// endsInComment reports whether the last line of a text has a comment, which
// would hide what follows: letters that the mask blanks.
func endsInComment(text string, m masked) bool {
	last := []rune(text[strings.LastIndexByte(text, '\n')+1:])
	for i, r := range []rune(m.lines[len(m.lines)-1]) {
		if i < len(last) && r == ' ' && last[i] != ' ' {
			return true
		}
	}
	return false
}

// add puts an argument behind the last one, on a line of its own where that has
// one, and then behind its comment.
func (f *form) add(c formCall, arg string) string {
	end := c.close
	if len(c.args) == 0 {
		return f.source[:end] + arg + f.source[end:]
	}
	last := c.args[len(c.args)-1]
	line := strings.LastIndexByte(f.source[:last.from], '\n') + 1
	indent := f.source[line:last.from]
	if line <= c.open || strings.TrimSpace(indent) != "" {
		return f.source[:last.to] + ", " + arg + f.source[last.to:]
	}
	if comma := strings.IndexByte(f.code[last.to:end], ','); comma >= 0 {
		if eol := strings.IndexByte(f.source[last.to+comma:end], '\n'); eol >= 0 {
			at := last.to + comma + eol
			return f.source[:at] + "\n" + indent + arg + "," + f.source[at:]
		}
	}
	return f.source[:last.to] + ",\n" + indent + arg + f.source[last.to:]
}

// remove takes an argument out, with the comma that parts it from the next one,
// or the last one with the comma before it. Comments stay.
func (f *form) remove(c formCall, i int) string {
	a, end := c.args[i], c.close
	if i+1 < len(c.args) {
		end = c.args[i+1].from
	}
	to, parted := a.to, false
	if comma := strings.IndexByte(f.code[a.to:end], ','); comma >= 0 {
		to, parted = a.to+comma+1, true
	}
	if i+1 < len(c.args) {
		for to < end && strings.IndexByte(space, f.source[to]) >= 0 {
			to++
		}
		return f.source[:a.from] + f.source[to:]
	}
	if i == 0 {
		return f.source[:a.from] + f.source[to:]
	}
	before := c.args[i-1].to
	if strings.TrimSpace(f.source[before:a.from]) == "," { // no comment between
		if parted {
			return f.source[:before] + "," + f.source[to:]
		}
		return f.source[:before] + f.source[to:]
	}
	from := before + len(strings.TrimRight(f.source[before:a.from], " \t"))
	if rest := strings.TrimLeft(f.source[to:], " \t"); strings.HasPrefix(rest, "\n") && f.source[from-1] == '\n' {
		from--
	}
	return f.source[:from] + f.source[to:]
}
