package viz

import (
	"fmt"
	"math"
	"slices"
)

// checkSlider is the part of Validate for sliders.
func (f *Figure) checkSlider() error {
	s := f.Slider
	if s == nil {
		return nil
	}
	n := len(s.Labels)
	if n == 0 {
		return fmt.Errorf("slider %q has no frames", s.Name)
	}
	if s.Show < 0 || s.Show >= n {
		return fmt.Errorf("slider %q: show %d is not a frame of %d", s.Name, s.Show, n)
	}
	if err := f.array(s.Values, n); err != nil {
		return fmt.Errorf("slider %q: %w", s.Name, err)
	}
	for i := range n {
		v, state := f.Arrays[s.Values].At(i)
		if state != Done || !finite(float64(v)) || i > 0 && v <= f.Arrays[s.Values].Data[i-1] {
			return fmt.Errorf("slider %q: array %q must hold finite numbers in ascending order, not %v at %d", s.Name, s.Values, v, i)
		}
	}
	for _, b := range s.Bands {
		if !(math.Abs(b.From) <= math.MaxFloat32 && math.Abs(b.To) <= math.MaxFloat32 && b.From <= b.To) {
			return fmt.Errorf("slider %q: band %q from %v to %v", s.Name, b.Label, b.From, b.To)
		}
	}
	for i, name := range s.Arrays {
		a := f.Arrays[name]
		if a == nil {
			return fmt.Errorf("slider %q: no array %q (arrays are %q)", s.Name, name, sortedKeys(f.Arrays))
		}
		if err := framed(name, a.Shape, n, slices.Contains(s.Arrays[:i], name)); err != nil {
			return fmt.Errorf("slider %q: array %w", s.Name, err)
		}
	}
	for i, name := range s.Texts {
		t := f.Texts[name]
		if t == nil {
			return fmt.Errorf("slider %q: no text %q (texts are %q)", s.Name, name, sortedKeys(f.Texts))
		}
		if err := framed(name, t.Shape, n, slices.Contains(s.Texts[:i], name)); err != nil {
			return fmt.Errorf("slider %q: text %w", s.Name, err)
		}
	}
	if slices.Contains(s.Arrays, s.Values) {
		return fmt.Errorf("slider %q: array %q is its own axis and cannot be sliced", s.Name, s.Values)
	}
	return nil
}

// framed checks the shape of what a slider slices.
func framed(name string, shape []int, frames int, twice bool) error {
	switch {
	case twice:
		return fmt.Errorf("%q is named twice", name)
	case len(shape) < 2:
		return fmt.Errorf("%q has shape %v, it needs [%d, ...]", name, shape, frames)
	case shape[0] != frames:
		return fmt.Errorf("%q has shape %v, its first dimension must be the %d frames", name, shape, frames)
	}
	return nil
}

// frame is the figure as it stands at the slider's frame Show: the arrays and
// texts that move are replaced by their slices. Numbers are shared, not
// copied. A figure without a slider is its own frame.
func (f *Figure) frame() *Figure {
	s := f.Slider
	if s == nil || f.frames != nil {
		return f
	}
	out := *f
	out.frames = f.Arrays
	out.Arrays = make(map[string]*Array, len(f.Arrays))
	for name, a := range f.Arrays {
		out.Arrays[name] = a
	}
	for _, name := range s.Arrays {
		out.Arrays[name] = f.Arrays[name].slice(s.Show)
	}
	if len(s.Texts) > 0 {
		out.Texts = make(map[string]*Text, len(f.Texts))
		for name, t := range f.Texts {
			out.Texts[name] = t
		}
		for _, name := range s.Texts {
			t := f.Texts[name]
			n := len(t.Values) / t.Shape[0]
			out.Texts[name] = &Text{Shape: t.Shape[1:], Values: t.Values[s.Show*n : (s.Show+1)*n]}
		}
	}
	return &out
}

// frameAt is the figure as it stands at a frame.
func (f *Figure) frameAt(i int) *Figure {
	at, slider := *f, *f.Slider
	slider.Show = i
	at.Slider = &slider
	return at.frame()
}

// slice is the part of an array at an index of its first dimension.
func (a *Array) slice(i int) *Array {
	n := len(a.Data) / a.Shape[0]
	out := &Array{Shape: a.Shape[1:], Data: a.Data[i*n : (i+1)*n]}
	if len(a.Axes) > 0 {
		out.Axes = a.Axes[1:]
	}
	if a.State != nil {
		out.State = a.State[i*n : (i+1)*n]
	}
	return out
}

// whole is an array with all its frames.
func (f *Figure) whole(name string) *Array {
	if f.frames != nil {
		return f.frames[name]
	}
	return f.Arrays[name]
}
