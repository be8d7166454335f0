package viz

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"strconv"
	"time"

	"codeberg.org/go-pdf/fpdf"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// pdfCanvas is a vg.Canvas on a one-page PDF whose text can be selected and
// searched in any script the fonts have. gonum's vgpdf encodes text as code
// page 1252, which has no true minus and no Greek, and stamps the time, so
// that two exports of one figure differ.
type pdfCanvas struct {
	doc    *fpdf.Fpdf
	w, h   vg.Length
	line   vg.Length
	lines  []vg.Length // stack of line widths
	images int
}

func newPDF(w, h float64, title string) *pdfCanvas {
	doc := fpdf.NewCustom(&fpdf.InitType{UnitStr: "pt", Size: fpdf.SizeType{Wd: w, Ht: h}})
	epoch := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	doc.SetCreationDate(epoch)
	doc.SetModificationDate(epoch)
	doc.SetCatalogSort(true)
	doc.SetTitle(title, true)
	doc.SetMargins(0, 0, 0)
	doc.SetAutoPageBreak(false, 0)
	doc.AddUTF8FontFromBytes(pdfFamily(sans), "", interRegular)
	doc.AddUTF8FontFromBytes(pdfFamily(bold), "", interSemiBold)
	doc.AddUTF8FontFromBytes(pdfFamily(mono), "", jetBrainsMono)
	doc.AddPage()
	c := &pdfCanvas{doc: doc, w: vg.Length(w), h: vg.Length(h)}
	doc.TransformBegin()
	doc.TransformTranslate(0, h)
	doc.TransformScale(100, -100, 0, 0)
	vg.Initialize(c)
	return c
}

func pdfFamily(f face) string { return "face" + strconv.Itoa(int(f)) }

// Size implements vg.CanvasSizer.
func (c *pdfCanvas) Size() (w, h vg.Length) { return c.w, c.h }

// SetLineWidth implements vg.Canvas.
func (c *pdfCanvas) SetLineWidth(w vg.Length) {
	c.line = w
	c.doc.SetLineWidth(float64(w))
}

// SetLineDash implements vg.Canvas.
func (c *pdfCanvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	dash := make([]float64, len(pattern))
	for i, d := range pattern {
		dash[i] = float64(d)
	}
	c.doc.SetDashPattern(dash, float64(offset))
}

// SetColor implements vg.Canvas.
func (c *pdfCanvas) SetColor(clr color.Color) {
	if clr == nil {
		clr = color.Black
	}
	n := color.NRGBAModel.Convert(clr).(color.NRGBA)
	r, g, b := int(n.R), int(n.G), int(n.B)
	c.doc.SetFillColor(r, g, b)
	c.doc.SetDrawColor(r, g, b)
	c.doc.SetTextColor(r, g, b)
	c.doc.SetAlpha(float64(n.A)/255, "Normal")
}

// Rotate implements vg.Canvas.
func (c *pdfCanvas) Rotate(rad float64) { c.doc.TransformRotate(-rad*180/math.Pi, 0, 0) }

// Translate implements vg.Canvas.
func (c *pdfCanvas) Translate(pt vg.Point) { c.doc.TransformTranslate(float64(pt.X), float64(pt.Y)) }

// Scale implements vg.Canvas.
func (c *pdfCanvas) Scale(x, y float64) { c.doc.TransformScale(100*x, 100*y, 0, 0) }

// Push implements vg.Canvas.
func (c *pdfCanvas) Push() {
	c.lines = append(c.lines, c.line)
	c.doc.TransformBegin()
}

// Pop implements vg.Canvas.
func (c *pdfCanvas) Pop() {
	c.doc.TransformEnd()
	c.line, c.lines = c.lines[len(c.lines)-1], c.lines[:len(c.lines)-1]
}

// Stroke implements vg.Canvas.
func (c *pdfCanvas) Stroke(p vg.Path) {
	if c.line > 0 {
		c.path(p, "D")
	}
}

// Fill implements vg.Canvas.
func (c *pdfCanvas) Fill(p vg.Path) { c.path(p, "F") }

func (c *pdfCanvas) path(p vg.Path, style string) {
	for _, k := range p {
		x, y := float64(k.Pos.X), float64(k.Pos.Y)
		switch k.Type {
		case vg.MoveComp:
			c.doc.MoveTo(x, y)
		case vg.LineComp:
			c.doc.LineTo(x, y)
		case vg.ArcComp:
			c.arc(k)
		case vg.CurveComp:
			a, b := k.Control[0], k.Control[len(k.Control)-1]
			if len(k.Control) == 1 {
				c.doc.CurveTo(float64(a.X), float64(a.Y), x, y)
			} else {
				c.doc.CurveBezierCubicTo(float64(a.X), float64(a.Y), float64(b.X), float64(b.Y), x, y)
			}
		case vg.CloseComp:
			c.doc.ClosePath()
		}
	}
	c.doc.DrawPath(style)
}

// arc adds an arc as cubic curves of at most a quarter turn each.
func (c *pdfCanvas) arc(k vg.PathComp) {
	n := max(1, int(math.Ceil(math.Abs(k.Angle)/(math.Pi/2)-1e-9)))
	step := k.Angle / float64(n)
	h := 4.0 / 3 * math.Tan(step/4)
	x, y, r := float64(k.Pos.X), float64(k.Pos.Y), float64(k.Radius)
	s0, c0 := math.Sincos(k.Start)
	c.doc.LineTo(x+r*c0, y+r*s0)
	for i := 1; i <= n; i++ {
		s1, c1 := math.Sincos(k.Start + float64(i)*step)
		c.doc.CurveBezierCubicTo(x+r*(c0-h*s0), y+r*(s0+h*c0), x+r*(c1+h*s1), y+r*(s1-h*c1), x+r*c1, y+r*s1)
		s0, c0 = s1, c1
	}
}

// FillString implements vg.Canvas for the embedded fonts.
func (c *pdfCanvas) FillString(f font.Face, pt vg.Point, text string) {
	family := pdfFamily(sans)
	for i, known := range fonts().fonts {
		if known.Face == f.Face {
			family = pdfFamily(face(i))
		}
	}
	c.doc.SetFont(family, "", float64(f.Font.Size))
	c.Push()
	c.Translate(pt)
	c.Scale(1, -1)
	c.doc.Text(0, 0, text)
	c.Pop()
}

// DrawImage implements vg.Canvas.
func (c *pdfCanvas) DrawImage(rect vg.Rectangle, img image.Image) {
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		c.doc.SetError(err)
		return
	}
	c.images++
	name, opts := "image"+strconv.Itoa(c.images), fpdf.ImageOptions{ImageType: "png"}
	c.doc.RegisterImageOptionsReader(name, opts, &buf)
	size := rect.Size()
	c.Push()
	c.Translate(vg.Point{X: rect.Min.X, Y: rect.Max.Y})
	c.Scale(1, -1)
	c.doc.ImageOptions(name, 0, 0, float64(size.X), float64(size.Y), false, opts, 0, "")
	c.Pop()
}

// WriteTo ends the document and writes it; the canvas cannot be drawn on afterwards.
func (c *pdfCanvas) WriteTo(w io.Writer) (int64, error) {
	c.doc.TransformEnd()
	var buf bytes.Buffer
	if err := c.doc.Output(&buf); err != nil {
		return 0, err
	}
	return buf.WriteTo(w)
}
