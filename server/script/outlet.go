package script

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"orrery/ablate"
	"orrery/models"
	"orrery/server/api"
	"orrery/viz"
)

// Bounds of what print may write: a flush at most so large, a cell at most so much.
const (
	printFlush = 32 << 10
	printLimit = 4 << 20
)

// outlet stands between a run and its Host: it calls the host one call at a
// time, gathers printed lines, and after close lets nothing through.
type outlet struct {
	closed  atomic.Bool // set even while a call of the host hangs
	mu      sync.Mutex  // guards all below, and is held during calls of the host
	host    Host
	text    strings.Builder
	printed int
}

func newOutlet(h Host) *outlet { return &outlet{host: h} }

// print takes text; it reaches the host with the next flush.
func (o *outlet) print(text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.printed > printLimit {
		return
	}
	if o.printed += len(text); o.printed > printLimit {
		text = "… the rest is left out: a cell may print 4 MiB\n"
	}
	o.text.WriteString(text)
	if o.text.Len() >= printFlush {
		o.flushLocked()
	}
}

// flush sends what was printed, unless the host is busy.
func (o *outlet) flush() {
	if o.mu.TryLock() {
		defer o.mu.Unlock()
		o.flushLocked()
	}
}

func (o *outlet) flushLocked() {
	if o.text.Len() > 0 && !o.closed.Load() {
		o.host.Print(o.text.String())
	}
	o.text.Reset()
}

// close sends what was printed and ends the run's way to the host. It does not
// wait for a call of the host that hangs.
func (o *outlet) close() {
	if o.mu.TryLock() {
		defer o.mu.Unlock()
		o.flushLocked()
	}
	o.closed.Store(true)
}

func (o *outlet) output(out api.Output) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.flushLocked()
	if !o.closed.Load() {
		o.host.Output(out)
	}
}

func (o *outlet) part(output string, p viz.Part) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed.Load() {
		o.host.Part(output, p)
	}
}

func (o *outlet) progress(label string, done, total int, unit string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed.Load() {
		o.host.Progress(label, done, total, unit)
	}
}

func (o *outlet) recall(key string) *viz.Figure {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed.Load() {
		return nil
	}
	return o.host.Recall(key)
}

func (o *outlet) unfinished(key string) ablate.Unfinished {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed.Load() {
		return nil
	}
	return o.host.Unfinished(key)
}

func (o *outlet) keep(key string, f *viz.Figure, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed.Load() {
		o.host.Keep(key, f, took)
	}
}

// model asks the host without the lock: opening a model takes long, and what
// was printed before should show.
func (o *outlet) model(name string) (*models.Model, error) {
	o.flush()
	return o.host.Model(name)
}
