package script

import (
	"context"
	"runtime"
	"testing"

	"go.starlark.net/starlark"
)

// TestWalkLooksAtTheHeap holds that a walk stops its run when that holds too much,
// without the watch over the heap, which may come late, and that a run which is over
// stops none.
func TestWalkLooksAtTheHeap(t *testing.T) {
	r := &run{memory: newMeter(1 << 10), thread: &starlark.Thread{}}
	var ctx context.Context
	ctx, r.stopCtx = context.WithCancel(t.Context())
	end := r.use(nil)
	kept := make([]byte, 8<<20)
	for _, c := range []struct {
		at      int
		stopped bool
	}{{1, false}, {walked - 1024, false}, {walked, true}, {walked + 1024, true}} {
		if got := r.own.stopped(c.at); got != c.stopped {
			t.Errorf("at %d: stopped is %v, want %v", c.at, got, c.stopped)
		}
	}
	runtime.KeepAlive(kept)
	if r.why.Load() != stopMemory || ctx.Err() == nil {
		t.Errorf("the run was stopped for reason %d, its context says %v", r.why.Load(), ctx.Err())
	}
	end()
	if r.own.stopped(walked) {
		t.Error("a run that is over stops walks")
	}
}
