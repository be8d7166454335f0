// Package ablate changes a model's run and measures what follows: patching,
// mediation, knock-outs, direct effects, "All for One". It reads nothing else
// (package probe does) and draws nothing (package server/analysis turns its
// results into figures).
//
// Prompts come from a template (Prompts), with an account of what was left out
// and why; Contrasts gives each a partner. A Metric turns a run into a number.
// Then:
//
//	Patch            another run's activations, cell by cell (TransformerLens' sweeps)
//	AttributionPatch the same to first order, by one gradient for all cells; IntegratedPatch along the way
//	Mediate          the same for component outputs, as changes of two probabilities
//	Knockout         zeros, means or another prompt's values; KnockoutCurve for the first k
//	CausalTrace      noise on embeddings, and what restoring a cell brings back
//	StandIns         what a fit says in place of an activation, on every path or one
//	TotalAndDirect   a component's effect, whole and on the path to the logits; Joint for the first k
//	Circuits         what is left with only some heads and MLPs; its Gap is completeness and minimality
//	PathPatch        a sender's change along paths, to the logits or to receivers
//	AttributeEdges   the same edge by edge (EAP, EAP-IG); PatchEdges exactly, EdgeCircuits with some edges alone
//	CAMATable        means of the stream given the own token, for StartAllForOne:
//	                 Apply recipes of waiting, transfer and computing blocks, Prune heads, Search windows
//
// Interventions are data (models.Edit). The cells of all pairs or prompts are
// one sweep of exact re-runs (models.Base.Rerun): each has the bits of a full
// run and costs what its edits can reach. A few of every sweep are compared
// with full passes, and every result carries the report. Cells go to emit when
// all pairs have passed them, those of the deepest layers first; the context is
// looked at between runs. A sweep that stops early returns what it has, with
// the error.
//
// Under Resume every such sweep keeps its finished runs, one pair or prompt of a cell
// each, and a call that was cut short goes on from them. Whatever else a call
// computes (runs without edits, tables of means, gradients) it computes again.
//
// # Cost
//
// With n pairs, L layers, T positions and H heads, a sweep by position makes
// n·L·T re-runs, one by head and position n·L·T·H, by single entries of
// patterns n·L·H·T². The edit at layer l and position t reaches about
// (L−l)·(T−t) of the L·T rows, so that a sweep of the stream by position costs a
// quarter of full runs, and one at the last position 1/(2T). Stand-ins cost n·F·L
// re-runs for F fits a layer. A table of means
// costs one run a context of the blocks that it is filled for, less what contexts
// that begin alike share; greedy pruning of h heads h·(h+1)/2 recipes.
//
// Direction is always stated: values of the source run are put into the base
// run. Per-pair values are kept; means come with n and the standard error
// s/√n (s with n-1).
package ablate
