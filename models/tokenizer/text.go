package tokenizer

import "unicode/utf8"

// text is a stretch of the input on its way through the pipeline: what it reads after the steps so far, and where each of
// its bytes comes from.
type text struct {
	s      string
	at     int      // where s begins in the input, when origin is nil
	origin []extent // origin[i] is what byte i of s stands for; nil while s is still input text itself
	room   *room    // for texts made of this one; may be nil
}

// extent is a half-open range of the input's bytes, always of whole characters.
type extent struct{ lo, hi int32 }

// slice returns bytes lo..hi of t, sharing its memory.
func (t text) slice(lo, hi int) text {
	u := text{s: t.s[lo:hi], at: t.at + lo, room: t.room}
	if t.origin != nil {
		u.origin = t.origin[lo:hi]
	}
	return u
}

// extentAt returns what byte i of t stands for.
func (t text) extentAt(i int) extent {
	if t.origin != nil {
		return t.origin[i]
	}
	lo := i
	for lo > 0 && !utf8.RuneStart(t.s[lo]) {
		lo--
	}
	_, n := utf8.DecodeRuneInString(t.s[lo:])
	return extent{int32(t.at + lo), int32(t.at + lo + n)}
}

// span returns the input bytes that bytes lo..hi of t stand for, widened to whole characters. lo < hi.
func (t text) span(lo, hi int) (int, int) {
	if t.origin == nil && t.s[lo] < utf8.RuneSelf && t.s[hi-1] < utf8.RuneSelf {
		return t.at + lo, t.at + hi
	}
	return int(t.extentAt(lo).lo), int(t.extentAt(hi - 1).hi)
}

// prepend puts p in front of t; p stands for the character that t begins with. An empty t stays empty.
func (t text) prepend(p string) text {
	if t.s == "" || p == "" {
		return t
	}
	w := t.room.write(len(p) + len(t.s))
	w.put(p, t.extentAt(0))
	w.copy(t, 0, len(t.s))
	return w.text(t.room)
}

// appendOrigin appends the extents of bytes lo..hi of t, which are whole characters.
func (t text) appendOrigin(to []extent, lo, hi int) []extent {
	if t.origin != nil {
		return append(to, t.origin[lo:hi]...)
	}
	for i := lo; i < hi; {
		if t.s[i] < utf8.RuneSelf {
			to = append(to, extent{int32(t.at + i), int32(t.at + i + 1)})
			i++
			continue
		}
		_, n := utf8.DecodeRuneInString(t.s[i:])
		x := extent{int32(t.at + i), int32(t.at + i + n)}
		for range n {
			to = append(to, x)
		}
		i += n
	}
	return to
}

// changed is one character of a rewritten text and how it relates to the text before. change 0: it stands for the next
// character. change > 0: it is additional and stands for what the character before it does. change < 0: it stands for the next
// character and swallows that many more after it.
type changed struct {
	r      rune
	change int
}

// rewrite replaces t by the characters of out; their changes must add up to the difference in length.
func (t text) rewrite(out []changed) text {
	buf := make([]byte, 0, len(t.s)+8)
	origin := make([]extent, 0, len(t.s)+8)
	at := 0 // bytes of t already stood for
	skip := func() {
		if at < len(t.s) {
			_, n := runeAt(t.s, at)
			at += n
		}
	}
	for _, c := range out {
		var x extent
		switch {
		case c.change > 0 && at > 0:
			x = t.extentAt(at - 1)
		case c.change > 0:
			lo := t.extentAt(0).lo
			x = extent{lo, lo}
		default:
			x = t.extentAt(min(at, len(t.s)-1))
			for range 1 - c.change {
				skip()
			}
		}
		buf = utf8.AppendRune(buf, c.r)
		for len(origin) < len(buf) {
			origin = append(origin, x)
		}
	}
	return text{s: string(buf), origin: origin}
}

// runeAt decodes the character at byte i of s and its width, quickly for ASCII.
func runeAt(s string, i int) (rune, int) {
	if c := s[i]; c < utf8.RuneSelf {
		return rune(c), 1
	}
	return utf8.DecodeRuneInString(s[i:])
}
