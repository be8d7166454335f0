package main

import (
	"embed"
	"io/fs"
)

// firstExample is the notebook that a first visit opens.
const firstExample = "mental-addition"

//go:generate go run . run examples/mental-addition.md --out ../../.orrery/generate --record examples/mental-addition.outputs.json

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
