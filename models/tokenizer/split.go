package tokenizer

import (
	"fmt"
	"strings"
)

// pattern finds the first match in s that begins at byte from or later, where s begins or the match before ended. lo is -1 if there
// is none. A match may be empty; the next one is then looked for behind the character that follows.
type pattern func(s string, from int) (lo, hi int)

// behavior says what becomes of a pattern's matches, in the words of tokenizer.json.
type behavior string

const (
	removed            behavior = "Removed"            // matches are dropped
	isolated           behavior = "Isolated"           // each match is a piece
	mergedWithPrevious behavior = "MergedWithPrevious" // a match ends the piece before it
	mergedWithNext     behavior = "MergedWithNext"     // a match begins the piece after it
	contiguous         behavior = "Contiguous"         // neighbouring matches are one piece
)

// behavior reads the field of that name; absent may be "", which makes it required.
func (p *part) behavior(absent behavior) (behavior, error) {
	b := behavior(p.Behave)
	switch b {
	case "":
		if absent != "" {
			return absent, nil
		}
		return "", fmt.Errorf("%s: %s without a behavior", p.path, p.Type)
	case removed, isolated, mergedWithPrevious, mergedWithNext, contiguous:
		return b, nil
	}
	return "", fmt.Errorf("%s: behavior %q is none of Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous", p.path, b)
}

func (s splitter) split(t text, emit func(text) error) error {
	if s.behavior == isolated || s.behavior == removed {
		return s.separate(t, emit)
	}
	return s.join(t, emit)
}

// separate is join where each stretch is a piece of its own or none, as most families cut: it keeps no account of the one before.
func (s splitter) separate(t text, emit func(text) error) error {
	matches := s.behavior == isolated || s.invert // are handed on
	between := s.behavior == isolated || !s.invert
	at := 0 // bytes of t already passed on
	for next := 0; next < len(t.s); {
		lo, hi := s.pattern(t.s, next)
		if lo < 0 {
			break
		}
		if at < lo && between {
			if err := emit(t.slice(at, lo)); err != nil {
				return err
			}
		}
		if lo < hi && matches {
			if err := emit(t.slice(lo, hi)); err != nil {
				return err
			}
		}
		at, next = hi, hi
		if lo == hi && hi < len(t.s) {
			_, n := runeAt(t.s, hi)
			next += n
		}
	}
	if at < len(t.s) && between {
		return emit(t.slice(at, len(t.s)))
	}
	return nil
}

// join makes pieces of the stretches, matches and what lies between them, as the behavior says.
func (s splitter) join(t text, emit func(text) error) error {
	c := cutter{splitter: s, text: t, emit: emit}
	at := 0 // bytes of t already passed on
	for next := 0; next < len(t.s); {
		lo, hi := s.pattern(t.s, next)
		if lo < 0 {
			break
		}
		if at < lo {
			if err := c.add(at, lo, false); err != nil {
				return err
			}
		}
		if err := c.add(lo, hi, true); err != nil {
			return err
		}
		at, next = hi, hi
		if lo == hi && hi < len(t.s) {
			_, n := runeAt(t.s, hi)
			next += n
		}
	}
	if at < len(t.s) {
		if err := c.add(at, len(t.s), false); err != nil {
			return err
		}
	}
	return c.cut()
}

// cutter is one run of a splitter. Bytes lo..hi of text are the piece so far; before says whether it ended in a match, any whether
// there was a stretch at all.
type cutter struct {
	splitter
	text        text
	emit        func(text) error
	lo, hi      int
	before, any bool
}

// add takes the next stretch, a match or what lies between two: it joins the piece so far or begins another.
func (c *cutter) add(from, to int, match bool) error {
	match = match != c.invert
	join := false
	switch c.behavior {
	case contiguous:
		join = c.any && match == c.before
	case mergedWithPrevious:
		join = c.any && match && !c.before
	case mergedWithNext:
		join = c.any && c.before && !match
	}
	c.before, c.any = match, true
	if join {
		c.hi = to
		return nil
	}
	if err := c.cut(); err != nil {
		return err
	}
	if c.lo, c.hi = from, to; c.behavior == removed && match {
		c.lo = to
	}
	return nil
}

// cut hands the piece so far on.
func (c *cutter) cut() error {
	if c.lo == c.hi {
		return nil
	}
	return c.emit(c.text.slice(c.lo, c.hi))
}

// each matches every single character of a class.
func each(k *class) pattern {
	return func(s string, from int) (int, int) {
		for from < len(s) {
			if n := k.width(s, from); n > 0 {
				return from, from + n
			}
			_, n := runeAt(s, from)
			from += n
		}
		return -1, 0
	}
}

// literal matches a string; the empty string matches, emptily, before every character.
func literal(want string) pattern {
	return func(s string, from int) (int, int) {
		i := strings.Index(s[from:], want)
		if i < 0 {
			return -1, 0
		}
		return from + i, from + i + len(want)
	}
}

// scan makes a pattern of a function that returns where a match at byte i of s ends, or i where none begins.
func scan(match func(s string, i int) int) pattern {
	return func(s string, from int) (int, int) {
		for from < len(s) {
			if end := match(s, from); end > from {
				return from, end
			}
			_, n := runeAt(s, from)
			from += n
		}
		return -1, 0
	}
}
