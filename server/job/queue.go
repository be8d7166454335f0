package job

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"orrery/server/api"
)

// Task is one run of one cell.
type Task struct {
	// ID is unique in the queue.
	ID string
	// Cell is what runs; a queue holds at most one waiting task a cell.
	Cell string
	// Revision is the document's when the task was made.
	Revision uint64
	// Key names what will be computed: asking again for the key that runs
	// gives the task that runs.
	Key string
	// Fresh says that all is to be computed anew: a run that is not fresh does not
	// stand for one that is.
	Fresh bool
	// Run does the work. It must return soon after ctx is done.
	Run func(ctx context.Context) error
}

// Change is a step of a task's life: queued, running, and one of done, failed
// and canceled, which comes last and always comes.
type Change struct {
	Task  Task
	State api.CellState
	// Err says why, when State is failed.
	Err *api.Error
	// Elapsed is the time since the task began to run.
	Elapsed time.Duration
}

// Queue runs tasks. It is safe for concurrent use.
type Queue struct {
	changed func(Change)
	log     *slog.Logger
	done    chan struct{}

	mu      sync.Mutex // guards all below and orders the calls of changed
	wake    *sync.Cond
	waiting []Task
	running *Task
	cancel  context.CancelFunc
	idle    []chan struct{}
	closed  bool
}

// NewQueue starts a queue. changed gets every change in order; it is called
// with the queue locked and must not call the queue.
func NewQueue(log *slog.Logger, changed func(Change)) *Queue {
	q := &Queue{changed: changed, log: log, done: make(chan struct{})}
	q.wake = sync.NewCond(&q.mu)
	go q.work()
	return q
}

// Add queues tasks in their order and returns the tasks that will do the
// work: a cell that waits already keeps its task, which moves to the new
// place, and a cell that runs with the same Key is not run again. What was asked
// for as fresh stays so. A closed queue takes nothing and returns nil.
func (q *Queue) Add(tasks ...Task) []Task {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	placed := make([]Task, 0, len(tasks))
	for _, t := range tasks {
		if r := q.running; r != nil && r.Cell == t.Cell && r.Key == t.Key && (r.Fresh || !t.Fresh) && q.cancel != nil {
			placed = append(placed, *r)
			continue
		}
		i := slices.IndexFunc(q.waiting, func(w Task) bool { return w.Cell == t.Cell })
		if i >= 0 {
			w := q.waiting[i]
			if t.ID = w.ID; w.Fresh && !t.Fresh {
				t.Fresh, t.Run = true, w.Run
			}
			q.waiting = slices.Delete(q.waiting, i, i+1)
		}
		q.waiting = append(q.waiting, t)
		placed = append(placed, t)
		if i < 0 {
			q.changed(Change{Task: t, State: api.StateQueued})
		}
	}
	q.wake.Signal()
	return placed
}

// Interrupt stops the running task and takes every waiting one out, in one
// step: nothing starts in between. Each is reported as canceled, the running
// one when it has returned.
func (q *Queue) Interrupt() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.clear(func(Task) bool { return true })
}

// Cancel is Interrupt for the tasks of one cell. It reports whether there was one.
func (q *Queue) Cancel(cell string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.clear(func(t Task) bool { return t.Cell == cell })
}

// clear cancels the tasks that match; the caller holds the lock.
func (q *Queue) clear(match func(Task) bool) bool {
	found := false
	if q.running != nil && match(*q.running) {
		found = true
		if q.cancel != nil {
			q.cancel()
			q.cancel = nil
		}
	}
	var kept, gone []Task
	for _, t := range q.waiting {
		if match(t) {
			gone = append(gone, t)
		} else {
			kept = append(kept, t)
		}
	}
	q.waiting = kept
	for _, t := range gone {
		q.changed(Change{Task: t, State: api.StateCanceled})
	}
	q.settle()
	return found || len(gone) > 0
}

// Close interrupts, takes no more tasks and waits until the running one has
// returned or ctx is done.
func (q *Queue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.clear(func(Task) bool { return true })
	q.wake.Signal()
	q.mu.Unlock()
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("job: the running task did not stop: %w", ctx.Err())
	}
}

func (q *Queue) work() {
	defer close(q.done)
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		for len(q.waiting) == 0 && !q.closed {
			q.wake.Wait()
		}
		if len(q.waiting) == 0 {
			return
		}
		t := q.waiting[0]
		q.waiting = slices.Delete(q.waiting, 0, 1)
		ctx, cancel := context.WithCancel(context.Background())
		q.running, q.cancel = &t, cancel
		q.changed(Change{Task: t, State: api.StateRunning})
		q.mu.Unlock()

		start := time.Now()
		err := protect(q.log, t, func() error { return t.Run(ctx) })
		c := outcome(ctx, err)
		cancel()
		c.Task, c.Elapsed = t, time.Since(start)

		q.mu.Lock()
		q.running, q.cancel = nil, nil
		q.changed(c)
		q.settle()
	}
}

// outcome turns what a task returned into its last state.
func outcome(ctx context.Context, err error) Change {
	var known *api.Error
	switch {
	case err == nil:
		return Change{State: api.StateDone}
	case errors.As(err, &known) && known.Code == api.Canceled, ctx.Err() != nil:
		return Change{State: api.StateCanceled}
	case known != nil:
		return Change{State: api.StateFailed, Err: known}
	}
	e := &api.Error{Code: api.Invalid, Message: err.Error()}
	var hint interface{ Hint() string }
	if errors.As(err, &hint) {
		e.Hint = hint.Hint()
	}
	return Change{State: api.StateFailed, Err: e}
}

// protect calls fn and turns a panic into an error. It is the only recover.
func protect(log *slog.Logger, t Task, fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.Error("a cell panicked", "cell", t.Cell, "job", t.ID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			err = &api.Error{Code: api.Internal, Cell: t.Cell,
				Message: "the program failed in this cell; this is our fault",
				Hint:    "the log of the server says where; other cells still run"}
		}
	}()
	return fn()
}

// Idle returns a channel that is closed when nothing runs or waits.
func (q *Queue) Idle() <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	idle := make(chan struct{})
	q.idle = append(q.idle, idle)
	q.settle()
	return idle
}

// settle closes the channels of Idle when it is time; the caller holds the lock.
func (q *Queue) settle() {
	if q.running != nil || len(q.waiting) > 0 {
		return
	}
	for _, c := range q.idle {
		close(c)
	}
	q.idle = nil
}
