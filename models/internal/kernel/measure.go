package kernel

import (
	"sync"
	"time"
)

// Peak measures the multiply-adds that threads threads can do at most on this
// path, in float32 operations a second (two each), over about 10 ms: the best
// of several runs of independent chains in registers. On the plain path, which
// has no vectors to fill, it is 0.
func Peak(threads int) float64 {
	if active == nil {
		return 0
	}
	const turns = 10000
	flops := 2 * 16 * 12 * float64(turns) * float64(threads)
	if active == codeAVX2 {
		flops *= 8
	} else {
		flops *= 16
	}
	return flops / fastest(threads, func(int) { active.peak(turns) })
}

// Bandwidth measures how fast threads threads read memory together, in bytes a
// second: the best of several passes over x, which should be much larger than
// the caches. On the plain path it is 0.
func Bandwidth(threads int, x []float32) float64 {
	lines := len(x) / 16 / threads / 8 * 8
	if active == nil || lines == 0 {
		return 0
	}
	return float64(64*lines*threads) / fastest(threads, func(i int) { active.scan(&x[i*lines*16], lines) })
}

// fastest runs fn(0) to fn(threads-1) at the same time, several times, and
// returns the least time in seconds.
func fastest(threads int, fn func(i int)) float64 {
	best := time.Duration(1 << 62)
	for range 7 {
		var all sync.WaitGroup
		start := time.Now()
		for i := 1; i < threads; i++ {
			all.Go(func() { fn(i) })
		}
		fn(0)
		all.Wait()
		best = min(best, time.Since(start))
	}
	return best.Seconds()
}
