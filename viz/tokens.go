package viz

import "fmt"

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

// tokensBody is the grid of tokens with its colour bar.
type tokensBody struct {
	grid *grid
	key  *key
}

func newTokensBody(s *sheet, f *Figure, show string, avail float64) body {
	t := f.Tokens
	m := f.shown(show)
	values, text := f.Arrays[m.Values], f.Texts[t.Cell]
	columns := len(t.Columns.Labels)
	scale := f.Scales[m.Scale]
	if scale.Label == "" {
		scale.Label = m.Label
	}
	g := &grid{rows: t.Rows, columns: t.Columns, scale: scale, focus: t.Focus, cells: func(r, c int) cell {
		v, state := values.At(r*columns + c)
		out := cell{value: float64(v), state: state, cut: true, face: mono}
		if label := text.Values[r*columns+c]; label != "" {
			out.text = TokenText(label)
		}
		return out
	}}
	if len(g.columns.Roles) == 0 { // a prompt's tokens are chips, tinted or not
		g.columns.Roles = make([]TokenRole, columns)
	}
	g.layout(s, max(avail-focusRoom, 0), min(134, max(58, 660/float64(columns))), 30)
	w, _ := g.size()
	return &tokensBody{g, newKey(s, scale, g.left(), keyRoom(w, avail), values)}
}

func (b *tokensBody) size() (w, h float64) {
	w, h = b.grid.size()
	_, kh := b.key.size()
	return w + focusRoom, h + 10 + kh
}

func (b *tokensBody) draw(s *sheet, x, y float64) {
	b.grid.draw(s, x, y)
	_, h := b.grid.size()
	b.key.draw(s, x, y+h+10)
}

// checkTokens is the part of Validate for token grids.
func (f *Figure) checkTokens() error {
	t := f.Tokens
	if err := first(t.Rows.check("rows"), t.Columns.check("columns")); err != nil {
		return err
	}
	r, c := len(t.Rows.Labels), len(t.Columns.Labels)
	if err := f.text(t.Cell, r, c); err != nil {
		return err
	}
	if t.TopTokens != "" || t.TopValues != "" {
		top := f.Texts[t.TopTokens]
		if top == nil || len(top.Shape) != 3 {
			return fmt.Errorf("top_tokens %q must name a text of rank 3", t.TopTokens)
		}
		k := top.Shape[2]
		if err := first(f.text(t.TopTokens, r, c, k), f.array(t.TopValues, r, c, k)); err != nil {
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
		if err := first(f.array(m.Values, r, c), f.scale(m.Scale, false)); err != nil {
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
	return nil
}
