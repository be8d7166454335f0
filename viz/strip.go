package viz

import (
	"fmt"
	"math"
)

// Measures of a slider's strip, in pixels.
const (
	stripHeight = 50.0
	stripHead   = 150.0 // width of the frame's label, where there is room
	knobRadius  = 6.0
)

// strip draws a slider as it stands in a picture: the present frame in words
// and its place on a track with a tick a frame, evenly spaced, and the bands.
func (s *sheet) strip(f *Figure, x, y, w float64) {
	sl := f.Slider
	n := len(sl.Labels)
	head := min(stripHead, 0.4*w)
	strong := pen{face: bold, size: titleSize, color: s.th.ui("ink")}
	small := pen{face: sans, size: smallSize, color: s.th.ui("mute")}
	s.text(x, y+18, truncate(sl.Labels[sl.Show], s.fit(strong, head-10)), strong)
	under := fmt.Sprintf("%s · %d of %d", named(sl.Name, "frame"), sl.Show+1, n)
	s.text(x, y+33, truncate(under, s.fit(small, head-10)), small)

	x0, x1, mid := x+head+knobRadius, x+w-knobRadius, y+22.0
	steps := f.whole(sl.Values).Data
	place := func(i float64) float64 {
		if n == 1 {
			return (x0 + x1) / 2
		}
		return x0 + (x1-x0)*i/float64(n-1)
	}
	for i, b := range sl.Bands {
		from, to := place(frameOf(steps, b.From)), place(frameOf(steps, b.To))
		if tint := bandTint(i, len(sl.Bands)); tint != "" {
			s.fillRect(from, mid-7, max(to-from, 1), 14, 0, s.th.ui(tint))
		}
		p := small
		p.align = centre
		if s.width(b.Label, p) <= to-from+6 {
			s.text((from+to)/2, mid-11, b.Label, p)
		}
	}
	s.line(x0, mid, x1, mid, 2, s.th.ui("line2"))
	if n > 1 && (x1-x0)/float64(n-1) >= 3 {
		for i := range n {
			s.line(place(float64(i)), mid+2, place(float64(i)), mid+7, 1, s.th.ui("edge"))
		}
	}
	at := place(float64(sl.Show))
	s.line(x0, mid, at, mid, 3, s.th.ui("blue"))
	s.c.SetColor(s.th.ui("card"))
	s.c.Fill(s.disc(at, mid, knobRadius))
	s.stroke(s.disc(at, mid, knobRadius-1), 2, s.th.ui("blue"))
	s.frameLabels(sl.Labels, place, mid+20)
}

// bandTint names the tint of a slider's band: the last is brass, the one
// before it blue, the one before that plain, and so on.
func bandTint(i, count int) string {
	return [...]string{"brass_bg", "blue_bg", ""}[(count-1-i)%3]
}

// frameLabels writes the first and the last label and between them those that
// have room.
func (s *sheet) frameLabels(labels []string, place func(float64) float64, y float64) {
	p := pen{face: sans, size: smallSize, color: s.th.ui("soft")}
	last := len(labels) - 1
	end := place(float64(last)) + knobRadius
	width := func(i int) float64 { return s.width(labels[i], p) }
	free := end
	if last > 0 {
		free = end - width(last) - 14
		s.text(end-width(last), y, labels[last], p)
	}
	taken := math.Inf(-1)
	for i := 0; i < max(last, 1); i++ {
		left := max(place(float64(i))-width(i)/2, place(0)-knobRadius)
		if left < taken || (i > 0 || last > 0) && left+width(i) > free {
			continue
		}
		s.text(left, y, labels[i], p)
		taken = left + width(i) + 14
	}
}

// frameOf is the place of a value among ascending steps, in frames, between
// two where it lies between them.
func frameOf(steps []float32, v float64) float64 {
	last := len(steps) - 1
	if v <= float64(steps[0]) {
		return 0
	}
	for i := 1; i <= last; i++ {
		if a, b := float64(steps[i-1]), float64(steps[i]); v <= b {
			return float64(i-1) + (v-a)/(b-a)
		}
	}
	return float64(last)
}
