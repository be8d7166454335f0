package viz

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"image/color"
	"strconv"
	"strings"
	"sync"
)

//go:embed palette.json
var paletteJSON []byte

// palette is palette.json, the colours and signs that page and export share.
type palette struct {
	CellText  [2]shade `json:"cell_text"`
	WriteFrom float64  `json:"write_from"`
	Tokens    struct {
		Space, Newline, Tab, Empty string
	} `json:"tokens"`
	Glyphs struct {
		NaN    string `json:"nan"`
		Inf    string `json:"inf"`
		NegInf string `json:"neg_inf"`
		Minus  string `json:"minus"`
	} `json:"glyphs"`
	Hatch struct {
		Step, Width, Angle float64
	} `json:"hatch"`
	Themes       map[string]*theme `json:"themes"`
	SeriesMarks  []string          `json:"series_marks"`
	SeriesDashes [][]float64       `json:"series_dashes"`
	Control      struct {
		Color  string
		Dashes [][]float64
		Marks  []string
	} `json:"control"`
	// Hands names the interface colour of a dial's hand by its role; a role
	// that is not there is drawn as the empty one.
	Hands map[TokenRole]string    `json:"hands"`
	Roles map[TokenRole]chipStyle `json:"roles"`
}

// chipStyle names the interface colours of a token chip.
type chipStyle struct {
	Fill, Stroke, Text string
	Dash               []float64
}

// theme is one set of colours.
type theme struct {
	UI         map[string]shade `json:"ui"`
	Sequential []shade          `json:"sequential"`
	Diverging  []shade          `json:"diverging"`
	Series     []shade          `json:"series"`
	// Wheel is the circle of hues of category and cyclic scales, in OKLab:
	// lightness, how far that swings up and down, chroma, and the first hue
	// in degrees.
	Wheel struct {
		Lightness, Swing, Chroma, Hue float64
	} `json:"wheel"`
}

// shade is an opaque colour written "#rrggbb".
type shade struct{ color.RGBA }

// UnmarshalJSON reads "#rrggbb".
func (h *shade) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	digits, ok := strings.CutPrefix(s, "#")
	n, err := strconv.ParseUint(digits, 16, 32)
	if !ok || err != nil || len(digits) != 6 {
		return fmt.Errorf("colour %q is not #rrggbb", s)
	}
	h.RGBA = color.RGBA{R: uint8(n >> 16), G: uint8(n >> 8), B: uint8(n), A: 255}
	return nil
}

// house reads palette.json once; the value is never written to.
var house = sync.OnceValue(func() *palette {
	p := new(palette)
	if err := json.Unmarshal(paletteJSON, p); err != nil {
		panic("viz: palette.json: " + err.Error())
	}
	return p
})

// themeOf returns a theme by name; empty is light.
func themeOf(name string) (*theme, error) {
	if name == "" {
		name = "light"
	}
	t := house().Themes[name]
	if t == nil {
		return nil, fmt.Errorf("unknown theme %q (themes are %q)", name, sortedKeys(house().Themes))
	}
	return t, nil
}

// ui returns an interface colour; a name that palette.json lacks is a fault of the program.
func (t *theme) ui(name string) color.RGBA {
	h, ok := t.UI[name]
	if !ok {
		panic("viz: palette.json has no colour " + name)
	}
	return h.RGBA
}
