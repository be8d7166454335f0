package viz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// svgCanvas is gonum's SVG canvas that keeps the width of every text: with a
// reader's own fonts instead of ours each must still fit where it was laid out.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []float64 // of the texts, in the order of the document
}

// FillString draws a text and keeps its width.
func (c *svgCanvas) FillString(f font.Face, at vg.Point, text string) {
	c.widths = append(c.widths, float64(f.Width(text)))
	c.Canvas.FillString(f, at, text)
}

// renderSVG draws on an SVG canvas and gives the document a head of its own: size
// in pixels, title and description for screen readers, and ids that no other
// figure on a page has. Letters stand as far apart as in the other formats: pairs
// that a browser would kern would be stretched to the width of those that are not.
func renderSVG(w io.Writer, s *sheet, p *page, f *Figure, o Options) error {
	c := &svgCanvas{Canvas: vgsvg.New(vg.Length(p.w), vg.Length(p.h))}
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
	if body, ok = setWidths(body, c.widths); !ok {
		return fmt.Errorf("svg: the canvas wrote other texts than the %d that were drawn", len(c.widths))
	}
	key, err := json.Marshal(f)
	if err != nil {
		return err
	}
	id := "orrery-" + digest(key, []byte(o.Show), []byte(o.Theme), fmt.Append(nil, o.Width))
	_, err = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]v" height="%[2]v" viewBox="0 0 %[1]v %[2]v" role="img" aria-labelledby="%[3]s-title %[3]s-desc" xml:space="preserve" style="font-kerning:none;font-variant-ligatures:none;font-variant-numeric:tabular-nums">
<title id="%[3]s-title">%[4]s</title>
<desc id="%[3]s-desc">%[5]s</desc>
<g transform=%[6]s`, p.w, p.h, id, escapeXML(f.Title), escapeXML(f.frame().alt(o.Show)), fontStacks(body))
	return err
}

// setWidths gives every text the width that it has in the embedded fonts, so that
// one in another font is narrowed or widened to it and lies over nothing.
func setWidths(svg []byte, widths []float64) ([]byte, bool) {
	const begin = "<text "
	parts := bytes.Split(svg, []byte(begin))
	if len(parts) != len(widths)+1 {
		return nil, false
	}
	out := parts[0]
	for i, part := range parts[1:] {
		out = append(out, begin...)
		if widths[i] > 0 {
			out = append(out, `textLength="`...)
			out = strconv.AppendFloat(out, widths[i], 'f', 2, 64)
			out = append(out, `" lengthAdjust="spacingAndGlyphs" `...)
		}
		out = append(out, part...)
	}
	return out, true
}

// fontStacks adds faces that most machines have behind each embedded family,
// and gives images the link of SVG 2, which needs no namespace, and their type.
func fontStacks(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte(` xlink:href="data:image/jpg;`), []byte(` href="data:image/png;`))
	svg = bytes.ReplaceAll(svg, []byte("font-family:Inter;font-variant:none;"), []byte("font-family:Inter,'Inter Variable','Liberation Sans',Arial,Helvetica,sans-serif;"))
	return bytes.ReplaceAll(svg, []byte("font-family:JetBrains Mono;font-variant:normal;"), []byte("font-family:'JetBrains Mono','JetBrains Mono Variable','Liberation Mono',monospace;"))
}
