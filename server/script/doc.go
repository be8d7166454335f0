// Package script runs code cells. A cell is Starlark, a language with Python's
// syntax and without its I/O, with models, tensors, tokens, caches and figures
// as values and every analysis as a function.
//
// It is not the notebook: it knows no documents, queue or store. A caller
// compiles each cell (Compile), reads off the names that it defines and uses
// (Program, Analyze) and runs it (Run) with the frozen values of other cells.
//
// # Names
//
// A cell exports what its top level assigns or defines. Names that start with
// _ and variables of for loops are local to their cell. Exports are frozen:
// another cell that tries to change one gets an error with its position, so
// there is no hidden state. A name that two cells define is an error on both.
// Builtins cannot be redefined at top level.
//
// # What is shown
//
// print streams. The value of the last expression is shown, unless it is None.
// An analysis shows its figure in the cell as soon as it is called, and fills
// it while it computes, also when its result is assigned to a name: a figure
// that stayed hidden for minutes would surprise more than one that shows. A
// figure that the run has shown already is not shown again as the last value.
//
// # Numbers
//
// int and float are Starlark's, which are Python's: ints have any size, / is
// a float, // and % round down, 1 == 1.0. round(x) rounds ties to even and
// gives an int, as in Python. Tensors hold float32 (or int32 and bool, exact
// up to 2^24); an element or a reduction of all elements is a float. Sums
// accumulate in float64.
//
// # Limits
//
// A cancelled context ends Run within 100 ms, whatever the cell is doing; a
// library call that cannot be stopped is left to end by itself, cut off from
// the Host. Growth of the heap beyond Limits.Bytes ends the cell; large
// repetitions and tensors are refused before they are allocated.
//
// # Errors
//
// Compile, Run and Analyze report *api.Error with line, column and, for calls
// across functions, a trace; Python habits get a message that says what to
// write instead. A panic in a builtin becomes an internal error; its stack
// goes to the log.
//
// Start reading at Compile, Run and Analyze; then builtins.go for the list of
// functions, and tensor.go.
package script
