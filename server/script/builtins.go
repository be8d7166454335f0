package script

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"go.starlark.net/starlark"

	"orrery/server/analysis"
	"orrery/server/api"
)

// Builtin describes one function of every cell, for completion and hover.
type Builtin struct {
	Name      string
	Signature string
	// Summary is one line.
	Summary string
}

// builtin is a Builtin with its code.
type builtin struct {
	Builtin
	run func(c call) (starlark.Value, error)
}

// call is one call of a builtin.
type call struct {
	*run
	name   string
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

// unpack reads the arguments as starlark.UnpackArgs does.
func (c call) unpack(pairs ...any) error {
	return starlark.UnpackArgs(c.name, c.args, c.kwargs, pairs...)
}

// Builtins lists every function and value of a cell, sorted by name: ours, the
// analyses and Starlark's own.
func Builtins() []Builtin {
	var list []Builtin
	for _, b := range functions() {
		list = append(list, b.Builtin)
	}
	for _, a := range analysis.All() {
		list = append(list, Builtin{a.Name, signature(a), a.Summary})
	}
	list = append(list, languageBuiltins()...)
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
	return list
}

// signature spells an analysis' parameters.
func signature(a analysis.Analysis) string {
	params := make([]string, len(a.Params))
	for i, p := range a.Params {
		params[i] = p.Name
		if !p.Required {
			params[i] += "=" + p.Literal()
		}
	}
	return a.Name + "(" + strings.Join(params, ", ") + ")"
}

// functions lists our own builtins.
func functions() []builtin {
	return []builtin{
		{Builtin{"load", "load(name)", "opens a model: a shipped one by name, another by its directory"}, loadModel},
		{Builtin{"tokens", "tokens(m, prompt)", "a prompt as the model's tokens; t.ids, t.strings, t[-1], len(t)"}, makeTokens},
		{Builtin{"prompts", `prompts(template, m=None, op=["+", "-"], answer="", answers=None, n=0, seed=1, keep="correct", **operands)`, `a set of prompts: prompts("{a}+{b}=", a=range(0, 100), b=range(0, 100), n=200); p.pairs(change="a"), p.report, p.accuracy, p[0], p.csv()`}, makePrompts},
		{Builtin{"prompts_from", `prompts_from(rows, m=None, keep="all", seed=1)`, `prompts from a list of texts, or pairs from a list of (clean, corrupted); or what p.csv() and p.jsonl() wrote`}, promptsFrom},
		{Builtin{"run_with_cache", `run_with_cache(m, prompt, names_filter="*", edits=[], remove_batch_dim=False)`, `runs the model once; returns (logits, cache), both as tensors: cache["z", 0]; cache.decompose_resid(), cache.logit_attrs(...)`}, runWithCache},
		{Builtin{"patch", `patch(site, at=None, heads=None, neurons=None, queries=None, keys=None, into=None, to=None, run="clean", freeze=None)`, `a value of one run to be put into another, for patch_lens: patch("blocks.3.hook_resid_post", at=1), or along an edge: patch("head 0.1 -> mlp 2"), or a path: patch("head 0.1 -> q 1.2", at=-1, freeze="heads")`}, makePatch},
		{Builtin{"fmt", `fmt("{} {:.3f}", x, y)`, "text with values put in, formatted as Python's str.format does"}, formatText},
		{Builtin{"round", "round(x, ndigits=None)", "x rounded, ties to even; an int without ndigits"}, roundNumber},
		{Builtin{"sum", "sum(xs, start=0)", "the sum of numbers, or of tensors of one shape"}, sumValues},
		{Builtin{"pow", "pow(x, y, mod=None)", "x to the power y; exact for ints; with mod, the remainder"}, power},
		{Builtin{"mean", "mean(xs)", "the mean of numbers as a float"}, meanValues},
		{Builtin{"chars", "chars(s)", "the characters of a string as a list; len(s) counts bytes, len(chars(s)) characters"}, characters},
		{Builtin{"attempt", "attempt(f, *args, **kwargs)", "calls f; returns (value, None), or (None, message) when it fails"}, attempt},
		{Builtin{"help", "help(f)", "what a function does, with its arguments; of a value, what it has"}, help},
		{Builtin{"print", `print(*values, sep=" ")`, "writes values into the cell's output"}, guardedText(0)},
		{Builtin{"str", "str(x)", "x as text"}, guardedText(1)},
		{Builtin{"repr", "repr(x)", "x as text, strings with quotes"}, guardedText(1)},
		{Builtin{"fail", `fail(*values, sep=" ")`, "ends the cell with a message"}, guardedText(0)},
		{Builtin{"range", "range(stop) or range(start, stop, step=1)", "the ints from start up to, without, stop"}, makeRange},
		{Builtin{"len", "len(x)", "how many elements x has; for strings, bytes"}, length},
	}
}

// languageBuiltins lists what comes with Starlark.
func languageBuiltins() []Builtin {
	return []Builtin{
		{"None", "None", "no value"}, {"True", "True", "true"}, {"False", "False", "false"},
		{"abs", "abs(x)", "x without its sign"}, {"all", "all(xs)", "True when every element is true"},
		{"any", "any(xs)", "True when some element is true"}, {"bool", "bool(x)", "whether x is true"},
		{"bytes", "bytes(x)", "a string or a list of ints as bytes"}, {"chr", "chr(i)", "the character of a code point"},
		{"dict", "dict(pairs, **values)", "a dictionary"}, {"dir", "dir(x)", "the attributes of x"},
		{"enumerate", "enumerate(xs, start=0)", "a list of (number, element)"}, {"float", "float(x)", "x as a float"},
		{"getattr", "getattr(x, name, default=None)", "an attribute by name"}, {"hasattr", "hasattr(x, name)", "whether x has an attribute"},
		{"hash", "hash(s)", "a number made from a string"}, {"int", "int(x, base=10)", "x as an int, towards 0"},
		{"list", "list(xs)", "a list of the elements"}, {"max", "max(xs, key=None)", "the largest element"},
		{"min", "min(xs, key=None)", "the smallest element"}, {"ord", "ord(c)", "the code point of a character"},
		{"reversed", "reversed(xs)", "a list in reverse"}, {"set", "set(xs)", "a set"},
		{"sorted", "sorted(xs, key=None, reverse=False)", "a sorted list"}, {"tuple", "tuple(xs)", "a tuple of the elements"},
		{"type", "type(x)", "the name of x's type"}, {"zip", "zip(*lists)", "a list of tuples, one element of each"},
		{"math", "math", "functions of numbers: math.sqrt, math.log, math.exp, math.pi, ..."},
		{"json", "json", "json.encode(x), json.decode(s), json.indent(s)"},
	}
}

// builtinNames holds every name that a cell finds defined and that is not in
// Starlark's universe or hides what is there, as the parser sees it.
func builtinNames() map[string]bool {
	names := map[string]bool{hiddenLoad: true, guardPlus: true, guardGrow: true, guardTimes: true, guardPercent: true, guardMethod: true, "math": true, "json": true}
	for _, b := range functions() {
		names[b.Name] = true
	}
	for _, a := range analysis.All() {
		names[a.Name] = true
	}
	return names
}

// predeclare puts the builtins into a cell's environment, and the run into its
// thread, where the builtins find it: a function of another cell that calls
// them then reports to the cell that runs.
func (r *run) predeclare(env starlark.StringDict) {
	r.thread.SetLocal(threadRun, r)
	for _, b := range functions() {
		env[b.Name] = newMethod(b.Name, b.run)
	}
	env[hiddenLoad] = env["load"]
	for _, a := range analysis.All() {
		env[a.Name] = newMethod(a.Name, func(c call) (starlark.Value, error) { return c.analyse(a) })
	}
	env[guardPlus] = newMethod("+", plus)
	env[guardGrow] = newMethod("+=", grow)
	env[guardTimes] = newMethod("*", times)
	env[guardPercent] = newMethod("%", percent)
	env[guardMethod] = newMethod(".", method)
	env["math"], env["json"] = mathModule(), jsonModule()
}

// threadRun is the key of a thread's run.
const threadRun = "run"

// newMethod makes a builtin that finds its run in its thread.
func newMethod(name string, fn func(call) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return enter(thread, name, args, kwargs, fn)
	})
}

// enter calls a builtin in the run of its thread. A panic becomes an error.
func enter(thread *starlark.Thread, name string, args starlark.Tuple, kwargs []starlark.Tuple, fn func(call) (starlark.Value, error)) (v starlark.Value, err error) {
	r, ok := thread.Local(threadRun).(*run)
	if !ok {
		return nil, errors.New("this thread runs no cell")
	}
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, fault(name, p)
		}
	}()
	if err := r.ctx.Err(); err != nil {
		return nil, err
	}
	if v, err = fn(call{r, name, args, kwargs}); err != nil {
		return nil, err
	}
	return v, nil
}

// attempt is the builtin: an error of f becomes a value. A stop of the run does not.
func attempt(c call) (starlark.Value, error) {
	if len(c.args) == 0 {
		return nil, &hinted{"attempt: no function given", "write value, error = attempt(f, x)"}
	}
	v, err := starlark.Call(c.thread, c.args[0], c.args[1:], c.kwargs)
	if stopped := c.ctx.Err(); stopped != nil {
		return nil, stopped
	}
	var inner *api.Error
	if errors.As(err, &inner) && inner.Code == api.Internal {
		return nil, err
	}
	if err != nil {
		message := showLoad(err.Error())
		var hint interface{ Hint() string }
		if errors.As(err, &hint) {
			message += "; " + hint.Hint()
		}
		return starlark.Tuple{starlark.None, starlark.String(message)}, nil
	}
	return starlark.Tuple{v, starlark.None}, nil
}

// characters is the builtin chars.
func characters(c call) (starlark.Value, error) {
	var s string
	if err := c.unpack("s", &s); err != nil {
		return nil, err
	}
	if err := c.memory.reserve("chars", float64(len(s))*32); err != nil {
		return nil, err
	}
	list := make([]starlark.Value, 0, len(s))
	for _, r := range s {
		list = append(list, starlark.String(string(r)))
	}
	return starlark.NewList(list), nil
}

// typeError is the error of an argument of the wrong type.
func typeError(where, want string, v starlark.Value) error {
	return fmt.Errorf("%s: want %s, got %s", where, want, v.Type())
}
