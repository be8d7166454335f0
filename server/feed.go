package server

import (
	"slices"
	"sync"

	"orrery/server/api"
)

// The bounds of what is kept for pages that reconnect, and of what waits for
// a page that is slow. Beyond them a page gets a snapshot.
const (
	logEvents  = 8192
	logBytes   = 32 << 20
	feedEvents = 2048
	feedBytes  = 16 << 20
)

// record is an event as it travels.
type record struct {
	seq  uint64
	data []byte
	// replaces, when not empty, says that the event makes an earlier one with
	// the same value superfluous.
	replaces string
}

func newRecord(ev *api.Event, data []byte) record {
	r := record{seq: ev.Seq, data: data}
	switch ev.Op {
	case api.EventProgress:
		r.replaces = "progress " + ev.Progress.Cell
	case api.EventVariables, api.EventSaved:
		r.replaces = string(ev.Op)
	}
	return r
}

// eventLog holds the newest events of a notebook. Its hub locks.
type eventLog struct {
	records []record
	bytes   int
}

func (l *eventLog) add(r record) {
	l.records = append(l.records, r)
	l.bytes += len(r.data)
	drop := 0
	for len(l.records)-drop > logEvents || l.bytes > logBytes && drop < len(l.records)-1 {
		l.bytes -= len(l.records[drop].data)
		drop++
	}
	if drop > 0 {
		clear(l.records[:drop])
		l.records = l.records[drop:]
	}
}

// since returns the events after seq; ok is false when some are gone, or when
// seq is none of this log's.
func (l *eventLog) since(seq, last uint64) (events []record, ok bool) {
	if seq == last {
		return nil, true
	}
	if len(l.records) == 0 || seq > last || seq+1 < l.records[0].seq {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(l.records, seq+1, func(r record, s uint64) int {
		return int(int64(r.seq) - int64(s))
	})
	return l.records[i:], true
}

// feed holds the events that wait for one page. The hub puts events in and
// never waits; when too many wait they are dropped and the page falls behind,
// which a snapshot mends.
type feed struct {
	wake chan struct{} // has one element when there is something to take

	mu      sync.Mutex // guards all below
	waiting []record
	bytes   int
	behind  bool
}

func newFeed() *feed { return &feed{wake: make(chan struct{}, 1)} }

// push adds an event for the page.
func (f *feed) push(r record) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.behind {
		return // the snapshot will contain it
	}
	if r.replaces != "" {
		i := slices.IndexFunc(f.waiting, func(w record) bool { return w.replaces == r.replaces })
		if i >= 0 {
			f.bytes -= len(f.waiting[i].data)
			f.waiting = slices.Delete(f.waiting, i, i+1)
		}
	}
	f.waiting = append(f.waiting, r)
	f.bytes += len(r.data)
	if len(f.waiting) > feedEvents || f.bytes > feedBytes && len(f.waiting) > 1 {
		f.waiting, f.bytes, f.behind = nil, 0, true
	}
	f.signal()
}

// restart drops what waits: a snapshot that is taken under the hub's lock
// contains it.
func (f *feed) restart() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting, f.bytes, f.behind = nil, 0, false
}

// fall makes the page get a snapshot next.
func (f *feed) fall() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.waiting, f.bytes, f.behind = nil, 0, true
	f.signal()
}

// take returns what waits; behind says that a snapshot must come first.
func (f *feed) take() (events []record, behind bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	events, f.waiting, f.bytes = f.waiting, nil, 0
	return events, f.behind
}

func (f *feed) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}
