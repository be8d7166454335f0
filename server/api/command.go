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
	// Fresh computes everything that runs: the result cache is not read, and keeps
	// what is computed in place of what it had; what interrupted sweeps left goes.
	Fresh bool `json:"fresh,omitempty"`
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
	Folder string `json:"folder"`
	// Folders is that folder as a tree, itself first.
	Folders   []FolderInfo   `json:"folders"`
	Notebooks []NotebookInfo `json:"notebooks"`
	Models    []ModelInfo    `json:"models"`
	Analyses  []AnalysisInfo `json:"analyses"`
	// Makers are the functions that make what analyses take, prompts for one.
	Makers []AnalysisInfo `json:"makers"`
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
	// Plate is a shipped notebook's place on the start page, 1 first; 0 for others.
	Plate int `json:"plate,omitempty"`
	// Figure is the id of the cell whose figure is the plate's; empty for the
	// first figure. Paper is the method's source.
	Figure string `json:"figure,omitempty"`
	Paper  string `json:"paper,omitempty"`
	// Kept is true where there is a file in the folder; a shipped notebook has
	// none before its first edit.
	Kept bool `json:"kept"`
	// Models are the names that its cells load, Methods the analyses that they call.
	Models  []string `json:"models,omitempty"`
	Methods []string `json:"methods,omitempty"`
}

// FolderInfo is one folder of the workspace and what lies directly in it.
type FolderInfo struct {
	Name string `json:"name"`
	// Depth is 0 for the workspace itself, 1 for a folder in it.
	Depth int `json:"depth"`
	// Notebooks counts the notebooks, Files all files, and Bytes is their size.
	Notebooks int   `json:"notebooks"`
	Files     int   `json:"files"`
	Bytes     int64 `json:"bytes"`
	// Results is true for the folder of results and undo histories.
	Results bool `json:"results,omitempty"`
	// More is true where the walk ended before all was seen.
	More bool `json:"more,omitempty"`
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

// ParamType is what an argument is.
type ParamType string

// The types of arguments. Range, rows, value and data are of makers and edits alone.
const (
	ParamModel   ParamType = "model"
	ParamPrompt  ParamType = "prompt"  // text, or tokens
	ParamPrompts ParamType = "prompts" // a set of prompts, or of pairs
	ParamString  ParamType = "string"
	ParamInt     ParamType = "int"
	ParamFloat   ParamType = "float"
	ParamBool    ParamType = "bool"
	ParamStrings ParamType = "strings" // a list; one string is taken, too
	ParamInts    ParamType = "ints"    // a list; one int is taken, too
	ParamFloats  ParamType = "numbers"
	ParamChoice  ParamType = "choice"
	ParamMetric  ParamType = "metric" // a choice, or a function
	ParamPatches ParamType = "patches"
	ParamEdits   ParamType = "edits"
	ParamRange   ParamType = "range" // range(0, 100), or a list of whole numbers
	ParamRows    ParamType = "rows"  // a list of prompts or pairs, or the text of a file
	ParamValue   ParamType = "value" // a number, or what else an edit puts in
	ParamData    ParamType = "data"  // an expression
)

// ParamInfo describes one keyword argument.
type ParamInfo struct {
	Name     string    `json:"name"`
	Type     ParamType `json:"type"`
	Required bool      `json:"required"`
	// Default is written as a cell would; empty where the argument is required.
	Default string   `json:"default,omitempty"`
	Choices []string `json:"choices,omitempty"`
	// Chooses says that the argument chooses what a value of prompts holds, so
	// that it cannot stand beside one: "prompts" any, "pairs" one of pairs.
	Chooses string `json:"chooses,omitempty"`
	// Min and Max bound a number, or each of a list, and are within it, but for Min
	// where Above is true; absent where there is no bound. Most is how long a list
	// may be, 0 for any length.
	Min   *float64 `json:"min,omitempty"`
	Max   *float64 `json:"max,omitempty"`
	Above bool     `json:"above,omitempty"`
	Most  int      `json:"most,omitempty"`
	// Unit is what a number counts, in the plural.
	Unit string `json:"unit,omitempty"`
	// Index is what a number, or each of a list, is the place of in the model of the
	// call, from 0 on: "layers" or "heads". Negative ones count from the end, unless
	// Min says what they mean.
	Index string `json:"index,omitempty"`
	Help  string `json:"help"`
}

// ExportFormats are the formats of GET
// /api/notebooks/ID/cells/CELL/outputs/OUTPUT.FORMAT. The query says what the
// reader sees, each part optional: theme=light|dark, show=METRIC, VIEW of a
// scatter or of lines, or phase for a map over residues, colour=COLOURING and
// turn=AZIMUTH,ELEVATION of a scatter, frame=INDEX of a slider; show.N and colour.N
// are those of panel N of multiples, from 0.
var ExportFormats = [...]string{"png", "svg", "pdf", "csv", "json", "npz"}

// Figure is viz.Figure under the name that the page knows.
type Figure = viz.Figure
