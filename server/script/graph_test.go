package script_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"orrery/server/api"
	"orrery/server/script"
)

// analyze compiles cells a, b, c ... and reads their graph.
func analyze(t *testing.T, sources ...string) *script.Graph {
	t.Helper()
	var programs []*script.Program
	for i, source := range sources {
		p, err := script.Compile(string(rune('a'+i)), source)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	return script.Analyze(programs)
}

func TestGraph(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources []string
		order   string
		needs   string
	}{
		{"independent", []string{"x = 1", "y = 2"}, "a b", "map[]"},
		{"page order", []string{"z = x + y", "x = 1", "y = 2"}, "b c a", "map[a:[b c]]"},
		{"chain backwards", []string{"c = b", "b = a", "a = 1"}, "c b a", "map[a:[b] b:[c]]"},
		{"once", []string{"x, y = 1, 2", "x + y + x"}, "a b", "map[b:[a]]"},
		{"own names", []string{"x = 1\ny = x", "z = y"}, "a b", "map[b:[a]]"},
		{"locals are no edges", []string{"_x = 1\nfor i in []:\n  pass", "y = i + _x"}, "a b", "map[]"},
		{"the same locals twice", []string{"_x = 1\nfor i in []:\n  pass", "_x = 2\nfor i in []:\n  pass"}, "a b", "map[]"},
		{"through a function", []string{"def f():\n  return k", "f()", "k = 3"}, "c a b", "map[a:[c] b:[a]]"},
		{"unknown", []string{"x = nowhere"}, "a", "map[]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := analyze(t, c.sources...)
			if got := strings.Join(g.Order, " "); got != c.order {
				t.Errorf("order is %s, want %s", got, c.order)
			}
			if got := fmt.Sprint(g.Needs); got != c.needs || len(g.Errors) > 0 {
				t.Errorf("needs are %s, want %s; errors %v", got, c.needs, g.Errors)
			}
		})
	}
}

func TestGraphErrors(t *testing.T) {
	type at struct {
		line, column  int
		message, hint string
	}
	for _, c := range []struct {
		name    string
		sources []string
		want    map[string]at
	}{
		{"defined twice", []string{"x = 1", "y = 2\nx = [3]", "z = x"}, map[string]at{
			"a": {1, 1, "x is defined in cell b, too (line 2: x = [3])", "_x"},
			"b": {2, 1, "x is defined in cell a, too (line 1: x = 1)", "_x"},
		}},
		{"redefined from itself", []string{"x = 1", "x = x + 1"}, map[string]at{
			"a": {1, 1, "x is defined in cell b, too", "_x"},
			"b": {1, 1, "x is defined in cell a, too", "x2"},
		}},
		{"function and value", []string{"def f():\n  pass", "f = 1"}, map[string]at{
			"a": {1, 5, "f is defined in cell b, too (line 1: f = 1)", "_f"},
			"b": {1, 1, "f is defined in cell a, too (line 1: def f():)", "_f"},
		}},
		{"augmented", []string{"\nx = 1", "x += 1"}, map[string]at{
			"b": {1, 1, "x belongs to cell a (line 2), and cells cannot change each other's values", "x2 = x + 1"},
		}},
		{"cycle of two", []string{"x = y", "\ny = x", "z = x"}, map[string]at{
			"a": {1, 5, "cells need each other: this one takes y from cell b (line 2)", "a cell of its own"},
			"b": {2, 5, "cells need each other: this one takes x from cell a (line 1)", "a cell of its own"},
		}},
		{"cycle of three", []string{"x = z", "y = x", "z = y", "w = z"}, map[string]at{
			"a": {1, 5, "takes z from cell c", ""}, "b": {1, 5, "takes x from cell a", ""}, "c": {1, 5, "takes y from cell b", ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := analyze(t, c.sources...)
			if len(g.Order) != len(c.sources) || len(g.Errors) != len(c.want) {
				t.Errorf("order %v, errors %v", g.Order, g.Errors)
			}
			for cell, want := range c.want {
				e := g.Errors[cell]
				if e == nil || e.Line != want.line || e.Column != want.column || e.Code != api.Invalid || e.Cell != cell ||
					!strings.Contains(e.Message, want.message) || !strings.Contains(e.Hint, want.hint) {
					t.Errorf("cell %s: %+v, want %+v", cell, e, want)
				}
			}
		})
	}
	g := analyze(t, "x = 1", "x = 2", "y = x")
	if want := map[string]string{"x": "a", "y": "c"}; !reflect.DeepEqual(g.Owner, want) {
		t.Errorf("owners are %v", g.Owner)
	}
}

// TestGraphOfManyCells holds that a long notebook is read at once.
func TestGraphOfManyCells(t *testing.T) {
	var programs []*script.Program
	for i := range 1000 {
		source := fmt.Sprintf("x%d = x%d + 1", i, i+1)
		if i == 999 {
			source = "x999 = 1"
		}
		p, err := script.Compile(fmt.Sprint("c", i), source)
		if err != nil {
			t.Fatal(err)
		}
		programs = append(programs, p)
	}
	g := script.Analyze(programs)
	if g.Order[0] != "c999" || g.Order[999] != "c0" || len(g.Errors) > 0 {
		t.Errorf("order starts %v", g.Order[:3])
	}
}
