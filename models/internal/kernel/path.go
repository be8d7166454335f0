package kernel

import (
	"fmt"
	"os"

	"golang.org/x/sys/cpu"
)

//go:generate ./asm/generate.sh

// active is the generated code that runs here, nil for the plain loops. It is
// decided once, before main, from what the processor and its operating system
// report and from the environment; only tests change it.
var active, errSetting = choose(os.Getenv(Variable))

// Variable names the environment variable that holds a process to a path: "go",
// "avx2" or "avx512" (the default). A path that the processor lacks gives the
// best one below it.
const Variable = "ORRERY_KERNEL"

// Path names the implementation that this process uses: "avx512" and "avx2"
// for the generated vector code or "go" for the plain loops. The two vector
// paths give the same bits everywhere. Between them and the plain loops a sum
// of products differs by at most 1e-5 of the sum of the products' magnitudes.
func Path() string {
	switch active {
	case nil:
		return "go"
	case codeAVX2:
		return "avx2"
	}
	return "avx512"
}

// Setting returns an error when the environment variable Variable holds
// anything but the name of a path; the process then runs as if it were unset.
func Setting() error { return errSetting }

// choose returns the best code that the processor has, up to the path named.
func choose(path string) (*code, error) {
	x := cpu.X86
	avx2 := x.HasAVX2 && x.HasFMA && x.HasF16C && x.HasBMI2
	avx512 := avx2 && x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL
	var err error
	switch path {
	case "go":
		return nil, nil
	case "avx2":
		avx512 = false
	case "avx512", "":
	default:
		err = fmt.Errorf("kernel: %s is %q, want go, avx2 or avx512", Variable, path)
	}
	switch {
	case avx512:
		return codeAVX512, err
	case avx2:
		return codeAVX2, err
	}
	return nil, err
}
