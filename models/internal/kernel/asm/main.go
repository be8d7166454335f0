// Command asm generates the AVX2 and FMA code of package kernel with avo. It is
// a module of its own, so that building Orrery needs neither avo nor this
// folder: the generated files are committed. Run it with
//
//	go generate ./models/internal/kernel
//
// Every function works on whole slices. What it computes is the loop in its
// comment; the loops in the package's Go files are the oracle of its tests.
package main

import . "github.com/mmcloughlin/avo/build"

func main() {
	ConstraintExpr("amd64")
	tiles()
	packing()
	reductions()
	elementwise()
	exponentials()
	activations()
	Generate()
}
