package api

// FormRequest is POST /api/form: the calls in a cell's text as forms, behind an
// edit where there is one.
type FormRequest struct {
	Source string `json:"source"`
	// Types holds the types of the notebook's variables, by name: they tell which
	// parameter an argument without a name is for.
	Types map[string]string `json:"types,omitempty"`
	Edit  *FormEdit         `json:"edit,omitempty"`
}

// FormEdit changes one argument of one call.
type FormEdit struct {
	// Call is the place among the calls.
	Call int `json:"call"`
	// Name is the parameter's.
	Name string `json:"name"`
	// Text is the new value, an expression of a cell; empty takes the argument out,
	// so that the default counts.
	Text string `json:"text"`
}

// FormResponse holds the text and its calls.
type FormResponse struct {
	// Source is the text behind the edit; everything but the argument is as it was.
	Source string     `json:"source"`
	Calls  []FormCall `json:"calls"`
}

// FormCall is a call that a form can show: of an analysis, or of a function that
// makes what one takes. It stands at the top of a cell, alone or assigned to
// names, or is an argument of another one.
type FormCall struct {
	// Name is the function's, Line where the call begins. "edit" is no function but
	// a dictionary that edits a run.
	Name string `json:"name"`
	Line int    `json:"line"`
	// Title is the name in words, Summary one sentence.
	Title   string `json:"title"`
	Summary string `json:"summary"`
	// Into is what the result is assigned to, as it stands there; empty for none.
	Into string `json:"into,omitempty"`
	// On is what a method is called of, as it stands there; empty for a function.
	On string `json:"on,omitempty"`
	// In says which argument of which call this one is, or is an element of; absent
	// at the top of a cell.
	In *FormPlace `json:"in,omitempty"`
	// Params are what the call takes, in the order of a form. Those of prompts
	// depend on the template: each operand is one.
	Params []ParamInfo `json:"params"`
	Args   []FormArg   `json:"args"`
}

// FormPlace is an argument of a call.
type FormPlace struct {
	// Call is the place among the calls, Name the parameter's.
	Call int    `json:"call"`
	Name string `json:"name"`
}

// FormArgKind is what an argument is.
type FormArgKind string

// The kinds of argument.
const (
	ArgString FormArgKind = "string"
	ArgNumber FormArgKind = "number"
	ArgBool   FormArgKind = "bool"
	// ArgNone is None, which counts as left out.
	ArgNone FormArgKind = "none"
	// ArgList is a list of strings, ArgNumbers one of numbers, ArgPairs one of
	// (clean, corrupted) as strings.
	ArgList    FormArgKind = "list"
	ArgNumbers FormArgKind = "numbers"
	ArgPairs   FormArgKind = "pairs"
	// ArgRange is range(...) of numbers.
	ArgRange FormArgKind = "range"
	// ArgCalls is a call, or a list of calls, each of which is a FormCall in it.
	ArgCalls FormArgKind = "calls"
	// ArgCode is any other expression: a name, a sum.
	ArgCode FormArgKind = "code"
)

// FormArg is one argument that is given.
type FormArg struct {
	// Name is the parameter's, also where the call leaves it out.
	Name string      `json:"name"`
	Kind FormArgKind `json:"kind"`
	// Text is the value of a string, and else the expression as it stands there.
	Text string `json:"text"`
	// Items are the elements of a list: strings, or numbers as they stand there; of
	// pairs clean and corrupted in turns; of a range from, to (not within) and step.
	Items []string `json:"items,omitempty"`
	// Problem says what is wrong with the value, as far as that can be told without
	// running; empty for nothing.
	Problem string `json:"problem,omitempty"`
}
