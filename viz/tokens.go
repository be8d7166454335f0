package viz

import (
	"fmt"
	"slices"
)

// metric returns a metric of a token grid by name; empty is the figure's own.
func (f *Figure) metric(show string) (TokenMetric, error) {
	t := f.Tokens
	if show == "" {
		show = t.Show
	}
	if show == "" {
		return t.Metrics[0], nil
	}
	names := make([]string, len(t.Metrics))
	for i, m := range t.Metrics {
		if m.Name == show {
			return m, nil
		}
		names[i] = m.Name
	}
	return TokenMetric{}, fmt.Errorf("unknown metric %q (metrics are %q)", show, names)
}

// shown is metric for a figure and a name that were checked.
func (f *Figure) shown(show string) TokenMetric {
	m, err := f.metric(show)
	if err != nil {
		panic("viz: " + err.Error())
	}
	return m
}

// subtitle is what colour or height means in the picture: the figure's own
// words, or those of the metric where another one is shown.
func (f *Figure) subtitle(show string) string {
	if f.Kind == KindTokens && show != "" {
		if m, own := f.shown(show), f.shown(""); m.Name != own.Name {
			if m.Help != "" {
				return m.Help
			}
			return "colour = " + m.Label
		}
	}
	return f.Subtitle
}

// focusRoom is what the frame around the last column needs, in pixels.
const focusRoom = 3.0

// tokensBody is one grid of tokens, or several abreast, over one colour bar.
type tokensBody struct {
	f     *Figure
	grids []placed
	key   *key
	w, h  float64
}

func newTokensBody(s *sheet, f *Figure, show string, avail float64) body {
	t := f.Tokens
	m := f.shown(show)
	scale := f.Scales[m.Scale]
	if scale.Label == "" {
		scale.Label = m.Label
	}
	b := &tokensBody{f: f}
	n, _ := t.panels()
	x, y, tallest := 0.0, b.head(), 0.0
	for i := range n {
		g := b.grid(s, i, m, scale, avail)
		w, h := g.size()
		limit := avail
		if limit == 0 {
			limit = 1100
		}
		if x > 0 && x+w > limit {
			x, y, tallest = 0, y+tallest+b.head()+10, 0
		}
		title := ""
		if len(t.Panels) > 0 {
			title = t.Panels[i].Title
		}
		b.grids = append(b.grids, placed{title, g, x, y})
		x += w + panelGap
		tallest = max(tallest, h)
		b.w = max(b.w, x-panelGap)
	}
	b.h = y + tallest
	b.key = f.key(m.Scale, scale, f.Arrays[m.Values]).layout(s, b.grids[0].grid.left(), keyRoom(b.w, avail))
	return b
}

// head is the room for the panels' titles.
func (b *tokensBody) head() float64 {
	if len(b.f.Tokens.Panels) > 0 {
		return 22
	}
	return 0
}

// grid is one panel, laid out; several abreast are narrower.
func (b *tokensBody) grid(s *sheet, panel int, m TokenMetric, scale Scale, avail float64) *grid {
	t := b.f.Tokens
	values, text := b.f.Arrays[m.Values], b.f.Texts[t.Cell]
	columns, from := b.f.panel(panel)
	n := len(columns.Labels)
	outside := b.outside(panel)
	g := &grid{rows: t.Rows, columns: columns, scale: scale, focus: t.Focus, cells: func(r, c int) cell {
		v, state := values.At(from + r*n + c)
		out := cell{value: float64(v), state: state, cut: true, face: mono, faded: outside(r, c)}
		if label := text.Values[from+r*n+c]; label != "" {
			out.text = TokenText(label)
		}
		return out
	}}
	if len(g.columns.Roles) == 0 { // a prompt's tokens are chips, tinted or not
		g.columns.Roles = make([]TokenRole, n)
	}
	widest, height, least := 660.0, 30.0, 58.0
	if len(t.Panels) > 0 {
		g.focus, widest, height, least = -1, 230, 24, 46
	}
	if panel > 0 { // said once
		g.rows.Name = ""
	}
	g.layout(s, max(avail-focusRoom, 0), min(134, max(least, widest/float64(n))), height)
	return g
}

// outside tells the cells of a panel that nothing moved can reach.
func (b *tokensBody) outside(panel int) func(r, c int) bool {
	if p := b.f.Tokens.Patch; p != nil {
		for _, res := range p.Results {
			if res.Panel == panel {
				cone, n := b.f.Arrays[res.Cone], len(b.f.Tokens.Columns.Labels)
				return func(r, c int) bool { v, state := cone.At(r*n + c); return state == Done && v == 0 }
			}
		}
	}
	return func(int, int) bool { return false }
}

func (b *tokensBody) size() (w, h float64) {
	_, kh := b.key.size()
	return b.w + focusRoom, b.h + 10 + kh
}

func (b *tokensBody) takeKeys(shared func(scale string) bool) []*key { return takeKey(&b.key, shared) }

func (b *tokensBody) draw(s *sheet, x, y float64) {
	for i, p := range b.grids {
		b.drawTitle(s, i, x, y)
		b.drawCone(s, i, x+p.x, y+p.y)
		p.grid.draw(s, x+p.x, y+p.y)
	}
	b.drawMoves(s, x, y)
	b.key.draw(s, x, y+b.h+10)
}

// drawTitle writes a panel's name, and beside it what run it is as far as there
// is room.
func (b *tokensBody) drawTitle(s *sheet, panel int, x, y float64) {
	p := b.grids[panel]
	w, _ := p.grid.size()
	room := w - p.grid.left()
	title := pen{face: bold, size: textSize, color: s.th.ui("ink")}
	text := truncate(p.title, s.fit(title, room))
	s.text(x+p.x+p.grid.left(), y+p.y-9, text, title)
	if len(b.f.Tokens.Panels) == 0 {
		return
	}
	note := pen{face: sans, size: smallSize, color: s.th.ui("mute")}
	used := s.width(text, title) + 8
	s.text(x+p.x+p.grid.left()+used, y+p.y-9, truncate(b.f.Tokens.Panels[panel].Note, s.fit(note, room-used)), note)
}

// checkTokens is the part of Validate for token grids.
func (f *Figure) checkTokens() error {
	t := f.Tokens
	if err := first(t.Rows.check("rows"), t.Columns.check("columns")); err != nil {
		return err
	}
	if err := f.checkPanels(); err != nil {
		return err
	}
	c := len(t.Columns.Labels)
	_, shape := t.panels()
	shape = append(shape, len(t.Rows.Labels), c)
	if err := f.text(t.Cell, shape...); err != nil {
		return err
	}
	if t.TopTokens != "" || t.TopValues != "" {
		top := f.Texts[t.TopTokens]
		if top == nil || len(top.Shape) != len(shape)+1 {
			return fmt.Errorf("top_tokens %q must name a text of rank %d", t.TopTokens, len(shape)+1)
		}
		best := append(slices.Clone(shape), top.Shape[len(shape)])
		if err := first(f.text(t.TopTokens, best...), f.array(t.TopValues, best...)); err != nil {
			return err
		}
	}
	if len(t.Metrics) == 0 {
		return fmt.Errorf("a token grid needs a metric")
	}
	seen := map[string]bool{}
	for _, m := range t.Metrics {
		if m.Name == "" || seen[m.Name] {
			return fmt.Errorf("metric name %q is empty or used twice", m.Name)
		}
		seen[m.Name] = true
		if err := f.colours(m.Values, m.Scale, shape...); err != nil {
			return fmt.Errorf("metric %q: %w", m.Name, err)
		}
	}
	if t.Show != "" && !seen[t.Show] {
		return fmt.Errorf("show %q is not a metric (metrics are %q)", t.Show, sortedKeys(seen))
	}
	if t.Focus < -1 || t.Focus >= c {
		return fmt.Errorf("focus %d is not a column of %d (-1 is none)", t.Focus, c)
	}
	if len(t.Target) != 0 && len(t.Target) != c {
		return fmt.Errorf("%d targets for %d columns", len(t.Target), c)
	}
	return f.checkLenses()
}
