package server

import (
	"sync"
	"time"

	"orrery/ablate"
)

// The bounds of what is kept of calls that have not ended.
const (
	// partBytes is how much all of it may take of the store. The calls that wrote
	// longest ago go first.
	partBytes = 64 << 20
	// partShare is the share of it that one call may take; runs behind it are not kept.
	partShare = 4
	// partsEvery is how long finished runs are gathered before they are written.
	partsEvery = 500 * time.Millisecond
)

// unfinished is what there is of a call that has not ended (ablate.Unfinished): the
// finished runs of its sweeps, in the store under the call's row key. Like a result,
// they are of one program and one call, and carry a sum; what is damaged is left out,
// and what was computed behind it with it. Nothing that goes wrong here fails a run.
type unfinished struct {
	r       *Results
	key     string
	started time.Time
	before  time.Duration // that was computed for, of what is taken

	writing sync.Mutex // held while rows are written; taken before mu

	mu     sync.Mutex // guards all below
	sweeps map[string]*sweepRuns
	held   int64       // bytes of the store that the runs take or will take
	rows   bool        // there may be some in the store
	timer  *time.Timer // of the next write; nil when nothing waits
	last   time.Time   // of the last write
	full   bool        // nothing more is taken
	closed bool        // nothing more is written, either
}

// sweepRuns are the runs of a sweep.
type sweepRuns struct {
	kept  []ablate.FinishedRun // that were there before
	new   []ablate.FinishedRun // to be written
	saved int64                // how many are in the store, those that were there included
}

// unfinished opens what is kept of a call; fresh drops it.
func (r *Results) unfinished(call string, fresh bool) (*unfinished, error) {
	key, err := r.row(call)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	u := &unfinished{r: r, key: key, started: now, last: now, sweeps: map[string]*sweepRuns{}}
	if fresh {
		return u, r.store.dropParts(key, "")
	}
	list, err := r.store.parts(key)
	if err != nil {
		return nil, err
	}
	for _, p := range list {
		u.rows = true
		u.add(p)
	}
	return u, nil
}

// add takes a row in, where it goes on from those before it.
func (u *unfinished) add(p *partRow) {
	s := u.sweep(p.sweep)
	runs, err := p.open()
	if err != nil {
		u.r.log.Warn("finished runs of an interrupted sweep are damaged and are computed again", "key", p.key, "error", err)
		return
	}
	again := s.saved - p.first // another run of the call may have written the same
	if p.first < 0 || again < 0 || again >= int64(len(runs)) {
		return
	}
	s.kept = append(s.kept, runs[again:]...)
	s.saved += int64(len(runs)) - again
	u.held += int64(len(p.runs))
	u.before += time.Duration(p.millis) * time.Millisecond
}

// sweep finds a sweep, or makes it. The caller holds mu, or is alone.
func (u *unfinished) sweep(name string) *sweepRuns {
	s := u.sweeps[name]
	if s == nil {
		s = &sweepRuns{}
		u.sweeps[name] = s
	}
	return s
}

// Kept returns the runs of a sweep that are there.
func (u *unfinished) Kept(sweep string) []ablate.FinishedRun {
	u.mu.Lock()
	defer u.mu.Unlock()
	s := u.sweep(sweep)
	kept := s.kept
	s.kept = nil
	return kept
}

// Keep takes one more run, which is in the store half a second later.
func (u *unfinished) Keep(sweep string, r ablate.FinishedRun) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.full || u.closed {
		return
	}
	if u.held += int64(16 + 8*len(r.Numbers)); u.held > u.r.partLimit/partShare {
		u.full = true
		return
	}
	s := u.sweep(sweep)
	s.new = append(s.new, r)
	if u.timer == nil {
		u.timer = time.AfterFunc(u.r.every-time.Since(u.last), u.write)
	}
}

// Forget drops a sweep.
func (u *unfinished) Forget(sweep string) {
	u.writing.Lock()
	defer u.writing.Unlock()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.r.log.Warn("finished runs of an interrupted sweep are not what is computed again, and none is taken", "key", u.key, "sweep", sweep)
	delete(u.sweeps, sweep)
	if err := u.r.store.dropParts(u.key, sweep); err != nil {
		u.refuse(err)
	}
}

// refuse says that nothing more is kept. The caller holds mu.
func (u *unfinished) refuse(err error) {
	u.closed = true
	u.r.log.Warn("the finished runs of a sweep are not kept", "error", err)
}

// write brings what was gathered to the store.
func (u *unfinished) write() {
	u.writing.Lock()
	defer u.writing.Unlock()
	u.mu.Lock()
	if u.timer != nil {
		u.timer.Stop()
		u.timer = nil
	}
	now := time.Now()
	millis := now.Sub(u.last).Milliseconds()
	u.last = now
	var list []*partRow
	for name, s := range u.sweeps {
		if len(s.new) == 0 || u.closed {
			continue
		}
		list = append(list, &partRow{key: u.key, sweep: name, first: s.saved, millis: millis, runs: encodeRuns(s.new)})
		s.saved += int64(len(s.new))
		s.new, millis = nil, 0 // the first row tells the time
	}
	u.rows = u.rows || len(list) > 0
	u.mu.Unlock()
	if len(list) == 0 {
		return
	}
	if err := u.r.store.saveParts(list, u.r.partLimit); err != nil {
		u.mu.Lock()
		u.refuse(err)
		u.mu.Unlock()
	}
}

// stop writes what is left of a call that was cut short, unless all of it was quick;
// later runs are dropped.
func (u *unfinished) stop() {
	if time.Since(u.started) >= u.r.least {
		u.write()
	}
	u.close()
}

// close ends the writing and reports whether there may be rows.
func (u *unfinished) close() (rows bool) {
	u.writing.Lock()
	defer u.writing.Unlock()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed = true
	if u.timer != nil {
		u.timer.Stop()
	}
	return u.rows
}

// finish drops all that was kept of a call that ran to its end.
func (u *unfinished) finish() {
	if !u.close() {
		return
	}
	if err := u.r.store.dropParts(u.key, ""); err != nil {
		u.r.log.Warn("runs of a finished sweep stay in the store", "error", err)
	}
}
