package probe_test

import (
	"context"
	"math"
	"slices"
	"testing"

	"orrery/models"
	"orrery/models/modeltest"
	"orrery/probe"
)

// copyPrompt is one of the circuit's that copies the first token, which it answers.
var copyPrompt = []int{4, 1, 2, 3}

// blinded are the edits under which the circuit knows nothing: its head writes
// zeros.
func blinded(t *testing.T, m *models.Model) []models.Hook {
	t.Helper()
	hooks, err := m.Edits(models.Edit{Site: "blocks.1.attn.hook_z", Op: models.Set, Value: models.Number(0)})
	if err != nil {
		t.Fatal(err)
	}
	return hooks
}

// TestLensPlanted: in the circuit the answer can be read of the stream from the
// middle of layer 1 on and not before, of components of that layer's attention
// alone, and of heads of head 0 alone. With the head blinded nothing says it, at
// any state.
func TestLensPlanted(t *testing.T) {
	m, ctx := modeltest.Copy(), context.Background()
	last, answer := len(copyPrompt)-1, copyPrompt[0]
	target := []int{answer, answer, answer, answer}
	for _, test := range []struct {
		name  string
		hooks []models.Hook
		known []string
	}{
		{"planted", nil, []string{"resid_mid.1", "resid_post.1", "attn_out.1", "L1H0"}},
		{"null", blinded(t, m), nil},
	} {
		var rows []probe.LensRow
		opt := probe.LensOptions{Mid: true, Target: target, Hooks: test.hooks}
		lens, err := probe.LogitLens(ctx, m, copyPrompt, opt, keepRow)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, lens.Rows...)
		for _, of := range []probe.LensOf{probe.LensComponents, probe.LensHeads} {
			parts, err := probe.ComponentLens(ctx, m, copyPrompt, of, probe.LensOptions{Target: target, Hooks: test.hooks}, keepRow)
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, parts.Rows...)
		}
		for _, r := range rows {
			p := r.Values[probe.Probability][last]
			if slices.Contains(test.known, r.State) {
				if !(p > 0.9) || r.Values[probe.Rank][last] != 1 {
					t.Errorf("%s: %s gives the answer %g, rank %g", test.name, r.State, p, r.Values[probe.Rank][last])
				}
			} else if !(math.Abs(p-1.0/6) <= 1e-6) || !(math.Abs(r.Values[probe.Entropy][last]-math.Log(6)) <= 1e-6) {
				t.Errorf("%s: %s gives the answer %g of six, want none to be preferred", test.name, r.State, p)
			}
		}
	}
}

// TestDirectAttributionPlanted: all of the answer's logit is head 1.0's, and its
// layer's attention's; every other bar is 0. With the head blinded all are.
func TestDirectAttributionPlanted(t *testing.T) {
	m := modeltest.Copy()
	for _, hooks := range [][]models.Hook{nil, blinded(t, m)} {
		for by, planted := range map[probe.DirectBy]string{probe.ByComponent: "1_attn_out", probe.ByHead: "L1H0"} {
			d, err := probe.DirectAttribution(context.Background(), m, copyPrompt, probe.DirectOptions{By: by, Position: -1, Answer: copyPrompt[0], Incorrect: 2, Hooks: hooks})
			if err != nil {
				t.Fatal(err)
			}
			if (hooks == nil) != (d.Logit > 1) || hooks != nil && d.Logit != 0 {
				t.Errorf("the difference of logits is %g", d.Logit)
			}
			for _, p := range d.Parts {
				want := 0.0
				if p.Label == planted {
					want = d.Logit
				}
				within(t, string(by)+" "+p.Label, p.Value, want, 1e-5, 0)
			}
			within(t, "remainder", d.Remainder, 0, 1e-5, 0)
		}
	}
}
