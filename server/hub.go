package server

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strconv"
	"sync"
	"time"

	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/server/job"
	"orrery/server/notebook"
	"orrery/server/script"
)

// hub is one open notebook: its document, what its cells left, its run queue
// and its event log. Pages are views of it: each gets a snapshot and then
// every event, so that all show the same.
//
// Locks: editing, then the queue's own, then mu. A task and the queue's
// callback take mu; whoever holds mu must not call the queue.
type hub struct {
	id     string
	models Models
	log    *slog.Logger
	limits script.Limits
	queue  *job.Queue
	vault  *vault          // nil when nothing is kept
	tap    func(api.Event) // nil, or sees every event, with mu held
	// results keeps what analyses compute; nil for a notebook without.
	results *Results
	// shelf is what the analyses of all cells share.
	shelf *analysis.Shelf

	// editing is held while the document changes, disk writes included.
	editing sync.Mutex
	// seen is the foreign version that conflict describes; editing guards it.
	seen stamp
	// reading holds a token while the card of a head is read.
	reading chan struct{}

	mu       sync.Mutex // guards all below
	doc      *notebook.Notebook
	plan     *plan
	cells    map[string]*cellState // of deleted cells, too
	jobs     []api.Job             // waiting and running, in order
	running  string                // id of the job that runs; empty for none
	vars     []api.Variable
	savedAt  string
	conflict *api.Conflict
	seq      uint64
	made     int // jobs made
	epoch    string
	events   eventLog
	feeds    map[*feed]bool
}

// cellState is what a hub knows of a cell beside its source.
type cellState struct {
	// run is the last run that left something; nil when there was none.
	run   *Recorded
	state api.CellState
	// clearing is true from the start of a run to its first output.
	clearing bool
	progress *api.Progress
	// recalled counts what the present run took from the result cache.
	recalled *api.Recalled
	// exports are the names that the cell defines, made by the code of that
	// hash; nil when they are not in memory.
	exports     *script.Exports
	exportsHash string
	// html is source rendered.
	html, source string
}

// hubConfig is what a hub needs from outside.
type hubConfig struct {
	id     string
	models Models
	log    *slog.Logger
	limits script.Limits
	tap    func(api.Event)
	// results may be nil.
	results *Results
}

// newHub opens a notebook; o.vault may be nil. It runs nothing.
func newHub(c hubConfig, o *opened) *hub {
	now := time.Now()
	h := &hub{id: c.id, models: c.models, log: c.log, limits: c.limits, tap: c.tap, results: c.results, shelf: analysis.NewShelf(), vault: o.vault,
		doc: o.doc, savedAt: o.savedAt, cells: map[string]*cellState{}, feeds: map[*feed]bool{},
		vars: []api.Variable{}, reading: make(chan struct{}, 1),
		// A page of an earlier server names a smaller seq and gets a snapshot.
		seq:   uint64(now.UnixMilli()) * 1000,
		epoch: strconv.FormatInt(now.UnixMilli(), 36)}
	for id, r := range o.runs {
		h.cells[id] = &cellState{run: r, state: r.State}
	}
	h.plan = newPlan(h.doc, nil)
	h.queue = job.NewQueue(c.log, h.changed)
	return h
}

// cell returns the state of a cell, made when it is new. The caller holds mu.
func (h *hub) cell(id string) *cellState {
	st := h.cells[id]
	if st == nil {
		st = &cellState{state: api.StateIdle}
		h.cells[id] = st
	}
	return st
}

// validity says whether a cell's outputs belong to the document. The caller holds mu.
func (h *hub) validity(id string) api.Validity {
	if st := h.cells[id]; st != nil && st.run != nil && st.run.Hash != h.plan.hash(id) {
		return api.Stale
	}
	return api.Fresh
}

// view returns a cell for the page. The caller holds mu.
func (h *hub) view(c notebook.Cell, outputs bool) api.Cell {
	st := h.cell(c.ID)
	v := api.Cell{ID: c.ID, Kind: c.Kind, Source: c.Source, State: api.StateIdle, Validity: api.Fresh}
	if c.Kind == api.CellMarkdown {
		if st.html == "" || st.source != c.Source {
			st.html, st.source = notebook.HTML(c.Source), c.Source
		}
		v.HTML = st.html
		return v
	}
	v.State, v.Validity, v.Progress = st.state, h.validity(c.ID), st.progress
	v.Defines, v.Uses = h.plan.names(c.ID)
	if st.run != nil {
		v.Millis, v.RanAt, v.Recalled = st.run.Millis, st.run.RanAt, st.run.Recalled
		if outputs && !st.clearing { // old outputs go with the first new one
			v.Outputs = st.run.Outputs
		}
	}
	return v
}

// document returns the notebook for the page. The caller holds mu.
func (h *hub) document(outputs bool) api.Notebook {
	n := api.Notebook{ID: h.id, Title: h.doc.Title(), Revision: h.doc.Revision, Cells: make([]api.Cell, 0, len(h.doc.Cells)),
		CanUndo: h.doc.CanUndo(), CanRedo: h.doc.CanRedo()}
	if n.Title == "" {
		n.Title = path.Base(h.id)
	}
	for _, c := range h.doc.Cells {
		n.Cells = append(n.Cells, h.view(c, outputs))
	}
	return n
}

// contents returns everything a page needs. The caller holds mu until the
// result has been encoded, since it shares outputs with running cells.
func (h *hub) contents() *api.Snapshot {
	return &api.Snapshot{Seq: h.seq, Notebook: h.document(true), Variables: h.vars, Jobs: append([]api.Job{}, h.jobs...),
		SavedAt: h.savedAt, Conflict: h.conflict}
}

// snapshot returns the contents as JSON.
func (h *hub) snapshot() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return json.Marshal(h.contents())
}

// snapshotEvent returns the contents as an event and empties the feed, which
// has nothing left that is not in it.
func (h *hub) snapshotEvent(f *feed) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f.restart()
	return json.Marshal(api.Event{Op: api.EventSnapshot, Seq: h.seq, Revision: h.doc.Revision, Snapshot: h.contents()})
}

// emit numbers an event and gives it to every page. An event that is no JSON
// (a NaN where no number may be missing) goes nowhere. The caller holds mu.
func (h *hub) emit(ev api.Event) error {
	ev.Seq, ev.Revision = h.seq+1, h.doc.Revision
	data, err := json.Marshal(ev)
	if err != nil {
		h.log.Error("an event cannot be sent", "op", ev.Op, "error", err)
		return fmt.Errorf("%s: %w", ev.Op, err)
	}
	h.seq++
	r := newRecord(&ev, data)
	h.events.add(r)
	for f := range h.feeds {
		f.push(r)
	}
	if h.tap != nil {
		h.tap(ev)
	}
	return nil
}

// subscribe opens a feed with the events after seq, or with a snapshot to
// come when those are not all there.
func (h *hub) subscribe(since uint64) *feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := newFeed()
	h.feeds[f] = true
	events, ok := h.events.since(since, h.seq)
	if !ok {
		f.fall()
		return f
	}
	for _, r := range slices.Clone(events) {
		f.push(r)
	}
	return f
}

func (h *hub) unsubscribe(f *feed) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.feeds, f)
}

// subscribers returns how many pages are connected.
func (h *hub) subscribers() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.feeds)
}
