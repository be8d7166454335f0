package script

import (
	"errors"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	letters "orrery/models/nearest"
	"orrery/server/api"
)

// hinted is an error with a next step.
type hinted struct{ message, hint string }

func (e *hinted) Error() string { return e.message }

// Hint says what to do next.
func (e *hinted) Hint() string { return e.hint }

// resolveError turns the errors of names into the first one's.
func resolveError(err error) error {
	var list resolve.ErrorList
	if !errors.As(err, &list) {
		return &api.Error{Code: api.Invalid, Message: showLoad(err.Error())}
	}
	first := list[0]
	e := &api.Error{Code: api.Invalid, Message: showLoad(first.Msg), Line: int(first.Pos.Line), Column: int(first.Pos.Col)}
	for _, h := range [...]struct{ part, hint string }{
		{"return statement not within", "return belongs into a def; end the cell with the value instead to show it"},
		{"not in a loop", "break and continue belong into for and while"},
		{"can't assign to", "put a name on the left of =, and the value on the right"},
		{"required parameter may not follow", "put parameters with = last"},
		{"positional argument may not follow", "put arguments without a name first"},
	} {
		if strings.Contains(first.Msg, h.part) {
			e.Hint = h.hint
		}
	}
	return e
}

// explain turns what ended a run into an error for the reader.
func (r *run) explain(err error) *api.Error {
	e := &api.Error{Code: api.Invalid, Cell: r.program.Cell}
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		r.locate(e, eval.CallStack)
	}
	switch r.why.Load() {
	case stopCanceled:
		e.Code, e.Message = api.Canceled, "interrupted"
		return e
	case stopMemory:
		m := r.memory.memoryError()
		e.Code, e.Message, e.Hint = m.Code, m.Message, m.Hint
		return e
	case stopSteps:
		e.Code, e.Message, e.Hint = api.TooLarge, "stopped: the cell took more steps than it may", "is there a loop that never ends?"
		return e
	}
	var inner *api.Error
	var hint interface{ Hint() string }
	switch {
	case errors.As(err, &inner):
		e.Code, e.Message, e.Hint = inner.Code, inner.Message, inner.Hint
	case errors.As(err, &hint):
		e.Hint = hint.Hint()
		fallthrough
	default:
		e.Message = showLoad(err.Error())
		if eval != nil {
			e.Message = showLoad(eval.Msg)
		}
		if h, ok := runtimeHint(e.Message); ok && e.Hint == "" {
			e.Message, e.Hint = h.message, h.hint
		}
	}
	return e
}

// locate fills in where an error came from: the innermost line of this cell,
// and a trace when functions were on the way.
func (r *run) locate(e *api.Error, stack starlark.CallStack) {
	for _, f := range stack {
		if f.Pos.Line == 0 {
			continue
		}
		if f.Pos.Filename() == r.program.Cell {
			e.Line, e.Column = int(f.Pos.Line), int(f.Pos.Col)
		}
		where := "cell " + f.Pos.Filename()
		if f.Name != "<toplevel>" {
			where = f.Name + " in " + where
		}
		line := fmt.Sprintf("%s, line %d", where, f.Pos.Line)
		if f.Pos.Filename() == r.program.Cell {
			line += ": " + sourceLine(r.program.source, int(f.Pos.Line))
		}
		e.Trace = append(e.Trace, line)
	}
	if len(e.Trace) < 2 {
		e.Trace = nil
	} else if len(e.Trace) > 20 {
		cut := append([]string(nil), e.Trace[:10]...)
		cut = append(cut, fmt.Sprintf("… %d more calls", len(e.Trace)-20))
		e.Trace = append(cut, e.Trace[len(e.Trace)-10:]...)
	}
}

// runtimeHint finds what to say about an error of Starlark itself.
func runtimeHint(message string) (hinted, bool) {
	if m := regexp.MustCompile(`unexpected keyword argument "?(\w+)"?`).FindStringSubmatch(message); m != nil && foreignArgument(m[1]) != "" {
		return hinted{message, foreignArgument(m[1])}, true
	}
	if m := regexp.MustCompile(`^dict has no \.(\w+) field`).FindStringSubmatch(message); m != nil {
		if ours := configName(m[1]); ours != "" {
			return hinted{message, "of a model write m." + ours}, true
		}
		return hinted{message, fmt.Sprintf("write d[%q]", m[1])}, true
	}
	for _, h := range [...]struct{ pattern, message, hint string }{
		{`cannot .*frozen (list|dict|hash table|set)`, "", "the value belongs to another cell, and cells cannot change each other's values; make a copy first, such as list(x) or dict(x)"},
		{`invalid (start|end) index: got tuple`, "a slice and another index cannot stand in one pair of brackets", `write t.at(0, "1:3") or, by name, t.sel(pos="1:3")`},
		{`(tensor|tokens|cache|figure) value does not support item assignment`, "", "values of this kind never change; make a new one, or pass edits=[...] to run_with_cache to change a run"},
		{`unknown conversion %(.)`, "% formats have no width or precision here", `write fmt("{:.3f}", x)`},
		{`format spec features not supported`, "format has no number formats here", `write fmt("{:.3f}", x)`},
		{`(local|global) variable (\S+) referenced before assignment`, "", "give $2 a value above this line, in this cell; inside a function, pass it as an argument and return the new value"},
		{`unknown binary op: (string . \w+|\w+ . string)`, "", `turn numbers into text with str(x) or fmt("{:.3f}", x)`},
		{`unknown binary op: (list|tuple) [-*/] `, "", "lists do no arithmetic; use [f(x) for x in xs], or sum(xs) and mean(xs)"},
		{`tensor (<|>|<=|>=) \w+ not implemented|\w+ (<|>|<=|>=) tensor not implemented`, "", "compare tensors element by element with t.gt(x), t.lt(x), t.ge(x), t.le(x), t.eq(x)"},
		{`(float|int) has no \.item `, "", "it is a plain number already: leave .item() out"},
		{`(list|tuple) has no \.(\w+) field`, "", "see dir(x) for what a list can do; a tensor can do more, such as t.mean()"},
		{`got tensor, want .*(int|float)|(abs|float|int): .*tensor`, "", "turn a tensor of one element into a number with t.item(); others have methods, such as t.abs()"},
		{`invalid call of non-function \(model\)`, "a model is not called by itself", "write logits, cache = run_with_cache(m, prompt)"},
		{`invalid call of non-function \((tensor|cache|stack|list|tuple|dict)\)`, "", "take a part with [ ] instead of ( )"},
		{`Starlark stack overflow`, "the calls nest too deeply", "does a function call itself without an end?"},
		{`(\w+) has no \.(keys|values|items) field`, "", "only dictionaries have keys, values and items"},
	} {
		re := regexp.MustCompile(h.pattern)
		m := re.FindStringSubmatchIndex(message)
		if m == nil {
			continue
		}
		out := hinted{h.message, string(re.ExpandString(nil, h.hint, message, m))}
		if out.message == "" {
			out.message = message
		}
		return out, true
	}
	return hinted{}, false
}

// undefined is the error of a name that no cell gives.
func (p *Program) undefined(name string, in []*Exports) *api.Error {
	at := p.used[name]
	e := &api.Error{Code: api.Invalid, Cell: p.Cell, Line: int(at.Line), Column: int(at.Col), Message: fmt.Sprintf("%s is not defined", name)}
	if hint := foreignName(name); hint != "" {
		e.Hint = hint
		return e
	}
	candidates := append([]string(nil), starlark.Universe.Keys()...)
	for n := range builtinNames() {
		if !strings.HasPrefix(n, "·") {
			candidates = append(candidates, showLoad(n))
		}
	}
	for _, x := range in {
		candidates = append(candidates, x.Names()...)
	}
	if near := nearest(name, candidates, 3); len(near) > 0 {
		e.Hint = "did you mean " + strings.Join(near, ", ") + "?"
	} else {
		e.Hint = "define it in this cell or in another one, and run that first"
	}
	return e
}

// foreignName returns what to write instead of a name of Python or its libraries.
func foreignName(name string) string {
	return map[string]string{
		"isinstance": `write type(x) == "list"`, "map": "write [f(x) for x in xs]", "filter": "write [x for x in xs if f(x)]",
		"reduce": "write a for loop", "divmod": "write x // y and x % y", "input": "cells read nothing; put the value into the cell",
		"open": "cells read no files; models come with load", "exec": "cells run no text as code", "eval": "cells run no text as code",
		"np": "tensors have methods, such as t.mean(); numbers have math, sum and mean", "numpy": "tensors have methods, such as t.mean(); numbers have math, sum and mean",
		"torch": "tensors have methods, such as t.mean(); logits and caches are tensors already", "plt": "an analysis shows its figure by itself",
		"pd": "an analysis shows its table by itself", "null": "write None", "true": "write True", "false": "write False", "nil": "write None",
		"iter": "write a for loop", "next": "write a for loop", "format": `write fmt("{:.3f}", x)`, "Exception": "there are no exceptions; see attempt(f, x)",
		"display": "end the cell with the value to show it", "HookedTransformer": `write load("mental-2op")`, "model": `write model = load("mental-2op") first`,
		"struct": "write a dictionary", "get_act_name": `short names are taken everywhere: cache["z", 0], cache["resid_post", -1]`,
		"utils":    `short names are taken everywhere: cache["z", 0], cache["resid_post", -1]`,
		"patching": `write activation_patching(m, pairs, sweep="resid_pre"); the sweeps have TransformerLens' names`,
		"cv":       "attention(m, prompt) draws every head", "circuitsvis": "attention(m, prompt) draws every head",
		"imshow": "an analysis shows its figure by itself", "px": "an analysis shows its figure by itself", "go": "an analysis shows its figure by itself", "plotly": "an analysis shows its figure by itself",
		"line": "an analysis shows its figure by itself", "tqdm": "leave it out: an analysis says how far it is",
		"einsum": "write a.matmul(b), or a product and sum(axis=...) by name", "einops": "write t.transpose(...), t.sel(...) or t.mean(axis=...) by name",
		"rearrange": "write t.transpose(...) or t.sel(...)", "to_numpy": "leave it out; a tensor is an array already",
		"transformer_lens": "its functions are here already: load, run_with_cache, activation_patching", "device": "leave it out: everything is computed on the processor", "object": "write a dictionary", "frozenset": "write a tuple or a set",
	}[name]
}

// foreignChange is the error of x += 1 where x belongs to another cell.
func foreignChange(name, owner string, p *Program) *api.Error {
	at := p.changed[name]
	return &api.Error{Code: api.Invalid, Cell: p.Cell, Line: int(at.Line), Column: int(at.Col),
		Message: fmt.Sprintf("%s belongs to %s, and cells cannot change each other's values", name, owner),
		Hint:    fmt.Sprintf("make a new name, such as %s2 = %s + 1", name, name)}
}

// nearest returns the candidates that are close to a name, closest first.
func nearest(name string, candidates []string, n int) []string {
	type scored struct {
		name string
		far  int
	}
	if len(name) > 200 { // the distance takes the product of both lengths
		return nil
	}
	var close []scored
	seen := map[string]bool{}
	for _, c := range candidates {
		if d := letters.Distance([]byte(strings.ToLower(name)), []byte(strings.ToLower(c))); !seen[c] && d <= 1+len(name)/4 {
			close = append(close, scored{c, d})
			seen[c] = true
		}
	}
	sort.Slice(close, func(i, j int) bool {
		return close[i].far < close[j].far || close[i].far == close[j].far && close[i].name < close[j].name
	})
	var names []string
	for _, c := range close[:min(n, len(close))] {
		names = append(names, c.name)
	}
	return names
}

// position makes a place of a Starlark position.
func position(p syntax.Position) place { return place{int(p.Line), int(p.Col)} }
