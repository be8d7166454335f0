package main

// benchCommand groups what measures the engine, and what it is measured on.
type benchCommand struct {
	Works   benchWorksCommand   `cmd:"" default:"withargs" help:"Measure works: sweeps, runs, attribution, generation, lenses (the default)."`
	Gallery benchGalleryCommand `cmd:"" help:"Measure notebooks: how soon each cell's figure has its first number, and how soon the cell is done."`
	Synth   synthCommand        `cmd:"" help:"Write a model directory with random weights in a family's real layout and size."`
}
