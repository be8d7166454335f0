package viz

import (
	"fmt"
	"math"
)

// ScaleKind says how a value becomes a colour or a height.
type ScaleKind string

// The kinds of scale.
const (
	// ScaleSequential runs from Lo (paper) to Hi (ink) in one hue.
	ScaleSequential ScaleKind = "sequential"
	// ScaleDiverging is centred at exactly 0; Lo = -Hi.
	ScaleDiverging ScaleKind = "diverging"
	// ScaleLog is sequential in the logarithm; Lo > 0.
	ScaleLog ScaleKind = "log"
	// ScaleCategory gives each whole number from Lo to Hi a hue of its own,
	// evenly around the circle: digits 0 to 9 are ten hues.
	ScaleCategory ScaleKind = "category"
	// ScaleCyclic is a phase on a hue wheel: Lo and Hi are one colour, and a
	// value beyond them is taken round.
	ScaleCyclic ScaleKind = "cyclic"
	// ScaleLinear is an axis of positions, not of colours.
	ScaleLinear ScaleKind = "linear"
)

// Scale maps values to colours or positions. Limits are in the unit of the
// value and are always written on the colour bar.
type Scale struct {
	Kind ScaleKind `json:"kind"`
	// Lo and Hi are the limits; a value outside them is clipped and its cell
	// marked.
	Lo float64 `json:"lo"`
	Hi float64 `json:"hi"`
	// Names names the text [Hi-Lo+1] with a word for each number of a category
	// scale; empty writes the numbers.
	Names string `json:"names,omitempty"`
	// Label says what the value is, "probability".
	Label string `json:"label"`
	// Unit is the value's unit, "nats"; empty for a pure number.
	Unit string `json:"unit,omitempty"`
	// Reverse makes low values dark, as for ranks, where 1 is best.
	Reverse bool `json:"reverse,omitempty"`
	// Format is a C-like number format for cells and hover: "%.2f", "%.0f", "%.2e".
	Format string `json:"format"`
}

// maxCategories is more than a circle of hues can tell apart.
const maxCategories = 128

func (s Scale) check() error {
	switch s.Kind {
	case ScaleSequential, ScaleDiverging, ScaleLog, ScaleCategory, ScaleCyclic, ScaleLinear:
	default:
		return fmt.Errorf("unknown kind %q (kinds are %q)", s.Kind, []ScaleKind{ScaleSequential, ScaleDiverging, ScaleLog, ScaleCategory, ScaleCyclic, ScaleLinear})
	}
	if !(math.Abs(s.Lo) <= math.MaxFloat32 && math.Abs(s.Hi) <= math.MaxFloat32) {
		return fmt.Errorf("limits %v to %v must be finite float32 numbers", s.Lo, s.Hi)
	}
	if s.Lo > s.Hi {
		return fmt.Errorf("limits %v to %v are in the wrong order", s.Lo, s.Hi)
	}
	switch {
	case s.Kind == ScaleDiverging && s.Lo != -s.Hi:
		return fmt.Errorf("diverging limits %v to %v are not centred at 0", s.Lo, s.Hi)
	case s.Kind == ScaleLog && !(s.Lo > 0):
		return fmt.Errorf("log scale needs a lower limit above 0, not %v", s.Lo)
	case s.Kind == ScaleCyclic && s.Lo == s.Hi:
		return fmt.Errorf("cyclic scale needs a turn above 0, not from %v to %v", s.Lo, s.Hi)
	case s.Kind == ScaleCategory && (s.Lo != math.Trunc(s.Lo) || s.Hi != math.Trunc(s.Hi) || math.Max(math.Abs(s.Lo), math.Abs(s.Hi)) > 1<<24):
		return fmt.Errorf("category limits %v to %v must be whole numbers within ±2^24", s.Lo, s.Hi)
	case s.Kind == ScaleCategory && s.Hi-s.Lo >= maxCategories:
		return fmt.Errorf("category limits %v to %v are %v categories, %d at most", s.Lo, s.Hi, s.Hi-s.Lo+1, maxCategories)
	case s.Kind != ScaleCategory && s.Names != "":
		return fmt.Errorf("names %q are for category scales, this one is %s", s.Names, s.Kind)
	}
	return nil
}

// categories is how many numbers a category scale has.
func (s Scale) categories() int { return int(s.Hi-s.Lo) + 1 }
