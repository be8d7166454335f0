package server

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/server/job"
	"orrery/server/script"
)

// run queues cells and what they need: ancestors whose values are not in
// memory or are those of other code. It returns the jobs in order.
func (h *hub) run(req api.RunRequest) ([]api.Job, error) {
	tasks, err := h.tasks(req)
	if err != nil {
		return nil, err
	}
	placed := h.queue.Add(tasks...)
	if placed == nil && len(tasks) > 0 {
		return nil, &api.Error{Code: api.Busy, Message: "the server is stopping"}
	}
	jobs := make([]api.Job, 0, len(placed))
	for _, t := range placed {
		jobs = append(jobs, api.Job{ID: t.ID, Cell: t.Cell, Revision: t.Revision, State: api.StateQueued})
	}
	return jobs, nil
}

// tasks turns a request into tasks in the order of the graph.
func (h *hub) tasks(req api.RunRequest) ([]job.Task, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(req.Cells) == 0 && !req.Stale && !req.All {
		return nil, &api.Error{Code: api.Invalid, Message: "the request names no cells", Hint: "give cells, stale or all"}
	}
	wanted := map[string]bool{}
	for _, id := range req.Cells {
		if h.doc.Find(id) < 0 {
			return nil, &api.Error{Code: api.NotFound, Message: fmt.Sprintf("no cell %q", id),
				Hint: "it may have been deleted elsewhere; load the notebook again"}
		}
		wanted[id] = h.plan.has(id) // a Markdown cell has nothing to run
	}
	for id := range h.plan.cells {
		st := h.cell(id)
		if req.All || req.Stale && (st.state != api.StateDone || h.validity(id) == api.Stale) {
			wanted[id] = true
		}
	}
	var tasks []job.Task
	for _, id := range h.plan.closure(wanted, h.ready) {
		h.made++
		name := fmt.Sprintf("%s-%d", h.epoch, h.made)
		tasks = append(tasks, job.Task{ID: name, Cell: id, Revision: h.doc.Revision, Key: h.plan.hash(id), Fresh: req.Fresh,
			Run: func(ctx context.Context) error { return h.execute(ctx, name, id, req.Fresh) }})
	}
	return tasks, nil
}

// ready reports whether a cell's values are in memory and made by its present
// code. The caller holds mu.
func (h *hub) ready(id string) bool {
	st := h.cells[id]
	return st != nil && st.exports != nil && st.exportsHash == h.plan.hash(id)
}

// interrupt stops one cell, or the running one together with the queue.
func (h *hub) interrupt(cell string) error {
	if cell == "" {
		h.queue.Interrupt()
		return nil
	}
	if !h.queue.Cancel(cell) && h.current().Find(cell) < 0 {
		return &api.Error{Code: api.NotFound, Message: fmt.Sprintf("no cell %q", cell)}
	}
	return nil
}

// execute runs a cell; it is what a task does. A fresh run reads no kept results, and
// shares nothing with other runs.
func (h *hub) execute(ctx context.Context, name, id string, fresh bool) error {
	h.mu.Lock()
	c := h.plan.cells[id]
	if c == nil {
		h.mu.Unlock()
		return &api.Error{Code: api.Canceled, Cell: id, Message: fmt.Sprintf("cell %s was deleted", id)}
	}
	in, err := h.inputs(c)
	host := newHost(h, id, name, c.hash, fresh)
	h.mu.Unlock()
	if err != nil {
		return err
	}
	if !fresh {
		ctx = analysis.WithShelf(ctx, h.shelf)
	}
	exports, err := script.Run(ctx, c.program, in, host, h.limits)
	host.close()
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.cell(id)
	st.exports, st.exportsHash = exports, c.hash
	return nil
}

// inputs returns the values that a cell takes from others, or why it cannot
// run. The caller holds mu.
func (h *hub) inputs(c *planned) ([]*script.Exports, error) {
	if c.err != nil {
		return nil, c.err
	}
	var in []*script.Exports
	for _, id := range c.needs {
		if !h.ready(id) {
			e := &api.Error{Code: api.Invalid, Cell: c.id, Hint: "run that cell first; its own message says what is wrong",
				Message: fmt.Sprintf("%s comes from cell %s, which did not finish", c.from[id], id)}
			return nil, e
		}
		in = append(in, h.cells[id].exports)
	}
	return in, nil
}

// changed follows a job. The queue calls it in order.
func (h *hub) changed(c job.Change) {
	switch c.State {
	case api.StateQueued:
		h.queued(c.Task)
	case api.StateRunning:
		h.started(c.Task)
	default:
		h.ended(c)
	}
}

func (h *hub) queued(t job.Task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.jobs = append(h.jobs, api.Job{ID: t.ID, Cell: t.Cell, Revision: t.Revision, State: api.StateQueued})
	if i := h.job(h.running); i < 0 || h.jobs[i].Cell != t.Cell { // else it shows as running until it ends
		h.cell(t.Cell).state = api.StateQueued
		h.tellState(t, api.CellRun{State: api.StateQueued})
	}
}

func (h *hub) started(t job.Task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	st := h.cell(t.Cell)
	st.state, st.clearing, st.progress, st.recalled = api.StateRunning, true, nil, nil
	h.running = t.ID
	if i := h.job(t.ID); i >= 0 { // it comes to the front: waiting ones may have moved
		j := h.jobs[i]
		j.State = api.StateRunning
		h.jobs = slices.Insert(slices.Delete(h.jobs, i, i+1), 0, j)
	}
	h.tellState(t, api.CellRun{State: api.StateRunning, ClearOutputs: true})
}

// ended stores what a run left and then tells the pages, the state last.
func (h *hub) ended(c job.Change) {
	h.mu.Lock()
	st := h.cell(c.Task.Cell)
	ran := h.running == c.Task.ID
	if ran {
		if c.Err != nil {
			e := *c.Err
			e.Cell = c.Task.Cell
			h.addOutput(c.Task.Cell, c.Task.Key, api.Output{ID: c.Task.ID + "-error", Kind: api.OutputError, Error: &e})
		}
		if st.clearing && c.State != api.StateCanceled { // nothing came: the old outputs go now
			h.beginOutputs(c.Task.Cell, c.Task.Key)
		}
		if st.clearing && st.run != nil { // canceled before anything came: the old outputs stay
			for _, o := range st.run.Outputs {
				h.tell(api.Event{Op: api.EventOutput, Output: &api.CellOutput{Cell: c.Task.Cell, Output: o}})
			}
		}
		if !st.clearing {
			st.run.State, st.run.Millis, st.run.RanAt = c.State, c.Elapsed.Milliseconds(), time.Now().UTC().Format(time.RFC3339)
			st.run.Recalled = st.recalled
		}
		if c.State == api.StateFailed {
			st.exports = nil
		}
	}
	written := ran && !st.clearing
	run := st.run
	h.mu.Unlock()

	if written && h.vault != nil { // nobody changes run now: its cell does not run
		if err := h.vault.saveRun(run); err != nil {
			h.unsaved(c.Task, err)
		}
	}

	h.mu.Lock()
	defer h.mu.Unlock()
	if i := h.job(c.Task.ID); i >= 0 {
		h.jobs = slices.Delete(h.jobs, i, i+1)
	}
	if i := h.job(h.running); !ran && i >= 0 && h.jobs[i].Cell == c.Task.Cell {
		return // taken out of the queue while an earlier run of the cell goes on
	}
	st.state = c.State
	if ran {
		st.progress, st.clearing, h.running = nil, false, ""
	}
	last := api.CellRun{State: c.State}
	if written {
		last.Millis, last.RanAt, last.Recalled = run.Millis, run.RanAt, run.Recalled
	}
	h.listVariables()
	h.tellState(c.Task, last)
	again := slices.IndexFunc(h.jobs, func(j api.Job) bool { return j.Cell == c.Task.Cell })
	if again >= 0 { // it was asked for again while it ran
		st.state = api.StateQueued
		h.tellState(job.Task{ID: h.jobs[again].ID, Cell: c.Task.Cell}, api.CellRun{State: api.StateQueued})
	}
}

// unsaved says in the cell that its outputs are not on the disk.
func (h *hub) unsaved(t job.Task, err error) {
	h.log.Error("outputs could not be saved", "notebook", h.id, "cell", t.Cell, "error", err)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.addOutput(t.Cell, t.Key, api.Output{ID: t.ID + "-unsaved", Kind: api.OutputError, Error: &api.Error{
		Code: api.Storage, Cell: t.Cell, Message: "what this cell shows is not on the disk: " + err.Error(),
		Hint: "it is lost when the server stops; make room and run the cell again"}})
}

// tellState completes and emits a cell.state event. The caller holds mu.
func (h *hub) tellState(t job.Task, r api.CellRun) {
	r.Cell, r.Job, r.Validity = t.Cell, t.ID, h.validity(t.Cell)
	h.tell(api.Event{Op: api.EventCellState, CellState: &r})
}

// job returns the place of a job in the list, or -1. The caller holds mu.
func (h *hub) job(id string) int {
	return slices.IndexFunc(h.jobs, func(j api.Job) bool { return j.ID == id })
}

// listVariables tells the pages when the variables are others than before.
// The caller holds mu.
func (h *hub) listVariables() {
	vars := []api.Variable{}
	for _, c := range h.doc.Cells {
		if st := h.cells[c.ID]; h.plan.has(c.ID) && st != nil && st.exports != nil {
			vars = append(vars, st.exports.Variables(c.ID)...)
		}
	}
	if reflect.DeepEqual(vars, h.vars) {
		return
	}
	h.vars = vars
	h.tell(api.Event{Op: api.EventVariables, Variables: vars})
}
