package probe

import (
	"fmt"
	"math"
)

// NumberErrors is what kind of mistakes answers make. Taking the low frequencies
// from an adder leaves errors of 10, 50 and 100 with the units right; taking the
// high ones leaves errors of a few (arXiv:2406.03445, section 3.3); a helix
// without the period 100 and the line errs by multiples of 10.
type NumberErrors struct {
	// N is how many answers there are, Unread how many are no number at all.
	N, Unread int
	// Accuracy, Within2 and Within10 are shares of all answers that are at most
	// 0, 2 and 10 off.
	Accuracy, Within2, Within10 float64
	// Wrong counts the numbers that are wrong; the shares below are of those, 0
	// when there is none.
	Wrong int
	// MultipleOf holds, for 2, 5, 10, 50 and 100, the share of errors that it
	// divides: 2 keeps the parity, 10 the units. By chance it is 1 in so many.
	MultipleOf map[int]float64
	// MeanSize is the mean |error| of the wrong numbers.
	MeanSize float64
	// Sizes counts each error, answer given less right answer.
	Sizes map[int]int
}

// ClassifyErrors compares answers given with the right ones. read says which
// answers are numbers; nil means all. Errors: no answers, lists of different
// lengths, numbers beyond ±2^31.
func ClassifyErrors(right, given []int, read []bool) (*NumberErrors, error) {
	if len(right) == 0 || len(given) != len(right) || read != nil && len(read) != len(right) {
		return nil, fmt.Errorf("number errors: %d right answers, %d given, %d marks of what could be read", len(right), len(given), len(read))
	}
	e := &NumberErrors{N: len(right), MultipleOf: map[int]float64{2: 0, 5: 0, 10: 0, 50: 0, 100: 0}, Sizes: map[int]int{}}
	exact, near, far := 0, 0, 0
	for i := range right {
		if read != nil && !read[i] {
			e.Unread++
			continue
		}
		for _, v := range [2]int{right[i], given[i]} {
			if v < -math.MaxInt32 || v > math.MaxInt32 {
				return nil, fmt.Errorf("number errors: answer %d holds %d: beyond ±2^31", i, v)
			}
		}
		off := given[i] - right[i]
		size := max(off, -off)
		if size <= 10 {
			far++
		}
		if size <= 2 {
			near++
		}
		if size == 0 {
			exact++
			continue
		}
		e.Wrong++
		e.Sizes[off]++
		e.MeanSize += float64(size)
		for m := range e.MultipleOf {
			if off%m == 0 {
				e.MultipleOf[m]++
			}
		}
	}
	n := float64(e.N)
	e.Accuracy, e.Within2, e.Within10 = float64(exact)/n, float64(near)/n, float64(far)/n
	if e.Wrong > 0 {
		e.MeanSize /= float64(e.Wrong)
		for m := range e.MultipleOf {
			e.MultipleOf[m] /= float64(e.Wrong)
		}
	}
	return e, nil
}
