package train

import "math"

// Schedule is a learning rate over the steps of a run: a straight line from 0
// to Peak over Warmup steps, then half a cosine down to Floor at the last step
// (Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm
// Restarts", ICLR 2017, arXiv:1608.03983, equation 5, without restarts).
type Schedule struct {
	Peak   float64 // the highest rate, reached at step Warmup
	Floor  float64 // the rate of step Steps
	Warmup int     // steps, may be 0
	Steps  int     // of the whole run
}

// At returns the rate of a step, counted from 1. Steps beyond the last keep Floor.
func (s Schedule) At(step int) float64 {
	switch {
	case step <= s.Warmup:
		return s.Peak * float64(step) / float64(s.Warmup)
	case step >= s.Steps:
		return s.Floor
	}
	done := float64(step-s.Warmup) / float64(s.Steps-s.Warmup)
	return s.Floor + (s.Peak-s.Floor)*(1+math.Cos(math.Pi*done))/2
}
