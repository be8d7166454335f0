package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"

	"orrery/server/api"
	"orrery/server/notebook"
	"orrery/server/script"
)

// plan is the graph of a document's code cells: who needs whom, what is wrong,
// and a hash that names what each will compute. It is immutable.
type plan struct {
	cells map[string]*planned
	order []string // every code cell, ancestors first, else in page order
}

// planned is one code cell.
type planned struct {
	id      string
	source  string
	program *script.Program // nil when the source is wrong
	// err says why the cell cannot run: its text, a name that two cells
	// define, a cycle.
	err *api.Error
	// needs lists the cells whose names it uses; from holds one such name each.
	needs []string
	from  map[string]string
	hash  string
}

// newPlan reads a document. Programs of cells that are as they were in old,
// which may be nil, are used again.
func newPlan(doc *notebook.Notebook, old *plan) *plan {
	p := &plan{cells: map[string]*planned{}}
	var programs []*script.Program
	var ids []string
	for _, c := range doc.Cells {
		if c.Kind != api.CellCode {
			continue
		}
		cell := compile(c, old)
		p.cells[c.ID] = cell
		ids = append(ids, c.ID)
		if cell.program != nil {
			programs = append(programs, cell.program)
		}
	}
	graph := script.Analyze(programs)
	p.order = append(p.order, graph.Order...)
	for _, id := range ids {
		c := p.cells[id]
		if c.program == nil {
			p.order = append(p.order, id)
			continue
		}
		if e := graph.Errors[id]; e != nil {
			c.err = e
		}
		for _, name := range c.program.Uses {
			if owner := graph.Owner[name]; owner != "" && owner != id && !slices.Contains(c.needs, owner) {
				c.needs = append(c.needs, owner)
				c.from[owner] = name
			}
		}
	}
	for _, id := range ids {
		p.rehash(id, map[string]bool{})
	}
	return p
}

// compile reads one cell, or takes it from an earlier plan.
func compile(c notebook.Cell, old *plan) *planned {
	cell := &planned{id: c.ID, source: c.Source, from: map[string]string{}}
	if old != nil && old.has(c.ID) && old.cells[c.ID].source == c.Source && old.cells[c.ID].program != nil {
		cell.program = old.cells[c.ID].program
		return cell
	}
	program, err := script.Compile(c.ID, c.Source)
	if err != nil {
		cell.err = asError(err)
		return cell
	}
	cell.program = program
	return cell
}

// rehash computes a cell's hash, from its source and the hashes of what it
// needs. A cycle is cut where it closes; its cells do not run anyway.
func (p *plan) rehash(id string, above map[string]bool) string {
	c := p.cells[id]
	if c.hash != "" || above[id] {
		return c.hash
	}
	above[id] = true
	sum := sha256.New()
	fmt.Fprintf(sum, "%d\n%s", len(c.source), c.source)
	for _, need := range c.needs {
		fmt.Fprintf(sum, "\n%s %s", c.from[need], p.rehash(need, above))
	}
	delete(above, id)
	c.hash = hex.EncodeToString(sum.Sum(nil)[:16])
	return c.hash
}

// has reports whether id is a code cell.
func (p *plan) has(id string) bool { return p.cells[id] != nil }

// hash names what a cell computes; empty when it is no code cell.
func (p *plan) hash(id string) string {
	if c := p.cells[id]; c != nil {
		return c.hash
	}
	return ""
}

// names returns the names that a cell defines and uses.
func (p *plan) names(id string) (defines, uses []string) {
	if c := p.cells[id]; c != nil && c.program != nil {
		return c.program.Defines, c.program.Uses
	}
	return nil, nil
}

// closure returns the wanted cells and all ancestors that are not ready, in
// the order in which they must run. What a ready ancestor needs is not asked.
func (p *plan) closure(wanted map[string]bool, ready func(id string) bool) []string {
	in := map[string]bool{}
	var visit func(id string)
	visit = func(id string) {
		if in[id] {
			return
		}
		in[id] = true
		for _, need := range p.cells[id].needs {
			if !ready(need) {
				visit(need)
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(wanted)) {
		if wanted[id] {
			visit(id)
		}
	}
	var list []string
	for _, id := range p.order {
		if in[id] {
			list = append(list, id)
		}
	}
	return list
}
