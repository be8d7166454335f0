package main

import (
	"embed"
	"io/fs"
)

// firstExample is the notebook that a first visit opens.
const firstExample = "mental-addition"

//go:generate go run . run examples/mental-addition.md --record examples/mental-addition.outputs.json
//go:generate go run . run examples/all-for-one.md --record examples/all-for-one.outputs.json
//go:generate go run . run examples/numbers-on-a-helix.md --record examples/numbers-on-a-helix.outputs.json
//go:generate go run . run examples/fourier-features.md --record examples/fourier-features.outputs.json
//go:generate go run . run examples/watching-it-grok.md --record examples/watching-it-grok.outputs.json
//go:generate go run . run examples/clock-or-pizza.md --record examples/clock-or-pizza.outputs.json

// examples holds the shipped notebooks with their recorded outputs, which
// `orrery run --record` writes (go generate ./cmd/orrery).
//
//go:embed examples
var examples embed.FS

// exampleFiles is the folder of shipped notebooks.
func exampleFiles() fs.FS {
	files, err := fs.Sub(examples, "examples")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return files
}
