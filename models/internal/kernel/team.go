package kernel

import "runtime"

// Threads returns the number of goroutines that Do splits work over.
func Threads() int { return runtime.GOMAXPROCS(0) }

// Do calls fn on ranges that cover [0,n).
func Do(n, grain int, fn func(lo, hi int)) {
	if n > 0 {
		fn(0, n)
	}
}
