package viz

import "fmt"

// panelGap is the space between two panels, in pixels.
const panelGap = 26.0

// heatmapBody is panels abreast, broken into lines where the width is not
// enough, over one colour bar.
type heatmapBody struct {
	panels []placed
	key    *key
	w, h   float64
}

// placed is a panel at its place in the body; its title stands above y.
type placed struct {
	title string
	grid  *grid
	x, y  float64
}

func newHeatmapBody(s *sheet, f *Figure, avail float64) body {
	scale := f.Scales[f.Heatmap.Scale]
	b := &heatmapBody{}
	var arrays []*Array
	head := 0.0
	for _, p := range f.Heatmap.Panels {
		if p.Title != "" {
			head = 20
		}
	}
	x, y, tallest := 0.0, head, 0.0
	for _, p := range f.Heatmap.Panels {
		values := f.Arrays[p.Values]
		arrays = append(arrays, values)
		g := heatGrid(s, p, scale, values, 0)
		w, _ := g.size()
		if avail > 0 && w > avail {
			g = heatGrid(s, p, scale, values, avail)
		}
		w, h := g.size()
		limit := avail
		if limit == 0 {
			limit = 1100
		}
		if x > 0 && x+w > limit {
			x, y, tallest = 0, y+tallest+head+10, 0
		}
		b.panels = append(b.panels, placed{p.Title, g, x, y})
		x += w + panelGap
		tallest = max(tallest, h)
		b.w = max(b.w, x-panelGap)
	}
	b.h = y + tallest
	b.key = newKey(s, scale, b.panels[0].grid.left(), keyRoom(b.w, avail), arrays...)
	return b
}

func heatGrid(s *sheet, p Panel, scale Scale, values *Array, avail float64) *grid {
	columns := len(p.Columns.Labels)
	g := &grid{rows: p.Rows, columns: p.Columns, scale: scale, focus: -1, cells: func(r, c int) cell {
		v, state := values.At(r*columns + c)
		out := cell{value: float64(v), state: state}
		if scale.written(out.value) {
			out.text = FormatNumber(scale.Format, out.value)
		}
		return out
	}}
	g.layout(s, avail, min(88, max(52, 360/float64(columns))), 34)
	return g
}

func (b *heatmapBody) size() (w, h float64) {
	_, kh := b.key.size()
	return b.w, b.h + 10 + kh
}

func (b *heatmapBody) draw(s *sheet, x, y float64) {
	for _, p := range b.panels {
		title := pen{face: bold, size: textSize, color: s.th.ui("ink")}
		w, _ := p.grid.size()
		s.text(x+p.x+p.grid.left(), y+p.y-9, truncate(p.title, s.fit(title, w-p.grid.left())), title)
		p.grid.draw(s, x+p.x, y+p.y)
	}
	b.key.draw(s, x, y+b.h+10)
}

// checkHeatmap is the part of Validate for heatmaps.
func (f *Figure) checkHeatmap() error {
	if len(f.Heatmap.Panels) == 0 {
		return fmt.Errorf("a heatmap needs a panel")
	}
	if err := f.scale(f.Heatmap.Scale, false); err != nil {
		return err
	}
	for i, p := range f.Heatmap.Panels {
		err := first(p.Rows.check("rows"), p.Columns.check("columns"))
		if err == nil {
			err = f.array(p.Values, len(p.Rows.Labels), len(p.Columns.Labels))
		}
		if err == nil && p.Errors != "" {
			err = f.array(p.Errors, len(p.Rows.Labels), len(p.Columns.Labels))
		}
		if err != nil {
			return fmt.Errorf("panel %d %q: %w", i, p.Title, err)
		}
	}
	return nil
}
