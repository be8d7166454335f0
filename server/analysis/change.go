package analysis

import (
	"fmt"
	"math"

	"orrery/ablate"
	"orrery/viz"
)

// normaliseParam declares normalise: one is what the effect 1 is.
func normaliseParam(standard bool, one string) Param {
	return Param{Name: "normalise", Type: TypeBool, Default: standard, Help: "show 0 where an edit does nothing and 1 " + one + "; a ratio of means, refused where there is nothing to divide by"}
}

// change is what figures show of a metric of edited runs: how it differs from
// that of the runs without edits, or the share which that is of another run's
// difference.
type change struct {
	metric    ablate.Metric
	normalise bool
	// base and source are the metric of the runs that are edited, without edits,
	// and of the runs that a normalised effect of 1 stands for, one a pair or
	// prompt. source is not needed without normalise.
	base, source []float64
	// one says in a few words what an effect of 1 is, "as in the other run".
	one string
}

// check refuses a normalised effect that would divide by nothing.
func (c change) check() error {
	if !c.normalise {
		return nil
	}
	if _, err := ablate.RatioOfMeans(c.base, c.base, c.source); err != nil {
		return &hintError{err.Error(), "take another metric or other prompts, or normalise=False"}
	}
	return nil
}

// of is what a figure shows of the metric of edited runs, with its standard error,
// NaN for one value. Both are NaN where check refuses.
func (c change) of(values []float64) (v, sem float64) {
	if !c.normalise {
		s := ablate.Summarise(differences(values, c.base))
		return s.Mean, s.SEM
	}
	v, err := ablate.RatioOfMeans(values, c.base, c.source)
	if err != nil {
		return math.NaN(), math.NaN()
	}
	if sem, err = ablate.RatioError(values, c.base, c.source); err != nil {
		return math.NaN(), math.NaN()
	}
	if v == 0 {
		v = 0 // and not −0
	}
	return v, sem
}

// label is what an axis says, and quantity what a subtitle does.
func (c change) label() string {
	if c.normalise {
		return "normalised " + changeOf(c.metric)
	}
	return changeOf(c.metric)
}

func (c change) quantity() string {
	if c.normalise {
		return fmt.Sprintf("%s (0: none, 1: %s)", c.label(), c.one)
	}
	return c.label()
}

// scale is an axis or a bar of colours of the change before its first number.
func (c change) scale(kind viz.ScaleKind, format string) viz.Scale {
	s := viz.Scale{Kind: kind, Hi: 1e-3, Label: c.label(), Unit: c.metric.Unit, Format: format}
	if c.normalise {
		s.Unit = ""
	}
	if kind == viz.ScaleDiverging {
		s.Lo = -s.Hi
	}
	return s
}
