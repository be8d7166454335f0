package kernel

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// shared is the worker team of this process, started by the first Do that has
// something to split. It is the only state of the package that outlives a call.
var shared atomic.Pointer[team]

// team is a set of goroutines that wait for ranges of a job. Starting
// goroutines for a fifth of a millisecond of work loses what the second core
// gains, so these stay, and after a job they spin for some microseconds before
// they park.
type team struct {
	busy    sync.Mutex // held by the caller whose job is running; guards job
	job     job
	workers []*worker
}

// worker is one goroutine of a team besides the caller of Do.
type worker struct {
	slot   atomic.Pointer[job] // the job to take; nil when there is none
	parked atomic.Bool         // true when a token on wake is needed
	wake   chan struct{}
}

// job is one call of Do.
type job struct {
	fn       func(lo, hi int)
	n, chunk int64
	next     atomic.Int64 // first index that no goroutine has taken yet
	finished atomic.Int64 // workers that are done with this job
	waiting  atomic.Bool  // true when the caller needs a token on done
	done     chan struct{}
	failed   atomic.Pointer[failure]
}

// failure holds the first panic of a job.
type failure struct{ value any }

// spins is how often a goroutine looks for news before it parks: about 20 µs at
// 2 ns a look.
const spins = 10000

// chunks is how many ranges a goroutine gets on average, so that one which is
// held up by other programs leaves its share to the rest.
const chunks = 4

// Threads returns the number of goroutines that Do splits work over, the
// caller's included. It is GOMAXPROCS when the team starts.
func Threads() int { return current().threads() }

func (t *team) threads() int { return len(t.workers) + 1 }

// current returns the team and starts it when there is none yet.
func current() *team {
	if t := shared.Load(); t != nil {
		return t
	}
	t := newTeam(runtime.GOMAXPROCS(0))
	if shared.CompareAndSwap(nil, t) {
		t.start()
	}
	return shared.Load()
}

// newTeam returns a team of n goroutines, the caller of Do being one of them,
// whose workers have not started.
func newTeam(n int) *team {
	t := &team{}
	t.job.done = make(chan struct{}, 1)
	for range n - 1 {
		t.workers = append(t.workers, &worker{wake: make(chan struct{}, 1)})
	}
	return t
}

// start lets the workers run, for as long as the process lives.
func (t *team) start() {
	for _, w := range t.workers {
		go w.serve()
	}
}

// Do calls fn on ranges [lo,hi) that cover [0,n) once, on all threads, and
// returns when all calls have. Ranges have at least grain indices, except the
// last: grain is the number that is worth a few microseconds. It calls fn(0,n)
// itself when n <= grain, and also when the team is busy, which makes nested
// calls run inline and lets concurrent callers share the processors. fn must
// write to places that depend on its indices only, as nothing else about the
// split is fixed. A panic in fn stops the remaining ranges and is raised again
// in the caller, with the same value.
func Do(n, grain int, fn func(lo, hi int)) {
	if n <= 0 {
		return
	}
	if n <= grain {
		fn(0, n)
		return
	}
	t := current()
	if len(t.workers) == 0 || !t.busy.TryLock() {
		fn(0, n)
		return
	}
	t.run(n, max(grain, 1), fn)
}

// run splits the job over the team. The caller holds busy, and run releases it.
func (t *team) run(n, grain int, fn func(lo, hi int)) {
	j := &t.job
	per := t.threads() * chunks
	j.fn, j.n, j.chunk = fn, int64(n), int64(max(grain, (n+per-1)/per))
	j.next.Store(0)
	j.finished.Store(0)
	j.failed.Store(nil)
	for _, w := range t.workers {
		w.post(j)
	}
	j.work()
	taken := int64(0)
	for _, w := range t.workers {
		if !w.slot.CompareAndSwap(j, nil) {
			taken++
		}
	}
	j.wait(taken)
	f := j.failed.Load()
	j.fn = nil
	t.busy.Unlock()
	if f != nil {
		panic(f.value)
	}
}

// work takes ranges until none is left. It keeps the first panic.
func (j *job) work() {
	defer func() {
		if v := recover(); v != nil {
			j.failed.CompareAndSwap(nil, &failure{v})
			j.next.Store(j.n)
		}
	}()
	for {
		hi := j.next.Add(j.chunk)
		lo := hi - j.chunk
		if lo >= j.n {
			return
		}
		j.fn(int(lo), int(min(hi, j.n)))
	}
}

// wait returns when taken workers have finished.
func (j *job) wait(taken int64) {
	for i := range spins {
		if j.finished.Load() == taken {
			return
		}
		pause(i)
	}
	for {
		j.waiting.Store(true)
		if j.finished.Load() == taken {
			// A worker that saw waiting has sent a token, or is about to.
			if !j.waiting.CompareAndSwap(true, false) {
				<-j.done
			}
			return
		}
		<-j.done
	}
}

// finish counts a worker as done and wakes a caller that waits for it.
func (j *job) finish() {
	j.finished.Add(1)
	if j.waiting.CompareAndSwap(true, false) {
		j.done <- struct{}{}
	}
}

// post hands j to the worker and wakes it when it is parked.
func (w *worker) post(j *job) {
	w.slot.Store(j)
	if w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{}
	}
}

// serve runs jobs for ever.
func (w *worker) serve() {
	for {
		j := w.take()
		j.work()
		j.finish()
	}
}

// take waits for a job: it looks for a while, then parks.
func (w *worker) take() *job {
	for {
		for i := range spins {
			if j := w.slot.Load(); j != nil && w.slot.CompareAndSwap(j, nil) {
				return j
			}
			pause(i)
		}
		w.parked.Store(true)
		if w.slot.Load() != nil && w.parked.CompareAndSwap(true, false) {
			continue
		}
		<-w.wake
	}
}

// pause lets other goroutines run now and then while one spins.
func pause(i int) {
	if i%64 == 63 {
		runtime.Gosched()
	}
}
