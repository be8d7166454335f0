package viz

import (
	"image"

	"gonum.org/v1/plot/vg"
)

// A grid of so many rows and columns is drawn as tiles, which touch.
const manyRows = 40

// In a vector format, a grid of so many cells without gaps is drawn as one
// image, each cell so many dots wide; only cells with a sign of their own are
// drawn over it.
const (
	manyCells = 4000
	tileDots  = 4
)

// tiled reports whether the cells are drawn as one image.
func (g *grid) tiled(s *sheet) bool {
	return !s.dots && g.gap == 0 && len(g.rows.Labels)*len(g.columns.Labels) > manyCells
}

// plain reports a cell that is nothing but its colour.
func (g *grid) plain(c cell) bool {
	if c.state != Done || !finite(c.value) {
		return false
	}
	_, clipped := g.scale.Position(c.value)
	return clipped == 0
}

// tiles draws the plain cells as one image with its corner at x, y.
func (g *grid) tiles(s *sheet, x, y float64) {
	rows, columns := len(g.rows.Labels), len(g.columns.Labels)
	img := image.NewNRGBA(image.Rect(0, 0, columns*tileDots, rows*tileDots))
	for r := range rows {
		for c := range columns {
			cell := g.cells(r, c)
			if !g.plain(cell) {
				continue // stays clear
			}
			dot := s.th.colour(g.scale, cell.value)
			for dy := range tileDots {
				at := img.PixOffset(c*tileDots, (rows-1-r)*tileDots+dy)
				for range tileDots {
					img.Pix[at], img.Pix[at+1], img.Pix[at+2], img.Pix[at+3] = dot.R, dot.G, dot.B, 255
					at += 4
				}
			}
		}
	}
	w, h := g.pitchX*float64(columns), g.pitchY*float64(rows)
	s.c.DrawImage(vg.Rectangle{Min: s.pt(x, y+h), Max: s.pt(x+w, y)}, img)
}
