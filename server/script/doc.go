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
// # Kept results
//
// A call of an analysis whose arguments are known by content (analysis.Key) asks the
// Host for its figure before it computes, and gives the Host the finished one. A
// figure that is recalled is shown at once and whole, with the warnings that belong
// to it; the value of the call is the same as a computed one's. A call that is not
// recalled goes on from the finished runs that an interrupted one of the same key left
// with the Host (analysis.Analysis.Resume), and leaves its own.
//
// # Numbers
//
// int and float are Starlark's, which are Python's: ints have any size, / is
// a float, // and % round down, 1 == 1.0. round(x) rounds ties to even and
// gives an int, as in Python. Tensors hold float32 (or int32 and bool, exact
// up to 2^24); an element or a reduction of all elements is a float. Sums
// accumulate in float64.
//
// # Caches
//
// A cache has TransformerLens' methods with its arguments and defaults:
//
//	cache.decompose_resid(layer=-1, mlp_input=False, mode="all", apply_ln=False, pos_slice=None, incl_embeds=True, return_labels=False)
//	cache.accumulated_resid(layer=-1, incl_mid=False, apply_ln=False, pos_slice=None, mlp_input=False, return_labels=False)
//	cache.stack_head_results(layer=-1, return_labels=False, incl_remainder=False, pos_slice=None, apply_ln=False)
//	cache.stack_neuron_results(layer=-1, pos_slice=None, neuron_slice=None, return_labels=False, incl_remainder=False, apply_ln=False, project_output_onto=None)
//	cache.get_full_resid_decomposition(layer=-1, mlp_input=False, expand_neurons=True, apply_ln=False, pos_slice=None, return_labels=False, project_output_onto=None)
//	cache.apply_ln_to_stack(residual_stack, layer=-1, mlp_input=False, pos_slice=None, recompute_ln=False)
//	cache.logit_attrs(residual_stack, tokens, incorrect_tokens=None, pos_slice=None, return_constant=False)
//	cache.remove_batch_dim()
//
// What they return is a stack: it has labels, s["L3H5"] is one component, and it
// does what a tensor does, whose values are laid out when they are first needed.
// logit_attrs needs none of them, and includes the final norm's gain. pos_slice
// is an index, a list, or a slice as text, "1:4".
//
// m.process(fold_ln, center_writing_weights, center_unembed, fold_value_biases)
// is the same model with rewritten weights, in every way that the model allows
// unless an argument says otherwise; m.basis, cache.basis and the provenance of
// figures say which weights a number is of.
//
// # Prompts
//
// A set of prompts of one length with single-token answers is made from a template:
//
//	p = prompts("{a}{op}{b}=", m, a=range(0, 100), b=range(0, 100), n=200, seed=1, keep="correct")
//
// Operands are the arguments that the template names, ranges or lists of whole
// numbers; op gives the operators, answer an expression where the text is none
// ("{a}-{b}"), answers a range that results must be in (0 and above, if it is left
// out), n how many to take (0 for all). Without m there is no tokenizer to ask,
// and the value is a recipe: an analysis makes it for its own model, p.on(m)
// makes it here, and what only a model can say is an error until then. The same
// recipe can so be given to several models.
//
// p.pairs(change="operand", partner="random", control=None, seed=None) gives
// partners: change is the name of an operand, "operand", "operands", "op", "both"
// (an operand and the operator), "any", or "result" (other operands, the same
// result); partner a list with one prompt each; control="result-fixed" keeps
// such pairs beside, as q.control. prompts_from(rows, m=None, keep="all",
// seed=1) takes what is given: a list of texts, dictionaries, (clean, corrupted),
// or the text of a CSV or JSON lines file. Cells read no files: the page's
// command "Insert prompts from a file" puts one into a cell, and orrery prompts
// checks one beforehand.
//
// p.report says what was dropped and why, p.accuracy how often the model is right
// before and after the filter, p.roles what each token is; p[0] is a prompt, or a
// pair with clean and corrupted; p[:8] a part; p.csv() and p.jsonl() the set as
// text, with ids=False one for any model. Analyses take a set as their second
// argument, or prompts=.
//
// metric= of a sweep takes a function f(logits, pair): logits [d_vocab] of the
// last position of the run that is measured; pair.answer and pair.other the ids
// of r and r′ as the analysis names them, pair.clean and pair.corrupted the
// prompts (None where there is no second), pair.base the logits without edits.
// It is called once a pair and cell, at some microseconds and a copy of the
// logits; numbers that are not finite are refused.
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
