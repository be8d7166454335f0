package viz

import (
	"fmt"
	"math"
)

// checkScatter is the part of Validate for scatters.
func (f *Figure) checkScatter() error {
	s := f.Scatter
	if len(s.Views) == 0 {
		return fmt.Errorf("a scatter needs a view")
	}
	x := f.Arrays[s.Views[0].X.Values]
	if x == nil || len(x.Shape) != 1 || x.Shape[0] == 0 {
		return fmt.Errorf("view %q: x %q must name an array of rank 1 that is not empty (arrays are %q)", s.Views[0].Name, s.Views[0].X.Values, sortedKeys(f.Arrays))
	}
	n := x.Shape[0]
	seen := map[string]bool{}
	for _, v := range s.Views {
		if v.Name == "" || seen[v.Name] {
			return fmt.Errorf("view name %q is empty or used twice", v.Name)
		}
		seen[v.Name] = true
		err := first(f.coordinate("x", v.X, n), f.coordinate("y", v.Y, n))
		if err == nil && v.Z != (Coordinate{}) {
			err = f.coordinate("z", v.Z, n)
		}
		if err != nil {
			return fmt.Errorf("view %q: %w", v.Name, err)
		}
	}
	if s.Show != "" && !seen[s.Show] {
		return fmt.Errorf("show %q is not a view (views are %q)", s.Show, sortedKeys(seen))
	}
	seen = map[string]bool{}
	for _, c := range s.Colours {
		if c.Name == "" || seen[c.Name] {
			return fmt.Errorf("colour name %q is empty or used twice", c.Name)
		}
		seen[c.Name] = true
		if err := f.colours(c.Values, c.Scale, n); err != nil {
			return fmt.Errorf("colour %q: %w", c.Name, err)
		}
	}
	if s.Labels != "" {
		if err := f.text(s.Labels, n); err != nil {
			return fmt.Errorf("labels: %w", err)
		}
	}
	if s.Backdrop != "" {
		err := f.array(s.Backdrop, n)
		if err == nil {
			err = f.indices(s.Backdrop, 2)
		}
		if err != nil {
			return fmt.Errorf("backdrop: %w", err)
		}
	}
	for i, p := range s.Paths {
		if err := f.checkPath(p, n); err != nil {
			return fmt.Errorf("path %d %q: %w", i, p.Name, err)
		}
	}
	return checkTurn(s.Turn)
}

// coordinate checks where points stand along one axis.
func (f *Figure) coordinate(name string, c Coordinate, n int) error {
	if err := first(f.array(c.Values, n), f.scale(c.Scale, true)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (f *Figure) checkPath(p Path, n int) error {
	a := f.Arrays[p.Order]
	if a == nil || len(a.Shape) != 1 {
		return fmt.Errorf("order %q must name an array of rank 1 (arrays are %q)", p.Order, sortedKeys(f.Arrays))
	}
	return f.indices(p.Order, n)
}

// indices checks that what is known of an array are whole numbers from 0 to
// below n, at every frame.
func (f *Figure) indices(name string, n int) error {
	a := f.whole(name)
	for i := range a.Data {
		v, state := a.At(i)
		if state == Done && !(v >= 0 && v < float32(n) && float64(v) == math.Trunc(float64(v))) {
			return fmt.Errorf("array %q holds %v at %d, it must hold whole numbers from 0 to %d", name, v, i, n-1)
		}
	}
	return nil
}
