package script

import (
	"slices"
	"sync/atomic"
)

// user is the run that uses the values of a cell: the one that makes them and,
// later, one of another cell that was given them. It is nil between runs.
type user struct{ run atomic.Pointer[run] }

// walked is how many elements of a walk may be kept before the heap is looked at:
// a builtin that takes a whole range in one operation outruns the watch.
const walked = 1 << 17

// stopped reports, at element i of a walk, that the run which walks was stopped.
func (u *user) stopped(i int) bool {
	r := u.run.Load()
	if r == nil {
		return false
	}
	if i&(walked-1) == 0 && r.memory.exceeded() {
		r.stop(stopMemory)
	}
	return r.why.Load() != notStopped
}

// use makes r the user of the values of other cells and of its own, until the
// function that it returns is called.
func (r *run) use(in []*Exports) (end func()) {
	r.own = new(user)
	r.users = []*user{r.own}
	for _, e := range in {
		for _, u := range e.users {
			if !slices.Contains(r.users, u) {
				r.users = append(r.users, u)
			}
		}
	}
	for _, u := range r.users {
		u.run.Store(r)
	}
	return func() {
		for _, u := range r.users {
			u.run.CompareAndSwap(r, nil)
		}
	}
}
