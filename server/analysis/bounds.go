package analysis

import (
	"fmt"
	"math"
	"strconv"
)

// Bounds limit a number, or each number of a list. They are what can be said
// without a model; that a layer exists, say, is for Run to find out.
type Bounds struct {
	// Min and Max are within; infinite where there is none, Max alone or both.
	Min, Max float64
	// Above says that Min itself is not within.
	Above bool
	// Most is how long a list may be; 0 for any length.
	Most int
}

func atLeast(x float64) *Bounds { return &Bounds{Min: x, Max: math.Inf(1)} }

// periodBounds are those of the periods of waves: below 2 whole numbers cannot
// tell a wave from a longer one, and sets of more than 8 are not searched.
func periodBounds() *Bounds { return &Bounds{Min: 2, Max: math.Inf(1), Most: 8} }

func between(lo, hi float64) *Bounds { return &Bounds{Min: lo, Max: hi} }

// String says what is within: "1 or more", "0 to 8", "above 0, up to 1".
func (b *Bounds) String() string {
	lo, hi := spellNumber(b.Min), spellNumber(b.Max)
	switch {
	case math.IsInf(b.Min, -1):
		return "any number"
	case b.Above && math.IsInf(b.Max, 1):
		return "more than " + lo
	case b.Above:
		return "above " + lo + ", up to " + hi
	case math.IsInf(b.Max, 1):
		return lo + " or more"
	}
	return lo + " to " + hi
}

// holds reports whether a number is within. NaN never is.
func (b *Bounds) holds(x float64) bool {
	return (x > b.Min || x == b.Min && !b.Above) && x <= b.Max
}

// check refuses what is out of a parameter's bounds; the error names the number
// and the bounds.
func (p Param) check(v any) error {
	if p.Bounds == nil {
		return nil
	}
	var list []float64
	switch v := v.(type) {
	case int:
		list = []float64{float64(v)}
	case float64:
		list = []float64{v}
	case []int:
		for _, x := range v {
			list = append(list, float64(x))
		}
	case []float64:
		list = v
	}
	standard := ""
	if !p.Required && p.Default != nil {
		standard = "; left out, it is " + p.Literal()
	}
	if most := p.Bounds.Most; most > 0 && len(list) > most {
		return &hintError{fmt.Sprintf("%s: %d are given", p.Name, len(list)), fmt.Sprintf("give %d at most%s", most, standard)}
	}
	for _, x := range list {
		if !p.Bounds.holds(x) {
			return &hintError{fmt.Sprintf("%s: %s is %s", p.Name, spellNumber(x), p.Bounds.missed(x)), "use " + p.Bounds.String() + standard}
		}
	}
	return nil
}

// missed says how a number is out of bounds.
func (b *Bounds) missed(x float64) string {
	switch {
	case math.IsNaN(x):
		return "no number"
	case !math.IsInf(b.Max, 1) && b.Above:
		return fmt.Sprintf("outside (%s, %s]", spellNumber(b.Min), spellNumber(b.Max))
	case !math.IsInf(b.Max, 1):
		return fmt.Sprintf("outside %s..%s", spellNumber(b.Min), spellNumber(b.Max))
	case b.Above:
		return "not above " + spellNumber(b.Min)
	}
	return "below " + spellNumber(b.Min)
}

// spellNumber writes a number as a cell does, 2 and not 2.0.
func spellNumber(x float64) string {
	if x == math.Trunc(x) && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', -1, 64)
	}
	return strconv.FormatFloat(x, 'g', -1, 64)
}
