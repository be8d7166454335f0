package viz

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// DefaultTolerance is the tolerance of a figure that states none.
const DefaultTolerance = 1e-4

// Comparison says how far a figure is from a recorded one.
type Comparison struct {
	// Numbers counts the numbers that were compared, Same those with equal bits.
	Numbers, Same int
	// Largest is the largest distance of two numbers as a share of the largest
	// finite magnitude of their recorded array, and Array its name; 0 and ""
	// when all bits are equal.
	Largest float64
	Array   string
}

// Exact reports whether every number has the recorded bits.
func (c Comparison) Exact() bool { return c.Same == c.Numbers }

// Compare compares a figure with a recorded one. Each number may be off by the
// recorded figure's Provenance.Tolerance (DefaultTolerance when that is 0) times
// the largest finite magnitude of its array; NaN and Inf must stand where they
// stood. Texts, states, shapes and everything else must be equal, apart from
// Provenance.Program and Kernel; where numbers have moved within the tolerance,
// caption, guides, scales' limits and the values of badges, which are made from
// them, may differ, too, but not whether a badge holds. Where one of the figures
// was resumed, captions and the badges' help may differ. An error says what differs.
func Compare(recorded, now *Figure) (Comparison, error) {
	var c Comparison
	tolerance := recorded.Provenance.Tolerance
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	for _, name := range sortedKeys(recorded.Arrays) {
		other := now.Arrays[name]
		if other == nil {
			return c, fmt.Errorf("array %q is not there any more", name)
		}
		if err := c.array(name, recorded.Arrays[name], other); err != nil {
			return c, fmt.Errorf("array %q: %w", name, err)
		}
	}
	if !(c.Largest <= tolerance) {
		return c, fmt.Errorf("array %q: a number is off by %.2g of the array's largest, more than the stated tolerance of %.2g", c.Array, c.Largest, tolerance)
	}
	resumed := recorded.Provenance.Resumed != "" || now.Provenance.Resumed != ""
	return c, sameFields(recorded.bare(c.Exact(), resumed), now.bare(c.Exact(), resumed))
}

// array adds the numbers of one array.
func (c *Comparison) array(name string, recorded, now *Array) error {
	if fmt.Sprint(recorded.Shape) != fmt.Sprint(now.Shape) {
		return fmt.Errorf("shape %v was %v", now.Shape, recorded.Shape)
	}
	largest := 0.0
	for _, x := range recorded.Data {
		if v := math.Abs(float64(x)); finite(v) {
			largest = max(largest, v)
		}
	}
	for i, x := range recorded.Data {
		_, was := recorded.At(i)
		y, is := now.At(i)
		if was != is {
			return fmt.Errorf("number %d: state %d was %d", i, is, was)
		}
		if was != Done {
			continue
		}
		c.Numbers++
		a, b := float64(x), float64(y)
		switch {
		case math.Float32bits(x) == math.Float32bits(y), math.IsNaN(a) && math.IsNaN(b):
			c.Same++
			continue
		case !finite(a) || !finite(b):
			return fmt.Errorf("number %d: %v was %v", i, b, a)
		}
		off := math.Abs(a-b) / largest
		if largest == 0 {
			off = math.Inf(1)
		}
		if off > c.Largest {
			c.Largest, c.Array = off, name
		}
	}
	return nil
}

// bare is a figure without its numbers and without what names the program;
// exact says whether what is made from the numbers stays in, resumed whether what
// tells the cost goes.
func (f *Figure) bare(exact, resumed bool) *Figure {
	g := *f
	g.Arrays = nil
	g.Provenance.Program, g.Provenance.Kernel, g.Provenance.Resumed, g.Provenance.Tolerance = "", "", "", 0
	g.Badges = append([]Badge(nil), f.Badges...)
	if resumed {
		g.Caption = ""
		for i := range g.Badges {
			g.Badges[i].Help = ""
		}
	}
	if exact {
		return &g
	}
	g.Caption = ""
	if f.Lines != nil {
		lines := *f.Lines
		lines.Guides = nil
		g.Lines = &lines
	}
	for i := range g.Badges {
		g.Badges[i].Value, g.Badges[i].Bound, g.Badges[i].Help = 0, 0, ""
	}
	g.Scales = map[string]Scale{}
	for name, s := range f.Scales {
		s.Lo, s.Hi = 0, 0
		g.Scales[name] = s
	}
	return &g
}

// sameFields names the first field in which two figures differ, by their JSON.
func sameFields(recorded, now *Figure) error {
	var fields [2]map[string]json.RawMessage
	for i, f := range []*Figure{recorded, now} {
		data, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if err := json.Unmarshal(data, &fields[i]); err != nil {
			return err
		}
	}
	for name := range fields[1] {
		fields[0][name] = append(json.RawMessage{}, fields[0][name]...) // one that was absent is empty
	}
	for _, name := range sortedKeys(fields[0]) {
		if !bytes.Equal(fields[0][name], fields[1][name]) {
			return fmt.Errorf("%s differs: %s was %s", name, short(fields[1][name]), short(fields[0][name]))
		}
	}
	return nil
}

// short cuts JSON for a message.
func short(raw json.RawMessage) string {
	const limit = 120
	if len(raw) == 0 {
		return "nothing"
	}
	if len(raw) > limit {
		return string(raw[:limit]) + "…"
	}
	return string(raw)
}
