package viz

import (
	"fmt"
	"math"
)

// Measures of a dial, in pixels and in radii of its circle.
const (
	dialWidth  = 272.0
	minDial    = 220.0
	widestDial = 330.0
	dialHead   = 22.0 // title and note
	dialView   = 1.35 // radii, beyond which points stand at the rim
	dialText   = 1.5  // radii of the residues' labels
	dialMargin = 18.0 // of the labels
	maxTicks   = 1000 // residues around a face at most
)

// dialsBody is dials abreast over one key a scale.
type dialsBody struct {
	f     *Figure
	each  float64 // width and, less the head, height of one
	cols  int
	keys  []*key
	notes notes
	keyY  float64
	w     float64
}

func newDialsBody(s *sheet, f *Figure, avail float64) body {
	items := f.Dials.Items
	b := &dialsBody{f: f, each: dialWidth}
	limit := avail
	if avail == 0 {
		limit = 4 * dialWidth
	}
	b.cols = min(len(items), max(1, int(limit/dialWidth)))
	if avail > 0 {
		b.each = min(max(avail/float64(b.cols), minDial), widestDial)
	}
	rows := (len(items) + b.cols - 1) / b.cols
	b.w = b.each * float64(b.cols)
	b.keyY = float64(rows) * (b.each + dialHead)
	var order []string
	arrays := map[string][]*Array{}
	var pending, odd, clipped int
	for _, d := range items {
		if d.Scale != "" {
			if arrays[d.Scale] == nil {
				order = append(order, d.Scale)
			}
			arrays[d.Scale] = append(arrays[d.Scale], f.Arrays[d.Colour])
		}
		count := func(p spot) {
			switch {
			case p.state == Pending:
				pending++
			case p.state == Done && p.odd:
				odd++
			case p.state == Done && p.clipped:
				clipped++
			}
		}
		for i := range f.Arrays[d.X].Data {
			count(f.dialSpot(d.X, d.Y, i))
		}
		for _, h := range d.Hands {
			count(f.dialSpot(h.X, h.Y, 0))
		}
	}
	for _, name := range order {
		k := f.key(name, f.Scales[name], arrays[name]...)
		k.points = true
		b.keys = append(b.keys, k.layout(s, 0, keyRoom(b.w, avail)))
	}
	said := counted(pending, odd, clipped)
	for _, d := range items {
		if none := f.orderless(d); none != "" {
			said = append(said, item{text: named(d.Title, "dial") + ": " + none})
		}
	}
	b.notes = flowNotes(s, b.w, said)
	return b
}

// spot is where a point of a dial stands, in radii.
type spot struct {
	x, y    float64
	state   State
	odd     bool // a component is not finite
	clipped bool // it is further out than the view
}

// dialSpot places a point: the cosine upwards, the sine to the right.
func (f *Figure) dialSpot(x, y string, i int) spot {
	up, a := f.Arrays[x].At(i)
	right, b := f.Arrays[y].At(i)
	p := spot{x: float64(right), y: float64(up), state: a}
	if a == Done {
		p.state = b
	}
	if p.state != Done {
		return p
	}
	if p.odd = !finite(p.x) || !finite(p.y); p.odd {
		return p
	}
	if r := math.Hypot(p.x, p.y); r > dialView {
		p.x, p.y, p.clipped = p.x/r*dialView, p.y/r*dialView, true
	}
	return p
}

// dialNote is what stands beside a dial's title.
func (f *Figure) dialNote(d Dial) string {
	if d.NoteText != "" {
		return f.Texts[d.NoteText].Values[0]
	}
	return d.Note
}

func (b *dialsBody) size() (w, h float64) {
	h = b.keyY + b.notes.height()
	for _, k := range b.keys {
		_, kh := k.size()
		h += kh
	}
	return b.w, h
}

func (b *dialsBody) takeKeys(shared func(scale string) bool) (out []*key) {
	var kept []*key
	for _, k := range b.keys {
		if shared(k.name) {
			out = append(out, k)
		} else {
			kept = append(kept, k)
		}
	}
	b.keys = kept
	return out
}

func (b *dialsBody) draw(s *sheet, x, y float64) {
	for i, d := range b.f.Dials.Items {
		left := x + b.each*float64(i%b.cols)
		top := y + (b.each+dialHead)*float64(i/b.cols)
		b.dial(s, d, left, top)
	}
	at := y + b.keyY
	for _, k := range b.keys {
		k.draw(s, x, at)
		_, h := k.size()
		at += h
	}
	b.notes.draw(s, x, at)
}

// checkDials is the part of Validate for dials.
func (f *Figure) checkDials() error {
	if len(f.Dials.Items) == 0 {
		return fmt.Errorf("dials need an item")
	}
	for i, d := range f.Dials.Items {
		if err := f.checkDial(d); err != nil {
			return fmt.Errorf("dial %d %q: %w", i, d.Title, err)
		}
	}
	return nil
}

func (f *Figure) checkDial(d Dial) error {
	if !(d.Period > 0 && d.Period <= math.MaxFloat32) {
		return fmt.Errorf("period %v must be a number above 0", d.Period)
	}
	x := f.Arrays[d.X]
	if x == nil || len(x.Shape) != 1 || x.Shape[0] == 0 {
		return fmt.Errorf("x %q must name an array of rank 1 that is not empty (arrays are %q)", d.X, sortedKeys(f.Arrays))
	}
	if d.NoteText != "" {
		if err := f.text(d.NoteText, 1); err != nil {
			return fmt.Errorf("note: %w", err)
		}
		if d.Note != "" {
			return fmt.Errorf("note %q beside the text %q: one of them stands there", d.Note, d.NoteText)
		}
	}
	n := x.Shape[0]
	if err := f.array(d.Y, n); err != nil {
		return fmt.Errorf("y: %w", err)
	}
	if d.Labels != "" {
		if err := f.text(d.Labels, n); err != nil {
			return fmt.Errorf("labels: %w", err)
		}
	}
	if d.Colour != "" || d.Scale != "" {
		if err := f.colours(d.Colour, d.Scale, n); err != nil {
			return fmt.Errorf("colour: %w", err)
		}
	}
	for i, h := range d.Hands {
		if err := first(f.array(h.X, 1), f.array(h.Y, 1)); err != nil {
			return fmt.Errorf("hand %d %q: %w", i, h.Name, err)
		}
	}
	return nil
}
