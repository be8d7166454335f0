package server

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/api"
	"orrery/server/job"
	"orrery/viz"
)

// reportEvery is how long reports of a running cell are gathered: a page gets
// numbers, text and progress at most 20 times a second.
const reportEvery = 50 * time.Millisecond

// The bounds of what a cell may leave.
const (
	textChunk  = 16 << 10 // bytes after which printed text goes on in a new output
	maxOutputs = 1000
)

// host is what a running cell sees of its notebook (script.Host). What it is
// told is in the hub at once, so that a snapshot is always complete, and
// travels to the pages gathered.
type host struct {
	h         *hub
	cell, job string
	hash      string
	fresh     bool // reads no kept results
	throttle  *job.Throttle

	calls map[string]*unfinished // that have not ended, by key; guarded by h.mu

	// All below is guarded by h.mu.
	clock    job.Clock
	made     int    // outputs that the host has named
	text     string // id of the output that printed text goes to; empty for none
	unsent   bool   // that output has grown since it was sent
	parts    map[string]viz.Part
	filled   map[string]bool // outputs whose first numbers have been sent
	progress *api.Progress
	closed   bool
}

// newHost returns the host of a job.
func newHost(h *hub, cell, jobID, hash string, fresh bool) *host {
	t := &host{h: h, cell: cell, job: jobID, hash: hash, fresh: fresh, calls: map[string]*unfinished{}, parts: map[string]viz.Part{}, filled: map[string]bool{}}
	t.throttle = job.NewThrottle(reportEvery, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		t.flush()
	})
	return t
}

// close sends what is left, and keeps it of calls that have not ended; later calls
// do nothing.
func (t *host) close() {
	t.throttle.Stop()
	t.h.mu.Lock()
	t.flush()
	t.closed = true
	t.h.mu.Unlock()
	for _, u := range t.calls { // to which nothing comes any more
		u.stop()
	}
}

// flush sends what was gathered. The caller holds h.mu.
func (t *host) flush() {
	if t.closed {
		return
	}
	if t.unsent {
		t.unsent = false
		if o := t.h.output(t.cell, t.text); o != nil {
			t.h.tell(api.Event{Op: api.EventOutput, Output: &api.CellOutput{Cell: t.cell, Output: *o}})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(t.parts)) {
		t.h.tell(api.Event{Op: api.EventPart, Part: &api.FigurePart{Cell: t.cell, Output: id, Part: t.parts[id]}})
	}
	clear(t.parts)
	if t.progress != nil {
		t.h.tell(api.Event{Op: api.EventProgress, Progress: &api.CellProgress{Cell: t.cell, Progress: *t.progress}})
		t.progress = nil
	}
}

// Print adds printed text to the newest output.
func (t *host) Print(text string) {
	t.h.mu.Lock()
	defer t.throttle.Trigger() // runs after the lock is given back
	defer t.h.mu.Unlock()
	if t.closed {
		return
	}
	o := t.h.output(t.cell, t.text)
	if o == nil || t.text == "" || len(o.Text)+len(text) > textChunk && o.Text != "" {
		t.flush()
		t.text = t.id("")
		t.h.putOutput(t.cell, t.hash, api.Output{ID: t.text, Kind: api.OutputText, Text: text})
	} else {
		o.Text += text
	}
	t.unsent = true
}

// Output adds or replaces an output.
func (t *host) Output(o api.Output) {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if t.closed {
		return
	}
	t.flush()
	o.ID = t.id(o.ID)
	if t.h.output(t.cell, o.ID) == nil {
		t.text = "" // text that follows stands behind it
	}
	t.h.addOutput(t.cell, t.hash, o)
}

// Part adds numbers to a figure. The first of an output travel at once: a reader
// waits for them.
func (t *host) Part(output string, p viz.Part) {
	t.h.mu.Lock()
	defer t.throttle.Trigger()
	defer t.h.mu.Unlock()
	if t.closed {
		return
	}
	id := t.id(output)
	o := t.h.output(t.cell, id)
	if o == nil || o.Figure == nil {
		t.h.log.Error("numbers for a figure that is not there", "cell", t.cell, "output", output)
		return
	}
	if err := o.Figure.Apply(p); err != nil {
		t.h.log.Error("numbers do not fit their figure", "cell", t.cell, "output", output, "error", err)
		return
	}
	all := t.parts[id]
	all.Arrays = append(all.Arrays, p.Arrays...)
	all.Texts = append(all.Texts, p.Texts...)
	if p.Scales != nil {
		scales := map[string]viz.Scale{}
		maps.Copy(scales, all.Scales)
		maps.Copy(scales, p.Scales)
		all.Scales = scales
	}
	t.parts[id] = all
	if !t.filled[id] {
		t.filled[id] = true
		t.flush()
	}
}

// Progress replaces the progress of the job.
func (t *host) Progress(label string, done, total int, unit string) {
	t.h.mu.Lock()
	defer t.throttle.Trigger()
	defer t.h.mu.Unlock()
	if t.closed {
		return
	}
	p := t.clock.Progress(time.Now(), t.job, label, done, total, unit)
	t.progress = &p
	t.h.cell(t.cell).progress = &p
	if i := t.h.job(t.job); i >= 0 {
		t.h.jobs[i].Progress = &p
	}
}

// Recall takes a figure from the result cache, unless the run is a fresh one.
func (t *host) Recall(key string) *viz.Figure {
	if t.h.results == nil || t.fresh {
		return nil
	}
	r := t.h.results.recall(key)
	if r == nil {
		return nil
	}
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if st := t.h.cell(t.cell); !t.closed {
		st.recalled = recalled(st.recalled, r)
	}
	return r.figure
}

// Unfinished opens what is kept of a call that was cut short; a fresh run drops it.
func (t *host) Unfinished(key string) ablate.Unfinished {
	if t.h.results == nil {
		return nil
	}
	if old := t.ended(key); old != nil { // it failed earlier in this run
		old.stop()
	}
	u, err := t.h.results.unfinished(key, t.fresh)
	if err != nil {
		t.h.log.Warn("finished runs of sweeps are neither taken nor kept", "error", err)
		return nil
	}
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	if t.closed {
		return nil
	}
	t.calls[key] = u
	return u
}

// ended takes a call out of those that have not ended, nil when it is not there.
func (t *host) ended(key string) *unfinished {
	t.h.mu.Lock()
	defer t.h.mu.Unlock()
	u := t.calls[key]
	if !t.closed {
		delete(t.calls, key)
	}
	return u
}

// Keep puts a figure into the result cache. What was kept while it was computed goes.
func (t *host) Keep(key string, f *viz.Figure, took time.Duration) {
	if t.h.results == nil {
		return
	}
	u := t.ended(key)
	if u != nil {
		took += u.before
	}
	t.h.results.keep(key, f, took)
	if u != nil {
		u.finish()
	}
}

// Model opens a model.
func (t *host) Model(name string) (*models.Model, error) { return t.h.models.Open(name) }

// id makes a name that the cell gave to an output unique in the notebook, and
// an empty one new.
func (t *host) id(given string) string {
	if given == "" {
		t.made++
		given = fmt.Sprint(t.made)
	}
	return t.job + "-" + given
}

// output returns an output of the present run of a cell, nil when there is
// none. The caller holds mu.
func (h *hub) output(cell, id string) *api.Output {
	st := h.cells[cell]
	if st == nil || st.run == nil || st.clearing {
		return nil
	}
	i := slices.IndexFunc(st.run.Outputs, func(o api.Output) bool { return o.ID == id })
	if i < 0 {
		return nil
	}
	return &st.run.Outputs[i]
}

// beginOutputs starts the outputs of a run; the old ones go. The caller holds mu.
func (h *hub) beginOutputs(cell, hash string) {
	st := h.cell(cell)
	st.clearing = false
	st.run = &Recorded{Cell: cell, State: api.StateRunning, Hash: hash, Outputs: []api.Output{}}
}

// putOutput adds or replaces an output without telling the pages. It copies a
// figure, whose maker may go on. The caller holds mu.
func (h *hub) putOutput(cell, hash string, o api.Output) {
	if h.cell(cell).clearing {
		h.beginOutputs(cell, hash)
	}
	if o.Figure != nil {
		o.Figure = copyFigure(o.Figure)
	}
	run := h.cell(cell).run
	if old := h.output(cell, o.ID); old != nil {
		*old = o
		return
	}
	run.Outputs = append(run.Outputs, o)
}

// addOutput is putOutput and tells the pages. What is no JSON becomes an
// error in its place. The caller holds mu.
func (h *hub) addOutput(cell, hash string, o api.Output) {
	if st := h.cell(cell); !st.clearing && st.run != nil && len(st.run.Outputs) >= maxOutputs && h.output(cell, o.ID) == nil {
		last := &st.run.Outputs[maxOutputs-1]
		if last.Kind == api.OutputError {
			return
		}
		o = api.Output{ID: last.ID, Kind: api.OutputError, Error: &api.Error{Code: api.TooLarge, Cell: cell,
			Message: fmt.Sprintf("this cell has more than %d outputs; the others are left out", maxOutputs)}}
	}
	h.putOutput(cell, hash, o)
	err := h.emit(api.Event{Op: api.EventOutput, Output: &api.CellOutput{Cell: cell, Output: o}})
	if err != nil {
		o = api.Output{ID: o.ID, Kind: api.OutputError, Error: &api.Error{Code: api.Internal, Cell: cell,
			Message: "this output cannot be shown: " + err.Error()}}
		h.putOutput(cell, hash, o)
		h.tell(api.Event{Op: api.EventOutput, Output: &api.CellOutput{Cell: cell, Output: o}})
	}
}

// copyFigure copies what Part changes: arrays, texts and scales.
func copyFigure(f *viz.Figure) *viz.Figure {
	c := *f
	c.Arrays = make(map[string]*viz.Array, len(f.Arrays))
	for name, a := range f.Arrays {
		c.Arrays[name] = &viz.Array{Shape: slices.Clone(a.Shape), Axes: slices.Clone(a.Axes),
			Data: slices.Clone(a.Data), State: slices.Clone(a.State)}
	}
	if f.Texts != nil {
		c.Texts = make(map[string]*viz.Text, len(f.Texts))
		for name, x := range f.Texts {
			c.Texts[name] = &viz.Text{Shape: slices.Clone(x.Shape), Values: slices.Clone(x.Values)}
		}
	}
	c.Scales = maps.Clone(f.Scales)
	return &c
}
