package tokenizer

import "strings"

// room is memory for the many short texts that normalizers and pre-tokenizers make, from stretches that hold hundreds. Their strings
// are never written again, so they may outlive the encoder; what the bytes stand for is needed until the model has had them.
type room struct {
	s      strings.Builder
	origin []extent // its length is what is in use
	count  int      // of the stretches of origin so far
}

// roomSize is the length of a stretch; texts longer than a part of it have memory of their own.
const roomSize = 1 << 12

// writing is a text in the making: its bytes, and with them what they stand for.
type writing struct {
	s      *strings.Builder
	from   int // where the text begins in s
	origin []extent
}

// write begins a text of n bytes.
func (r *room) write(n int) writing {
	if r == nil || n > roomSize/16 {
		s := &strings.Builder{}
		s.Grow(n)
		return writing{s, 0, make([]extent, 0, n)}
	}
	if r.s.Cap()-r.s.Len() < n {
		r.s.Reset()
		r.s.Grow(roomSize)
	}
	used := len(r.origin)
	if cap(r.origin)-used < n {
		r.origin = make([]extent, 0, roomSize)
		r.count++
		used = 0
	}
	r.origin = r.origin[:used+n]
	return writing{&r.s, r.s.Len(), r.origin[used : used : used+n]}
}

// roomMark is a state of a room's extents.
type roomMark struct{ count, used int }

// mark returns the state to which release goes back.
func (r *room) mark() roomMark {
	if r == nil {
		return roomMark{}
	}
	return roomMark{r.count, len(r.origin)}
}

// release lets the extents of all texts made since be written anew; those of another stretch stay.
func (r *room) release(m roomMark) {
	if r != nil && r.count == m.count {
		r.origin = r.origin[:m.used]
	}
}

// put appends s, which stands for x.
func (w *writing) put(s string, x extent) {
	w.s.WriteString(s)
	for range len(s) {
		w.origin = append(w.origin, x)
	}
}

// copy appends bytes lo..hi of t, which are whole characters.
func (w *writing) copy(t text, lo, hi int) {
	w.s.WriteString(t.s[lo:hi])
	w.origin = t.appendOrigin(w.origin, lo, hi)
}

// text returns what was written.
func (w *writing) text(r *room) text {
	return text{s: w.s.String()[w.from:], origin: w.origin, room: r}
}
