package script_test

import (
	"strings"
	"testing"

	"orrery/server/script"
)

// TestPythonHabits holds that what Python users write gets an answer that says
// what to write instead, at the right place.
func TestPythonHabits(t *testing.T) {
	for _, c := range []struct {
		name, source string
		line, column int
		message      string
		hint         string
	}{
		{"import", "x = 1\nimport numpy as np", 2, 1, "cells have no import", "load, tokens"},
		{"from import", "from math import pi", 1, 1, "cells have no import", "math"},
		{"f-string", `x = f"a {y}"`, 1, 5, "no f-strings", "fmt("},
		{"f-string alone", `f'a {y}'`, 1, 1, "no f-strings", "fmt("},
		{"raw f-string", `print(rf'a {y}')`, 1, 7, "no f-strings", "fmt("},
		{"power", "x = 2 ** 3", 1, 7, "no ** operator", "pow(x, y)"},
		{"power assign", "x = 1\nx **= 2", 2, 3, "no ** operator", "pow(x, y)"},
		{"merge", "{**a, **b}", 1, 2, "cannot merge", "a | b"},
		{"is", "y = x is None", 1, 7, "no is operator", "=="},
		{"is not", "y = x is not None", 1, 7, "no is not operator", "!="},
		{"try", "try:\n  x\nexcept:\n  y", 1, 1, "no try", "attempt("},
		{"raise", "def f():\n    raise ValueError('x')", 2, 5, "no raise", "fail("},
		{"class", "class A:\n  pass", 1, 1, "no classes", "dictionary"},
		{"with", "with x as y:\n  z", 1, 1, "no with", "leave the line out"},
		{"assert", "assert x", 1, 1, "no assert", "fail("},
		{"del", "del x", 1, 1, "no del", "pop"},
		{"global", "def f():\n    global x\n    x = 1", 2, 5, "cannot assign names outside", "return"},
		{"nonlocal", "nonlocal x", 1, 1, "cannot assign names outside", "return"},
		{"yield", "def f():\n  yield 1", 2, 3, "no generators", "append"},
		{"async", "async def f(): pass", 1, 1, "no async", "leave the word out"},
		{"match", "match x:\n  case 1: y", 1, 1, "no match", "elif"},
		{"walrus", "(x := 1)", 1, 4, "no := operator", "line of its own"},
		{"annotation", "x: int = 1", 1, 1, "no type annotations", "leave the type out"},
		{"def annotation", "def f(a: int) -> int:\n  return a", 1, 1, "no type annotations", "leave them out"},
		{"decorator", "@dec\ndef f(): pass", 1, 1, "no decorators", "f = decorate(f)"},
		{"matrix product", "a @ b", 1, 3, "no @ operator", "matmul"},
		{"chained assignment", "x = y = 1", 1, 3, "only one =", "two lines"},
		{"underscore in number", "x = 1_000", 1, 5, "numbers have no _", "leave the _ out"},
		{"adjacent strings", `x = "a" "b"`, 1, 7, "side by side", "+"},
		{"unicode string", "x = u'a'", 1, 5, "need no u", "leave"},
		{"slice and index", "t[1:2, 3]", 1, 2, "a slice and another index", `t.at("1:2", 3)`},
		{"index and slice", "t[0, :]", 1, 2, "a slice and another index", `t.sel(`},
		{"ellipsis", "t[..., 0]", 1, 3, "no ...", "None"},
		{"print statement", "print x", 1, 1, "print needs parentheses", "print(x)"},
		{"chained comparison", "a < b < c", 1, 8, "cannot be chained", "and"},
		{"increment", "x++", 1, 2, "no ++", "x += 1"},
		{"and", "a && b", 1, 3, "no && operator", "and"},
		{"or", "a || b", 1, 3, "no || operator", "or"},
		{"not", "if !a:\n  b", 1, 4, "no ! operator", "not"},
		{"unequal", "a <> b", 1, 3, "no <> operator", "!="},
		{"magic", "%matplotlib inline", 1, 1, "no notebook magics", "leave"},
		{"shell", "!ls", 1, 1, "no shell", "leave"},
		{"question mark", "a ? b : c", 1, 3, "no ? operator", "if condition else"},
		{"question mark for help", "logit_lens?", 1, 1, "no ? operator", "help(f)"},
		{"question marks in front", "x = 1\n??load", 2, 1, "no ? operator", "help(f)"},
		{"if without else", "x = 1 if y", 1, 7, "needs else", "else"},
		{"set display", "x = {1, 2}", 1, 5, "dictionaries only", "set([1, 2])"},
		{"star target", "a, *b = c", 1, 4, "cannot unpack", "xs[1:]"},
		{"star list", "x = [*a, 1]", 1, 6, "cannot unpack", "a + b"},
		{"for else", "for i in x: pass\nelse:\n  y", 2, 1, "belongs to no if", "for and while"},
		{"octal", "x = 07", 1, 5, "cannot start with 0", "0o7"},
		{"typographic quotes", "x = “a”", 1, 5, "typographic quotes", "plain quotes"},
		{"open string", "x = 'abc", 1, 5, "not closed", "quote"},
		{"open bracket", "x = f(1,\n      g(2,\ny = 3", 2, 8, "never closed", "partner"},
		{"open list", "x = [1, 2", 1, 5, "never closed", "partner"},
		{"colon", "if x\n  y", 1, 1, "a colon is missing", ":"},
		{"no indent", "if x:\ny", 2, 1, "belongs into the block", "indent"},
		{"indent", "x = 1\n  y = 2", 2, 3, "indented further", "same column"},
		{"complex", "x = 1j", 1, 5, "cannot start with a digit", "complex"},
		{"habit in a string", "x = 'import' y", 1, 14, "syntax error", "operator"},
		{"habit in a comment", "x = 5 y # import", 1, 7, "syntax error", "operator"},
		{"column in letters", "x = ('é東', 2 ** 3)", 1, 14, "no ** operator", "pow"},
		{"load keeps columns", "m = load('x'); load = load('y') ** 2", 1, 33, "no ** operator", "pow"},
		{"return", "return 1", 1, 1, "return statement not within a function", "def"},
		{"break", "break", 1, 1, "break not in a loop", "for and while"},
		{"assign to call", "f() = 1", 1, 1, "can't assign", "left of ="},
		{"builtin redefined", "x = 1\ntokens = 2", 2, 1, "tokens is a builtin", "my_tokens"},
		{"load redefined", "load = 2", 1, 1, "load is a builtin", "my_load"},
		{"universe redefined", "def max(x):\n  return x", 1, 5, "max is a builtin", "my_max"},
		{"analysis redefined", "logit_lens = 3", 1, 1, "logit_lens is a builtin", "my_logit_lens"},
		{"deep brackets", strings.Repeat("(", 300), 1, 0, "nests too deeply", "names of their own"},
		{"deep sum", "x = " + strings.Repeat("1+", 50000) + "1", 1, 0, "nests too deeply", "names of their own"},
		{"deep minus", "x = " + strings.Repeat("-", 200000) + "1", 1, 994, "nests too deeply", "names of their own"},
		{"deep not", strings.Repeat("not ", 60000) + "1", 1, 3992, "nests too deeply", "names of their own"},
		{"deep lambda", strings.Repeat("lambda:", 35000) + "1", 1, 3507, "nests too deeply", "names of their own"},
		{"deep conditional", strings.Repeat("1 if 1 else ", 20000) + "1", 1, 11858, "nests too deeply", "names of their own"},
		{"deep attributes", "x" + strings.Repeat(".y", 100000), 1, 0, "nests too deeply", "names of their own"},
		{"large", strings.Repeat("#", 300<<10), 1, 0, "the limit is 262144", "several cells"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := script.Compile("k1", c.source)
			e := asError(t, err)
			if !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, c.hint) || e.Hint == "" {
				t.Errorf("got %q, hint %q; want %q, hint %q", e.Message, e.Hint, c.message, c.hint)
			}
			if e.Line != c.line || e.Column != c.column || e.Cell != "k1" {
				t.Errorf("at %s:%d:%d, want %d:%d", e.Cell, e.Line, e.Column, c.line, c.column)
			}
		})
	}
}

// TestRuntimeHabits does the same for what only shows when a cell runs.
func TestRuntimeHabits(t *testing.T) {
	for _, c := range []struct {
		name, source string
		line         int
		message      string
		hint         string
	}{
		{"percent format", "x = 1.5\n'%.3f' % x", 2, "% formats have no width or precision", "fmt("},
		{"format spec", "'{:.3f}'.format(1.5)", 1, "format has no number formats", "fmt("},
		{"undefined", "y = xx + 1", 1, "xx is not defined", "define it"},
		{"misspelled", "m = 1\nrun_with_cach(m, 2)", 2, "run_with_cach is not defined", "run_with_cache"},
		{"isinstance", "isinstance(1, int)", 1, "isinstance is not defined", "type(x)"},
		{"numpy", "np.mean([1])", 1, "np is not defined", "t.mean()"},
		{"map", "map(len, [])", 1, "map is not defined", "for x in xs"},
		{"open", "open('x')", 1, "open is not defined", "no files"},
		{"true", "x = true", 1, "true is not defined", "True"},
		{"augmented", "x += 1", 1, "x belongs to another cell", "x2 = x + 1"},
		{"local before assignment", "x = 1\ndef f():\n  x += 1\nf()", 3, "referenced before assignment", "pass it as an argument"},
		{"string plus int", "'a' + 1", 1, "unknown binary op: string + int", "str(x)"},
		{"list arithmetic", "[1, 2] / 2", 1, "unknown binary op", "for x in xs"},
		{"item of a number", "x = 1.5\nx.item()", 2, "has no .item", "plain number"},
		{"list method", "[1].mean()", 1, "has no .mean", "tensor"},
		{"frozen", "def f():\n  pass\n(1, 2).append(3)", 3, "tuple has no .append", "dir(x)"},
		{"recursion", "def f(x):\n  return f(x) + 1\nf(1)", 2, "nest too deeply", "itself"},
		{"fail", "fail('no', 3)", 1, "fail: no 3", ""},
		{"division", "1 // 0", 1, "division by zero", ""},
		{"sum of strings", "sum(['a'])", 1, "sum adds no strings", "join"},
		{"mean of nothing", "mean([])", 1, "mean of no numbers", "empty"},
		{"fmt arguments", "fmt('{} {}', 1)", 1, "more {} than the 1 values", "each {}"},
		{"fmt spec", "fmt('{:.3q}', 1.5)", 1, `cannot be formatted with "q"`, ""},
		{"fmt nonsense", "fmt('{:abc}', 1.5)", 1, "unknown format", ".3f"},
		{"fmt d", "fmt('{:d}', 1.5)", 1, "round(x)", ""},
		{"load nothing", "load('nothing')", 1, "nothing", ""},
		{"load a number", "load(3)", 1, "load: for parameter name: got int, want string", ""},
		{"not a model", "tokens(3, 'x')", 1, "want a model, got int", "load("},
		{"large product", "x = pow(10, 1000000)\nx * x", 2, "bits", "float"},
		{"large power", "pow(10, 100000000)", 1, "bits", "mod"},
		{"large list", "[0] * 10000000000", 1, "would need 149.0 GiB", "smaller"},
		{"large reversed list", "10000000000 * [0]", 1, "would need 149.0 GiB", "smaller"},
		{"large string", "x = 'ab'\nx *= 9000000000", 2, "would need", "smaller"},
		{"large join", "s = 'a' * 1000000\n','.join([s] * 1000)", 2, "more than 64 MiB", "part"},
		{"large replace", "s = 'a' * 1000000\ns.replace('a', s)", 2, "more than 64 MiB", "part"},
		{"large format", "s = 'a' * 10000000\n'{}{}{}{}{}{}{}{}'.format(s, s, s, s, s, s, s, s)", 2, "more than 64 MiB", "part"},
		{"large percent", "s = 'a' * 70000000\n'%s' % s", 2, "more than 64 MiB", "part"},
		{"nested doubling", "x = [1]\nfor _i in range(40):\n  x = [x, x]\nstr(x)", 4, "more than 64 MiB", "part"},
		{"nested json", "x = [1]\nfor _i in range(40):\n  x = [x, x]\njson.encode(x)", 4, "more than 64 MiB", "part"},
		{"deep export", "x = []\nfor _i in range(100000):\n  x = [x]", 0, "nests more than 10000 deep", "flat"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := run(t, c.source)
			e := asError(t, err)
			if !strings.Contains(e.Message+" "+e.Hint, c.message) || !strings.Contains(e.Hint, c.hint) || e.Line != c.line {
				t.Errorf("line %d: %q, hint %q; want line %d: %q, hint %q", e.Line, e.Message, e.Hint, c.line, c.message, c.hint)
			}
		})
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"x = load('a')", "f'{x}'", "for i in [1]:\n  x = i * 2", "def f(a, *b, c=1, **d):\n  return [x*y for x in a if x % 2]\nf(1)",
		"x['a'] *= 2; (a, [b, c]) = 1, [2, 3]", "'''\n\"", "lambda x: x.join(y)", "\"\\\n\"", "a if b else c", "x=1\n\tif", "{1: 2 for i in x}", "t[1:2, 3]", "#", "é = 1\nload"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, source string) {
		p, err := script.Compile("c", source)
		if err == nil {
			script.Analyze([]*script.Program{p})
			return
		}
		if e := asError(t, err); e.Message == "" || e.Line < 0 || strings.Contains(e.Message+e.Hint, "\u043e") && !strings.Contains(source, "\u043e") {
			t.Errorf("%q gives %+v", source, e)
		}
	})
}
