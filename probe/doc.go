// Package probe reads a model: it runs one, looks at its activations and
// says what they hold. It changes nothing in a run (package ablate does) and
// draws nothing (package server/analysis turns its results into figures).
//
// Start with LogitLens, the pattern of every analysis that runs a model: a
// context, a model, token ids and options go in; rows are emitted as they are
// computed; the whole result comes back. A function stops at the next row when
// its context ends or emit returns an error, and returns that error.
//
// The other methods are functions of arrays, float64 matrices with a row a
// sample. Matrix makes one of an activation, SweepPrompts many of many prompts.
//
//   - FitPCA, FitPCARandom: components of a cloud
//   - FitHelix, CompareFits, FitRivals, FitNeurons, TypeHeads: numbers on a helix
//   - DFT, NumberSpace, EmbeddingSpectrum, ContributionSpectrum, StrongestWaves, NewFilter: waves
//     over the numbers
//   - RunModular, MeasureGrok, MeasureCircuit, FrequencyPlane, with ModularLogits, ClusterNeurons and
//     Gini beneath them: progress of a grokking network
//   - MeasureClockPizza, with DistanceIrrelevance, GradientSymmetricity and
//     Circularity beneath it, and MeasureCircleLogits, ExplainedByPatterns: clock or
//     pizza
//   - ScoreHeads, AttendByClass, CompositionScores: attention
//   - FitRidge, FitLogistic, CrossValidate, ProbeProperty: linear probes
//   - MeasureSpectrum, TwoNN, Gride, CKA, CCA, Align, Decompose,
//     MeasureCollapse, MeanShift: geometry
//   - AdditionColumns, FitFrequencies, BestSubgroups, NumberTokens, and FormatAddition,
//     ChunkDigits, AbacusPositions, CoupledPositions of how they are written: digits
//   - FitTunedLens, and codas of LensOptions: other lenses
//   - ChannelDifficulty, QuantisationError: what outlying channels cost
//
// Input that has no answer is an error that names the value: fewer samples than
// features where any fit would be exact, targets that are constant, periods below
// 2, directions of length 0. Input that has one with a caveat comes back with it:
// a rank below the number of columns, rows left out, components found by chance.
// No result is ever NaN.
//
// # Cost
//
// How each function grows stands with it. The large ones: components of N rows of
// width D cost N·D·min(N, D) exactly and N·D·k at random; the fits of all period
// sets 2^(periods+1) times N·k; 2-D transforms p³ a neuron or class, clusters of
// neurons p² each; losses of a modular adder p³, a checkpoint of one a run of p²
// prompts beside that; distances between rows N²·D; a sweep one run over its prompts,
// whatever the number of sites.
//
// Letters of shapes: N rows, T positions, D model width, H heads, K head width,
// V vocabulary, L layers, P numbers, R waves. All logarithms are natural, so
// entropies and divergences are in nats. Standard deviations are of the
// population; principal variances divide by N-1.
package probe
