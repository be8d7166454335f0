package ablate_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"orrery/ablate"
)

// TestMediateByAMetric: P(r) as a metric is the edited run's probability of the
// shift, to the bit, in every cell; the sides are those of MeasurePairs and of
// TotalAndDirect, whose total effect at the last position is the cell's.
func TestMediateByAMetric(t *testing.T) {
	g := toy(t)
	pairs, prob := g.pairs(t, "pairs5"), metric(t, "prob")
	e := g.mediate(t, pairs, ablate.MediateOptions{Components: []ablate.Component{ablate.MLP}, Metric: prob})
	base, source, err := ablate.MeasurePairs(context.Background(), g.model, pairs, prob)
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := ablate.Nodes(g.model, ablate.MLPPart)
	if err != nil {
		t.Fatal(err)
	}
	total, err := ablate.TotalAndDirect(context.Background(), g.model, pairs, ablate.EffectOptions{Nodes: nodes, Metric: prob})
	if err != nil {
		t.Fatal(err)
	}
	for i := range pairs {
		if e.Base[i] != e.Total[i].BaseR || e.Source[i] != e.Total[i].EditedR || base[i] != e.Base[i] || source[i] != e.Source[i] || total.Base[i] != base[i] || total.Source[i] != source[i] {
			t.Errorf("pair %d: sides %g and %g, measured %g and %g, shift %+v", i, e.Base[i], e.Source[i], base[i], source[i], e.Total[i])
		}
	}
	for _, c := range e.Cells {
		for i, s := range c.Shifts {
			if c.Values[i] != s.EditedR {
				t.Errorf("layer %d position %d pair %d: %g, the shift's P(r) is %g", c.Layer, c.Position, i, c.Values[i], s.EditedR)
			}
			if c.Position == e.Position-1 && total.Nodes[c.Layer].Total[i] != c.Values[i] {
				t.Errorf("layer %d pair %d: the total effect's run gives %g, the cell %g", c.Layer, i, total.Nodes[c.Layer].Total[i], c.Values[i])
			}
		}
	}
	if _, _, err := ablate.MeasurePairs(context.Background(), g.model, g.pairs(t, "pairs_fixed"), metric(t, "logit_diff")); err == nil {
		t.Error("a difference of an answer with itself is measured")
	}
}

// TestDirectShareError compares the jackknife with its definition, pair by pair
// left out.
func TestDirectShareError(t *testing.T) {
	g := toy(t)
	pairs := g.pairs(t, "pairs5")
	opt := ablate.EffectOptions{Nodes: []ablate.Node{{Part: ablate.MLPPart, Layer: 0}, {Part: ablate.HeadPart, Layer: 1, Index: 1}}, Metric: metric(t, "logit_change")}
	all, err := ablate.TotalAndDirect(context.Background(), g.model, pairs, opt)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range all.Nodes {
		var shares []float64
		for leave := range pairs {
			some, err := ablate.TotalAndDirect(context.Background(), g.model, append(append([]ablate.Pair(nil), pairs[:leave]...), pairs[leave+1:]...), opt)
			if err != nil {
				t.Fatal(err)
			}
			share, err := some.DirectShare(some.Nodes[i])
			if err != nil {
				t.Fatal(err)
			}
			shares = append(shares, share)
		}
		k, mean, square := float64(len(shares)), ablate.Summarise(shares).Mean, 0.0
		for _, s := range shares {
			square += (s - mean) * (s - mean)
		}
		if got, want := all.DirectShareError(n), math.Sqrt((k-1)/k*square); !(math.Abs(got-want) <= 1e-6*(1+want)) {
			t.Errorf("%s: %g, want %g", n.Node, got, want)
		}
	}
}

// TestKnockoutWhole: all heads knocked out together are the end of a curve of heads,
// bit for bit, whatever its order, and all streams are the last one's at every
// position. A start that fails ends the call.
func TestKnockoutWhole(t *testing.T) {
	g := toy(t)
	prompts, margin := g.cleanPrompts(t, "pairs5"), metric(t, "margin")
	heads, err := ablate.Nodes(g.model, ablate.HeadPart)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range ablate.Ablations {
		opt := ablate.KnockoutOptions{
			Sweeps: []ablate.PatchSweep{{Name: "heads", Site: "attn.hook_z", Axes: []string{"layer", "head"}}, {Name: "stream", Site: "hook_resid_post", Axes: []string{"layer"}}},
			Kind:   kind, Metrics: []ablate.Metric{metric(t, "prob"), margin}, Seed: 4, Whole: true,
		}
		k, err := ablate.Knockout(context.Background(), g.model, prompts, opt, func(ablate.KnockoutCell) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		c, err := ablate.KnockoutCurve(context.Background(), g.model, prompts, ablate.KnockoutCurveOptions{Order: heads, Kind: kind, Metric: margin, Seed: 4})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(k.Whole[1][0], c.Ranked.Values[len(heads)]) || !slices.Equal(k.Whole[1][0], c.Random[2].Values[len(heads)]) {
			t.Errorf("%s: all heads together give %v, the curve ends at %v", kind, k.Whole[1][0], c.Ranked.Values[len(heads)])
		}
		if last := k.Grids[1][1].Cell(g.model.Config.Layers - 1); !slices.Equal(k.Whole[1][1], last) {
			t.Errorf("%s: all streams together give %v, the last %v", kind, k.Whole[1][1], last)
		}
		opt.Started = func(*ablate.Knockouts) error { return errors.New("no") }
		if _, err := ablate.Knockout(context.Background(), g.model, prompts, opt, func(ablate.KnockoutCell) error { t.Error("a cell behind the end"); return nil }); err == nil || err.Error() != "no" {
			t.Errorf("%s: started with %v", kind, err)
		}
	}
}
