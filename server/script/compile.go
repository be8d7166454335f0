package script

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"orrery/server/api"
)

// Bounds of a cell's text, so that no reading of it runs out of stack.
const (
	maxSource   = 256 << 10
	maxBrackets = 200
	maxDepth    = 3000
)

// Program is a compiled cell. It is immutable and safe for concurrent runs.
type Program struct {
	// Cell is the cell's id, as given to Compile.
	Cell string
	// Defines holds the names that the cell gives to others, sorted.
	Defines []string
	// Uses holds the names that the cell takes from others, sorted; builtins
	// are not among them.
	Uses []string

	source  string
	defined map[string]syntax.Position // where each of Defines is first bound
	used    map[string]syntax.Position // where each of Uses is first read
	changed map[string]syntax.Position // names of other cells under x += 1
	code    *starlark.Program
}

// resultName is the global that takes the value of the last expression. No
// cell can spell it.
const resultName = "·value"

// options is the dialect: everything that makes Starlark more like Python.
func options() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}
}

// Compile reads a cell. Errors are *api.Error with line and column; several
// errors of names are reported by the first.
func Compile(cell, source string) (p *Program, err error) {
	defer func() {
		var e *api.Error
		if errors.As(err, &e) {
			e.Cell = cell
		}
	}()
	if len(source) > maxSource {
		return nil, &api.Error{Code: api.TooLarge, Line: 1, Message: fmt.Sprintf("the cell has %d bytes, the limit is %d", len(source), maxSource),
			Hint: "split it into several cells"}
	}
	source = unixLines(source)
	m := mask(source)
	if m.depth > maxBrackets {
		return nil, tooDeep(1)
	}
	f, err := options().Parse(cell, m.text, 0)
	if err != nil {
		return nil, syntaxError(m, err)
	}
	if depth(f) > maxDepth {
		return nil, tooDeep(1)
	}
	p = &Program{Cell: cell, source: source, defined: map[string]syntax.Position{},
		used: map[string]syntax.Position{}, changed: map[string]syntax.Position{}}
	p.bindings(f)
	guard(f)
	keepResult(f)
	known := builtinNames()
	predeclared := func(name string) bool { return !starlark.Universe.Has(name) || known[name] }
	if p.code, err = starlark.FileProgram(f, predeclared); err != nil {
		return nil, resolveError(err)
	}
	p.names(f, known)
	for _, name := range p.Defines {
		if known[name] || starlark.Universe.Has(name) {
			at := p.defined[name]
			return nil, &api.Error{Code: api.Invalid, Line: int(at.Line), Column: int(at.Col),
				Message: showLoad(fmt.Sprintf("%s is a builtin of every cell and cannot be redefined", name)),
				Hint:    showLoad(fmt.Sprintf("choose another name, such as my_%s or _%s", name, name))}
		}
	}
	return p, nil
}

func tooDeep(line int) error {
	return &api.Error{Code: api.TooLarge, Line: line, Message: "the cell nests too deeply", Hint: "give parts of the expression names of their own"}
}

// bindings collects what the top level binds, before names are resolved.
func (p *Program) bindings(f *syntax.File) {
	firm := map[string]bool{}  // bound otherwise than by a loop
	loops := map[string]bool{} // bound by a loop
	augmented := map[string]syntax.Position{}
	bind := func(target syntax.Expr, how map[string]bool) {
		for _, id := range targets(target) {
			how[id.Name] = true
			if at, seen := p.defined[id.Name]; !seen || before(id.NamePos, at) {
				p.defined[id.Name] = id.NamePos
			}
		}
	}
	var visit func(stmts []syntax.Stmt)
	visit = func(stmts []syntax.Stmt) {
		for _, s := range stmts {
			switch s := s.(type) {
			case *syntax.AssignStmt:
				id, plain := unparen(s.LHS).(*syntax.Ident)
				if s.Op == syntax.EQ {
					bind(s.LHS, firm)
				} else if plain {
					if _, seen := augmented[id.Name]; !seen {
						augmented[id.Name] = id.NamePos
					}
				}
			case *syntax.DefStmt:
				bind(s.Name, firm)
			case *syntax.ForStmt:
				bind(s.Vars, loops)
				visit(s.Body)
			case *syntax.WhileStmt:
				visit(s.Body)
			case *syntax.IfStmt:
				visit(s.True)
				visit(s.False)
			}
		}
	}
	visit(f.Stmts)
	for name, at := range augmented {
		if !firm[name] && !loops[name] {
			p.changed[name] = at
		}
	}
	for name := range p.defined {
		if firm[name] && !strings.HasPrefix(name, "_") {
			p.Defines = append(p.Defines, name)
		} else {
			delete(p.defined, name)
		}
	}
	sort.Strings(p.Defines)
}

// names collects what the cell takes from others, after names are resolved.
func (p *Program) names(f *syntax.File, known map[string]bool) {
	use := func(name string, at syntax.Position) {
		if first, seen := p.used[name]; !seen || before(at, first) {
			p.used[name] = at
		}
	}
	syntax.Walk(f, func(n syntax.Node) bool {
		id, ok := n.(*syntax.Ident)
		if !ok {
			return true
		}
		if b, ok := id.Binding.(*resolve.Binding); ok && b.Scope == resolve.Predeclared && !known[id.Name] {
			use(id.Name, id.NamePos)
		}
		return true
	})
	for name, at := range p.changed {
		use(name, at)
	}
	for name := range p.used {
		p.Uses = append(p.Uses, name)
	}
	sort.Strings(p.Uses)
}

// targets lists the names that an assignment to target binds.
func targets(target syntax.Expr) []*syntax.Ident {
	switch x := target.(type) {
	case *syntax.Ident:
		return []*syntax.Ident{x}
	case *syntax.ParenExpr:
		return targets(x.X)
	case *syntax.TupleExpr:
		return targetList(x.List)
	case *syntax.ListExpr:
		return targetList(x.List)
	}
	return nil
}

func targetList(list []syntax.Expr) []*syntax.Ident {
	var ids []*syntax.Ident
	for _, x := range list {
		ids = append(ids, targets(x)...)
	}
	return ids
}

func unparen(x syntax.Expr) syntax.Expr {
	for {
		p, ok := x.(*syntax.ParenExpr)
		if !ok {
			return x
		}
		x = p.X
	}
}

func before(a, b syntax.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
}

// keepResult turns a last expression into an assignment to resultName.
func keepResult(f *syntax.File) {
	if len(f.Stmts) == 0 {
		return
	}
	last := len(f.Stmts) - 1
	if e, ok := f.Stmts[last].(*syntax.ExprStmt); ok {
		start := syntax.Start(e.X)
		f.Stmts[last] = &syntax.AssignStmt{OpPos: start, Op: syntax.EQ, LHS: &syntax.Ident{NamePos: start, Name: resultName}, RHS: e.X}
	}
}

// depth returns how deep a syntax tree is.
func depth(f *syntax.File) int {
	now, deepest := 0, 0
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil {
			now--
			return true
		}
		now++
		deepest = max(deepest, now)
		return true
	})
	return deepest
}
