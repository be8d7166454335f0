package viz

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
)

// Measures of a picture, in pixels.
const (
	padding      = 20.0
	minWidth     = 420.0
	titleSize    = 14.0
	textSize     = 12.5
	smallSize    = 11.0
	footSize     = 10.0
	lineHeight   = 17.0
	methodHeight = 15.0
	badgeHeight  = 20.0
)

// body is the drawing of one kind.
type body interface {
	// size is the body's width and height.
	size() (w, h float64)
	draw(s *sheet, x, y float64)
}

// page is a figure laid out: title and subtitle, body, caption, badges and
// provenance, from the top down.
type page struct {
	w, h       float64
	title      []string
	subtitle   []string
	sameLine   bool // the subtitle stands beside the title
	figure     *Figure
	body       body
	caption    []string
	method     []string  // how it was measured, smaller
	badges     [][]Badge // one line each
	provenance []string
	stripTop   float64
	bodyTop    float64
}

// compose lays a valid figure out.
func compose(s *sheet, f *Figure, o Options) *page {
	avail := 0.0
	if o.Width > 0 {
		avail = math.Max(float64(o.Width)-2*padding, 1)
	}
	p := &page{figure: f, body: newBody(s, f, o.Show, avail)}
	bw, bh := p.body.size()
	p.w = math.Ceil(max(bw+2*padding, float64(o.Width)))
	if o.Width == 0 {
		p.w = max(p.w, minWidth)
	}
	inner := p.w - 2*padding
	subtitle := typeset(f.subtitle(o.Show))
	soft := pen{face: sans, size: textSize}
	heading := pen{face: bold, size: titleSize}
	p.title = wrap(f.Title, s.fit(heading, inner))
	y := padding - 4 + lineHeight*float64(max(len(p.title), 1))
	if titleWidth := s.width(f.Title, heading); titleWidth+10+s.width(subtitle, soft) <= inner {
		p.sameLine, p.subtitle = true, []string{subtitle}
	} else {
		p.subtitle = wrap(subtitle, s.fit(soft, inner))
		y += lineHeight * float64(len(p.subtitle))
	}
	p.bodyTop = y + 14
	if f.Slider != nil {
		p.stripTop = p.bodyTop
		p.bodyTop += stripHeight + 10
	}
	y = p.bodyTop + bh
	says, how := captionParts(f.Caption)
	p.caption = wrap(typeset(says), s.fit(soft, inner))
	p.method = wrap(typeset(how), s.fit(pen{face: sans, size: smallSize}, inner))
	if len(p.caption)+len(p.method) > 0 {
		y += 12 + lineHeight*float64(len(p.caption)) + methodHeight*float64(len(p.method)) + p.methodGap()
	}
	p.badges = p.flow(s, f.Badges, inner)
	p.provenance = join(f.items(), " · ", s.fit(pen{face: sans, size: footSize}, inner))
	if len(p.badges)+len(p.provenance) > 0 {
		y += 14
	}
	y += (badgeHeight + 5) * float64(len(p.badges))
	y += 14 * float64(len(p.provenance))
	p.h = math.Ceil(y + padding - 4)
	return p
}

// methodGap is the space between what a caption says and how it was measured.
func (p *page) methodGap() float64 {
	if len(p.caption) == 0 || len(p.method) == 0 {
		return 0
	}
	return 4
}

func newBody(s *sheet, f *Figure, show string, avail float64) body {
	switch f.Kind {
	case KindTokens:
		return newTokensBody(s, f, show, avail)
	case KindHeatmap:
		return newHeatmapBody(s, f, avail)
	case KindLines:
		return newLinesBody(s, f, avail)
	case KindTable:
		return newTableBody(s, f, avail)
	case KindScatter:
		return newScatterBody(s, f, avail)
	case KindBars:
		return newBarsBody(s, f, avail)
	case KindDials:
		return newDialsBody(s, f, avail)
	default:
		return newMultiplesBody(s, f, avail)
	}
}

// flow breaks badges into lines.
func (p *page) flow(s *sheet, badges []Badge, inner float64) [][]Badge {
	var lines [][]Badge
	x := 0.0
	for _, b := range badges {
		w := s.width(b.label(), pen{face: sans, size: smallSize}) + 24
		if len(lines) == 0 || x+w > inner {
			lines, x = append(lines, nil), 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], b)
		x += w
	}
	return lines
}

func (p *page) draw(s *sheet) {
	s.fillRect(0, 0, p.w, p.h, 0, s.th.ui("card"))
	y := padding + 13
	heading := pen{face: bold, size: titleSize, color: s.th.ui("ink")}
	for i, l := range p.title {
		if i > 0 {
			y += lineHeight
		}
		s.text(padding, y, l, heading)
	}
	soft := pen{face: sans, size: textSize, color: s.th.ui("soft")}
	if p.sameLine {
		x := padding
		for _, l := range p.title {
			x += s.width(l, heading) + 10
		}
		s.text(x, y, p.subtitle[0], soft)
	} else {
		for _, l := range p.subtitle {
			y += lineHeight
			s.text(padding, y, l, soft)
		}
	}
	if p.figure.Slider != nil {
		s.strip(p.figure, padding, p.stripTop, p.w-2*padding)
	}
	p.body.draw(s, padding, p.bodyTop)
	_, bh := p.body.size()
	y = p.bodyTop + bh
	if len(p.caption)+len(p.method) > 0 {
		y += 8
		for _, l := range p.caption {
			y += lineHeight
			s.text(padding, y-4, l, pen{face: sans, size: textSize, color: s.th.ui("ink")})
		}
		y += p.methodGap()
		for _, l := range p.method {
			y += methodHeight
			s.text(padding, y-4, l, pen{face: sans, size: smallSize, color: s.th.ui("soft")})
		}
		y += 4
	}
	if len(p.badges)+len(p.provenance) > 0 {
		s.line(padding, y+6.5, p.w-padding, y+6.5, 1, s.th.ui("line"))
		y += 14
	}
	for _, line := range p.badges {
		x := padding
		for _, b := range line {
			x += s.badge(x, y, p.w-padding-x, b) + 6
		}
		y += badgeHeight + 5
	}
	for _, l := range p.provenance {
		y += 14
		s.text(padding, y-4, l, pen{face: sans, size: footSize, color: s.th.ui("mute")})
	}
}

// badge draws one badge, at most room wide, and returns its width.
func (s *sheet) badge(x, y, room float64, b Badge) float64 {
	ink, back := s.th.ui("good"), s.th.ui("good_bg")
	if !b.OK {
		ink, back = s.th.ui("bad"), s.th.ui("bad_bg")
	}
	p := pen{face: sans, size: smallSize, color: ink}
	label := truncate(b.label(), s.fit(p, room-18))
	w := s.width(label, p) + 18
	s.fillRect(x, y, w, badgeHeight, badgeHeight/2, back)
	if !b.OK { // not by colour alone
		s.frame(x, y, w, badgeHeight, badgeHeight/2, 1, ink)
	}
	s.text(x+9, y+14, label, p)
	return w
}

// label is what a badge says: its text, the measured difference, and that it
// does not hold where it does not.
func (b Badge) label() string {
	s := b.Text + " · " + difference(b.Value)
	if !b.OK {
		s = "fails: " + s + " (bound " + difference(b.Bound) + ")"
	}
	return s
}

// difference writes a measured difference: two digits, small ones as 2e-7.
func difference(v float64) string {
	if a := math.Abs(v); a == 0 || (a >= 1e-3 && a < 1e4) {
		return FormatNumber("%.2g", v)
	}
	return strings.Replace(FormatNumber("%.1e", v), ".0e", "e", 1)
}

// items is the provenance as it stands at the foot.
func (f *Figure) items() []string {
	var parts []string
	p := f.Provenance
	add := func(format string, v ...any) { parts = append(parts, fmt.Sprintf(format, v...)) }
	if p.Model != "" {
		add("%s", p.Model)
	}
	if p.Hash != "" {
		add("sha256 %s", p.Hash[:min(len(p.Hash), 12)])
	}
	if p.Basis != "" {
		add("%s weights", p.Basis)
	}
	if p.Analysis != "" {
		add("%s v%d", p.Analysis, p.Version)
	}
	switch n := len(p.PromptIDs); {
	case n == 1:
		add("prompt ids %s", idList(p.PromptIDs[0]))
	case n > 1:
		add("%d prompts, first ids %s", n, idList(p.PromptIDs[0]))
	}
	if p.Seed != nil {
		add("seed %d", *p.Seed)
	}
	if f.drawsIntervals() {
		add("bars: %s", f.Interval)
	}
	if p.Program != "" {
		add("%s", strings.TrimSpace("orrery "+p.Program+" "+p.Kernel))
	}
	return parts
}

// idList writes at most 24 ids.
func idList(ids []int) string {
	s := strings.Trim(fmt.Sprint(ids[:min(len(ids), 24)]), "[]")
	if n := len(ids) - 24; n > 0 {
		s += fmt.Sprintf(" … %d more", n)
	}
	return s
}

// digest is a short stable name of bytes.
func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

func escapeXML(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(plain(s))) // a Builder does not fail
	return b.String()
}
