// Package bench holds the works by which Orrery states its speed, each a small
// function that does what a user would do with package models: sweeps of
// activation patching, runs with a full cache, attribution, generation, lenses.
//
// A Suite is a model with random weights and its works. The model is of GPT-2
// small's size because other tools are measured on that; the values of weights
// and tokens do not matter for speed, but clean and corrupted prompts do: see
// layout. Suite.Run measures each work: the best and the median of several
// runs, the arithmetic and the reading that nothing exact can do without (see
// Cost), as a share of what this processor reaches in the same minutes, memory,
// and for sweeps how many rows were computed and whether a sample of their
// cells has the bits of full passes.
//
// Other programs on the machine only add to a time, two threads that wait for
// each other more than most. So the best run is the figure to quote, and each
// result says how many processors others used meanwhile.
package bench
