// Command asm generates the AVX2 and AVX-512 code of package kernel with avo. It
// is a module of its own, so that building Orrery needs neither avo nor this
// folder: the generated files are committed. Run it with
//
//	go generate ./models/internal/kernel
//
// Every function works on whole slices. What it computes is the loop in its
// comment; the loops in the package's Go files are the oracle of its tests. The
// two sets of functions are twins: vectors of 8 lanes or 16, the same bits. A run
// writes one part of one set.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	flag.BoolVar(&wide, "wide", false, "generate for AVX-512 in place of AVX2")
	part := flag.String("part", "", "what to generate: tiles, back or loops")
	table := flag.String("table", "", "with loops: Go file to write the table of all functions to")
	flag.Parse()
	ConstraintExpr("amd64")
	switch *part {
	case "tiles":
		tiles()
	case "back":
		backTiles()
	case "loops":
		if !wide { // bound by memory: nothing to gain
			packing()
			gathering()
			asking()
			widening()
		}
		reductions()
		elementwise()
		exponentials()
		activations()
		measures()
	default:
		log.Fatalf("there is no part %q", *part)
	}
	Generate()
	if *table == "" {
		return
	}
	if err := writeTable(*table, []string{"transpose8", "gather", "ask", "widenBF16", "widenF16"}); err != nil {
		log.Fatal(err)
	}
}
