// Package analysis is the catalogue: one file an analysis, where models,
// probe and ablate meet viz. From one declaration (Analysis) come the
// Starlark builtin with its keyword arguments, completion and hover text, and
// the command line's list.
//
// To add an analysis, write one file with a function that returns its
// Analysis and name it in All. Its Run gets arguments that Bind has checked,
// emits the figure with its axes first, then parts as they are computed, and
// returns the finished figure with badges, caption and provenance.
//
// The package knows no HTTP and no notebooks. Errors name the offending
// value; those that know a next step implement interface{ Hint() string }.
package analysis
