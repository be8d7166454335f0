package script

import (
	"sort"
	"time"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/api"
	"orrery/viz"
)

// Host is what a run needs from outside. Its methods are called one at a time
// (Model apart), not always from one goroutine, and none is called after Run
// has returned. A figure is the host's during the call only: its maker may
// write to it afterwards.
type Host interface {
	// Print takes what print wrote: whole lines, several at a time.
	Print(text string)
	// Output takes a value, tokens or a figure; one with a known ID replaces
	// the output of that ID. The host fills ID if empty.
	Output(o api.Output)
	// Part adds numbers to the figure of an output.
	Part(output string, p viz.Part)
	// Progress says how far a call is.
	Progress(label string, done, total int, unit string)
	// Recall returns the figure that an earlier call of that key left (see
	// analysis.Key), nil to have it computed.
	Recall(key string) *viz.Figure
	// Unfinished returns what calls of that key have left that were cut short, and
	// where this one leaves its finished runs; nil to leave none. Unlike the Host, it
	// may be called after Run has returned, by a call that was cut off.
	Unfinished(key string) ablate.Unfinished
	// Keep takes the figure of a call of that key, which took so long to compute.
	Keep(key string, f *viz.Figure, took time.Duration)
	// Model finds a model by name or directory; its error lists the nearest.
	Model(name string) (*models.Model, error)
}

// Limits bound a run.
type Limits struct {
	// Steps is how many Starlark operations a run may take; 0 means any number.
	Steps uint64
	// Bytes is by how much the heap of the process may grow; 0 means DefaultBytes.
	Bytes int64
}

// DefaultBytes is the growth of the heap that a run may cause.
const DefaultBytes = 2 << 30

// Exports holds what a run of a cell defined, frozen. It is safe for
// concurrent use.
type Exports struct {
	cell   string
	values starlark.StringDict
	users  []*user // of these values and of what they may hold from other cells
}

// Names lists the names, sorted.
func (e *Exports) Names() []string { return e.values.Keys() }

// Models lists the models among the values, by their names' order.
func (e *Exports) Models() []*models.Model {
	var all []*models.Model
	for _, name := range e.values.Keys() {
		if m, ok := e.values[name].(*Model); ok {
			all = append(all, m.model)
		}
	}
	return all
}

// Variables describes every value for the list of variables; cell is the id
// that they name.
func (e *Exports) Variables(cell string) []api.Variable {
	vars := make([]api.Variable, 0, len(e.values))
	for name, v := range e.values {
		vars = append(vars, api.Variable{Name: name, Cell: cell, Value: describe(v)})
	}
	sort.Slice(vars, func(i, j int) bool { return vars[i].Name < vars[j].Name })
	return vars
}
