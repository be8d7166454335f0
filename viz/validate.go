package viz

import (
	"fmt"
	"math"
	"slices"
)

// Validate reports the first inconsistency: a kind without its struct, a
// name that is not in the pool, a shape that does not fit its axes, a
// diverging scale that is not centred at 0, limits in the wrong order, a
// slider whose arrays do not have its frames.
func (f *Figure) Validate() error {
	err := f.checkKind()
	if err == nil {
		err = f.checkPool()
	}
	if err == nil {
		err = f.checkSlider()
	}
	if err == nil {
		err = f.frame().check()
	}
	if err != nil {
		return fmt.Errorf("figure %q: %w", f.Title, err)
	}
	return nil
}

// checkKind reports an unknown kind, one whose field is missing, and a second
// field set.
func (f *Figure) checkKind() error {
	if !slices.Contains(Kinds[:], f.Kind) {
		return fmt.Errorf("unknown kind %q (kinds are %v)", f.Kind, Kinds)
	}
	set := map[Kind]bool{
		KindTokens: f.Tokens != nil, KindHeatmap: f.Heatmap != nil, KindLines: f.Lines != nil, KindTable: f.Table != nil,
		KindScatter: f.Scatter != nil, KindBars: f.Bars != nil, KindDials: f.Dials != nil, KindMultiples: f.Multiples != nil,
	}
	for _, k := range Kinds {
		if set[k] != (k == f.Kind) {
			return fmt.Errorf("kind is %q, but field %q is set: %t", f.Kind, k, set[k])
		}
	}
	return nil
}

// check is the part of Validate for the figure's kind.
func (f *Figure) check() error {
	switch f.Kind {
	case KindTokens:
		return f.checkTokens()
	case KindHeatmap:
		return f.checkHeatmap()
	case KindLines:
		return f.checkLines()
	case KindTable:
		return f.checkTable()
	case KindScatter:
		return f.checkScatter()
	case KindBars:
		return f.checkBars()
	case KindDials:
		return f.checkDials()
	default:
		return f.checkMultiples()
	}
}

// checkPool reports arrays and texts that do not fill their shape, scales
// whose limits make no sense, badges without a number, and a tolerance that no
// two figures can keep.
func (f *Figure) checkPool() error {
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
	if err := f.Interval.check(); err != nil {
		return err
	}
	for _, b := range f.Badges {
		if !finite(b.Value) || !finite(b.Bound) {
			return fmt.Errorf("badge %q: value %v and bound %v must be finite", b.Text, b.Value, b.Bound)
		}
	}
	if t := f.Provenance.Tolerance; !finite(t) || t < 0 {
		return fmt.Errorf("tolerance %v: it is a share, and 0 stands for %v", t, DefaultTolerance)
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

// each checks that a name refers to an array of the shape with one axis more.
func (f *Figure) each(name string, shape ...int) error {
	n := 1
	if a := f.Arrays[name]; a != nil && len(a.Shape) > 0 {
		n = a.Shape[len(a.Shape)-1]
	}
	return f.array(name, append(shape, n)...)
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
		return fmt.Errorf("scale %q is linear, which has no colours; use sequential, diverging, log, category or cyclic", name)
	}
	if s.Names != "" {
		if err := f.text(s.Names, s.categories()); err != nil {
			return fmt.Errorf("scale %q: names: %w", name, err)
		}
	}
	if _, err := parseFormat(s.Format); err != nil {
		return fmt.Errorf("scale %q: %w", name, err)
	}
	return nil
}

// colours checks that an array of the shape can be drawn on a scale of
// colours: a category scale takes whole numbers only.
func (f *Figure) colours(name, scale string, shape ...int) error {
	if err := first(f.array(name, shape...), f.scale(scale, false)); err != nil {
		return err
	}
	if f.Scales[scale].Kind != ScaleCategory {
		return nil
	}
	a := f.whole(name)
	for i := range a.Data {
		if v, state := a.At(i); state == Done && finite(float64(v)) && float64(v) != math.Trunc(float64(v)) {
			return fmt.Errorf("array %q holds %v at %d, the category scale %q takes whole numbers", name, v, i, scale)
		}
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
