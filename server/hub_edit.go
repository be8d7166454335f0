package server

import (
	"errors"
	"fmt"
	"time"

	"orrery/server/api"
	"orrery/server/notebook"
)

// edit applies operations and returns when they are on the disk. On an error
// nothing has changed, neither here nor there.
func (h *hub) edit(req api.EditRequest) (*api.EditResponse, error) {
	h.editing.Lock()
	defer h.editing.Unlock()
	if err := h.blocked(); err != nil {
		return nil, err
	}
	next := h.current().Clone()
	if err := next.Check(req.Revision, req.Ops); err != nil {
		return nil, err
	}
	inserted, err := next.Apply(req.Ops)
	if err != nil {
		return nil, err
	}
	savedAt, err := h.save(next)
	if err != nil {
		return nil, err
	}
	seq, gone := h.install(next, savedAt)
	for _, id := range gone {
		h.queue.Cancel(id)
	}
	return &api.EditResponse{Revision: next.Revision, Seq: seq, SavedAt: savedAt, Cells: inserted}, nil
}

// current returns the document, which is never changed in place.
func (h *hub) current() *notebook.Notebook {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.doc
}

// blocked returns the error of an edit while a conflict is open.
func (h *hub) blocked() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conflict == nil {
		return nil
	}
	return &api.Error{Code: api.Conflicted, Message: "nothing can be saved: " + h.conflict.Message,
		Hint: "choose one of the two; until then the page keeps what you type"}
}

// save makes a document durable, or opens a conflict. The caller holds editing.
func (h *hub) save(next *notebook.Notebook) (string, error) {
	if h.vault == nil {
		return time.Now().UTC().Format(time.RFC3339), nil
	}
	savedAt, err := h.vault.save(next)
	var changed *changedError
	if errors.As(err, &changed) {
		h.clash(changed.now)
		return "", h.blocked()
	}
	if err != nil {
		h.log.Error("a notebook could not be saved", "notebook", h.id, "error", err)
	}
	return savedAt, err
}

// install makes a saved document the current one and tells every page. It
// returns the last event's number and the code cells that are no more.
func (h *hub) install(next *notebook.Notebook, savedAt string) (seq uint64, gone []string) {
	p := newPlan(next, h.plan) // only this goroutine replaces h.plan
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.plan
	h.doc, h.plan, h.savedAt = next, p, savedAt
	doc := h.document(false)
	h.tell(api.Event{Op: api.EventDocument, Document: &doc})
	for _, c := range next.Cells {
		st := h.cells[c.ID]
		if c.Kind != api.CellCode || before.has(c.ID) || st == nil || st.run == nil {
			continue
		}
		for _, o := range st.run.Outputs { // a page forgets the outputs of a deleted cell
			h.tell(api.Event{Op: api.EventOutput, Output: &api.CellOutput{Cell: c.ID, Output: o}})
		}
	}
	for id := range before.cells {
		if !p.has(id) {
			gone = append(gone, id)
		}
	}
	h.listVariables()
	h.tell(api.Event{Op: api.EventSaved, Saved: &api.Saved{Revision: next.Revision, At: savedAt}})
	return h.seq, gone
}

// tell is emit for events that are always JSON.
func (h *hub) tell(ev api.Event) {
	if err := h.emit(ev); err != nil {
		h.log.Error("an event was lost", "notebook", h.id, "error", err)
	}
}

// clash opens a conflict with the version on the disk, or renews it. The
// caller holds editing.
func (h *hub) clash(now stamp) {
	c := h.vault.describe()
	h.seen = now
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conflict = c
	h.tell(api.Event{Op: api.EventConflict, Conflict: c})
}

// settle ends a conflict. The caller holds editing.
func (h *hub) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conflict = nil
	h.tell(api.Event{Op: api.EventSnapshot, Snapshot: h.contentsAfter()})
}

// contentsAfter is contents for an event that is about to be emitted.
func (h *hub) contentsAfter() *api.Snapshot {
	s := h.contents()
	s.Seq++
	return s
}

// poll looks whether another program has changed the file. A save that is
// under way looks by itself.
func (h *hub) poll() {
	if h.vault == nil || !h.editing.TryLock() {
		return
	}
	defer h.editing.Unlock()
	now, err := h.vault.watch()
	if err != nil {
		h.log.Warn("a notebook's file cannot be watched", "notebook", h.id, "error", err)
		return
	}
	open := h.blocked() != nil
	switch {
	case now != nil && (!open || now.hash != h.seen.hash):
		h.clash(*now)
	case now == nil && open:
		h.settle() // the file is again what the server wrote
	}
}

// resolve ends a conflict: "mine" writes the open document, "disk" loads the
// file, and undo then has the open document.
func (h *hub) resolve(keep string) error {
	h.editing.Lock()
	defer h.editing.Unlock()
	if h.blocked() == nil {
		return &api.Error{Code: api.Invalid, Message: "there is no conflict to resolve"}
	}
	switch keep {
	case "mine":
		was := h.vault.disk
		h.vault.disk = h.seen
		doc := h.current()
		savedAt, err := h.save(doc)
		if err != nil {
			h.vault.disk = was
			return err
		}
		h.install(doc, savedAt)
	case "disk":
		theirs, text, now, err := h.vault.load()
		if err != nil {
			return err
		}
		next := h.current().Clone()
		next.Replace(theirs.Cells)
		savedAt, err := h.vault.adopt(next, text, now)
		if err != nil {
			return err
		}
		_, gone := h.install(next, savedAt)
		for _, id := range gone {
			h.queue.Cancel(id)
		}
	default:
		return &api.Error{Code: api.Invalid, Message: fmt.Sprintf("keep %q is unknown", keep), Hint: `keep is "mine" or "disk"`}
	}
	h.settle()
	return nil
}
