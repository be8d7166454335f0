package script

import (
	"time"

	"orrery/ablate"
	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/viz"
)

// recallOr shows the figure that the host has of a call, or else computes it and
// gives it to the host. Only a call that ran to its end is given, and only one of
// which all is known by content (analysis.Key). Of one that does not run to its end
// the host gets the finished runs.
func (c call) recallOr(a analysis.Analysis, bound analysis.Args, compute func(from ablate.Unfinished) (*viz.Figure, error)) (*viz.Figure, error) {
	key, unsure := a.Key(bound)
	var from ablate.Unfinished
	if unsure == nil {
		if f := c.outlet.recall(key); f != nil {
			c.outlet.output(api.Output{ID: outputID(), Kind: api.OutputFigure, Figure: f})
			return f, nil
		}
		from = c.outlet.unfinished(key)
	}
	start := time.Now()
	f, err := compute(from)
	if err == nil && unsure == nil {
		c.outlet.keep(key, f, time.Since(start))
	}
	return f, err
}
