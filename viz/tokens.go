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
	g.layout(s, avail, min(134, max(58, 660/float64(columns))), 30)
	w, _ := g.size()
	return &tokensBody{g, newKey(s, scale, max(w-g.left(), 280), values)}
}

func (b *tokensBody) size() (w, h float64) {
	w, h = b.grid.size()
	_, kh := b.key.size()
	return w + 3, h + 10 + kh
}

func (b *tokensBody) draw(s *sheet, x, y float64) {
	b.grid.draw(s, x, y)
	_, h := b.grid.size()
	b.key.draw(s, x+b.grid.left(), y+h+10)
}
