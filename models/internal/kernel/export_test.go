package kernel

import "testing"

// EachPath runs f as a subtest on each path that this processor has. Tests of
// this package are not parallel, so nothing else runs meanwhile.
func EachPath(t *testing.T, f func(t *testing.T)) {
	was := active
	defer func() { active = was }()
	for _, path := range []string{"avx512", "avx2", "go"} {
		t.Run(path, func(t *testing.T) {
			active, _ = choose(path)
			if Path() != path {
				t.Skip("this processor has no " + path)
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

// Choose returns the path that the setting gives.
func Choose(setting string) (string, error) {
	was := active
	defer func() { active = was }()
	var err error
	active, err = choose(setting)
	return Path(), err
}

// OnPath runs f on a path, if this processor has it.
func OnPath(path string, f func()) {
	was := active
	defer func() { active = was }()
	if active, _ = choose(path); Path() == path {
		f()
	}
}
