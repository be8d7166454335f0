package script

import (
	"errors"
	"fmt"
	"strconv"

	"go.starlark.net/syntax"

	"orrery/server/analysis"
	"orrery/server/api"
)

// wire is an argument as the page shows it; text is its source.
func (a formArg) wire(text string) api.FormArg {
	arg := api.FormArg{Name: a.param.Name, Kind: api.ArgCode, Text: text}
	if err := problem(a.param, a.value); err != nil {
		arg.Problem = err.Error()
		if hint := hintOf(err); hint != "" {
			arg.Problem += "; " + hint
		}
	}
	if a.calls {
		arg.Kind = api.ArgCalls
		return arg
	}
	if _, ok := numberOf(a.value); ok {
		arg.Kind = api.ArgNumber
		return arg
	}
	switch x := a.value.(type) {
	case *syntax.Literal:
		if s, ok := stringOf(x); ok {
			arg.Kind, arg.Text = api.ArgString, s
		}
	case *syntax.Ident:
		switch x.Name {
		case "True", "False":
			arg.Kind = api.ArgBool
		case "None":
			arg.Kind = api.ArgNone
		}
	case *syntax.ListExpr:
		arg.Kind, arg.Items = items(x)
	case *syntax.CallExpr:
		if fn, ok := x.Fn.(*syntax.Ident); ok && fn.Name == "range" {
			if from, to, step, ok := rangeOf(x); ok {
				arg.Kind, arg.Items = api.ArgRange, []string{strconv.Itoa(from), strconv.Itoa(to), strconv.Itoa(step)}
			}
		}
	}
	return arg
}

// items are the elements of a list of one kind; ArgCode for others.
func items(x *syntax.ListExpr) (api.FormArgKind, []string) {
	kind, list := api.ArgCode, []string{}
	for i, e := range x.List {
		is, parts := api.ArgCode, []string(nil)
		if s, ok := stringOf(e); ok {
			is, parts = api.ArgList, []string{s}
		} else if text, ok := numberOf(e); ok {
			is, parts = api.ArgNumbers, []string{text}
		} else if clean, corrupted, ok := pairOf(e); ok {
			is, parts = api.ArgPairs, []string{clean, corrupted}
		}
		if is == api.ArgCode || i > 0 && is != kind {
			return api.ArgCode, nil
		}
		kind, list = is, append(list, parts...)
	}
	if len(x.List) == 0 {
		kind = api.ArgList
	}
	return kind, list
}

// stringOf is the value of a text.
func stringOf(x syntax.Expr) (string, bool) {
	l, ok := x.(*syntax.Literal)
	if !ok || l.Token != syntax.STRING {
		return "", false
	}
	return l.Value.(string), true
}

// numberOf is a number as it is written.
func numberOf(x syntax.Expr) (string, bool) {
	sign := ""
	if u, ok := x.(*syntax.UnaryExpr); ok && u.Op == syntax.MINUS {
		sign, x = "-", u.X
	}
	l, ok := x.(*syntax.Literal)
	if !ok || l.Token != syntax.INT && l.Token != syntax.FLOAT {
		return "", false
	}
	return sign + l.Raw, true
}

// pairOf is (clean, corrupted).
func pairOf(x syntax.Expr) (clean, corrupted string, ok bool) {
	if p, is := x.(*syntax.ParenExpr); is {
		x = p.X
	}
	t, is := x.(*syntax.TupleExpr)
	if !is || len(t.List) != 2 {
		return "", "", false
	}
	clean, first := stringOf(t.List[0])
	corrupted, second := stringOf(t.List[1])
	return clean, corrupted, first && second
}

// rangeOf reads range(to), range(from, to) or range(from, to, step) of numbers.
func rangeOf(x *syntax.CallExpr) (from, to, step int, ok bool) {
	at := []int{0, 0, 1}
	var given []int
	for _, a := range x.Args {
		text, number := numberOf(a)
		n, err := strconv.Atoi(text)
		if !number || err != nil {
			return 0, 0, 0, false
		}
		given = append(given, n)
	}
	switch len(given) {
	case 1:
		at[1] = given[0]
	case 2, 3:
		copy(at, given)
	default:
		return 0, 0, 0, false
	}
	return at[0], at[1], at[2], true
}

// problem says what is wrong with a value that is written out, nil for one that
// only a run can tell.
func problem(p analysis.Param, x syntax.Expr) error {
	if p.Type == api.ParamRange {
		return rangeProblem(p.Name, x)
	}
	v, ok := valueOf(p, x)
	if !ok || p.Type == api.ParamRows || p.Type == api.ParamValue || p.Type == api.ParamData {
		return nil
	}
	_, err := p.Take(v)
	return err
}

// valueOf is a value that is written out, as the parameter's Take has it.
func valueOf(p analysis.Param, x syntax.Expr) (any, bool) {
	if s, ok := stringOf(x); ok {
		return s, true
	}
	if text, ok := numberOf(x); ok {
		return goNumber(text)
	}
	switch x := x.(type) {
	case *syntax.Ident:
		switch x.Name {
		case "True", "False":
			return x.Name == "True", true
		}
	case *syntax.ListExpr:
		kind, list := items(x)
		switch {
		case kind == api.ArgList:
			return list, true
		case kind == api.ArgNumbers:
			return goNumbers(list)
		}
	}
	return nil, false
}

// goNumber is a number as an int or a float64.
func goNumber(text string) (any, bool) {
	if n, err := strconv.ParseInt(text, 0, 64); err == nil {
		return int(n), true
	}
	f, err := strconv.ParseFloat(text, 64)
	return f, err == nil
}

// goNumbers are numbers as []int where all are whole, else as []float64.
func goNumbers(list []string) (any, bool) {
	var whole []int
	var all []float64
	for _, text := range list {
		v, ok := goNumber(text)
		if !ok {
			return nil, false
		}
		switch v := v.(type) {
		case int:
			whole, all = append(whole, v), append(all, float64(v))
		case float64:
			all = append(all, v)
		}
	}
	if len(whole) == len(all) {
		return whole, true
	}
	return all, true
}

// rangeProblem says what is wrong with the values of an operand.
func rangeProblem(name string, x syntax.Expr) error {
	var values []int
	if text, ok := numberOf(x); ok {
		return &hinted{fmt.Sprintf("%s: %s is no range", name, text), fmt.Sprintf("write %s=range(0, 100), or a list such as [3, 5, 8]", name)}
	}
	switch x := x.(type) {
	case *syntax.CallExpr:
		from, to, step, ok := rangeOf(x)
		switch {
		case !ok:
			return nil
		case step == 0:
			return &hinted{name + ": a step of 0 leads nowhere", "use 1, or 2 for every other number"}
		case step > 0 && from >= to || step < 0 && from <= to:
			return &hinted{fmt.Sprintf("%s: from %d to below %d there is no number", name, from, to), fmt.Sprintf("write %s=range(0, 100)", name)}
		case from < 0 || step < 0 && to < -1:
			return &hinted{fmt.Sprintf("%s: %d is negative", name, min(from, to+1)), "numbers are written without a sign: use 0 or more"}
		}
		return nil
	case *syntax.ListExpr:
		kind, list := items(x)
		found, _ := goNumbers(list)
		whole, ok := found.([]int)
		if kind == api.ArgCode {
			return nil
		}
		if kind != api.ArgNumbers || !ok {
			return &hinted{fmt.Sprintf("%s: want whole numbers", name), fmt.Sprintf("write %s=range(0, 100), or a list such as [3, 5, 8]", name)}
		}
		values = whole
	case *syntax.Literal:
		return &hinted{fmt.Sprintf("%s: %s is no range", name, x.Raw), fmt.Sprintf("write %s=range(0, 100), or a list such as [3, 5, 8]", name)}
	}
	seen := map[int]bool{}
	for _, v := range values {
		if v < 0 {
			return &hinted{fmt.Sprintf("%s: %d is negative", name, v), "numbers are written without a sign: use 0 or more"}
		}
		if seen[v] {
			return &hinted{fmt.Sprintf("%s: %d stands there twice", name, v), "give each number once"}
		}
		seen[v] = true
	}
	return nil
}

// hintOf is the next step that an error knows; empty for none.
func hintOf(err error) string {
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		return hint.Hint()
	}
	return ""
}
