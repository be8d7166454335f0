package viz

import "fmt"

// Part is what a stream adds to a figure: runs of numbers and strings for
// arrays that exist already, and scales whose limits have moved. Parts are
// applied in order; applying all of them gives the finished figure's pool.
type Part struct {
	// Arrays holds runs of numbers by array name.
	Arrays []ArrayRun `json:"arrays,omitempty"`
	// Texts holds runs of strings by text name.
	Texts []TextRun `json:"texts,omitempty"`
	// Scales replaces scales by name.
	Scales map[string]Scale `json:"scales,omitempty"`
}

// ArrayRun is a run of numbers of one array, which become Done.
type ArrayRun struct {
	Name string `json:"name"`
	// Offset is the flat, row-major index of the first number.
	Offset int `json:"offset"`
	// F32 is base64 of little-endian float32 (EncodeFloats).
	F32 string `json:"f32"`
}

// TextRun is a run of strings of one text.
type TextRun struct {
	Name   string   `json:"name"`
	Offset int      `json:"offset"`
	Values []string `json:"values"`
}

// Apply adds a part to the figure. A run that does not fit is an error and
// leaves the figure as it was.
func (f *Figure) Apply(p Part) error {
	runs := make([][]float32, len(p.Arrays))
	for i, r := range p.Arrays {
		a := f.Arrays[r.Name]
		if a == nil {
			return fmt.Errorf("part: no array %q", r.Name)
		}
		v, err := DecodeFloats(r.F32)
		if err != nil {
			return fmt.Errorf("part: array %q: %w", r.Name, err)
		}
		if r.Offset < 0 || r.Offset > len(a.Data)-len(v) {
			return fmt.Errorf("part: array %q: %d numbers at %d do not fit %v", r.Name, len(v), r.Offset, a.Shape)
		}
		runs[i] = v
	}
	for _, r := range p.Texts {
		t := f.Texts[r.Name]
		if t == nil {
			return fmt.Errorf("part: no text %q", r.Name)
		}
		if r.Offset < 0 || r.Offset > len(t.Values)-len(r.Values) {
			return fmt.Errorf("part: text %q: %d strings at %d do not fit %v", r.Name, len(r.Values), r.Offset, t.Shape)
		}
	}
	for i, r := range p.Arrays {
		f.Arrays[r.Name].Set(r.Offset, runs[i])
	}
	for _, r := range p.Texts {
		copy(f.Texts[r.Name].Values[r.Offset:], r.Values)
	}
	for name, s := range p.Scales {
		if f.Scales == nil {
			f.Scales = map[string]Scale{}
		}
		f.Scales[name] = s
	}
	return nil
}
