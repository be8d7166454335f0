// Package probe reads a model: it runs one, looks at its activations and
// says what they hold. It changes nothing in a run (package ablate does) and
// draws nothing (package server/analysis turns its results into figures).
//
// Start with LogitLens, the pattern of every analysis here: a context, a
// model, token ids and options go in; rows are emitted as they are computed;
// the whole result comes back. A function stops at the next row when its
// context ends or emit returns an error, and returns that error.
//
// Letters of shapes: T positions, D model width, V vocabulary, L layers.
// All logarithms are natural, so entropies and divergences are in nats.
package probe
