package api

import "orrery/viz"

// EventOp says what an event does; exactly the payload of that name is set.
type EventOp string

// The events. A run is: cell.state queued, cell.state running, outputs,
// parts and progress in any order, and one terminal cell.state (done, failed
// or canceled), which comes last and is never dropped.
const (
	// EventSnapshot replaces everything the page knows.
	EventSnapshot EventOp = "snapshot"
	// EventDocument replaces the document's structure after an edit.
	EventDocument EventOp = "document"
	// EventCellState moves a cell through a run.
	EventCellState EventOp = "cell.state"
	// EventOutput adds an output to a cell, or replaces the one with its id.
	EventOutput EventOp = "cell.output"
	// EventPart adds numbers to a figure that is an output already.
	EventPart EventOp = "figure.part"
	// EventProgress replaces the progress of a cell's job.
	EventProgress EventOp = "job.progress"
	// EventVariables replaces the list of variables.
	EventVariables EventOp = "variables"
	// EventSaved says that everything up to Revision is on disk.
	EventSaved EventOp = "notebook.saved"
	// EventConflict says that the file was changed by another program.
	EventConflict EventOp = "notebook.conflict"
)

// Event is one message of the websocket.
type Event struct {
	Op EventOp `json:"op"`
	// Seq grows by one an event; a page that reconnects names the last it saw.
	// A page may miss numbers: what a later event replaces is not sent to a slow
	// page, and a snapshot stands for everything up to its Seq.
	Seq uint64 `json:"seq"`
	// Revision is the document's that the event belongs to.
	Revision uint64 `json:"revision"`

	Snapshot  *Snapshot     `json:"snapshot,omitempty"`
	Document  *Notebook     `json:"document,omitempty"`
	CellState *CellRun      `json:"cell_state,omitempty"`
	Output    *CellOutput   `json:"output,omitempty"`
	Part      *FigurePart   `json:"part,omitempty"`
	Progress  *CellProgress `json:"progress,omitempty"`
	Variables []Variable    `json:"variables,omitempty"`
	Saved     *Saved        `json:"saved,omitempty"`
	Conflict  *Conflict     `json:"conflict,omitempty"`
}

// CellRun is a cell's place in the queue.
type CellRun struct {
	Cell     string    `json:"cell"`
	Job      string    `json:"job"`
	State    CellState `json:"state"`
	Validity Validity  `json:"validity"`
	Millis   int64     `json:"millis,omitempty"`
	RanAt    string    `json:"ran_at,omitempty"`
	Recalled *Recalled `json:"recalled,omitempty"`
	// ClearOutputs is true when the run starts anew: old outputs go when the
	// first new one arrives, so that the page does not jump, or when the run
	// ends without one. A run that is canceled before it left anything sends
	// the old ones again.
	ClearOutputs bool `json:"clear_outputs,omitempty"`
	// StaleCells lists cells whose outputs no longer belong to their inputs.
	StaleCells []string `json:"stale_cells,omitempty"`
}

// CellOutput is an output of a cell. A document event carries cells without
// outputs: the page keeps those it has.
type CellOutput struct {
	Cell   string `json:"cell"`
	Output Output `json:"output"`
}

// FigurePart is a part of a figure of a cell.
type FigurePart struct {
	Cell   string   `json:"cell"`
	Output string   `json:"output"`
	Part   viz.Part `json:"part"`
}

// CellProgress is the progress of a cell's job.
type CellProgress struct {
	Cell     string   `json:"cell"`
	Progress Progress `json:"progress"`
}

// Saved says what is on disk.
type Saved struct {
	Revision uint64 `json:"revision"`
	At       string `json:"at"`
}
