package job

import (
	"time"

	"orrery/server/api"
)

// settle is how long a label must run before its speed is believed.
const settle = 100 * time.Millisecond

// Clock tells how much time is left from how fast the work has gone since its
// label began. It is not safe for concurrent use.
type Clock struct {
	label string
	from  int
	start time.Time
}

// Progress returns the progress at a moment, with the time left, -1 while it
// is not known.
func (c *Clock) Progress(now time.Time, job, label string, done, total int, unit string) api.Progress {
	if c.start.IsZero() || c.label != label || done < c.from {
		*c = Clock{label: label, from: done, start: now}
	}
	p := api.Progress{Job: job, Label: label, Done: done, Total: total, Unit: unit, ETAMillis: -1}
	elapsed := now.Sub(c.start)
	switch {
	case total > 0 && done >= total:
		p.ETAMillis = 0
	case total > 0 && done > c.from && elapsed >= settle:
		p.ETAMillis = int64(float64(elapsed.Milliseconds()) * float64(total-done) / float64(done-c.from))
	}
	return p
}
