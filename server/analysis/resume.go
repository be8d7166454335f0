package analysis

import (
	"context"
	"fmt"
	"strings"

	"orrery/ablate"
	"orrery/viz"
)

// Resume is Run for a call that may have been cut short before: its sweeps take what
// is kept and compute the rest, so that all numbers are those of an uninterrupted Run
// to the bit. Kept cells are emitted first, and Progress counts only what is left.
// The finished figure says how much was kept.
func (a Analysis) Resume(ctx context.Context, bound Args, emit Emit, from ablate.Unfinished) (*viz.Figure, error) {
	ctx, sweeps := ablate.Resume(ctx, from)
	left := &restOfWork{report: emit.Progress, taking: sweeps.Taking}
	emit.Progress = left.progress
	f, err := a.Run(ctx, bound, emit)
	if kept, of, repeated := sweeps.Kept(); err == nil && kept > 0 {
		f.Provenance.Resumed = fmt.Sprintf("%s of %s edited runs", thousands(int64(kept)), thousands(int64(of)))
		said := "Kept from an interrupted run: " + f.Provenance.Resumed
		if repeated > 0 {
			said += fmt.Sprintf("; %d of them, computed again, gave the same bits", repeated)
		}
		f.Caption = strings.TrimSpace(f.Caption + " " + said + ".")
		emit.Figure(f)
	}
	return f, err
}

// restOfWork takes what is emitted without being computed out of progress, so that
// the time left is told by work alone.
type restOfWork struct {
	report func(done, total int, unit string)
	taking func() bool
	unit   string
	last   int // done
	taken  int
}

func (r *restOfWork) progress(done, total int, unit string) {
	if unit != r.unit || done < r.last {
		r.unit, r.last, r.taken = unit, 0, 0
	}
	if r.taking() {
		r.taken += done - r.last
	}
	r.last = done
	r.report(done-r.taken, total-r.taken, unit)
}
