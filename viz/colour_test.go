package viz_test

import (
	"encoding/json"
	"fmt"
	"image/color"
	"math"
	"os"
	"testing"

	"orrery/viz"
)

// agreement is testdata/agreement.json, made by testdata/agreement.mjs.
type agreement struct {
	Colours []agreedColour
	Wheels  []agreedColour
	Numbers []struct {
		Format string
		Value  float64
		Text   string
	}
	Tokens []struct{ Label, Text string }
}

type agreedColour struct {
	Scale     viz.Scale
	Value     float64
	Theme     string
	RGB, Text string
	Clipped   int
}

func readAgreement(t *testing.T) agreement {
	t.Helper()
	raw, err := os.ReadFile("testdata/agreement.json")
	if err != nil {
		t.Fatal(err)
	}
	var a agreement
	if err := json.Unmarshal(raw, &a); err != nil {
		t.Fatal(err)
	}
	if len(a.Colours) < 200 || len(a.Wheels) < 100 || len(a.Numbers) < 200 || len(a.Tokens) < 10 {
		t.Fatalf("agreement.json holds %d colours, %d numbers, %d tokens", len(a.Colours), len(a.Numbers), len(a.Tokens))
	}
	return a
}

func hexOf(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func TestColourAgrees(t *testing.T) {
	a := readAgreement(t)
	for _, c := range append(a.Colours, a.Wheels...) {
		got := viz.Colour(c.Scale, c.Value, c.Theme)
		if hexOf(got) != c.RGB {
			t.Errorf("%s reverse=%t %s %v: %s, want %s", c.Scale.Kind, c.Scale.Reverse, c.Theme, c.Value, hexOf(got), c.RGB)
		}
		if text := hexOf(viz.TextOn(got)); text != c.Text {
			t.Errorf("text on %s: %s, want %s", hexOf(got), text, c.Text)
		}
		if _, clipped := c.Scale.Position(c.Value); clipped != c.Clipped {
			t.Errorf("%s %v: clipped %d, want %d", c.Scale.Kind, c.Value, clipped, c.Clipped)
		}
	}
}

func TestColourAnchors(t *testing.T) {
	diverging := viz.Scale{Kind: viz.ScaleDiverging, Lo: -3, Hi: 3}
	flat := viz.Scale{Kind: viz.ScaleDiverging}
	one := viz.Scale{Kind: viz.ScaleSequential, Lo: 2, Hi: 2}
	for _, c := range []struct {
		name  string
		scale viz.Scale
		value float64
		theme string
		want  string
	}{
		{"zero is the light card", diverging, 0, "light", "#ffffff"},
		{"zero is the dark card", diverging, 0, "dark", "#1b1e24"},
		{"negative zero too", diverging, math.Copysign(0, -1), "dark", "#1b1e24"},
		{"positive is red", diverging, 3, "light", "#a92f16"},
		{"negative is blue", diverging, -3, "light", "#1d4f9f"},
		{"a scale of nothing but 0", flat, 0, "light", "#ffffff"},
		{"equal limits, at them", one, 2, "light", "#f1f5fb"},
		{"equal limits, above", one, 2.5, "light", "#143a7c"},
		{"an unknown theme is light", diverging, 3, "sepia", "#a92f16"},
		{"NaN has no colour of the scale", diverging, math.NaN(), "light", "#fdf1dd"},
		{"nor has infinity", diverging, math.Inf(1), "dark", "#2f2413"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := hexOf(viz.Colour(c.scale, c.value, c.theme)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestColourReadable walks each scale: text in a cell has at least 4.5:1, and
// lightness moves in one direction, so that order survives in grey.
func TestColourReadable(t *testing.T) {
	luminance := func(c color.RGBA) float64 {
		l := 0.0
		for i, v := range [3]uint8{c.R, c.G, c.B} {
			x := float64(v) / 255
			if x <= 0.04045 {
				x /= 12.92
			} else {
				x = math.Pow((x+0.055)/1.055, 2.4)
			}
			l += x * [3]float64{0.2126, 0.7152, 0.0722}[i]
		}
		return l
	}
	for _, theme := range []string{"light", "dark"} {
		for _, kind := range []viz.ScaleKind{viz.ScaleSequential, viz.ScaleDiverging} {
			scale := viz.Scale{Kind: kind, Lo: -1, Hi: 1}
			before := math.NaN()
			for i := -200; i <= 200; i++ {
				v := float64(i) / 200
				back := viz.Colour(scale, v, theme)
				l, ink := luminance(back), luminance(viz.TextOn(back))
				if ratio := (max(l, ink) + 0.05) / (min(l, ink) + 0.05); !(ratio >= 4.5) {
					t.Errorf("%s %s %v: contrast %.2f", theme, kind, v, ratio)
				}
				down := theme == "light"
				if kind == viz.ScaleDiverging && i <= 0 {
					down = !down
				}
				if !math.IsNaN(before) && ((down && l > before) || (!down && l < before)) {
					t.Errorf("%s %s: lightness turns back at %v", theme, kind, v)
				}
				before = l
			}
		}
	}
}
