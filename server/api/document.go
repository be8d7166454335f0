package api

import "orrery/viz"

// CellKind is what a cell holds.
type CellKind string

// The kinds of cell.
const (
	CellMarkdown CellKind = "markdown"
	CellCode     CellKind = "code"
)

// Notebook is a document as the page sees it.
type Notebook struct {
	// ID names the notebook on the wire: its path below the workspace folder,
	// without ".md", "/" between folders.
	ID string `json:"id"`
	// Title is the first heading of the first Markdown cell, or the file's name.
	Title string `json:"title"`
	// Revision counts the edits of the document; every Op names the one it was made on.
	Revision uint64 `json:"revision"`
	// Cells in page order.
	Cells []Cell `json:"cells"`
	// CanUndo and CanRedo say whether Undo and Redo would do something.
	CanUndo bool `json:"can_undo"`
	CanRedo bool `json:"can_redo"`
}

// Cell is one cell with what its last run left.
type Cell struct {
	// ID is stable: it stands in the file and never changes.
	ID   string   `json:"id"`
	Kind CellKind `json:"kind"`
	// Source is the Markdown or Starlark text.
	Source string `json:"source"`
	// HTML is the Markdown rendered by the server without raw HTML; empty for code.
	HTML string `json:"html,omitempty"`
	// State is that of the last run.
	State CellState `json:"state"`
	// Validity says whether the outputs still belong to the source and its inputs.
	Validity Validity `json:"validity"`
	// Millis is how long the last run took; 0 when it never ran.
	Millis int64 `json:"millis,omitempty"`
	// RanAt is when the last run ended, RFC 3339; empty when it never ran.
	RanAt string `json:"ran_at,omitempty"`
	// Recalled says what of the last run came from the result cache; absent when
	// all was computed.
	Recalled *Recalled `json:"recalled,omitempty"`
	// Defines and Uses are the names that the cell gives to and takes from others.
	Defines []string `json:"defines,omitempty"`
	Uses    []string `json:"uses,omitempty"`
	// Outputs in the order in which they were made.
	Outputs []Output `json:"outputs,omitempty"`
	// Progress is that of the running job; absent unless running.
	Progress *Progress `json:"progress,omitempty"`
}

// Recalled says of a run which of its results were taken from the result cache.
type Recalled struct {
	// Results is how many figures were.
	Results int `json:"results"`
	// Millis is how long it took to compute them, all together, when they were.
	Millis int64 `json:"millis"`
	// MadeAt is when the oldest of them was computed, RFC 3339.
	MadeAt string `json:"made_at"`
}

// CellState is where a cell is in the run queue.
type CellState string

// The states of a cell.
const (
	StateIdle     CellState = "idle" // never ran in this document
	StateQueued   CellState = "queued"
	StateRunning  CellState = "running"
	StateDone     CellState = "done"
	StateFailed   CellState = "failed"
	StateCanceled CellState = "canceled"
)

// Validity says whether outputs belong to what the page shows.
type Validity string

// The validities.
const (
	Fresh Validity = "fresh"
	// Stale means that the source or an input has changed since the run.
	Stale Validity = "stale"
)

// OutputKind is what an output is.
type OutputKind string

// The kinds of output. There is no HTML kind: outputs are data.
const (
	OutputText   OutputKind = "text"
	OutputValue  OutputKind = "value"
	OutputTokens OutputKind = "tokens"
	// OutputPrompts is a set of prompts, or of pairs.
	OutputPrompts OutputKind = "prompts"
	OutputFigure  OutputKind = "figure"
	OutputError   OutputKind = "error"
)

// Output is one thing that a run left; the field that Kind names is set.
type Output struct {
	// ID is unique in the notebook and changes with each run.
	ID   string     `json:"id"`
	Kind OutputKind `json:"kind"`
	// Text is what print wrote; lines end in \n.
	Text string `json:"text,omitempty"`
	// Value is the value of the last expression.
	Value *Value `json:"value,omitempty"`
	// Tokens is a prompt as its tokens.
	Tokens []Token `json:"tokens,omitempty"`
	// Prompts is a set of prompts as rows of tokens.
	Prompts *PromptTable `json:"prompts,omitempty"`
	// Figure is a plot; its numbers may still be pending.
	Figure *viz.Figure `json:"figure,omitempty"`
	// Error is what went wrong, in place.
	Error *Error `json:"error,omitempty"`
}

// Value is a value in words.
type Value struct {
	// Type is its type: "tensor", "model", "int".
	Type string `json:"type"`
	// Repr is a short text, at most a few lines.
	Repr string `json:"repr"`
	// Shape, Axes and DType describe a tensor; absent otherwise.
	Shape []int    `json:"shape,omitempty"`
	Axes  []string `json:"axes,omitempty"`
	DType string   `json:"dtype,omitempty"`
}

// Token is one token of a prompt.
type Token struct {
	ID int `json:"id"`
	// Text is what the chip shows; the page marks spaces and newlines.
	Text string        `json:"text"`
	Role viz.TokenRole `json:"role,omitempty"`
	// Special is true for tokens that a template adds.
	Special bool `json:"special,omitempty"`
}

// PromptTable is a set of prompts, or of pairs, to look at.
type PromptTable struct {
	// Report says how the set came about: what was tried, how often the model is
	// right before and after the filter, what was dropped and why.
	Report string `json:"report"`
	// Pairs says that every row has a partner.
	Pairs bool `json:"pairs,omitempty"`
	// Total is how many there are; Rows holds the first of them.
	Total int         `json:"total"`
	Rows  []PromptRow `json:"rows"`
	// CSV and JSONL are all of them as files; empty where those would be large.
	CSV   string `json:"csv,omitempty"`
	JSONL string `json:"jsonl,omitempty"`
}

// PromptRow is one prompt, or one pair.
type PromptRow struct {
	Tokens []Token `json:"tokens"`
	// Answer is the text of the right answer; empty where there is none.
	Answer string `json:"answer,omitempty"`
	// Partner is the corrupted prompt of a pair.
	Partner       []Token `json:"partner,omitempty"`
	PartnerAnswer string  `json:"partner_answer,omitempty"`
}

// Progress is how far a job is.
type Progress struct {
	Job string `json:"job"`
	// Label says what is being done: "logit lens".
	Label string `json:"label"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
	// Unit is what Done counts: "layers", "cells".
	Unit string `json:"unit"`
	// ETAMillis is the time left; -1 while it is not known.
	ETAMillis int64 `json:"eta_millis"`
}

// Variable is one name that the notebook defines.
type Variable struct {
	Name string `json:"name"`
	// Cell is the id of the defining cell.
	Cell  string `json:"cell"`
	Value Value  `json:"value"`
}

// Snapshot is everything a page needs to draw a notebook.
type Snapshot struct {
	// Seq is that of the last event that is contained.
	Seq       uint64     `json:"seq"`
	Notebook  Notebook   `json:"notebook"`
	Variables []Variable `json:"variables"`
	Jobs      []Job      `json:"jobs"`
	// SavedAt is when the document was last written to disk, RFC 3339.
	SavedAt string `json:"saved_at"`
	// Conflict is set when the file was changed by another program while open.
	Conflict *Conflict `json:"conflict,omitempty"`
}

// Conflict says that the file on disk is not what the server wrote.
type Conflict struct {
	Path string `json:"path"`
	// Message says what happened and what the two ways out are.
	Message string `json:"message"`
	// DiskTitle and DiskCells describe the version on disk.
	DiskTitle string `json:"disk_title"`
	DiskCells int    `json:"disk_cells"`
}

// Job is one run of one cell.
type Job struct {
	ID   string `json:"id"`
	Cell string `json:"cell"`
	// Revision is the document's when the job was queued.
	Revision uint64    `json:"revision"`
	State    CellState `json:"state"`
	Progress *Progress `json:"progress,omitempty"`
}
