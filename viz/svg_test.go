package viz_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"

	"orrery/viz"
)

// placedText is a text of an SVG that stands upright.
type placedText struct {
	x, y, width float64
	text        string
}

// placedTexts reads the texts that no group turns.
func placedTexts(t *testing.T, svg []byte) (all []placedText) {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(svg))
	groups := 0
	var open *placedText
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			switch tok.Name.Local {
			case "g":
				groups++
			case "text":
				open = &placedText{width: -1}
				for _, a := range tok.Attr {
					into := map[string]*float64{"x": &open.x, "y": &open.y, "textLength": &open.width}[a.Name.Local]
					if into == nil {
						continue
					}
					if *into, err = strconv.ParseFloat(a.Value, 64); err != nil {
						t.Fatalf("%s=%q: %v", a.Name.Local, a.Value, err)
					}
				}
			}
		case xml.CharData:
			if open != nil {
				open.text += string(tok)
			}
		case xml.EndElement:
			switch tok.Name.Local {
			case "g":
				groups--
			case "text":
				if groups == 1 {
					all = append(all, *open)
				}
				open = nil
			}
		}
	}
}

// TestSVGTextsKeepTheirWidth: every text says how wide it is, so that a reader
// without our fonts sees none over another: in the widths that are said, no two on
// a line touch, and all lie within the picture.
func TestSVGTextsKeepTheirWidth(t *testing.T) {
	for name, f := range samples() {
		svg := export(t, f, "svg", viz.Options{})
		texts := placedTexts(t, svg)
		if len(texts) < 5 {
			t.Errorf("%s: %d texts", name, len(texts))
		}
		var head struct {
			Width float64 `xml:"width,attr"`
		}
		if err := xml.Unmarshal(svg, &head); err != nil {
			t.Fatal(err)
		}
		for i, a := range texts {
			if strings.TrimSpace(a.text) != "" && !(a.width > 0) || !(a.x >= 0 && a.x+a.width <= head.Width+0.01) {
				t.Errorf("%s: %q at %g is %g wide, in a picture of %g", name, a.text, a.x, a.width, head.Width)
			}
			for _, b := range texts[:i] {
				if a.y == b.y && a.x < b.x+b.width-0.1 && b.x < a.x+a.width-0.1 {
					t.Errorf("%s: %q at %g..%g lies over %q at %g..%g", name, a.text, a.x, a.x+a.width, b.text, b.x, b.x+b.width)
				}
			}
		}
	}
}
