package analysis

import (
	"context"
	"math"
	"slices"

	"orrery/ablate"
	"orrery/viz"
)

// identities are the badges of what has to hold of direct effects.
func (r *effectsRun) identities(ctx context.Context) error {
	if !math.IsNaN(r.last) {
		of := "MLP"
		if r.m.Config.Parallel {
			of = "layer"
		}
		r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "last " + of + ": direct = total", Value: r.last, Bound: 1e-3, OK: r.last <= 1e-3,
			Help: "largest difference of the two effects of the last " + of + "'s outputs over all pairs: nothing lies behind them but the norm, so that only rounding may differ"})
	}
	if !r.a["frozen_norm"].(bool) || !slices.Contains([]string{"layers", "heads"}, r.a["show"].(string)) {
		return nil
	}
	nodes := r.nodes
	if r.a["show"] == "heads" && !r.m.Config.AttnOnly {
		// Heads are the attention's part of the sum; MLPs are the rest.
		for l := range r.m.Config.Layers {
			e, err := r.measure(ctx, l, ablate.MLPPart)
			if err != nil {
				return err
			}
			nodes = append(slices.Clone(nodes), e.Nodes...)
		}
	}
	off, err := ablate.DirectSum(ctx, r.m, r.pairs, r.change.metric, nodes)
	if err != nil {
		return err
	}
	if math.IsNaN(off) {
		r.fig.Caption += " Direct effects need not add up by this metric: it is not linear in the stream."
		return nil
	}
	with := ""
	if r.a["show"] == "heads" {
		with = ", with those of all MLPs,"
	}
	r.fig.Badges = append(r.fig.Badges, viz.Badge{Text: "sum of directs = whole, norm frozen", Value: off, Bound: 1e-4, OK: off <= 1e-4,
		Help: "largest difference, over pairs, of the sum of all direct effects" + with + " from the change when the last stream is the source's at once and the norm keeps its scale, as a share of 1 + that change"})
	return nil
}
