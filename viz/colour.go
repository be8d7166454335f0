package viz

import (
	"image/color"
	"math"
)

// Position returns where a value stands on the scale's colours, 0 to 1, and
// whether it was clipped: -1 below Lo, +1 above Hi, 0 inside. NaN gives NaN.
// A diverging scale puts 0 at exactly 0.5; a cyclic scale clips nothing, but
// takes values round (the infinities stand at 0); Reverse turns the position
// round.
func (s Scale) Position(v float64) (t float64, clipped int) {
	if s.Kind == ScaleCyclic && !math.IsNaN(v) {
		t = (v - s.Lo) / (s.Hi - s.Lo)
		t -= math.Floor(t)
		if !finite(t) {
			t = 0
		}
		if s.Reverse {
			t = 1 - t
		}
		return t, 0
	}
	switch {
	case math.IsNaN(v):
		return math.NaN(), 0
	case v < s.Lo:
		clipped = -1
	case v > s.Hi:
		clipped = 1
	}
	switch {
	case s.Kind == ScaleDiverging && s.Hi == 0:
		t = 0.5
	case s.Kind == ScaleDiverging:
		t = 0.5 + 0.5*v/s.Hi
	case s.Lo == s.Hi && v > s.Lo:
		t = 1
	case s.Lo == s.Hi, s.Kind == ScaleLog && v <= 0:
		t = 0
	case s.Kind == ScaleLog:
		t = (math.Log(v) - math.Log(s.Lo)) / (math.Log(s.Hi) - math.Log(s.Lo))
	default:
		t = (v - s.Lo) / (s.Hi - s.Lo)
	}
	if s.Reverse {
		t = 1 - t
	}
	return min(max(t, 0), 1), clipped
}

// Colour returns the colour of a value on a scale in a theme, "light" or
// "dark": the rule of the package comment. NaN and the infinities have the
// colour of their mark, which is no colour of the scale. An unknown theme is
// taken as light.
func Colour(s Scale, value float64, themeName string) color.RGBA {
	th, err := themeOf(themeName)
	if err != nil {
		th, _ = themeOf("light")
	}
	return th.colour(s, value)
}

func (th *theme) colour(s Scale, v float64) color.RGBA {
	if !finite(v) {
		return th.ui("warn_bg")
	}
	t, _ := s.Position(v)
	return th.ramp(s, t)
}

// ramp returns the colour at a position, 0 to 1, of a scale's anchors.
func (th *theme) ramp(s Scale, t float64) color.RGBA {
	switch s.Kind {
	case ScaleCategory:
		k := s.categories()
		i := int(math.Floor(t*float64(k-1) + 0.5))
		return th.hue(float64(i)/float64(k), 1-2*float64(i%2))
	case ScaleCyclic:
		return th.hue(t, math.Cos(2*math.Pi*t))
	}
	anchors := th.Sequential
	if s.Kind == ScaleDiverging {
		anchors = th.Diverging
	}
	x := t * float64(len(anchors)-1)
	i := min(int(x), len(anchors)-2)
	u := x - float64(i)
	a, b := toLab(anchors[i].RGBA), toLab(anchors[i+1].RGBA)
	for k := range a {
		a[k] += u * (b[k] - a[k])
	}
	return a.rgba()
}

// hue returns the colour at a turn, 0 to 1, of the theme's wheel, lighter by
// so many swings.
func (th *theme) hue(turn, swings float64) color.RGBA {
	w := th.Wheel
	sin, cos := math.Sincos((w.Hue/360 + turn) * 2 * math.Pi)
	return lab{w.Lightness + w.Swing*swings, w.Chroma * cos, w.Chroma * sin}.rgba()
}

// TextOn returns black or white, whichever contrasts more with a cell's
// colour by the contrast ratio of WCAG 2.
func TextOn(cell color.RGBA) color.RGBA {
	p := house()
	if contrast(p.CellText[0].RGBA, cell) >= contrast(p.CellText[1].RGBA, cell) {
		return p.CellText[0].RGBA
	}
	return p.CellText[1].RGBA
}

// contrast is the WCAG 2 contrast ratio, 1 to 21.
func contrast(a, b color.RGBA) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(c color.RGBA) float64 {
	return 0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B)
}

// linear undoes the sRGB transfer function.
func linear(c uint8) float64 {
	v := float64(c) / 255
	if v <= 0.04045 {
		return v / 12.92
	}
	return math.Pow((v+0.055)/1.055, 2.4)
}

// encode is the sRGB transfer function to 8 bits, clipped.
func encode(v float64) uint8 {
	v = min(max(v, 0), 1)
	if v <= 0.0031308 {
		v *= 12.92
	} else {
		v = 1.055*math.Pow(v, 1/2.4) - 0.055
	}
	return uint8(math.Floor(255*v + 0.5))
}

// lab is a colour as L, a, b of OKLab (B. Ottosson, "A perceptual color space
// for image processing", 2020), whose matrices stand below.
type lab [3]float64

func toLab(c color.RGBA) lab {
	r, g, b := linear(c.R), linear(c.G), linear(c.B)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return lab{
		0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

func (c lab) rgba() color.RGBA {
	l := c[0] + 0.3963377774*c[1] + 0.2158037573*c[2]
	m := c[0] - 0.1055613458*c[1] - 0.0638541728*c[2]
	s := c[0] - 0.0894841775*c[1] - 1.2914855480*c[2]
	l, m, s = l*l*l, m*m*m, s*s*s
	return color.RGBA{
		R: encode(4.0767416621*l - 3.3077115913*m + 0.2309699292*s),
		G: encode(-1.2684380046*l + 2.6097574011*m - 0.3413193965*s),
		B: encode(-0.0041960863*l - 0.7034186147*m + 1.7076147010*s),
		A: 255,
	}
}
