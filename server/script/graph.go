package script

import (
	"fmt"
	"sort"

	"orrery/server/api"
)

// Graph is who needs whom among the cells of a notebook.
type Graph struct {
	// Order lists every cell, those that others need before them, else in
	// page order. Cells of a cycle come last.
	Order []string
	// Owner holds the cell that defines a name, the first on the page where
	// several do.
	Owner map[string]string
	// Needs lists, by cell, the cells whose names it uses, in page order.
	Needs map[string][]string
	// Errors holds what keeps a cell from running: a name that another cell
	// defines, too, a cycle, x += 1 on another cell's x. Cells that need one
	// of these are not listed.
	Errors map[string]*api.Error
}

// Analyze reads the graph off compiled cells, given in page order. Cells that
// do not compile are left out by the caller.
func Analyze(programs []*Program) *Graph {
	g := &Graph{Owner: map[string]string{}, Needs: map[string][]string{}, Errors: map[string]*api.Error{}}
	byID := map[string]*Program{}
	index := map[string]int{}
	definers := map[string][]*Program{}
	for i, p := range programs {
		byID[p.Cell], index[p.Cell] = p, i
		for _, name := range p.Defines {
			definers[name] = append(definers[name], p)
			if g.Owner[name] == "" {
				g.Owner[name] = p.Cell
			}
		}
	}
	for _, p := range programs {
		seen := map[string]bool{}
		for _, name := range p.Uses {
			owner := g.Owner[name]
			if _, changes := p.changed[name]; changes && owner != "" {
				g.report(foreignChange(name, fmt.Sprintf("cell %s (line %d)", owner, byID[owner].defined[name].Line), p))
			}
			if owner != "" && owner != p.Cell && !seen[owner] {
				seen[owner] = true
				g.Needs[p.Cell] = append(g.Needs[p.Cell], owner)
			}
		}
		needs := g.Needs[p.Cell]
		sort.Slice(needs, func(i, j int) bool { return index[needs[i]] < index[needs[j]] })
	}
	for _, p := range programs {
		for _, name := range p.Defines {
			if all := definers[name]; len(all) > 1 {
				other := all[0]
				if other == p {
					other = all[1]
				}
				g.report(repeated(p, other, name))
			}
		}
	}
	g.sort(programs)
	g.cycles(byID)
	return g
}

// report keeps the first error of a cell.
func (g *Graph) report(e *api.Error) {
	if g.Errors[e.Cell] == nil {
		g.Errors[e.Cell] = e
	}
}

// repeated is the error of a name that two cells define, as the one sees it.
func repeated(p, other *Program, name string) *api.Error {
	at, there := p.defined[name], other.defined[name]
	e := &api.Error{Code: api.Invalid, Cell: p.Cell, Line: int(at.Line), Column: int(at.Col),
		Message: fmt.Sprintf("%s is defined in cell %s, too (line %d: %s)", name, other.Cell, there.Line, sourceLine(other.source, int(there.Line))),
		Hint:    fmt.Sprintf("give one of them another name; a name for this cell alone starts with _, such as _%s", name)}
	if _, reads := p.used[name]; reads {
		e.Hint = fmt.Sprintf("cells cannot change each other's values: make a new name, such as %s2", name)
	}
	return e
}

// sort fills Order: a cell comes when all it needs has come, the first on the
// page first.
func (g *Graph) sort(programs []*Program) {
	done := map[string]bool{}
	for len(g.Order) < len(programs) {
		next := ""
		for _, p := range programs {
			ready := !done[p.Cell]
			for _, need := range g.Needs[p.Cell] {
				ready = ready && done[need]
			}
			if ready {
				next = p.Cell
				break
			}
		}
		if next == "" {
			for _, p := range programs {
				if !done[p.Cell] {
					g.Order = append(g.Order, p.Cell)
				}
			}
			return
		}
		done[next] = true
		g.Order = append(g.Order, next)
	}
}

// cycles reports every cell that needs itself by way of others.
func (g *Graph) cycles(byID map[string]*Program) {
	for _, cell := range g.Order {
		for _, need := range g.Needs[cell] {
			if !g.reaches(need, cell) {
				continue
			}
			p := byID[cell]
			for _, name := range p.Uses {
				if g.Owner[name] != need {
					continue
				}
				at := p.used[name]
				g.report(&api.Error{Code: api.Invalid, Cell: cell, Line: int(at.Line), Column: int(at.Col),
					Message: fmt.Sprintf("cells need each other: this one takes %s from cell %s (line %d), which in turn needs this one", name, need, byID[need].defined[name].Line),
					Hint:    "move what both need into a cell of its own"})
				break
			}
		}
	}
}

// reaches reports whether from needs to, directly or by way of others.
func (g *Graph) reaches(from, to string) bool {
	seen := map[string]bool{}
	stack := []string{from}
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if at == to {
			return true
		}
		if !seen[at] {
			seen[at] = true
			stack = append(stack, g.Needs[at]...)
		}
	}
	return false
}
