package kernel

import "testing"

// EachPath runs f as a subtest on each path that this processor has. Tests of
// this package are not parallel, so nothing else runs meanwhile.
func EachPath(t *testing.T, f func(t *testing.T)) {
	was := avx2
	defer func() { avx2 = was }()
	for _, path := range []string{"avx2", "go"} {
		t.Run(path, func(t *testing.T) {
			avx2 = path == "avx2"
			if avx2 && !was {
				t.Skip("this processor has no AVX2 with FMA")
			}
			f(t)
		})
	}
}

// WithThreads runs f on a new team of n goroutines.
func WithThreads(n int, f func()) {
	was := shared.Load()
	defer shared.Store(was)
	t := newTeam(n)
	t.start()
	shared.Store(t)
	f()
}
