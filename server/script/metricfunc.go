package script

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"

	"orrery/ablate"
	"orrery/models"
	"orrery/models/tensor"
	"orrery/server/analysis"
)

// metricFailure is the cause of a context that a metric ended.
type metricFailure struct{ err error }

func (f *metricFailure) Error() string { return f.err.Error() }

// metricOf makes a metric of a cell's function f(logits, pair): logits are those
// of the last position of the run that is measured, [d_vocab], and pair says what
// was run. It is called once for every pair and cell of a sweep, in the thread
// of the cell. An error, or a result that is no finite number, ends the run by
// fail, and later calls do nothing.
//
// Each call costs the copy of d_vocab numbers and the function's own steps, some
// microseconds for a small vocabulary, in place of a few nanoseconds for a metric
// by name.
func (c call) metricOf(ctx context.Context, fail context.CancelCauseFunc, m *models.Model, f starlark.Callable) analysis.MetricFunc {
	name := f.Name()
	if name == "lambda" {
		name = analysis.Nameless
	}
	return analysis.MetricFunc{Name: name, Of: func(r ablate.Readout, pair ablate.Contrast) float64 {
		if ctx.Err() != nil {
			return 0
		}
		logits := newTensor(tensor.From(slices.Clone(r.Run), len(r.Run)), []string{"d_vocab"}, "float32")
		about := &Pair{model: m, contrast: pair, answer: r.Answer, other: r.Other, base: r.Base}
		v, err := starlark.Call(c.thread, f, starlark.Tuple{logits, about}, nil)
		if err == nil {
			x, ok := number(v)
			switch {
			case !ok:
				err = &hinted{fmt.Sprintf("the metric %s gives a %s for %v: want a number", name, v.Type(), about), "end the function with return, and a number"}
			case math.IsNaN(x) || math.IsInf(x, 0):
				err = &hinted{fmt.Sprintf("the metric %s gives %v for %v, which no mean can hold", name, v, about), "look at what it divides by, or takes the logarithm of"}
			default:
				return x
			}
		}
		fail(&metricFailure{err})
		return 0
	}}
}

// metricError is the failure of a metric that ended a context, nil for none.
func metricError(ctx context.Context) error {
	var f *metricFailure
	if errors.As(context.Cause(ctx), &f) {
		return f.err
	}
	return nil
}
