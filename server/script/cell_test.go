package script_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/script"
)

func TestNamesOfCells(t *testing.T) {
	for _, c := range []struct{ name, source, defines, uses string }{
		{"plain", "x = y + 1", "x", "y"},
		{"builtins are not uses", "x = len(load('a')) + logit_lens(m, 'b') + math.pi", "x", "m"},
		{"local", "_x = 1\ny = _x", "y", ""},
		{"loop variable", "for i in range(3):\n  z = i", "z", ""},
		{"loop variable assigned, too", "i = 0\nfor i in range(3):\n  pass", "i", ""},
		{"unpacking", "(a, [b, c]), d = q", "a b c d", "q"},
		{"function", "def f(a, b=c, *args, **kw):\n  d = a + e\n  return d", "f", "c e"},
		{"lambda and comprehension", "f = lambda a: a + b\ng = [h for h in k if h != l]\nm = {n: o for n, o in p}", "f g m", "b k l p"},
		{"nested function", "def f():\n  def g():\n    return x\n  return g", "f", "x"},
		{"method calls are uses", "x.append(3)\ny[0] = 2", "", "x y"},
		{"attribute", "a.b = 1\nc = d.e", "c", "a d"},
		{"keyword names are not uses", "f(a=1, b=c)", "", "c f"},
		{"used before defined", "x = x + 1", "x", "x"},
		{"augmented own", "x = 1\nx += 1\nx *= y", "x", "y"},
		{"augmented foreign", "x += 1", "", "x"},
		{"augmented foreign product", "x *= 2", "", "x"},
		{"in branches", "if a:\n  x = 1\nelse:\n  y = 2\nwhile b:\n  z = 3", "x y z", "a b"},
		{"function uses later global", "def f():\n  return x\nx = 1", "f x", ""},
		{"shadowed by parameter", "def f(x, sum):\n  return x + sum", "f", ""},
		{"load is no keyword", "m = load('toy')\nload", "m", ""},
		{"nothing", "# only a comment", "", ""},
		{"string methods", "a = ','.join(b).replace(c, 'd').format(e)", "a", "b c e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := script.Compile("c", c.source)
			if err != nil {
				t.Fatal(err)
			}
			if d, u := strings.Join(p.Defines, " "), strings.Join(p.Uses, " "); d != c.defines || u != c.uses {
				t.Errorf("defines %q and uses %q, want %q and %q", d, u, c.defines, c.uses)
			}
		})
	}
}

func TestValues(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"1 + 1", "2"},
		{"x = 3", ""},
		{"None", ""},
		{"print('a')", ""},
		{"x = 3\nx", "3"},
		{"'é' + 'b'", `"éb"`},
		{"(1,)", "(1,)"},
		{"[1, [2, {'a': 3}], (4, 5)]", `[1, [2, {"a": 3}], (4, 5)]`},
		{"set([1, 2])", "set([1, 2])"},
		{"m = load('toy')\na, b = tokens(m, [1, 2]), tokens(m, [1, 2])\na == b, a != b, a == tokens(m, [1, 3]), m == m, [a] == [b]", "(True, False, False, True, True)"},
		{"list(range(300))", "[" + numbers(100) + ", … 200 more]"},
		{"len(chars('é東x')), chars('é東x')[1]", `(3, "東")`},
		{"attempt(lambda a, b=1: a + b, 2, b=3)", "(5, None)"},
		{"v, e = attempt(lambda: 1 // 0)\n[v, e]", `[None, "floored division by zero"]`},
		{"attempt(load, 'nothing')[1].count('nothing')", "1"},
		{"sum([1, 2.5, True])", "error: sum: element 2: unknown binary op: float + bool"},
		{"sum([1, 2.5]), sum([], 3), sum([[1], [2]], [])", "(3.5, 3, [1, 2])"},
		{"mean([1, 2, 4.5])", "2.5"},
		{"round(2.5), round(3.5), round(2.675, 2), round(-1234, -2)", "(2, 4, 2.67, -1200)"},
		{"7 // 2, -7 // 2, -7 % 3, 7 / 2, 1 == 1.0", "(3, -4, 2, 3.5, True)"},
		{"math.sqrt(16.0), json.encode({'a': [1, None]})", `(4.0, "{\"a\":[1,null]}")`},
		{"x = 5\nx *= 3\ny = [1] * 2\ny *= 2\n[x, y, 2 * y, x % 4, '%d-%s' % (1, 'a')]", `[15, [1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1], 3, "1-a"]`},
		{"x = {'n': 7}\nx['n'] *= 3\nx['n'] %= 4\nx", `{"n": 1}`},
		{"r = range(10000000)\nlen(r), r[5], r[-1], 9999999 in r, 10000000 in r", "(10000000, 5, 9999999, True, False)"},
		{"range(10000000)[10000000]", "error: index 10000000 is out of range: the range has 10000000 elements"},
		{"sum(range(2000000))", "1999999000000"},
		{"','.join(['a', 'b']), 'abab'.replace('a', 'x'), '{}{b}'.format(1, b=2)", `("a,b", "xbxb", "12")`},
		{"x = [1, 2, 3]\nfor i in range(3):\n  x[i] *= 2\nwhile len(x) > 2:\n  x.pop()\nx", "[2, 4]"},
		{"def f(n):\n  return 1 if n < 2 else n * f(n - 1)\nf(20)", "2432902008176640000"},
		{"x = [1]\nx.append(x)\nx", ""},
		{"pow(10, 30000)", "an int of 99658 bits"},
	} {
		if got := eval(t, c.source); got != c.want && c.want != "" || c.want == "" && strings.HasPrefix(got, "error") {
			t.Errorf("%s\ngives %s, want %s", c.source, got, c.want)
		}
	}
}

func numbers(n int) string {
	var parts []string
	for i := range n {
		parts = append(parts, strconv.Itoa(i))
	}
	return strings.Join(parts, ", ")
}

func TestPrintStreams(t *testing.T) {
	h, _, err := run(t, "for i in range(20000):\n  print('line', i)\nprint(1, 'a', sep='-')\n7")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(h.text, "line 0\nline 1\n") || !strings.HasSuffix(h.text, "line 19999\n1-a\n") {
		t.Errorf("printed %.40q … %q", h.text, h.text[len(h.text)-20:])
	}
	if n := len(h.events); n > 50 || h.events[n-1] != "value " {
		t.Errorf("%d calls of the host, the last is %q; want a few, the value last", n, h.events[n-1])
	}
	h, _, err = run(t, "for i in range(100):\n  print('x' * 100000)")
	if err != nil || len(h.text) > 5<<20 || !strings.HasSuffix(h.text, "a cell may print 4 MiB\n") {
		t.Errorf("%d bytes were printed, ending in %q (%v)", len(h.text), h.text[len(h.text)-40:], err)
	}
}

// cells runs cells one after the other, each with the exports of all before,
// and returns the last host and error.
func cells(t *testing.T, sources ...string) (*host, *script.Exports, error) {
	t.Helper()
	var in []*script.Exports
	for i, source := range sources {
		p, err := script.Compile("c"+strconv.Itoa(i+1), source)
		if err != nil {
			return nil, nil, err
		}
		h := newHost(t)
		e, err := script.Run(t.Context(), p, in, h, script.Limits{})
		if err != nil || i == len(sources)-1 {
			return h, e, err
		}
		in = append(in, e)
	}
	return nil, nil, nil
}

func TestFrozenAcrossCells(t *testing.T) {
	const first = "xs = [1, 2]\nd = {'a': [3]}\ns = set([1])\ndef add(v):\n  xs.append(v)\n  return xs\ndef twice(v):\n  return v * 2"
	for _, c := range []struct{ name, source, message string }{
		{"append", "xs.append(3)", "frozen list"},
		{"item", "xs[0] = 3", "frozen list"},
		{"inplace", "y = xs\ny += [1]", "frozen list"},
		{"dict", "d['b'] = 1", "frozen"},
		{"inner", "d['a'].append(1)", "frozen list"},
		{"set", "s.add(2)", "frozen"},
		{"by a function", "add(3)", "frozen list"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := cells(t, first, "\n"+c.source)
			e := asError(t, err)
			if !strings.Contains(e.Message, c.message) || !strings.Contains(e.Hint, "make a copy") || e.Cell != "c2" || e.Line < 2 {
				t.Errorf("got %+v", e)
			}
			if c.name == "by a function" && (len(e.Trace) != 2 || !strings.Contains(e.Trace[1], "add in cell c1, line 5") || !strings.Contains(e.Trace[0], "cell c2, line 2: add(3)")) {
				t.Errorf("trace is %q", e.Trace)
			}
		})
	}
	h, _, err := cells(t, first, "ys = xs + [twice(3)]\nzs = list(xs)\nzs.append(9)\n[xs, ys, zs]")
	if err != nil || h.shown() != "[[1, 2], [1, 2, 6], [1, 2, 9]]" {
		t.Errorf("copies give %q (%v)", h.shown(), err)
	}
}

// TestFunctionsReportWhereTheyRun holds that a function of one cell that
// prints or shows does so in the cell that calls it.
func TestFunctionsReportWhereTheyRun(t *testing.T) {
	h, _, err := cells(t, "def show(m):\n  print('here')\n  return logit_lens(m, [1, 2])", "f = show(load('toy'))")
	if err != nil {
		t.Fatal(err)
	}
	if h.text != "here\n" || len(h.outputs) != 2 || h.outputs[0].Figure == nil {
		t.Errorf("the second cell got %q and %d outputs", h.text, len(h.outputs))
	}
}

func TestVariables(t *testing.T) {
	_, e, err := run(t, "b = 1.5\na = load('toy')\n_c = 2\nt = run_with_cache(a, [1, 2])[0]\nif False:\n  never = 1\nfor i in [1]:\n  pass")
	if err != nil {
		t.Fatal(err)
	}
	vars := e.Variables("k")
	if strings.Join(e.Names(), " ") != "a b t" || len(vars) != 3 {
		t.Fatalf("names are %q", e.Names())
	}
	want := api.Variable{Name: "b", Cell: "k", Value: api.Value{Type: "float", Repr: "1.5"}}
	if !reflect.DeepEqual(vars[1], want) {
		t.Errorf("b is %+v", vars[1])
	}
	v := vars[2].Value
	if v.Type != "tensor" || !reflect.DeepEqual(v.Shape, []int{1, 2, 11}) || !reflect.DeepEqual(v.Axes, []string{"batch", "pos", "d_vocab"}) || v.DType != "float32" {
		t.Errorf("t is %+v", v)
	}
}

func TestErrorPlace(t *testing.T) {
	_, _, err := run(t, "def f(x):\n  return x / 0\n\ny = [1]\nf(y[0])")
	e := asError(t, err)
	if e.Line != 2 || e.Code != api.Invalid || len(e.Trace) != 2 || e.Trace[0] != "cell c1, line 5: f(y[0])" || e.Trace[1] != "f in cell c1, line 2: return x / 0" {
		t.Errorf("got %+v", e)
	}
	_, _, err = run(t, "def f(x):\n  return f(x) + 1\nf(1)")
	if e := asError(t, err); len(e.Trace) > 25 {
		t.Errorf("a trace of %d lines", len(e.Trace))
	}
	_, _, err = run(t, "x = load('panic')")
	if e := asError(t, err); e.Code != api.Internal || e.Line != 1 || !strings.Contains(e.Message, "boom") {
		t.Errorf("a panic gives %+v", e)
	}
	_, _, err = run(t, "attempt(load, 'panic')")
	if e := asError(t, err); e.Code != api.Internal {
		t.Errorf("a panic within attempt gives %+v", e)
	}
}

func TestBuiltinsAreDescribed(t *testing.T) {
	seen := map[string]bool{}
	for _, b := range script.Builtins() {
		if seen[b.Name] || b.Summary == "" || !strings.HasPrefix(b.Signature, b.Name) || strings.Contains(b.Summary, "\n") {
			t.Errorf("builtin %+v", b)
		}
		seen[b.Name] = true
	}
	for _, name := range []string{"load", "logit_lens", "causal_mediation", "sorted", "fmt", "math"} {
		if !seen[name] {
			t.Errorf("%s is not described", name)
		}
	}
	// Every name of the language has a description, and every description a name.
	h, _, err := run(t, "abs, all, any, bool, bytes, chr, dict, dir, enumerate, fail, float, getattr, hasattr, hash, int, len, list, max, min, ord, print, range, repr, reversed, set, sorted, str, tuple, type, zip, math, json, load")
	if err != nil {
		t.Fatal(err, h)
	}
	var source strings.Builder
	for name := range seen {
		source.WriteString(name + "\n")
	}
	if _, _, err := run(t, source.String()); err != nil {
		t.Error(err)
	}
}
