// Command asm generates the AVX2 and AVX-512 code of package kernel with avo. It
// is a module of its own, so that building Orrery needs neither avo nor this
// folder: the generated files are committed. Run it with
//
//	go generate ./models/internal/kernel
//
// Every function works on whole slices. What it computes is the loop in its
// comment; the loops in the package's Go files are the oracle of its tests. The
// two sets of functions are twins: vectors of 8 lanes or 16, the same bits.
package main

import (
	"flag"
	"log"

	. "github.com/mmcloughlin/avo/build"
)

func main() {
	flag.BoolVar(&wide, "wide", false, "generate for AVX-512 in place of AVX2")
	table := flag.String("table", "", "Go file to write the table of functions to")
	flag.Parse()
	ConstraintExpr("amd64")
	tiles()
	if !wide { // bound by memory: nothing to gain
		packing()
		packingHalves()
		turning()
		widening()
	}
	reductions()
	elementwise()
	exponentials()
	activations()
	measures()
	Generate()
	if err := writeTable(*table, []string{"transpose8", "transposeHalf8", "turn16", "widenBF16", "widenF16"}); err != nil {
		log.Fatal(err)
	}
}
