package viz

import (
	"fmt"
	"math"
	"math/cmplx"
	"slices"
	"strconv"
	"strings"
)

// leastCircle is the share of the points' variance from which a dial has a circle.
const leastCircle = 0.5

// circleShare is how much of the variance of a dial's points is one turn of its
// period in the order of their numbers, whichever way round and wherever it begins;
// ok is false where the labels are no numbers or the points have no length.
func (f *Figure) circleShare(d Dial) (share float64, ok bool) {
	if d.Labels == "" {
		return 0, false
	}
	var with, against complex128
	n, power := 0.0, 0.0
	for i, label := range f.Texts[d.Labels].Values {
		v, err := strconv.ParseFloat(strings.TrimSpace(label), 64)
		if err != nil || !finite(v) {
			return 0, false
		}
		x, state := f.Arrays[d.X].At(i)
		y, other := f.Arrays[d.Y].At(i)
		if state != Done || other != Done || !finite(float64(x)) || !finite(float64(y)) {
			continue
		}
		z, turn := complex(float64(x), float64(y)), cmplx.Rect(1, 2*math.Pi*v/d.Period)
		n, power = n+1, power+real(z)*real(z)+imag(z)*imag(z)
		with, against = with+z*cmplx.Conj(turn), against+z*turn
	}
	if power == 0 {
		return 0, false
	}
	return math.Pow(max(cmplx.Abs(with), cmplx.Abs(against)), 2) / (n * power), true
}

// orderless says that a dial's points are no circle; empty of a dial that has one.
func (f *Figure) orderless(d Dial) string {
	share, ok := f.circleShare(d)
	if !ok || share >= leastCircle {
		return ""
	}
	yet := ""
	if f.Slider != nil && slices.Contains(f.Slider.Arrays, d.X) {
		yet = " yet"
	}
	return fmt.Sprintf("no circle%s: %.0f %% of the points’ variance is in order", yet, 100*share)
}
