package viz

// drawCone tints what was moved can reach in a panel, and outlines it.
func (b *tokensBody) drawCone(s *sheet, panel int, x, y float64) {
	p := b.f.Tokens.Patch
	if p == nil {
		return
	}
	for _, res := range p.Results {
		if res.Panel != panel {
			continue
		}
		g := b.grids[panel].grid
		rows, columns := len(g.rows.Labels), len(g.columns.Labels)
		cone := b.f.Arrays[res.Cone]
		in := func(r, c int) bool {
			if !inside(r, rows) || !inside(c, columns) {
				return false
			}
			v, state := cone.At(r*columns + c)
			return state == Done && v != 0
		}
		out := g.gap / 2
		for r := range rows {
			for c := range columns {
				if !in(r, c) {
					continue
				}
				cx, cy, w, h := g.box(x, y, r, c)
				cx, cy, w, h = cx-out, cy-out, w+2*out, h+2*out
				s.fillRect(cx, cy, w, h, 0, s.th.ui("brass_bg"))
				edge := s.th.ui("brass")
				if !in(r+1, c) {
					s.line(cx, cy, cx+w, cy, 1, edge)
				}
				if !in(r-1, c) {
					s.line(cx, cy+h, cx+w, cy+h, 1, edge)
				}
				if !in(r, c-1) {
					s.line(cx, cy, cx, cy+h, 1, edge)
				}
				if !in(r, c+1) {
					s.line(cx+w, cy, cx+w, cy+h, 1, edge)
				}
			}
		}
	}
}

// drawMoves frames the cells that were moved, dashed where they come from, and
// marks the cells of a result whose token changed.
func (b *tokensBody) drawMoves(s *sheet, x, y float64) {
	p := b.f.Tokens.Patch
	if p == nil {
		return
	}
	ring := func(panel, r, c int, dash ...float64) {
		g := b.grids[panel]
		cx, cy, w, h := g.grid.box(x+g.x, y+g.y, r, c)
		s.frame(cx-2, cy-2, w+4, h+4, 5, 2.4, s.th.ui("brass"), dash...)
	}
	for _, res := range p.Results {
		g := b.grids[res.Panel]
		columns := len(g.grid.columns.Labels)
		for i := range b.f.Arrays[res.Changed].Data {
			if v, state := b.f.Arrays[res.Changed].At(i); state == Done && v != 0 {
				cx, cy, w, _ := g.grid.box(x+g.x, y+g.y, i/columns, i%columns)
				s.polygon(s.th.ui("brass"), cx+w-7, cy, cx+w, cy, cx+w, cy+7)
			}
		}
		for _, m := range res.Moves {
			ring(m.Panel, m.FromRow, m.FromColumn, 4, 2.5)
			ring(p.Into, m.ToRow, m.ToColumn)
			ring(res.Panel, m.ToRow, m.ToColumn)
		}
	}
}

// box is the place of a cell of a grid whose corner is at x, y.
func (g *grid) box(x, y float64, r, c int) (cx, cy, w, h float64) {
	rows := len(g.rows.Labels)
	return x + g.left() + g.pitchX*float64(c), y + g.pitchY*float64(rows-1-r), g.pitchX - g.gap, g.pitchY - g.gap
}
