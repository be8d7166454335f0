package viz_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"testing"

	"orrery/viz"
)

// tileFigure is one neuron over all pairs of operands.
func tileFigure(n int) *viz.Figure {
	axis := viz.Axis{Name: "a", Labels: numbers(n).Values}
	v := make([]float32, n*n)
	for i := range v {
		v[i] = float32(1 + math.Cos(float64(i/n)/5)*math.Cos(float64(i%n)/7))
	}
	return &viz.Figure{
		Kind: viz.KindHeatmap, Title: "Neuron",
		Heatmap: &viz.Heatmap{Scale: "v", Panels: []viz.Panel{{Rows: axis, Columns: axis, Values: "v"}}},
		Arrays:  map[string]*viz.Array{"v": viz.Values(v, []string{"a", "b"}, n, n)},
		Scales:  map[string]viz.Scale{"v": {Kind: viz.ScaleSequential, Lo: 0, Hi: 2, Label: "activation", Format: "%.2f"}},
	}
}

// TestTiles draws 113 × 113 cells, finds the grid by changing two corners, and
// compares the dot in the middle of every cell with its colour, but for those
// with a sign, which all look different; the image in SVG is held to the same.
func TestTiles(t *testing.T) {
	const n, width = 113, 300
	draw := func(change func(a *viz.Array)) image.Image {
		f := tileFigure(n)
		f.Arrays["v"].State = allDone(n * n)
		change(f.Arrays["v"])
		return picture(t, f, viz.Options{Scale: 1, Width: width})
	}
	plain := draw(func(*viz.Array) {})
	low := difference(plain, draw(func(a *viz.Array) { a.Data[0] = 0 }))
	high := difference(plain, draw(func(a *viz.Array) { a.Data[n*n-1] = 0 }))
	pitch := low.Dx()
	if pitch != 2 || low.Dy() != 2 || high.Dx() != 2 || high.Dy() != 2 || high.Min.X-low.Min.X != 2*(n-1) || low.Min.Y-high.Min.Y != 2*(n-1) {
		t.Fatalf("the corners are %v and %v", low, high)
	}
	f := tileFigure(n)
	wrong := 0
	for i, v := range f.Arrays["v"].Data {
		x, y := low.Min.X+pitch*(i%n), low.Min.Y-pitch*(i/n)
		if got := color.RGBAModel.Convert(plain.At(x, y)); got != viz.Colour(f.Scales["v"], float64(v), "light") {
			wrong++
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d cells have another colour", wrong, n*n)
	}
	seen := map[string]string{}
	const at = 50*n + 60
	for name, change := range map[string]func(a *viz.Array){
		"done": func(*viz.Array) {}, "pending": func(a *viz.Array) { a.State[at] = viz.Pending }, "blank": func(a *viz.Array) { a.State[at] = viz.Blank },
		"nan": func(a *viz.Array) { a.Data[at] = nan }, "clipped": func(a *viz.Array) { a.Data[at] = 3 },
	} {
		img, look := draw(change), ""
		for d := range 4 {
			r, g, b, _ := img.At(low.Min.X+2*60+d%2, low.Min.Y-2*50+d/2).RGBA()
			look += fmt.Sprint(r, g, b, " ")
		}
		if other, ok := seen[look]; ok {
			t.Errorf("%s looks like %s", name, other)
		}
		seen[look] = name
	}
	svg := export(t, f, "svg", viz.Options{Width: width})
	link := regexp.MustCompile(`href="data:image/png;base64,([^"]+)"`).FindSubmatch(svg)
	if len(svg) > 100_000 || bytes.Contains(svg, []byte("xlink")) || link == nil {
		t.Fatalf("svg of %d bytes", len(svg))
	}
	tiles, err := png.Decode(base64.NewDecoder(base64.StdEncoding, bytes.NewReader(link[1])))
	if err != nil {
		t.Fatal(err)
	}
	dots := tiles.Bounds().Dx() / n
	for i, v := range f.Arrays["v"].Data {
		if got := color.RGBAModel.Convert(tiles.At(dots*(i%n)+1, dots*(n-1-i/n)+1)); got != viz.Colour(f.Scales["v"], float64(v), "light") {
			t.Fatalf("cell %d of the image has colour %v", i, got)
		}
	}
}

// TestSmallCellsHaveNoFrames draws cells of the card's colour that touch: a
// frame around each would be a mesh over the picture.
func TestSmallCellsHaveNoFrames(t *testing.T) {
	f := tileFigure(57)
	for i := range f.Arrays["v"].Data {
		f.Arrays["v"].Data[i] = 0
	}
	const line = "#e7e3da"
	if n := bytes.Count(bytes.ToLower(export(t, f, "svg", viz.Options{})), []byte(line)); n > 57 {
		t.Errorf("%d strokes of %s in %d cells", n, line, 57*57)
	}
}
