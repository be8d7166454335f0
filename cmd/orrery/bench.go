package main

// benchCommand groups what measures the engine, and what it is measured on.
type benchCommand struct {
	Works benchWorksCommand `cmd:"" default:"withargs" help:"Measure works: sweeps, runs, attribution, generation, lenses (the default)."`
	Synth synthCommand      `cmd:"" help:"Write a model directory with random weights in a family's real layout and size."`
}
