package tokenizer

import (
	"fmt"
	"strings"
)

// pattern finds its matches in s: it yields stretches that follow one another and together are s, and says of each whether it is
// a match. Matches may be empty. An error of yield ends it.
type pattern func(s string, yield func(lo, hi int, match bool) error) error

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
	cut := func(lo, hi int) error {
		if lo == hi {
			return nil
		}
		return emit(t.slice(lo, hi))
	}
	if s.behavior == isolated || s.behavior == removed {
		return s.pattern(t.s, func(lo, hi int, match bool) error {
			if s.behavior == removed && match != s.invert {
				return nil
			}
			return cut(lo, hi)
		})
	}
	// The others join a stretch to the one before it: [lo, hi) is the piece so far, which ended in a match or not.
	lo, hi, before, any := 0, 0, false, false
	err := s.pattern(t.s, func(from, to int, match bool) error {
		match = match != s.invert
		join := any
		switch s.behavior {
		case contiguous:
			join = any && match == before
		case mergedWithPrevious:
			join = any && match && !before
		case mergedWithNext:
			join = any && before && !match
		}
		before, any = match, true
		if join {
			hi = to
			return nil
		}
		if err := cut(lo, hi); err != nil {
			return err
		}
		lo, hi = from, to
		return nil
	})
	if err != nil {
		return err
	}
	return cut(lo, hi)
}

// each matches every single character of a class.
func each(class func(rune) bool) pattern {
	return func(s string, yield func(lo, hi int, match bool) error) error {
		from := 0
		for i, n := 0, 0; i < len(s); i += n {
			var r rune
			if r, n = runeAt(s, i); !class(r) {
				continue
			}
			if err := gap(from, i, yield); err != nil {
				return err
			}
			if err := yield(i, i+n, true); err != nil {
				return err
			}
			from = i + n
		}
		return gap(from, len(s), yield)
	}
}

// literal matches a string; the empty string matches, emptily, before every character.
func literal(want string) pattern {
	if want == "" {
		return func(s string, yield func(lo, hi int, match bool) error) error {
			for i, n := 0, 0; i < len(s); i += n {
				_, n = runeAt(s, i)
				if err := yield(i, i, true); err != nil {
					return err
				}
				if err := yield(i, i+n, false); err != nil {
					return err
				}
			}
			return nil
		}
	}
	return func(s string, yield func(lo, hi int, match bool) error) error {
		from := 0
		for {
			i := strings.Index(s[from:], want)
			if i < 0 {
				return gap(from, len(s), yield)
			}
			if err := gap(from, from+i, yield); err != nil {
				return err
			}
			if err := yield(from+i, from+i+len(want), true); err != nil {
				return err
			}
			from += i + len(want)
		}
	}
}

// scan makes a pattern of a function that returns where a match at byte i of s ends, or i where none begins.
func scan(match func(s string, i int) int) pattern {
	return func(s string, yield func(lo, hi int, match bool) error) error {
		from := 0
		for i := 0; i < len(s); {
			end := match(s, i)
			if end == i {
				_, n := runeAt(s, i)
				i += n
				continue
			}
			if err := gap(from, i, yield); err != nil {
				return err
			}
			if err := yield(i, end, true); err != nil {
				return err
			}
			i, from = end, end
		}
		return gap(from, len(s), yield)
	}
}

// gap yields what lies between two matches, when anything does.
func gap(lo, hi int, yield func(lo, hi int, match bool) error) error {
	if lo == hi {
		return nil
	}
	return yield(lo, hi, false)
}
