package viz

import (
	"fmt"
	"math"
)

// panelGap is the space between two panels, in pixels.
const panelGap = 26.0

// heatmapBody is panels abreast, broken into lines where the width is not
// enough, over one colour bar.
type heatmapBody struct {
	panels []placed
	key    *key
	w, h   float64
	keyW   float64 // the key's width
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
	tile, each := tileRoom(s, f, avail), panelRoom(s, f, avail)
	for _, p := range f.Heatmap.Panels {
		values := f.Arrays[p.Values]
		arrays = append(arrays, values)
		g := heatGrid(s, p, scale, values, 0)
		w, _ := g.size()
		switch {
		case tile > 0:
			g = heatGrid(s, p, scale, values, tile)
		case avail > 0 && w > each:
			g = heatGrid(s, p, scale, values, each)
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
	b.key = f.key(f.Heatmap.Scale, scale, arrays...).layout(s, b.panels[0].grid.left(), keyRoom(b.w, avail))
	b.keyW = b.key.wide(s)
	return b
}

// Several tiles, grids over two operands, stand abreast as long as each is so
// wide, else one above another, each at most so high.
const (
	goodTile = 150.0
	highTile = 260.0
)

// tileRoom is the width of each of several tiles; 0 where there are none.
func tileRoom(s *sheet, f *Figure, avail float64) float64 {
	panels := f.Heatmap.Panels
	if len(panels) < 2 {
		return 0
	}
	if avail == 0 {
		avail = 1100
	}
	left, rows, columns := 0.0, 0, 0
	for _, p := range panels {
		if len(p.Rows.Labels) < manyLabels || len(p.Columns.Labels) < manyLabels {
			return 0
		}
		left = max(left, heatGrid(s, p, f.Scales[f.Heatmap.Scale], f.Arrays[p.Values], 0).left())
		rows, columns = max(rows, len(p.Rows.Labels)), max(columns, len(p.Columns.Labels))
	}
	for n := len(panels); n > 1; n-- {
		pitch := math.Floor(((avail-panelGap*float64(n-1))/float64(n) - left) / float64(columns))
		if pitch >= 2 && pitch*float64(columns) >= goodTile {
			return left + pitch*float64(columns)
		}
	}
	pitch := math.Floor(min((avail-left)/float64(columns), highTile/float64(rows)))
	return left + max(pitch, 2)*float64(columns)
}

// leastPitch is how wide a cell is at least that has its number in it.
const leastPitch = 52.0

// panelRoom is the width of each of several panels in a given one: as many abreast
// as have room for the numbers in their cells.
func panelRoom(s *sheet, f *Figure, avail float64) float64 {
	widest := 0.0
	for _, p := range f.Heatmap.Panels {
		left := heatGrid(s, p, f.Scales[f.Heatmap.Scale], f.Arrays[p.Values], 0).left()
		widest = max(widest, left+leastPitch*float64(len(p.Columns.Labels)))
	}
	for n := len(f.Heatmap.Panels); n > 1; n-- {
		if each := (avail - panelGap*float64(n-1)) / float64(n); each >= widest {
			return math.Floor(each)
		}
	}
	return avail
}

func heatGrid(s *sheet, p Panel, scale Scale, values *Array, avail float64) *grid {
	columns := len(p.Columns.Labels)
	g := &grid{rows: p.Rows, columns: p.Columns, scale: scale, focus: -1, ring: p.Ring, cells: func(r, c int) cell {
		v, state := values.At(r*columns + c)
		out := cell{value: float64(v), state: state}
		if scale.written(out.value) {
			out.text = FormatNumber(scale.Format, out.value)
		}
		return out
	}}
	g.layout(s, avail, min(88, max(leastPitch, 360/float64(columns))), 34)
	return g
}

func (b *heatmapBody) size() (w, h float64) {
	_, kh := b.key.size()
	w = b.w
	if b.key != nil {
		w = max(w, b.keyW)
	}
	return w, b.h + 10 + kh
}

func (b *heatmapBody) takeKeys(shared func(scale string) bool) []*key { return takeKey(&b.key, shared) }

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
			err = f.colours(p.Values, f.Heatmap.Scale, len(p.Rows.Labels), len(p.Columns.Labels))
		}
		if err == nil && p.Errors != "" {
			err = f.array(p.Errors, len(p.Rows.Labels), len(p.Columns.Labels))
		}
		if err == nil && p.Each != "" {
			err = f.each(p.Each, len(p.Rows.Labels), len(p.Columns.Labels))
		}
		if n := len(p.Rows.Labels); err == nil && p.Frequency != 0 && (p.Frequency < 0 || p.Frequency >= n || len(p.Columns.Labels) != n) {
			err = fmt.Errorf("frequency %d over %d rows and %d columns", p.Frequency, n, len(p.Columns.Labels))
		} else if err == nil && p.Frequency != 0 && (p.Errors != "" || p.Each != "" || len(p.Ring) > 0) {
			err = fmt.Errorf("frequency %d: a map that can be sorted has no errors, single numbers or rings", p.Frequency)
		}
		for _, at := range p.Ring {
			if err == nil && (at < 0 || at >= len(p.Rows.Labels)*len(p.Columns.Labels)) {
				err = fmt.Errorf("ring around cell %d of %d", at, len(p.Rows.Labels)*len(p.Columns.Labels))
			}
		}
		err = first(err, f.checkOpening(p), f.checkHeads(p))
		if err != nil {
			return fmt.Errorf("panel %d %q: %w", i, p.Title, err)
		}
	}
	return nil
}
