package tokenizer

import "strings"

// room is memory for the many short texts that pre-tokenizers make, from stretches that hold hundreds. What was handed out is
// never written again, so it may outlive the encoder.
type room struct {
	s      strings.Builder
	origin []extent
}

// roomSize is the length of a stretch; texts longer than a part of it have memory of their own.
const roomSize = 1 << 12

// prepend returns p and s in one, and no extents yet but place for those of both.
func (r *room) prepend(p, s string) (string, []extent) {
	n := len(p) + len(s)
	if r == nil || n > roomSize/16 {
		return p + s, make([]extent, 0, n)
	}
	if r.s.Cap()-r.s.Len() < n {
		r.s.Reset()
		r.s.Grow(roomSize)
	}
	from := r.s.Len()
	r.s.WriteString(p)
	r.s.WriteString(s)
	if len(r.origin) < n {
		r.origin = make([]extent, roomSize)
	}
	origin := r.origin[:0:n]
	r.origin = r.origin[n:]
	return r.s.String()[from:], origin
}
