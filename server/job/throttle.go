package job

import (
	"sync"
	"time"
)

// Throttle calls a function when there is something to report, but not more
// often than once an interval. What comes in between is reported together
// when the interval ends, so the last report is never left out.
type Throttle struct {
	interval time.Duration
	fire     func()

	mu      sync.Mutex // guards last, timer, stopped
	last    time.Time
	timer   *time.Timer
	stopped bool
}

// NewThrottle returns a throttle that calls fire, never twice at a time within
// one interval.
func NewThrottle(interval time.Duration, fire func()) *Throttle {
	return &Throttle{interval: interval, fire: fire}
}

// Trigger says that there is something to report.
func (t *Throttle) Trigger() {
	t.mu.Lock()
	if t.stopped || t.timer != nil {
		t.mu.Unlock()
		return
	}
	now := time.Now()
	if wait := t.interval - now.Sub(t.last); wait > 0 && !t.last.IsZero() {
		t.timer = time.AfterFunc(wait, t.late)
		t.mu.Unlock()
		return
	}
	t.last = now
	t.mu.Unlock()
	t.fire()
}

func (t *Throttle) late() {
	t.mu.Lock()
	t.timer = nil
	stopped := t.stopped
	t.last = time.Now()
	t.mu.Unlock()
	if !stopped {
		t.fire()
	}
}

// Stop ends the reports; a late one does not come any more. The caller
// reports what is left.
func (t *Throttle) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}
