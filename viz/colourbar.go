package viz

import (
	"strings"
	"unicode/utf8"
)

// Measures of a colour bar, in pixels.
const (
	barWidth  = 170.0
	minBar    = 40.0
	keyWidth  = 330.0 // from this width on a key is aligned with its grid
	barHeight = 8.0
	barSteps  = 64
)

// key is what stands under a grid: the colour bar with its limits, and the
// signs for cells that have no colour, as far as the figure has such cells.
type key struct {
	name   string // of the scale
	scale  Scale
	names  []string // of a category scale's numbers, if they have any
	points bool     // what is coloured are points, not cells
	arrays []*Array // what is coloured
	left   float64
	bar    float64 // width of the bar alone
	lines  [][]item
}

// item is one piece of a key.
type item struct {
	sign string // "bar", "swatch", "pending", "nan", "blank", "clipped" or "" for text alone
	text string
	at   float64 // the value of a swatch
}

func (i item) width(s *sheet, k *key) float64 {
	p := pen{face: sans, size: smallSize}
	switch i.sign {
	case "bar":
		return s.width(limit(k.scale, k.scale.Lo), p) + 6 + k.bar + 6 + s.width(limit(k.scale, k.scale.Hi), p) + s.width(i.text, p)
	case "":
		return s.width(i.text, p)
	}
	return 20 + s.width(i.text, p)
}

// key is the key of a scale for what is drawn.
func (f *Figure) key(name string, scale Scale, arrays ...*Array) *key {
	k := &key{name: name, scale: scale, arrays: arrays}
	if t := f.Texts[scale.Names]; t != nil {
		k.names = t.Values
	}
	return k
}

// layout looks at the arrays that are drawn and breaks the key to a body's
// width, aligned with the cells, which begin at left, where there is room.
func (k *key) layout(s *sheet, left, avail float64) *key {
	k.bar, k.left, k.lines = barWidth, 0, nil
	if avail-left >= keyWidth {
		k.left, avail = left, avail-left
	}
	var items []item
	if k.names == nil {
		items = append(items, item{sign: "bar", text: suffix(k.scale)})
		k.bar = max(minBar, min(barWidth, barWidth+avail-items[0].width(s, k)))
	}
	if l := unitLabel(k.scale.Label, k.scale.Unit); l != "" {
		items = append(items, item{text: l})
	}
	for i, name := range k.names {
		items = append(items, item{sign: "swatch", text: name, at: k.scale.Lo + float64(i)})
	}
	items = append(items, k.signs()...)
	x := 0.0
	for _, i := range items {
		w := i.width(s, k) + 16
		if len(k.lines) == 0 || x+w-16 > avail {
			k.lines, x = append(k.lines, nil), 0
		}
		k.lines[len(k.lines)-1] = append(k.lines[len(k.lines)-1], i)
		x += w
	}
	return k
}

// signs lists the marks that need a word.
func (k *key) signs() []item {
	has := map[string]bool{}
	for _, a := range k.arrays {
		for i := range a.Data {
			v, state := a.At(i)
			_, clipped := k.scale.Position(float64(v))
			switch {
			case state == Pending:
				has["pending"] = true
			case state == Blank:
				has["blank"] = true
			case !finite(float64(v)):
				has["nan"] = true
			case clipped != 0:
				has["clipped"] = true
			}
		}
	}
	var out []item
	for _, i := range [][2]string{{"pending", "not yet computed"}, {"nan", "not a number, or infinite"}, {"clipped", "beyond the limits"}, {"blank", "blank: cannot exist"}} {
		if has[i[0]] {
			out = append(out, item{sign: i[0], text: i[1]})
		}
	}
	return out
}

// keyRoom is the width for a key under a body: the body's own, or the whole
// page's where that is more.
func keyRoom(body, avail float64) float64 {
	if avail > 0 {
		return max(body, avail)
	}
	return max(body, minWidth-2*padding)
}

// size is a key's height; that of none is 0.
func (k *key) size() (w, h float64) {
	if k == nil {
		return 0, 0
	}
	return 0, 20 * float64(len(k.lines))
}

// wide is the width of a key that is laid out; that of none is 0.
func (k *key) wide(s *sheet) float64 {
	if k == nil {
		return 0
	}
	out := 0.0
	for _, line := range k.lines {
		w := k.left - 16
		for _, i := range line {
			w += i.width(s, k) + 16
		}
		out = max(out, w)
	}
	return out
}

// takeKey gives a body's key away if its scale is shared; the body has none then.
func takeKey(k **key, shared func(scale string) bool) []*key {
	if *k == nil || !shared((*k).name) {
		return nil
	}
	out := *k
	*k = nil
	return []*key{out}
}

func (k *key) draw(s *sheet, x, y float64) {
	if k == nil {
		return
	}
	p := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
	for _, line := range k.lines {
		at := x + k.left
		for _, i := range line {
			switch {
			case i.sign == "bar":
				k.drawBar(s, at, y, i.text)
			case i.sign == "":
				s.text(at, y+14, i.text, p)
			default:
				k.drawSign(s, at, y, i)
				s.text(at+20, y+14, i.text, p)
			}
			at += i.width(s, k) + 16
		}
		y += 20
	}
}

// drawSign draws a sign as cells or points have it, 14 wide.
func (k *key) drawSign(s *sheet, x, y float64, i item) {
	if k.points {
		at := s.th.ui("edge")
		if i.sign == "swatch" {
			at = s.th.colour(k.scale, i.at)
		}
		s.point(x+7, y+10, 4, pointColour{fill: at, hollow: i.sign == "pending" || i.sign == "blank", odd: i.sign == "nan", clipped: i.sign == "clipped"})
		return
	}
	switch i.sign {
	case "swatch":
		s.fillRect(x, y+4, 14, 12, 3, s.th.colour(k.scale, i.at))
	case "blank":
		s.frame(x, y+4, 14, 12, 3, 1, s.th.ui("edge"), 1, 2)
	case "pending":
		s.hatch(x, y+4, 14, 12, 3)
	case "nan":
		s.fillRect(x, y+4, 14, 12, 3, s.th.ui("warn_bg"))
		s.frame(x, y+4, 14, 12, 3, 1, s.th.ui("warn"))
	case "clipped":
		s.frame(x, y+4, 14, 12, 3, 1, s.th.ui("line2"))
		s.notch(x, y+4, 14, 12, 1, s.th.ui("ink"))
	}
}

// drawBar draws limit, bar, limit and what is said behind them.
func (k *key) drawBar(s *sheet, x, y float64, after string) {
	p := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
	lo, hi := limit(k.scale, k.scale.Lo), limit(k.scale, k.scale.Hi)
	s.text(x, y+14, lo, p)
	x += s.width(lo, p) + 6
	steps := barSteps
	if k.scale.Kind == ScaleCategory {
		steps = k.scale.categories()
	}
	step := k.bar / float64(steps)
	for i := range steps {
		t := (float64(i) + 0.5) / float64(steps)
		if k.scale.Kind == ScaleCategory {
			t, _ = k.scale.Position(k.scale.Lo + float64(i))
		} else if k.scale.Reverse {
			t = 1 - t
		}
		w := step + 0.5 // overlaps the next, so that no seam shows
		if i == steps-1 {
			w = step
		}
		s.fillRect(x+step*float64(i), y+6, w, barHeight, 0, s.th.ramp(k.scale, t))
	}
	s.frame(x, y+6, k.bar, barHeight, 0, 0.5, s.th.ui("line2"))
	s.text(x+k.bar+6, y+14, hi+after, p)
}

// limit writes a limit of a scale, without zeros at its end and its thousands
// apart; one that the scale's own format would show as 0, though it is not, or
// with more than twelve signs, has three digits.
func limit(s Scale, v float64) string {
	text := FormatNumber(s.Format, v)
	if utf8.RuneCountInString(text) > 12 || v != 0 && !strings.ContainsAny(mantissa(text), "123456789") {
		text = FormatNumber("%.3g", v)
	}
	if !strings.Contains(text, "e") {
		text = thousands(trimZeros(text))
	}
	if s.Kind == ScaleDiverging && v > 0 && !strings.HasPrefix(text, "+") {
		text = "+" + text
	}
	return text
}

func suffix(s Scale) string {
	switch s.Kind {
	case ScaleDiverging:
		return " · centred at 0"
	case ScaleLog:
		return " · log"
	case ScaleCyclic:
		return " · cyclic"
	}
	return ""
}

// unitLabel is "label, unit" or the one of them that is there.
func unitLabel(label, unit string) string {
	if label != "" && unit != "" {
		return label + ", " + unit
	}
	return label + unit
}
