package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	api := flag.String("api", ".", "folder of package api")
	viz := flag.String("viz", filepath.FromSlash("../../viz"), "folder of package viz")
	out := flag.String("out", filepath.FromSlash("../../web/src/api/types.gen.ts"), "file to write")
	flag.Parse()
	if err := run(*api, *viz, *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(api, viz, out string) error {
	text, err := generate(api, viz)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o777); err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o666)
}

// generate returns the TypeScript text for the packages in two folders.
func generate(api, viz string) ([]byte, error) {
	w, err := load(api)
	if err != nil {
		return nil, err
	}
	v, err := load(viz)
	if err != nil {
		return nil, err
	}
	return emit(w, v)
}
