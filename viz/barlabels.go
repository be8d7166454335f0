package viz

import (
	"math"
	"slices"
	"strconv"
)

// maxBarLabel is how long an upright label of a category may be, in pixels.
const maxBarLabel = 110.0

// text is a label as a reader sees it: a token with its white space.
func (x Axis) text(i int) string {
	if len(x.Roles) > 0 {
		return TokenText(x.Labels[i])
	}
	return x.Labels[i]
}

func (b *barsBody) labelPen() pen { return pen{face: sans, size: smallSize, align: centre} }

// layoutLabels chooses which categories are labelled and how: words that do
// not fit stand upright; of many numbers the round ones and the last are kept.
func (b *barsBody) layoutLabels(s *sheet) {
	axis := b.f.Bars.Categories
	b.labels = make([]string, len(axis.Labels))
	widest, words := 0.0, false
	for i, l := range axis.Labels {
		b.labels[i] = truncate(axis.text(i), s.fit(b.labelPen(), maxBarLabel))
		widest = max(widest, s.width(b.labels[i], b.labelPen()))
		if _, err := strconv.Atoi(l); err != nil {
			words = true
		}
	}
	slot := (b.w - barsLeft) / float64(len(b.labels))
	need := widest + 8
	b.labelH = smallSize + 4
	if words && need > slot {
		b.upright, b.labelH, need = true, widest+4, smallSize+3
	}
	if need <= slot {
		return
	}
	if words {
		every := int(math.Ceil(need / slot))
		for i := range b.labels {
			if (len(b.labels)-1-i)%every != 0 {
				b.labels[i] = ""
			}
		}
		return
	}
	b.keepRound(need / slot)
}

// keepRound keeps, of labels that are whole numbers, the last, the multiples
// of a round number that stand at least so many categories apart, and the
// first if it has room.
func (b *barsBody) keepRound(apart float64) {
	last := len(b.labels) - 1
	step := 1
	for _, step = range []int{2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000} {
		if float64(step) >= apart {
			break
		}
	}
	kept := []int{last}
	free := func(i int) bool {
		return !slices.ContainsFunc(kept, func(k int) bool { return math.Abs(float64(k-i)) < apart })
	}
	for i, l := range b.labels {
		if v, err := strconv.Atoi(l); err == nil && v%step == 0 && free(i) {
			kept = append(kept, i)
		}
	}
	if free(0) {
		kept = append(kept, 0)
	}
	for i := range b.labels {
		if !slices.Contains(kept, i) {
			b.labels[i] = ""
		}
	}
}

// feet is the height of what stands under the plot: labels and the axis' name.
func (b *barsBody) feet() float64 {
	if b.f.Bars.Categories.Name == "" {
		return b.labelH + 4
	}
	return b.labelH + 22
}

func (b *barsBody) drawLabels(s *sheet, d bounds) {
	p := b.labelPen()
	p.color = s.th.ui("soft")
	for i, l := range b.labels {
		x := d.x(float64(i))
		if b.upright {
			up := p
			up.align = left
			s.upright(x+4, d.bottom+6+s.width(l, p), l, up)
		} else {
			s.text(x, d.bottom+smallSize+4, l, p)
		}
	}
	name := truncate(b.f.Bars.Categories.Name, s.fit(p, d.right-d.left))
	s.text((d.left+d.right)/2, d.bottom+b.labelH+18, name, p)
}
