package viz

import (
	"fmt"
	"image/png"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
)

// maxDots bounds the dots of a PNG.
const maxDots = 120e6

// Render draws a figure as SVG, PNG or PDF: the same numbers, limits and
// labels as the page. The same figure and options give the same bytes. It
// errors on a figure that does not validate and on unknown options.
func Render(w io.Writer, f *Figure, o Options) error {
	if err := f.Validate(); err != nil {
		return err
	}
	th, err := themeOf(o.Theme)
	if err != nil {
		return err
	}
	if f, err = f.choose(o); err != nil {
		return err
	}
	s := &sheet{th: th, fonts: fonts(), keep: o.Format == "svg"}
	p := compose(s, f.frame(), o)
	s.h = p.h
	switch o.Format {
	case "svg":
		return renderSVG(w, s, p, f, o)
	case "png":
		return renderPNG(w, s, p, o)
	case "pdf":
		c := newPDF(p.w, p.h, f.Title)
		s.c = c
		p.draw(s)
		_, err := c.WriteTo(w)
		return err
	}
	return fmt.Errorf("unknown picture format %q (formats are svg, png, pdf)", o.Format)
}

func renderPNG(w io.Writer, s *sheet, p *page, o Options) error {
	scale := o.Scale
	if scale == 0 {
		scale = 2
	}
	if !(scale > 0 && scale*scale*p.w*p.h <= maxDots) {
		return fmt.Errorf("scale %v makes %.0f × %.0f pixels too many dots; choose a smaller one", scale, p.w, p.h)
	}
	c := vgimg.NewWith(vgimg.UseWH(vg.Length(p.w), vg.Length(p.h)), vgimg.UseDPI(int(math.Round(72*scale))), vgimg.UseBackgroundColor(s.th.ui("card")))
	s.c, s.dots = c, true
	p.draw(s)
	return png.Encode(w, c.Image())
}
