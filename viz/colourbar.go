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
	scale Scale
	left  float64
	bar   float64 // width of the bar alone
	lines [][]item
}

// item is one piece of a key.
type item struct {
	sign string // "bar", "pending", "nan", "blank", "clipped" or "" for text alone
	text string
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

// newKey looks at the arrays that are drawn and breaks the key to a body's
// width, aligned with the cells, which begin at left, where there is room.
func newKey(s *sheet, scale Scale, left, avail float64, arrays ...*Array) *key {
	k := &key{scale: scale, bar: barWidth}
	if avail-left >= keyWidth {
		k.left, avail = left, avail-left
	}
	items := []item{{"bar", suffix(scale)}}
	k.bar = max(minBar, min(barWidth, barWidth+avail-items[0].width(s, k)))
	if l := unitLabel(scale.Label, scale.Unit); l != "" {
		items = append(items, item{"", l})
	}
	items = append(items, signs(scale, arrays)...)
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
func signs(scale Scale, arrays []*Array) []item {
	has := map[string]bool{}
	for _, a := range arrays {
		for i := range a.Data {
			v, state := a.At(i)
			_, clipped := scale.Position(float64(v))
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
	for _, i := range []item{{"pending", "not yet computed"}, {"nan", "not a number, or infinite"}, {"clipped", "beyond the limits"}, {"blank", "blank: cannot exist"}} {
		if has[i.sign] {
			out = append(out, i)
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

func (k *key) size() (w, h float64) { return 0, 20 * float64(len(k.lines)) }

func (k *key) draw(s *sheet, x, y float64) {
	p := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
	for _, line := range k.lines {
		at := x + k.left
		for _, i := range line {
			switch i.sign {
			case "bar":
				k.drawBar(s, at, y, i.text)
			case "":
				s.text(at, y+14, i.text, p)
			case "blank":
				s.frame(at, y+4, 14, 12, 3, 1, s.th.ui("edge"), 1, 2)
				s.text(at+20, y+14, i.text, p)
			case "pending":
				s.hatch(at, y+4, 14, 12, 3)
				s.text(at+20, y+14, i.text, p)
			case "nan":
				s.fillRect(at, y+4, 14, 12, 3, s.th.ui("warn_bg"))
				s.frame(at, y+4, 14, 12, 3, 1, s.th.ui("warn"))
				s.text(at+20, y+14, i.text, p)
			case "clipped":
				s.frame(at, y+4, 14, 12, 3, 1, s.th.ui("line2"))
				s.notch(at, y+4, 14, 12, 1, s.th.ui("ink"))
				s.text(at+20, y+14, i.text, p)
			}
			at += i.width(s, k) + 16
		}
		y += 20
	}
}

// drawBar draws limit, bar, limit and what is said behind them.
func (k *key) drawBar(s *sheet, x, y float64, after string) {
	p := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
	lo, hi := limit(k.scale, k.scale.Lo), limit(k.scale, k.scale.Hi)
	s.text(x, y+14, lo, p)
	x += s.width(lo, p) + 6
	step := k.bar / barSteps
	for i := range barSteps {
		t := (float64(i) + 0.5) / barSteps
		if k.scale.Reverse {
			t = 1 - t
		}
		w := step + 0.5 // overlaps the next, so that no seam shows
		if i == barSteps-1 {
			w = step
		}
		s.fillRect(x+step*float64(i), y+6, w, barHeight, 0, s.th.ramp(k.scale, t))
	}
	s.frame(x, y+6, k.bar, barHeight, 0, 0.5, s.th.ui("line2"))
	s.text(x+k.bar+6, y+14, hi+after, p)
}

// limit writes a limit of a scale; one that the scale's own format would show
// as 0, though it is not, or with more than twelve signs, has three digits.
func limit(s Scale, v float64) string {
	text := FormatNumber(s.Format, v)
	if utf8.RuneCountInString(text) > 12 || v != 0 && !strings.ContainsAny(mantissa(text), "123456789") {
		text = FormatNumber("%.3g", v)
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
