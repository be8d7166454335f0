package viz

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the probability with which an interval holds what it is about.
const confidence = 0.95

// IntervalKind is how an interval follows from a mean and its standard error.
type IntervalKind string

// The kinds of interval.
const (
	// IntervalStudent is mean ± Times·error, Times a quantile of Student's t with
	// N − 1 degrees of freedom.
	IntervalStudent IntervalKind = "t"
	// IntervalWilson is that of a share p of N right answers, which needs no error
	// and stays within 0 and 1 (Wilson, "Probable Inference, the Law of Succession,
	// and Statistical Inference", JASA 22, 1927):
	//
	//	(p + z²/2N ± z √(p(1−p)/N + z²/4N²)) / (1 + z²/N),  z = Times.
	IntervalWilson IntervalKind = "wilson"
)

// Interval says which interval of 95 % belongs to the means of a figure that
// have standard errors. Lines and bars draw it, and every kind exports it.
type Interval struct {
	Kind IntervalKind `json:"kind"`
	// N is how many pairs or prompts each mean is over.
	N int `json:"n"`
	// Times is the quantile that stands for 95 %.
	Times float64 `json:"times"`
}

// Student is the interval of means over n numbers, n at least 2.
func Student(n int) *Interval {
	t := distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}
	return &Interval{Kind: IntervalStudent, N: n, Times: t.Quantile((1 + confidence) / 2)}
}

// Wilson is the interval of shares of n answers, n at least 1.
func Wilson(n int) *Interval {
	return &Interval{Kind: IntervalWilson, N: n, Times: distuv.UnitNormal.Quantile((1 + confidence) / 2)}
}

// Ends are the interval's of a mean. Without an interval they are one standard
// error down and up.
func (i *Interval) Ends(mean, sem float64) (lo, hi float64) {
	switch {
	case i == nil:
		return mean - sem, mean + sem
	case i.Kind == IntervalWilson:
		n, z := float64(i.N), i.Times
		middle, half := mean+z*z/(2*n), z*math.Sqrt(mean*(1-mean)/n+z*z/(4*n*n))
		lo, hi = (middle-half)/(1+z*z/n), (middle+half)/(1+z*z/n)
		return max(0, min(lo, mean)), min(1, max(hi, mean)) // rounding at 0 and 1
	}
	return mean - i.Times*sem, mean + i.Times*sem
}

// String says in words what is drawn.
func (i *Interval) String() string {
	switch {
	case i == nil:
		return "one standard error"
	case i.Kind == IntervalWilson:
		return fmt.Sprintf("95 %% Wilson score interval, n = %d", i.N)
	}
	return fmt.Sprintf("95 %% interval by Student's t, n = %d", i.N)
}

// check is the part of Validate for an interval.
func (i *Interval) check() error {
	if i == nil {
		return nil
	}
	if i.Kind != IntervalStudent && i.Kind != IntervalWilson {
		return fmt.Errorf("interval is %q, want %q or %q", i.Kind, IntervalStudent, IntervalWilson)
	}
	if least := map[IntervalKind]int{IntervalStudent: 2, IntervalWilson: 1}[i.Kind]; i.N < least {
		return fmt.Errorf("interval %q of n = %d: want %d or more", i.Kind, i.N, least)
	}
	if !(i.Times > 0) || math.IsInf(i.Times, 0) {
		return fmt.Errorf("interval %q: the quantile %v is no positive number", i.Kind, i.Times)
	}
	return nil
}

// drawsIntervals says whether the figure draws intervals: it is lines or bars, and some
// have errors.
func (f *Figure) drawsIntervals() bool {
	return f.Heatmap == nil && len(f.means()) > 0
}

// mean names an array of means and that of their standard errors.
type mean struct{ values, errors string }

// means are a figure's means with standard errors, of multiples those of all items.
func (f *Figure) means() (out []mean) {
	add := func(values, errors string) {
		if m := (mean{values, errors}); errors != "" && !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	switch f.Kind {
	case KindHeatmap:
		for _, p := range f.Heatmap.Panels {
			add(p.Values, p.Errors)
		}
	case KindLines, KindBars:
		for _, s := range f.series() {
			add(s.Y, s.Errors)
		}
	case KindMultiples:
		for _, item := range f.Multiples.Items {
			for _, m := range f.item(item).means() {
				add(m.values, m.errors)
			}
		}
	}
	return out
}

// series are those of lines or bars.
func (f *Figure) series() []Series {
	if f.Lines != nil {
		return f.Lines.Series
	}
	return f.Bars.Series
}

// ends are those of the intervals of means, as arrays of the means' shape. The frames
// of a slider lead in both of its arrays, or in the one that has them.
func (f *Figure) ends(m mean) (lo, hi *Array) {
	of := f.Arrays[m.values]
	if e := f.Arrays[m.errors]; len(e.Data) > len(of.Data) {
		of = e
	}
	lo, hi = NewArray(of.Axes, of.Shape...), NewArray(of.Axes, of.Shape...)
	for i := range of.Data {
		var state State
		lo.Data[i], hi.Data[i], state = f.end(m, i)
		lo.State[i], hi.State[i] = state, state
	}
	return lo, hi
}

// end is both ends of the interval of one mean, float32 as figures hold numbers; the
// state says why there is none.
func (f *Figure) end(m mean, i int) (lo, hi float32, s State) {
	values, errors := f.Arrays[m.values], f.Arrays[m.errors]
	v, s := values.At(i % len(values.Data))
	e, known := errors.At(i % len(errors.Data))
	if s == Done {
		s = known
	}
	if s != Done {
		return 0, 0, s
	}
	low, high := f.Interval.Ends(float64(v), float64(e))
	return float32(low), float32(high), Done
}
