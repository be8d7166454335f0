package script

import (
	"time"

	"orrery/server/analysis"
	"orrery/server/api"
	"orrery/viz"
)

// recallOr shows the figure that the host has of a call, or else computes it and
// gives it to the host. Only a call that ran to its end is given, and only one of
// which all is known by content (analysis.Key).
func (c call) recallOr(a analysis.Analysis, bound analysis.Args, compute func() (*viz.Figure, error)) (*viz.Figure, error) {
	key, unsure := a.Key(bound)
	if unsure == nil {
		if f := c.outlet.recall(key); f != nil {
			c.outlet.output(api.Output{ID: outputID(), Kind: api.OutputFigure, Figure: f})
			return f, nil
		}
	}
	start := time.Now()
	f, err := compute()
	if err == nil && unsure == nil {
		c.outlet.keep(key, f, time.Since(start))
	}
	return f, err
}
