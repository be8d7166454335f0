package kernel

import "sync"

// hooked serialises the tests that change the path or the team.
var hooked sync.Mutex

// OnPath runs f with the path "avx2" or "go". It reports false, and does not
// run f, when this processor lacks that path.
func OnPath(path string, f func()) bool {
	hooked.Lock()
	defer hooked.Unlock()
	was := avx2
	defer func() { avx2 = was }()
	if path == "avx2" && !was {
		return false
	}
	avx2 = path == "avx2"
	f()
	return true
}

// WithThreads runs f on a team of n goroutines.
func WithThreads(n int, f func()) {
	hooked.Lock()
	defer hooked.Unlock()
	was := shared.Load()
	t := newTeam(n)
	t.start()
	shared.Store(t)
	defer func() {
		shared.Store(was)
	}()
	f()
}
