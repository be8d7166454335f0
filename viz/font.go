package viz

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	xfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// The fonts of every export, subsets made by fonts/subset.py.
var (
	//go:embed fonts/inter-regular.ttf
	interRegular []byte
	//go:embed fonts/inter-semibold.ttf
	interSemiBold []byte
	//go:embed fonts/jetbrains-mono-regular.ttf
	jetBrainsMono []byte
)

// face is one of the embedded fonts.
type face int

const (
	sans face = iota
	bold
	mono
)

// typefaces holds the parsed fonts, indexed by face, and gonum/plot's cache of them.
type typefaces struct {
	fonts [3]font.Face
	cache *font.Cache
}

// fonts parses the embedded fonts once; the value is never written to.
var fonts = sync.OnceValue(func() *typefaces {
	t := new(typefaces)
	for i, f := range [3]struct {
		data []byte
		desc font.Font
	}{
		sans: {interRegular, font.Font{Typeface: "Inter"}},
		bold: {interSemiBold, font.Font{Typeface: "Inter", Weight: xfont.WeightSemiBold}},
		mono: {jetBrainsMono, font.Font{Typeface: "JetBrains Mono", Variant: "Mono"}},
	} {
		parsed, err := opentype.Parse(f.data)
		if err != nil {
			panic("viz: embedded font: " + err.Error())
		}
		t.fonts[i] = font.Face{Font: f.desc, Face: parsed}
	}
	t.cache = font.NewCache(t.fonts[:])
	return t
})

// sized returns a face at a size in figure pixels.
func (t *typefaces) sized(f face, size float64) font.Face {
	out := t.fonts[f]
	out.Font.Size = vg.Length(size)
	return out
}

// has reports whether a face can draw a rune.
func (t *typefaces) has(f face, r rune) bool {
	var buf sfnt.Buffer
	i, err := t.fonts[f].Face.GlyphIndex(&buf, r)
	return err == nil && i != 0
}

// run is a stretch of text in one face.
type run struct {
	face face
	text string
}

// runs splits text by the faces that can draw it: the asked one, then Inter,
// then JetBrains Mono. A rune that no face has stays in the asked face when
// keep is set (a reader's own fonts may have it) and is otherwise written as
// its code point, ⟨4E2D⟩, so that it is never lost in a box.
func (t *typefaces) runs(f face, text string, keep bool) []run {
	var out []run
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			out[len(out)-1].text = b.String()
			b.Reset()
		}
	}
	for _, r := range text {
		use, s := f, string(r)
		switch {
		case t.has(f, r):
		case t.has(sans, r):
			use = sans
		case t.has(mono, r):
			use = mono
		case !keep:
			use, s = mono, codePoint(r) // the only face with its brackets
		}
		if n := len(out); n == 0 || out[n-1].face != use {
			flush()
			out = append(out, run{face: use})
		}
		b.WriteString(s)
	}
	flush()
	return out
}

// spelled is text with the runes that a face lacks written as code points, for
// what gonum/plot draws itself, in one face.
func (t *typefaces) spelled(f face, text string, keep bool) string {
	var b strings.Builder
	for _, r := range text {
		if keep || t.has(f, r) {
			b.WriteRune(r)
		} else {
			fmt.Fprintf(&b, "U+%04X", r)
		}
	}
	return b.String()
}

// width is the advance of text in figure pixels.
func (t *typefaces) width(f face, size float64, text string, keep bool) float64 {
	w := 0.0
	for _, r := range t.runs(f, text, keep) {
		fc := t.sized(r.face, size)
		w += float64(fc.Width(r.text))
	}
	return w
}
