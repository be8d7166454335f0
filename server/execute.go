package server

import (
	"context"
	"fmt"
	"log/slog"

	"orrery/server/api"
	"orrery/server/notebook"
	"orrery/server/script"
)

// Execution says how to run a notebook without a page.
type Execution struct {
	// Models finds models; nil is a Catalog over the shipped ones.
	Models Models
	// Log gets what is not for the reader; nil drops it.
	Log *slog.Logger
	// Limits bound each cell; zero fields are script's defaults.
	Limits script.Limits
	// Each, when not nil, is called with every event a page would see. It must
	// return soon.
	Each func(api.Event)
	// Results is the result cache to take from and to keep in; nil to compute
	// everything.
	Results *Results
}

// Executed is a notebook after its cells have run.
type Executed struct {
	// Notebook holds every cell with what it left.
	Notebook api.Notebook
	// Recorded is what NAME.outputs.json beside a shipped NAME.md holds, in
	// page order.
	Recorded []*Recorded
}

// Failed returns the error of the first cell that failed, nil when none did.
func (e *Executed) Failed() error {
	for _, c := range e.Notebook.Cells {
		if c.State != api.StateFailed {
			continue
		}
		for _, o := range c.Outputs {
			if o.Error != nil {
				return fmt.Errorf("cell %s: %w", c.ID, o.Error)
			}
		}
	}
	return nil
}

// Execute runs every cell of a notebook in the order of its graph, as a page's
// "run all" does, and keeps nothing on the disk. A cell that fails does not
// end it; see Failed. When ctx ends, the result holds what there is until then,
// with ctx's error.
func Execute(ctx context.Context, id string, markdown []byte, x Execution) (*Executed, error) {
	doc, err := notebook.Parse(markdown)
	if err != nil {
		return nil, err
	}
	if x.Models == nil {
		x.Models = NewCatalog()
	}
	if x.Log == nil {
		x.Log = slog.New(slog.DiscardHandler)
	}
	h := newHub(hubConfig{id: id, models: x.Models, log: x.Log, limits: x.Limits, tap: x.Each, results: x.Results}, &opened{doc: doc})
	if len(h.plan.cells) > 0 {
		if _, err := h.run(api.RunRequest{All: true}); err != nil {
			return nil, err
		}
	}
	select {
	case <-h.queue.Idle():
	case <-ctx.Done():
		err = ctx.Err()
	}
	if e := h.queue.Close(context.WithoutCancel(ctx)); e != nil {
		return nil, e
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	done := &Executed{Notebook: h.document(true)}
	for _, c := range done.Notebook.Cells {
		if st := h.cells[c.ID]; c.Kind == api.CellCode && st != nil && st.run != nil {
			done.Recorded = append(done.Recorded, st.run)
		}
	}
	return done, err
}
