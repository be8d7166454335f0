package viz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Options says how a figure is drawn.
type Options struct {
	// Format is "svg", "png" or "pdf".
	Format string
	// Show is the metric that colours a token grid; empty is the figure's own.
	Show string
	// Theme is "light" (also when empty) or "dark".
	Theme string
	// Width is the picture's width in pixels; 0 is the natural one. A picture
	// becomes wider than asked rather than lose a layer, a token or a number.
	Width int
	// Scale is the number of PNG dots a pixel along each side; 0 is 2.
	Scale float64
}

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
	if f.Kind == KindTokens {
		if _, err := f.metric(o.Show); err != nil {
			return err
		}
	}
	s := &sheet{th: th, fonts: fonts(), keep: o.Format == "svg"}
	p := compose(s, f, o)
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
	s.c = c
	p.draw(s)
	return png.Encode(w, c.Image())
}

// renderSVG draws on gonum's SVG canvas and gives the document a head of its
// own: size in pixels, title and description for screen readers, and ids that
// no other figure on a page has.
func renderSVG(w io.Writer, s *sheet, p *page, f *Figure, o Options) error {
	c := vgsvg.New(vg.Length(p.w), vg.Length(p.h))
	s.c = c
	p.draw(s)
	var buf bytes.Buffer
	if _, err := c.WriteTo(&buf); err != nil {
		return err
	}
	_, body, ok := bytes.Cut(buf.Bytes(), []byte("<g transform="))
	if !ok {
		return fmt.Errorf("svg: the canvas wrote no drawing")
	}
	key, err := json.Marshal(f)
	if err != nil {
		return err
	}
	id := "orrery-" + digest(key, []byte(o.Show), []byte(o.Theme), fmt.Append(nil, o.Width))
	_, err = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]v" height="%[2]v" viewBox="0 0 %[1]v %[2]v" role="img" aria-labelledby="%[3]s-title %[3]s-desc">
<title id="%[3]s-title">%[4]s</title>
<desc id="%[3]s-desc">%[5]s</desc>
<g transform=%[6]s`, p.w, p.h, id, escapeXML(f.Title), escapeXML(f.alt(o.Show)), fontStacks(body))
	return err
}

// fontStacks adds faces that most machines have behind each embedded family.
func fontStacks(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Inter;font-variant:none;"), []byte("font-family:Inter,'Inter Variable','Liberation Sans',Arial,sans-serif;"))
	return bytes.ReplaceAll(svg, []byte("font-family:JetBrains Mono;font-variant:normal;"), []byte("font-family:'JetBrains Mono','JetBrains Mono Variable','Liberation Mono',monospace;"))
}
