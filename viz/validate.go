package viz

import (
	"fmt"
	"math"
	"slices"
)

// validators holds the check of each kind.
var validators = map[Kind]func(*Figure) error{
	KindTokens:  (*Figure).checkTokens,
	KindHeatmap: (*Figure).checkHeatmap,
	KindLines:   (*Figure).checkLines,
	KindTable:   (*Figure).checkTable,
}

// checkPool reports arrays and texts that do not fill their shape, scales
// whose limits make no sense, badges without a number, and a second kind set.
func (f *Figure) checkPool() error {
	set := map[Kind]bool{KindTokens: f.Tokens != nil, KindHeatmap: f.Heatmap != nil, KindLines: f.Lines != nil, KindTable: f.Table != nil}
	for _, k := range Kinds {
		if set[k] != (k == f.Kind) {
			return fmt.Errorf("kind is %q, but field %q is set: %t", f.Kind, k, set[k])
		}
	}
	for _, name := range sortedKeys(f.Arrays) {
		if err := f.Arrays[name].check(); err != nil {
			return fmt.Errorf("array %q: %w", name, err)
		}
	}
	for _, name := range sortedKeys(f.Texts) {
		t := f.Texts[name]
		if t == nil {
			return fmt.Errorf("text %q: null", name)
		}
		if n, ok := volume(t.Shape); !ok || n != len(t.Values) {
			return fmt.Errorf("text %q: shape %v does not hold %d strings", name, t.Shape, len(t.Values))
		}
	}
	for _, name := range sortedKeys(f.Scales) {
		if err := f.Scales[name].check(); err != nil {
			return fmt.Errorf("scale %q: %w", name, err)
		}
	}
	for _, b := range f.Badges {
		if !finite(b.Value) || !finite(b.Bound) {
			return fmt.Errorf("badge %q: value %v and bound %v must be finite", b.Text, b.Value, b.Bound)
		}
	}
	return nil
}

func (a *Array) check() error {
	if a == nil {
		return fmt.Errorf("null")
	}
	n, ok := volume(a.Shape)
	if !ok || n != len(a.Data) {
		return fmt.Errorf("shape %v does not hold %d numbers", a.Shape, len(a.Data))
	}
	if a.State != nil && len(a.State) != n {
		return fmt.Errorf("%d states for %d numbers", len(a.State), n)
	}
	if len(a.Axes) != 0 && len(a.Axes) != len(a.Shape) {
		return fmt.Errorf("axes %v do not name shape %v", a.Axes, a.Shape)
	}
	for i, s := range a.State {
		if s > Blank {
			return fmt.Errorf("unknown state %d at %d", s, i)
		}
	}
	return nil
}

func (s Scale) check() error {
	switch s.Kind {
	case ScaleSequential, ScaleDiverging, ScaleLog, ScaleLinear:
	default:
		return fmt.Errorf("unknown kind %q (kinds are %q, %q, %q, %q)", s.Kind, ScaleSequential, ScaleDiverging, ScaleLog, ScaleLinear)
	}
	if !(math.Abs(s.Lo) <= math.MaxFloat32 && math.Abs(s.Hi) <= math.MaxFloat32) {
		return fmt.Errorf("limits %v to %v must be finite float32 numbers", s.Lo, s.Hi)
	}
	if s.Lo > s.Hi {
		return fmt.Errorf("limits %v to %v are in the wrong order", s.Lo, s.Hi)
	}
	if s.Kind == ScaleDiverging && s.Lo != -s.Hi {
		return fmt.Errorf("diverging limits %v to %v are not centred at 0", s.Lo, s.Hi)
	}
	if s.Kind == ScaleLog && !(s.Lo > 0) {
		return fmt.Errorf("log scale needs a lower limit above 0, not %v", s.Lo)
	}
	return nil
}

func (x Axis) check(what string) error {
	if len(x.Labels) == 0 {
		return fmt.Errorf("%s %q has no labels", what, x.Name)
	}
	if len(x.Roles) != 0 && len(x.Roles) != len(x.Labels) {
		return fmt.Errorf("%s %q: %d roles for %d labels", what, x.Name, len(x.Roles), len(x.Labels))
	}
	if len(x.IDs) != 0 && len(x.IDs) != len(x.Labels) {
		return fmt.Errorf("%s %q: %d ids for %d labels", what, x.Name, len(x.IDs), len(x.Labels))
	}
	return nil
}

// array checks that a name refers to an array of the shape.
func (f *Figure) array(name string, shape ...int) error {
	a := f.Arrays[name]
	if a == nil {
		return fmt.Errorf("no array %q (arrays are %q)", name, sortedKeys(f.Arrays))
	}
	if !slices.Equal(a.Shape, shape) {
		return fmt.Errorf("array %q has shape %v, its axes need %v", name, a.Shape, shape)
	}
	return nil
}

// text checks that a name refers to a text of the shape.
func (f *Figure) text(name string, shape ...int) error {
	t := f.Texts[name]
	if t == nil {
		return fmt.Errorf("no text %q (texts are %q)", name, sortedKeys(f.Texts))
	}
	if !slices.Equal(t.Shape, shape) {
		return fmt.Errorf("text %q has shape %v, its axes need %v", name, t.Shape, shape)
	}
	return nil
}

// scale checks that a name refers to a scale, of colours or of an axis.
func (f *Figure) scale(name string, axis bool) error {
	s, ok := f.Scales[name]
	if !ok {
		return fmt.Errorf("no scale %q (scales are %q)", name, sortedKeys(f.Scales))
	}
	if axis && s.Kind != ScaleLinear && s.Kind != ScaleLog {
		return fmt.Errorf("scale %q is %s, an axis needs linear or log", name, s.Kind)
	}
	if !axis && s.Kind == ScaleLinear {
		return fmt.Errorf("scale %q is linear, which has no colours; use sequential, diverging or log", name)
	}
	if _, err := parseFormat(s.Format); err != nil {
		return fmt.Errorf("scale %q: %w", name, err)
	}
	return nil
}

// volume is the product of a shape; false when it is impossible.
func volume(shape []int) (int, bool) {
	n := 1
	for _, d := range shape {
		if d < 0 || (d > 0 && n > math.MaxInt32/d) {
			return 0, false
		}
		n *= d
	}
	return n, true
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// first returns the first error that is not nil.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
