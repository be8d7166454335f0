package api

import "orrery/viz"

// OpKind is an edit that a page may ask for.
type OpKind string

// The edits. Each is undone as a whole.
const (
	OpInsert OpKind = "insert"   // a new cell at Index
	OpDelete OpKind = "delete"   // Cell
	OpMove   OpKind = "move"     // Cell to Index
	OpSource OpKind = "source"   // Cell's text becomes Source
	OpKindOf OpKind = "set_kind" // Cell becomes Kind
	OpUndo   OpKind = "undo"
	OpRedo   OpKind = "redo"
)

// Op is one edit of the document.
type Op struct {
	Op OpKind `json:"op"`
	// Cell names the cell; for insert it may be empty, the server then makes an id.
	Cell  string `json:"cell,omitempty"`
	Index int    `json:"index,omitempty"`
	// Kind is the new cell's kind.
	Kind CellKind `json:"kind,omitempty"`
	// Source is the new text.
	Source string `json:"source,omitempty"`
}

// EditRequest is POST /api/notebooks/ID/edit. The answer comes when the edit is on disk.
type EditRequest struct {
	// Revision is the document's that the page saw. An edit of a cell's source
	// that another page has changed since is refused as a conflict, with the
	// current text in the error's Hint; structure edits are applied to what is there.
	Revision uint64 `json:"revision"`
	Ops      []Op   `json:"ops"`
}

// EditResponse acknowledges an edit.
type EditResponse struct {
	Revision uint64 `json:"revision"`
	Seq      uint64 `json:"seq"`
	SavedAt  string `json:"saved_at"`
	// Cells holds the ids of inserted cells, in order.
	Cells []string `json:"cells,omitempty"`
}

// RunRequest is POST /api/notebooks/ID/run. Stale ancestors run first.
type RunRequest struct {
	// Cells to run, by id.
	Cells []string `json:"cells,omitempty"`
	// Stale runs every stale or never-run cell; All runs all of them.
	Stale bool `json:"stale,omitempty"`
	All   bool `json:"all,omitempty"`
}

// RunResponse lists the jobs that were queued, in order.
type RunResponse struct {
	Jobs []Job `json:"jobs"`
}

// InterruptRequest is POST /api/notebooks/ID/interrupt: the running cell
// stops and the queue is cleared.
type InterruptRequest struct {
	// Cell, when not empty, cancels only that cell.
	Cell string `json:"cell,omitempty"`
}

// ResolveRequest is POST /api/notebooks/ID/resolve: ends a Conflict.
type ResolveRequest struct {
	// Keep is "mine" (write the open document) or "disk" (load the file; the
	// open document goes to the undo history).
	Keep string `json:"keep"`
}

// CreateRequest is POST /api/notebooks.
type CreateRequest struct {
	// ID of the new notebook; "untitled" gets a number when it is taken.
	ID string `json:"id"`
	// From is the id of a shipped example to copy; empty for an empty notebook.
	From string `json:"from,omitempty"`
}

// TokenizeRequest is POST /api/tokenize: a prompt as the model sees it.
type TokenizeRequest struct {
	Model  string `json:"model"`
	Prompt string `json:"prompt"`
}

// TokenizeResponse holds the tokens, BOS included.
type TokenizeResponse struct {
	Tokens []Token `json:"tokens"`
}

// Workspace is GET /api/workspace: what there is to open.
type Workspace struct {
	// Version is the program's.
	Version string `json:"version"`
	// Folder is the notebooks' folder, as the user named it.
	Folder    string         `json:"folder"`
	Notebooks []NotebookInfo `json:"notebooks"`
	Models    []ModelInfo    `json:"models"`
	Analyses  []AnalysisInfo `json:"analyses"`
}

// NotebookInfo is one notebook of the folder.
type NotebookInfo struct {
	ID string `json:"id"`
	// Title and Summary are its first heading and first sentence.
	Title    string `json:"title"`
	Summary  string `json:"summary"`
	Modified string `json:"modified"`
	Cells    int    `json:"cells"`
	// Example is true for a shipped notebook.
	Example bool `json:"example"`
}

// ModelInfo is one shipped or opened model.
type ModelInfo struct {
	Name string `json:"name"`
	Hash string `json:"hash"`
	// Layers, Heads, Width, Vocab and Params are its sizes.
	Layers int   `json:"layers"`
	Heads  int   `json:"heads"`
	Width  int   `json:"width"`
	Vocab  int   `json:"vocab"`
	Params int64 `json:"params"`
	// HeldOutAccuracy is the card's, 0..1; absent when there is no card.
	HeldOutAccuracy *float64 `json:"held_out_accuracy,omitempty"`
	// Summary is one line about the data.
	Summary string `json:"summary"`
}

// AnalysisInfo describes one analysis: the palette, hover text and completion.
type AnalysisInfo struct {
	Name    string      `json:"name"`
	Title   string      `json:"title"`
	Summary string      `json:"summary"`
	Paper   string      `json:"paper,omitempty"`
	Params  []ParamInfo `json:"params"`
	// Example is a call that runs as it is.
	Example string `json:"example"`
}

// ParamInfo describes one keyword argument.
type ParamInfo struct {
	Name string `json:"name"`
	// Type is "model", "prompt", "string", "int", "float", "bool", "list", "choice".
	Type     string   `json:"type"`
	Required bool     `json:"required"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
	Help     string   `json:"help"`
}

// ExportFormats are the formats of GET
// /api/notebooks/ID/cells/CELL/outputs/OUTPUT.FORMAT?show=METRIC&theme=light|dark.
var ExportFormats = [...]string{"png", "svg", "pdf", "csv", "json", "npz"}

// Figure is viz.Figure under the name that the page knows.
type Figure = viz.Figure
