package models

import "orrery/models/internal/kernel"

// Threads is the number of goroutines that the products of this process are
// split over: GOMAXPROCS when the first of them starts.
func Threads() int { return kernel.Threads() }

// PeakFLOPS measures the float32 operations a second, two for each fused
// multiply-add, that all threads reach at most here, without touching memory.
// It takes about 0.1 s and is 0 on the plain Go path.
func PeakFLOPS() float64 { return kernel.Peak(kernel.Threads()) }

// ReadBandwidth measures the bytes a second that all threads read from x, which
// should be much larger than the caches. It is 0 on the plain Go path.
func ReadBandwidth(x []float32) float64 { return kernel.Bandwidth(kernel.Threads(), x) }
