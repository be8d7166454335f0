//go:build !unix

package bench

// ProcessorTime is not known here.
func ProcessorTime() float64 { return 0 }
