package viz

import "fmt"

// Measures of multiples, in pixels.
const (
	maxAbreast   = 12 // columns at most
	panelsGap    = 30.0
	leastPanel   = 250.0
	widestPanel  = 560.0
	widestPage   = 1100.0
	panelSpacing = 22.0 // between two rows
)

// multiplesBody is a grid of bodies under titles, over the keys of the scales
// that several of them name.
type multiplesBody struct {
	panels []panelBody
	keys   []*key
	w, h   float64
	keyY   float64
}

// panelBody is one body at its place, which is its titles' top left.
type panelBody struct {
	title    string
	subtitle []string
	sameLine bool
	body     body
	x, y     float64
	head     float64 // height of the titles
	room     float64 // width of its column
}

// keyed is a body with keys that a place for several bodies may draw instead.
type keyed interface {
	// takeKeys removes the keys whose scale is shared and returns them.
	takeKeys(shared func(scale string) bool) []*key
}

func newMultiplesBody(s *sheet, f *Figure, avail float64) body {
	m := f.Multiples
	columns := min(m.Columns, len(m.Items))
	room := widestPage
	if avail > 0 {
		room = avail
		columns = max(1, min(columns, int((avail+panelsGap)/(leastPanel+panelsGap))))
	}
	each := (room - panelsGap*float64(columns-1)) / float64(columns)
	if avail == 0 {
		each = min(max(each, leastPanel), widestPanel)
	}
	b := &multiplesBody{}
	whole := wholeRows(m.Items, columns)
	for i, item := range m.Items {
		width := each
		if whole[i] {
			width = each*float64(columns) + panelsGap*float64(columns-1)
		}
		b.panels = append(b.panels, panelBody{title: item.Title, body: newBody(s, f.item(item), "", width)})
	}
	b.shareKeys(m.Items, f)
	b.arrange(s, m.Items, whole, columns, each)
	b.keyY = b.h
	for _, k := range b.keys {
		k.layout(s, 0, b.w)
		_, h := k.size()
		b.h += h
	}
	if len(b.keys) > 0 {
		b.keyY += 12
		b.h += 12
	}
	return b
}

// shareKeys moves the keys of scales that several panels name to the foot.
func (b *multiplesBody) shareKeys(items []Item, f *Figure) {
	uses := map[string]int{}
	for _, item := range items {
		for _, name := range f.item(item).colourScales() {
			uses[name]++
		}
	}
	byName := map[string]*key{}
	for _, p := range b.panels {
		k, ok := p.body.(keyed)
		if !ok {
			continue
		}
		for _, k := range k.takeKeys(func(name string) bool { return uses[name] > 1 }) {
			if first := byName[k.name]; first != nil {
				first.arrays = append(first.arrays, k.arrays...)
				first.points = first.points && k.points
				continue
			}
			byName[k.name] = k
			b.keys = append(b.keys, k)
		}
	}
}

// colourScales names the scales whose keys a figure's body has, each once.
func (f *Figure) colourScales() []string {
	switch f.Kind {
	case KindTokens:
		return []string{f.shown("").Scale}
	case KindHeatmap:
		return []string{f.Heatmap.Scale}
	case KindScatter:
		if len(f.Scatter.Colours) > 0 {
			return []string{f.Scatter.Colours[0].Scale}
		}
	case KindDials:
		names := map[string]bool{}
		for _, d := range f.Dials.Items {
			if d.Scale != "" {
				names[d.Scale] = true
			}
		}
		return sortedKeys(names)
	}
	return nil
}

// parts counts an item's grids or faces, which belong together.
func (i Item) parts() int {
	switch {
	case i.Heatmap != nil:
		return len(i.Heatmap.Panels)
	case i.Dials != nil:
		return len(i.Dials.Items)
	}
	return 1
}

// wholeRows reports the items that have a row of their own: more than two parts,
// or two that would stand above one another beside an empty place.
func wholeRows(items []Item, columns int) []bool {
	whole := make([]bool, len(items))
	for i, item := range items {
		whole[i] = item.parts() > 2
	}
	for _, line := range rows(whole, columns) {
		if len(line) == 1 && items[line[0]].parts() > 1 {
			whole[line[0]] = true
		}
	}
	return whole
}

// rows are the indices of the items that stand abreast.
func rows(whole []bool, columns int) [][]int {
	var out [][]int
	full := true
	for i, w := range whole {
		if full || w || len(out[len(out)-1]) == columns {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], i)
		full = w
	}
	return out
}

// arrange places the panels row by row.
func (b *multiplesBody) arrange(s *sheet, items []Item, whole []bool, columns int, each float64) {
	lines := rows(whole, columns)
	wide := make([]float64, columns)
	for _, line := range lines {
		for k, i := range line {
			if w, _ := b.panels[i].body.size(); !whole[i] {
				wide[k] = max(wide[k], min(each, max(w, leastPanel)), w)
			}
		}
	}
	y := 0.0
	for _, line := range lines {
		head, tall, x := 0.0, 0.0, 0.0
		for k, i := range line {
			p := &b.panels[i]
			p.x, p.y, p.room = x, y, wide[k]
			if w, _ := p.body.size(); whole[i] {
				p.room = max(w, each)
			}
			p.heads(s, typeset(items[i].Subtitle))
			head = max(head, p.head)
			x += p.room + panelsGap
			b.w = max(b.w, x-panelsGap)
		}
		for _, i := range line {
			b.panels[i].head = head // bodies of a row begin at one height
			_, h := b.panels[i].body.size()
			tall = max(tall, h)
		}
		y += head + tall + panelSpacing
	}
	b.h = y - panelSpacing
}

// heads breaks a panel's title and subtitle to its width.
func (p *panelBody) heads(s *sheet, subtitle string) {
	title, soft := pen{face: bold, size: textSize}, pen{face: sans, size: cellText}
	p.title = truncate(p.title, s.fit(title, p.room))
	p.head = 24
	if subtitle == "" {
		return
	}
	if s.width(p.title, title)+8+s.width(subtitle, soft) <= p.room {
		p.sameLine, p.subtitle = true, []string{subtitle}
		return
	}
	p.subtitle = wrap(subtitle, s.fit(soft, p.room))
	p.head += 15 * float64(len(p.subtitle))
}

func (b *multiplesBody) size() (w, h float64) { return b.w, b.h }

func (b *multiplesBody) draw(s *sheet, x, y float64) {
	for _, p := range b.panels {
		title := pen{face: bold, size: textSize, color: s.th.ui("ink")}
		soft := pen{face: sans, size: cellText, color: s.th.ui("soft")}
		px, py := x+p.x, y+p.y
		s.text(px, py+12, p.title, title)
		for i, line := range p.subtitle {
			if p.sameLine {
				s.text(px+s.width(p.title, title)+8, py+12, line, soft)
			} else {
				s.text(px, py+12+15*float64(i+1), line, soft)
			}
		}
		p.body.draw(s, px, py+p.head)
	}
	at := y + b.keyY
	for _, k := range b.keys {
		k.draw(s, x, at)
		_, h := k.size()
		at += h
	}
}

// checkMultiples is the part of Validate for multiples.
func (f *Figure) checkMultiples() error {
	m := f.Multiples
	if m.Columns < 1 || m.Columns > maxAbreast {
		return fmt.Errorf("%d columns of multiples; 1 to %d are possible", m.Columns, maxAbreast)
	}
	if len(m.Items) == 0 {
		return fmt.Errorf("multiples need an item")
	}
	for i, item := range m.Items {
		p := f.item(item)
		err := p.checkKind()
		if err == nil {
			err = p.check()
		}
		if err == nil && m.Browse != 0 && (item.Heatmap == nil || len(item.Heatmap.Panels) != 1) {
			err = fmt.Errorf("with browse an item is a heatmap of one panel")
		}
		if err != nil {
			return fmt.Errorf("item %d %q: %w", i, item.Title, err)
		}
	}
	if m.Browse < 0 || m.Large < 0 || m.Large >= len(m.Items) {
		return fmt.Errorf("%d items in a row to browse, and item %d of %d large", m.Browse, m.Large, len(m.Items))
	}
	return nil
}

// item is one panel of multiples as a figure of its own over the same pool,
// at the same frame.
func (f *Figure) item(i Item) *Figure {
	return &Figure{
		Kind: i.Kind, Title: i.Title, Subtitle: i.Subtitle,
		Tokens: i.Tokens, Heatmap: i.Heatmap, Lines: i.Lines, Table: i.Table, Scatter: i.Scatter, Bars: i.Bars, Dials: i.Dials,
		Slider: f.Slider, Arrays: f.Arrays, Texts: f.Texts, Scales: f.Scales, frames: f.frames, Interval: f.Interval,
	}
}
