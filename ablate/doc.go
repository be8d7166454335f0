// Package ablate changes a model's run and measures what follows: patching,
// mediation, knock-outs. It reads nothing else (package probe does) and draws
// nothing (package server/analysis turns its results into figures).
//
// Start with Mediate, the pattern of every sweep here. The interventions are
// data (models.Edit), so a sweep can be stored, repeated and cut into chunks;
// a metric turns a run's logits into numbers; a stream of cells goes to emit
// as they are done; the context is looked at between runs. A sweep that stops
// early returns what it has, with the error, and says which cells are there.
//
// Direction is always stated: values of the source run are put into the base
// run. Per-pair values are kept; means come with n and the standard error
// s/√n (s with n-1).
package ablate
