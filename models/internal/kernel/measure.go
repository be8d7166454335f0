package kernel

import (
	"math"
	"sync"
	"time"
)

// Peak measures the multiply-adds that threads threads can do at most on this
// path, in float32 operations a second (two each), the best of some runs of
// independent chains in registers, some fifty milliseconds in all. On the plain path, which
// has no vectors to fill, it is 0.
func Peak(threads int) float64 {
	if active == nil {
		return 0
	}
	const turns = 100000
	flops := 2 * 16 * 12 * float64(turns) * float64(threads)
	if active == codeAVX2 {
		flops *= 8
	} else {
		flops *= 16
	}
	return flops / fastest(threads, func(int) { active.peak(turns) }).Seconds()
}

// Bandwidth measures how fast threads threads read memory together, in bytes a
// second: the best among pieces of 8 MiB of x, one after the other, so that a
// pause forced by other programs spoils few. x should be much larger than the
// caches. On the plain path it is 0.
func Bandwidth(threads int, x []float32) float64 {
	const piece = 1 << 21
	each := piece / threads / 128 * 128
	if active == nil || each == 0 {
		return 0
	}
	best := 0.0
	for ; len(x) >= piece; x = x[piece:] {
		took := once(threads, func(i int) { active.scan(&x[i*each], each/16) })
		best = max(best, float64(4*each*threads)/took.Seconds())
	}
	return best
}

// fastest runs fn on threads threads several times and returns the least time.
func fastest(threads int, fn func(i int)) time.Duration {
	best := time.Duration(math.MaxInt64)
	for range 20 {
		best = min(best, once(threads, fn))
	}
	return best
}

// once runs fn(0) to fn(threads-1) at the same time.
func once(threads int, fn func(i int)) time.Duration {
	var all sync.WaitGroup
	start := time.Now()
	for i := 1; i < threads; i++ {
		all.Go(func() { fn(i) })
	}
	fn(0)
	all.Wait()
	return time.Since(start)
}
